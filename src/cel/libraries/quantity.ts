import { type QuantityFormat, QuantityError, canonicalQuantity, formatQuantity, parseQuantity } from '#api'
import type { Library, Overload } from '../library.ts'
import { type CelType, types } from '../types.ts'
import { CelError, Opaque, type Value } from '../values.ts'
import { estimates, estimatesReading, readsFirst } from './costs.ts'

export const quantityType = types.opaque('kubernetes.Quantity')

/**
 * A quantity as upstream computes with it: `digits` × 10^`exponent`. Whether it counts as an integer, and its nearest floating point number, depend on
 * how it was written: `1` does and `1000m` does not, nor does what is too large or has a fraction of a binary unit (`wide`).
 */
export class QuantityValue extends Opaque {
  readonly type: CelType = quantityType
  readonly digits: bigint
  readonly exponent: number
  /** Held with arbitrary precision, rather than in 64 bits. */
  readonly wide: boolean
  readonly format: QuantityFormat
  readonly #text: string | undefined

  /** `text`: what it was parsed from. */
  constructor({ digits, exponent, wide }: Amount, format: QuantityFormat, text?: string) {
    super()
    this.#text = text
    this.digits = digits
    this.exponent = exponent
    this.wide = wide
    this.format = format
  }

  override equals(other: Opaque): boolean {
    return other instanceof QuantityValue && compare(this, other) === 0
  }

  /** The form in which it is stored. */
  override toString(): string {
    if (this.#text !== undefined) return canonicalQuantity(this.#text)
    const shift = this.exponent + 9
    const nano = shift >= 0 ? this.digits * 10n ** BigInt(shift) : this.digits / 10n ** BigInt(-shift)
    return formatQuantity({ nano, format: this.format })
  }
}

interface Amount {
  digits: bigint
  exponent: number
  wide: boolean
}

const fits = (value: bigint): boolean => value === BigInt.asIntN(64, value)
const powers: Record<string, number> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }
const decimals: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
// where binary units are capped
const largest = 2n ** 63n - 1n
// decimal digits that 64 bits surely hold
const safeDigits = 18

/** Throws QuantityError. */
function parse(text: string): QuantityValue {
  const { nano, format } = parseQuantity(text)
  const isCapped = format === 'BinarySI' && (nano === largest * 1_000_000_000n || nano === -largest * 1_000_000_000n)
  const wide = isCapped ? { digits: nano / 1_000_000_000n, exponent: 0, wide: true } : { digits: nano, exponent: -9, wide: true }
  return new QuantityValue(narrow(text) ?? wide, format, text)
}

/** The amount in 64 bits, where its text is short enough for that. */
function narrow(text: string): Amount | undefined {
  const [, sign, zeros, significant, fraction = '', suffix] = /^([+-]?)(0*)([0-9]*)(?:\.([0-9]*))?(.*)$/.exec(text)!
  if (significant === '' && fraction === '' && suffix === '' && zeros !== '') return { digits: 0n, exponent: 0, wide: false }
  const whole = significant || '0'
  const power = powers[suffix!]
  let exponent = 0
  let factor = 1n
  if (power === undefined) {
    if (whole.length + fraction.length > safeDigits) return undefined
    exponent = (decimals[suffix!] ?? Number(suffix!.slice(1))) - fraction.length
    if (exponent < -9) return undefined
  } else {
    if (fraction !== '' || 15 - whole.length - Math.trunc((power * 3) / 10) - 1 < 0) return undefined
    factor = 2n ** BigInt(power)
  }
  const digits = BigInt(whole + fraction) * factor * (sign === '-' ? -1n : 1n)
  return fits(digits) ? { digits, exponent, wide: false } : undefined
}

/** Both amounts as multiples of the smaller power of ten. */
function aligned(a: Amount, b: Amount): { a: bigint; b: bigint; exponent: number } {
  const exponent = Math.min(a.exponent, b.exponent)
  const at = (amount: Amount) => amount.digits * 10n ** BigInt(amount.exponent - exponent)
  return { a: at(a), b: at(b), exponent }
}

function compare(x: Amount, y: Amount): -1 | 0 | 1 {
  const { a, b } = aligned(x, y)
  return a < b ? -1 : a > b ? 1 : 0
}

/** `x` plus or minus `y`; the format is `x`'s, unless that is zero. */
function sum(x: QuantityValue, y: Amount & { format: QuantityFormat }, sign: 1n | -1n): QuantityValue {
  const format = x.digits === 0n ? y.format : x.format
  const wide = x.wide || y.wide
  if (!wide && y.digits === 0n) return new QuantityValue(x, format)
  if (!wide && x.digits === 0n) return new QuantityValue({ ...y, digits: sign * y.digits, wide }, format)
  const { a, b, exponent } = aligned(x, y)
  const digits = a + sign * b
  return new QuantityValue({ digits, exponent, wide: wide || !fits(a) || !fits(b) || !fits(digits) }, format)
}

const ofInt = (value: bigint): Amount & { format: QuantityFormat } => ({ digits: value, exponent: 0, wide: false, format: 'DecimalExponent' })

/** The value as an int; undefined where it is none, or not held as one. */
function asInteger({ digits, exponent, wide }: QuantityValue): bigint | undefined {
  if (wide || exponent < 0) return undefined
  // beyond this nothing but zero fits
  if (exponent > safeDigits) return digits === 0n ? 0n : undefined
  const value = digits * 10n ** BigInt(exponent)
  return fits(value) ? value : undefined
}

/** In the steps in which upstream does it, so that what rounding does to it is the same. */
function asFloat({ digits, exponent }: QuantityValue): number {
  return exponent === 0 ? Number(digits) : Number(digits) * Number(`1e${exponent}`)
}

const method = (id: string, result: CelType, call: (value: QuantityValue) => Value, member = true): Overload => ({
  id,
  parameters: [quantityType],
  result,
  ...(member && { member }),
  call: (value) => call(value as QuantityValue),
  cost: () => 1,
  estimate: estimates(1),
})

const binary = (id: string, other: CelType, result: CelType, call: (a: QuantityValue, b: Value) => Value): Overload => ({
  id,
  parameters: [quantityType, other],
  result,
  member: true,
  call: (a, b) => call(a as QuantityValue, b),
  cost: () => 1,
  estimate: estimates(1),
})

const comparison = (id: string, result: CelType, of: (order: -1 | 0 | 1) => Value): Overload[] => [
  binary(id, quantityType, result, (a, b) => of(compare(a, b as QuantityValue))),
]

const arithmetic = (id: string, sign: 1n | -1n): Overload[] => [
  binary(id, quantityType, quantityType, (a, b) => sum(a, b as QuantityValue, sign)),
  binary(`${id}_int`, types.int, quantityType, (a, b) => sum(a, ofInt(b as bigint), sign)),
]

/** Parses a quantity; a CelError says what is wrong with the text. */
export function quantityOf(text: string): QuantityValue | CelError {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof QuantityError)) throw error
    return new CelError(error.message)
  }
}

/** `kubernetes.quantity`: quantities. */
export const quantity: Library = {
  name: 'kubernetes.quantity',
  functions: {
    quantity: [
      {
        id: 'string_to_quantity',
        parameters: [types.string],
        result: quantityType,
        call: (text) => quantityOf(text as string),
        cost: readsFirst(),
        estimate: estimatesReading(),
      },
    ],
    isQuantity: [
      {
        id: 'is_quantity_string',
        parameters: [types.string],
        result: types.bool,
        call: (text) => quantityOf(text as string) instanceof QuantityValue,
        cost: readsFirst(),
        estimate: estimatesReading(),
      },
    ],
    // not a member: upstream declares it so
    sign: [method('quantity_sign', types.int, ({ digits }) => (digits === 0n ? 0n : digits < 0n ? -1n : 1n), false)],
    isGreaterThan: comparison('quantity_is_greater_than', types.bool, (order) => order === 1),
    isLessThan: comparison('quantity_is_less_than', types.bool, (order) => order === -1),
    compareTo: comparison('quantity_compare_to', types.int, (order) => BigInt(order)),
    asApproximateFloat: [method('quantity_get_float', types.double, asFloat)],
    asInteger: [method('quantity_get_int', types.int, (value) => asInteger(value) ?? new CelError('cannot convert value to integer'))],
    isInteger: [method('quantity_is_integer', types.bool, (value) => asInteger(value) !== undefined)],
    add: arithmetic('quantity_add', 1n),
    sub: arithmetic('quantity_sub', -1n),
  },
}
