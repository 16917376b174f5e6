import type { Overload, SizeEstimate } from '../library.ts'
import { sizeOf } from '../values/size.ts'

/** Cost of reading one character of a text, or one byte. */
export const traversalFactor = 0.1
/** Cost of one character of a regular expression, for each unit that reading the text costs. */
export const regexFactor = 0.25
/** Cost of making a list, and of making an object. */
export const listCost = 10
export const structCost = 40

/** Cost of reading a text, or anything of that size, `times` times. */
export const reading = (size: number, times = 1): number => Math.ceil(size * times * traversalFactor)

/** Cost of matching a text of `size` with an expression of `length`: an empty text is not free. */
export const matching = (size: number, length: number): number => Math.ceil((1 + size) * traversalFactor) * Math.ceil(length * regexFactor)

/** Reads the first argument, `times` times. */
export const readsFirst =
  (times = 1): NonNullable<Overload['cost']> =>
  ([first]) =>
    reading(sizeOf(first!), times)

// ——— estimates, in unsigned integers of 64 bits that stay at the largest when they would pass it ———

export const unbounded = 2n ** 64n - 1n
export const exactly = (value: number | bigint): SizeEstimate => ({ min: BigInt(value), max: BigInt(value) })
export const unknownSize: SizeEstimate = { min: 0n, max: unbounded }

const capped = (value: bigint): bigint => (value > unbounded ? unbounded : value)

export const add = (a: SizeEstimate, b: SizeEstimate): SizeEstimate => ({ min: capped(a.min + b.min), max: capped(a.max + b.max) })
export const multiply = (a: SizeEstimate, b: SizeEstimate): SizeEstimate => ({ min: capped(a.min * b.min), max: capped(a.max * b.max) })
export const union = (a: SizeEstimate, b: SizeEstimate): SizeEstimate => ({
  min: a.min < b.min ? a.min : b.min,
  max: a.max > b.max ? a.max : b.max,
})

/** Rounded up; as upstream does it in floating point. */
export const scale = ({ min, max }: SizeEstimate, factor: number): SizeEstimate => ({ min: scaled(min, factor), max: scaled(max, factor) })

function scaled(value: bigint, factor: number): bigint {
  const product = Number(value) * factor
  if (!(product > 0)) return 0n
  return product >= 2 ** 64 ? unbounded : BigInt(Math.ceil(product))
}

/** The estimate that goes with `readsFirst`. */
export const estimatesReading =
  (times = 1, sameSize = false): NonNullable<Overload['estimate']> =>
  ([first]) => ({ cost: scale(first!.size, times * traversalFactor), ...(sameSize && { result: first!.size }) })

export const estimates = (cost: number): NonNullable<Overload['estimate']> => {
  const estimate = { cost: exactly(cost) }
  return () => estimate
}
