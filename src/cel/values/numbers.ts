const LEAST_INT = -(2n ** 63n)
const GREATEST_INT = 2n ** 63n - 1n
const GREATEST_UINT = 2n ** 64n - 1n

export const isInt64 = (value: bigint): boolean => value >= LEAST_INT && value <= GREATEST_INT
export const isUint64 = (value: bigint): boolean => value >= 0n && value <= GREATEST_UINT

/** Digits and decimal exponent of a finite number other than 0: 1234 is 1.234e+3. */
function decimal(value: number): { digits: string; exponent: number } {
  const [mantissa, exponent] = Math.abs(value).toExponential().split('e') as [string, string]
  return { digits: mantissa.replace('.', ''), exponent: Number(exponent) }
}

/** A double as Go's `%g` writes it: the shortest digits that say it, with an exponent where that is below −4 or above 5. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const { digits, exponent } = decimal(value)
  const sign = value < 0 ? '-' : ''
  if (exponent < -4 || exponent >= 6) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : ''
    return `${sign}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  return sign + plain(digits, exponent)
}

/** A double without an exponent, however long that is: Go's format `f` with the shortest digits. */
export function formatPlain(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const { digits, exponent } = decimal(value)
  return (value < 0 ? '-' : '') + plain(digits, exponent)
}

function plain(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`
  if (digits.length <= exponent + 1) return digits.padEnd(exponent + 1, '0')
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`
}

/** Longest text of digits that is looked at: leading zeros may make a number long, but no number needs more. */
const LONGEST_NUMBER = 4096

/** An integer as Go's strconv.ParseInt reads it in base 10; undefined where that fails. */
export function parseInt64(text: string): bigint | undefined {
  if (text.length > LONGEST_NUMBER || !/^[+-]?\d+$/.test(text)) return undefined
  const value = BigInt(text[0] === '+' ? text.slice(1) : text)
  return isInt64(value) ? value : undefined
}

export function parseUint64(text: string): bigint | undefined {
  if (text.length > LONGEST_NUMBER || !/^\d+$/.test(text)) return undefined
  const value = BigInt(text)
  return isUint64(value) ? value : undefined
}

/** A number as Go's strconv.ParseFloat reads it; undefined where that fails, also when it is too great for a double. */
export function parseDouble(written: string): number | undefined {
  const special = /^([+-]?)(inf(?:inity)?)$/i.exec(written)
  if (special) return special[1] === '-' ? -Infinity : Infinity
  if (/^nan$/i.test(written)) return NaN
  const text = withoutUnderscores(written)
  if (text === undefined) return undefined
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    const value = Number(text)
    return Number.isFinite(value) ? value : undefined
  }
  return parseHexadecimal(text)
}

/** Go lets digits be parted by single underscores. */
function withoutUnderscores(text: string): string | undefined {
  if (!text.includes('_')) return text
  return /(^|[^\da-fx])_|_([^\da-f]|$)/i.test(text) ? undefined : text.replaceAll('_', '')
}

/** `0x1.8p3`: Go wants the exponent. */
function parseHexadecimal(text: string): number | undefined {
  const match = /^([+-]?)0x([\da-f]*)\.?([\da-f]*)p([+-]?\d{1,6})$/i.exec(text)
  if (!match || match[2]!.length + match[3]!.length === 0 || text.length > 64) return undefined
  const digits = BigInt(`0x${match[2]}${match[3]}`)
  const value = Number(digits) * 2 ** (Number(match[4]) - 4 * match[3]!.length)
  if (!Number.isFinite(value)) return undefined
  return match[1] === '-' ? -value : value
}
