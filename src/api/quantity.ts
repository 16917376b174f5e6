/** How a quantity is written: `12M`, `12Mi`, `12e6`. Arithmetic keeps the format of its first operand. */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent'

/** A Kubernetes quantity, exact to a billionth (finer values were rounded away from zero when parsed). */
export interface Quantity {
  /** The value in billionths of the unit. */
  readonly nano: bigint
  readonly format: QuantityFormat
}

/** What arithmetic takes: a parsed quantity, or one in its wire form. */
export type QuantityLike = Quantity | string | number

const unit = 1_000_000_000n
const milli = 1_000_000n
const maxBinary = (2n ** 63n - 1n) * unit

const formatWrong = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const numericWrong = 'unable to parse numeric part of quantity'
const suffixWrong = "unable to parse quantity's suffix"

const decimalSuffixes: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const decimalByExponent: Record<number, string> = Object.fromEntries(Object.entries(decimalSuffixes).map(([s, e]) => [e, s]))
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']

// Beyond this, a number is an attack and no amount of anything.
const maxExponent = 4096

interface Parts {
  negative: boolean
  /** Digits before the point, without leading zeros. */
  whole: string
  fraction: string
  format: QuantityFormat
  /** Of ten, or of 1024 for BinarySI. */
  exponent: number
}

const shape = /^([+-]?)0*([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/

function split(text: string): Parts {
  const match = text === '' ? null : shape.exec(text)
  if (!match) throw new QuantityError(formatWrong)
  const [, sign, whole, fraction = '', suffix] = match as unknown as [string, string, string, string | undefined, string]
  const parts = { negative: sign === '-', whole: whole || '0', fraction }
  const decimal = decimalSuffixes[suffix]
  if (decimal !== undefined) return { ...parts, format: 'DecimalSI', exponent: decimal }
  const binary = binarySuffixes.indexOf(suffix)
  if (binary > 0) return { ...parts, format: 'BinarySI', exponent: binary }
  if (/^[eE][-+]?[0-9]+$/.test(suffix)) {
    const exponent = Number(suffix.slice(1))
    if (Math.abs(exponent) > maxExponent) throw new QuantityError(numericWrong)
    return { ...parts, format: 'DecimalExponent', exponent }
  }
  throw new QuantityError(suffixWrong)
}

/** What is wrong with a quantity, in upstream's words. */
export class QuantityError extends Error {
  override name = 'QuantityError'
}

/** Parses `1500m`, `1.5Gi`, `12e6` … ; throws QuantityError. */
export function parseQuantity(text: string): Quantity {
  return combine(split(text))
}

function combine({ negative, whole, fraction, format, exponent }: Parts): Quantity {
  const digits = BigInt(whole + fraction)
  let nano: bigint
  if (format === 'BinarySI') {
    nano = divideUp(digits * unit * 1024n ** BigInt(exponent), 10n ** BigInt(fraction.length))
    if (nano > maxBinary) nano = maxBinary
    // A binary fraction of one unit would have to be rounded: it is written in decimals.
    if (nano > 0n && nano < unit) format = 'DecimalSI'
  } else {
    const shift = exponent - fraction.length + 9
    nano = shift >= 0 ? digits * 10n ** BigInt(shift) : divideUp(digits, 10n ** BigInt(-shift))
  }
  return { nano: negative ? -nano : nano, format }
}

/** Division that rounds away from zero. */
function divideUp(value: bigint, by: bigint): bigint {
  const quotient = value / by
  if (quotient * by === value) return quotient
  return value < 0n ? quotient - 1n : quotient + 1n
}

/** The canonical form: no fraction, the largest suffix that loses nothing. */
export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return '0'
  // powers of 1024 say whole units alone, and of at least one of them
  if (format === 'BinarySI' && nano % unit === 0n && (nano <= -1024n * unit || nano >= 1024n * unit)) {
    let mantissa = nano / unit
    let step = 0
    while (step < binarySuffixes.length - 1 && mantissa % 1024n === 0n) {
      mantissa /= 1024n
      step++
    }
    return `${mantissa}${binarySuffixes[step]}`
  }
  let mantissa = nano
  let exponent = -9
  while (mantissa % 1000n === 0n && (format === 'DecimalExponent' || exponent < 18)) {
    mantissa /= 1000n
    exponent += 3
  }
  if (format === 'DecimalExponent') return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`
  return `${mantissa}${decimalByExponent[exponent]}`
}

// Quantities repeat a lot (100m, 128Mi): the canonical forms of the last few thousand are kept.
const canonical = new Map<string, string>()
const maxKept = 4096

/** The form in which a quantity is stored and answered. A JSON number is a quantity too. Throws QuantityError. */
export function canonicalQuantity(text: string | number): string {
  if (typeof text === 'number') return canonicalQuantity(String(text))
  const known = canonical.get(text)
  if (known !== undefined) return known
  const parts = split(text)
  const result = keepsItsForm(parts) ? text : formatQuantity(combine(parts))
  if (text.length <= 32) {
    if (canonical.size >= maxKept) canonical.clear()
    canonical.set(text, result)
  }
  return result
}

/** Upstream answers some quantities as they were written, canonical or not (`1.500`, `+1`): those that need no second look. */
function keepsItsForm({ whole, fraction, format, exponent }: Parts): boolean {
  const digits = whole + fraction
  if (format === 'BinarySI') {
    const precision = 15 - whole.length - exponent * 3 - 1
    return fraction === '' && precision >= 0 && (BigInt(whole) & 7n) !== 0n
  }
  const scale = exponent - fraction.length
  return digits.length <= 18 && scale >= -9 && scale % 3 === 0 && !digits.endsWith('000') && digits[0] !== '0'
}

const of = (q: QuantityLike): Quantity => (typeof q === 'object' ? q : parseQuantity(String(q)))

/** The value in units, rounded away from zero to an integer. */
export function quantityValue(q: QuantityLike): number {
  return Number(divideUp(of(q).nano, unit))
}

/** The value in thousandths, rounded away from zero to an integer. */
export function milliValue(q: QuantityLike): number {
  return Number(divideUp(of(q).nano, milli))
}

/** The value as the nearest number, fractions kept. */
export function approximateValue(q: QuantityLike): number {
  return Number(of(q).nano) / 1e9
}

export function quantityOf(value: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity {
  return { nano: BigInt(value) * unit, format }
}

export function quantityOfMilli(value: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity {
  return { nano: BigInt(value) * milli, format }
}

/** Negative, zero or positive, as `a` is smaller than, equal to or greater than `b`. */
export function compareQuantity(a: QuantityLike, b: QuantityLike): number {
  const difference = of(a).nano - of(b).nano
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

export function addQuantity(a: QuantityLike, b: QuantityLike): Quantity {
  const [x, y] = [of(a), of(b)]
  return { nano: x.nano + y.nano, format: x.nano === 0n ? y.format : x.format }
}

export function subQuantity(a: QuantityLike, b: QuantityLike): Quantity {
  const [x, y] = [of(a), of(b)]
  return { nano: x.nano - y.nano, format: x.nano === 0n ? y.format : x.format }
}
