import { canonicalQuantity, parseQuantity } from '#api'

// The same few quantities come again and again (100m, 128Mi): what they are worth is kept, up to a bound.
const known = new Map<string, bigint>()
const maxKnown = 4096

/** The value in billionths. */
function nanoOf(text: string): bigint {
  const found = known.get(text)
  if (found !== undefined) return found
  const { nano } = parseQuantity(text)
  if (known.size >= maxKnown) known.clear()
  known.set(text, nano)
  return nano
}

const unit = 1_000_000_000n

// Nearly every quantity starts with a digit: those are not negative.
const isDigit = (code: number) => code >= 48 && code <= 57

export const isNegativeQuantity = (text: string) => !isDigit(text.charCodeAt(0)) && nanoOf(text) < 0n

export const isZeroQuantity = (text: string) => nanoOf(text) === 0n

export const isIntegerQuantity = (text: string) => nanoOf(text) % unit === 0n

/** Negative, zero or positive, as `a` is smaller than, equal to or greater than `b`. */
export function compareQuantities(a: string, b: string): number {
  if (a === b) return 0
  const difference = nanoOf(a) - nanoOf(b)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** As a number, near enough to divide by. */
export const quantityNumber = (text: string) => Number(nanoOf(text)) / 1e9

/** A quantity as messages print it. */
export const quantityText = (text: string) => canonicalQuantity(text)
