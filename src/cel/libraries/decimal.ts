/**
 * Floating point numbers in decimal digits, exact to any precision: half of the last digit goes to the even one, as Go has it. JavaScript's own
 * functions go no further than a hundred digits.
 */

/** The number as `mantissa` × 2^`exponent`. */
function binary(value: number): { mantissa: bigint; exponent: number } {
  const bits = new DataView(new ArrayBuffer(8))
  bits.setFloat64(0, value)
  const all = bits.getBigUint64(0)
  const biased = Number((all >> 52n) & 0x7ffn)
  const fraction = all & 0xfffffffffffffn
  return biased === 0 ? { mantissa: fraction, exponent: -1074 } : { mantissa: fraction | 0x10000000000000n, exponent: biased - 1075 }
}

/** The positive number times 10^`power`, rounded to an integer. */
function scaled(value: number, power: number): bigint {
  const { mantissa, exponent } = binary(value)
  let above = mantissa
  let below = 1n
  if (power >= 0) above *= 10n ** BigInt(power)
  else below *= 10n ** BigInt(-power)
  if (exponent >= 0) above <<= BigInt(exponent)
  else below <<= BigInt(-exponent)
  const quotient = above / below
  const twice = (above - quotient * below) * 2n
  return twice > below || (twice === below && quotient % 2n === 1n) ? quotient + 1n : quotient
}

const signOf = (value: number, withZero = false): string => (value < 0 || (withZero && Object.is(value, -0)) ? '-' : '')

/** With `precision` digits after the point, or the shortest that say the number. `negativeZero`: −0 keeps its sign. */
export function fixed(value: number, precision: number | undefined, negativeZero = false): string {
  const sign = signOf(value, negativeZero)
  if (precision === undefined) return sign + shortest(Math.abs(value))
  const digits = scaled(Math.abs(value), precision)
    .toString()
    .padStart(precision + 1, '0')
  return sign + (precision === 0 ? digits : `${digits.slice(0, -precision)}.${digits.slice(-precision)}`)
}

/** One digit before the point and `precision` after it. */
export function exponential(value: number, precision: number): { mantissa: string; exponent: number } {
  const sign = signOf(value)
  const number = Math.abs(value)
  const point = (digits: string) => (precision === 0 ? digits : `${digits[0]}.${digits.slice(1)}`)
  if (number === 0) return { mantissa: sign + point('0'.repeat(precision + 1)), exponent: 0 }
  // the shortest digits may be rounded up to the next power of ten, and what is rounded here as well
  let exponent = Number(number.toExponential().split('e')[1])
  let digits = scaled(number, precision - exponent).toString()
  if (digits.length <= precision) digits = scaled(number, precision - --exponent).toString()
  if (digits.length > precision + 1) {
    exponent++
    digits = digits.slice(0, -1)
  }
  return { mantissa: sign + point(digits), exponent }
}

/** The shortest digits that say the number, without an exponent. */
function shortest(value: number): string {
  const [mantissa, power] = value.toExponential().split('e') as [string, string]
  const digits = mantissa.replace('.', '')
  const exponent = Number(power)
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  const fraction = digits.slice(exponent + 1)
  return fraction === '' ? whole : `${whole}.${fraction}`
}

/** With commas between the thousands. */
export function grouped(text: string): string {
  const [whole, fraction] = text.split('.') as [string, string | undefined]
  const commas = whole.replace(/\B(?=(?:[0-9]{3})+$)/g, ',')
  return fraction === undefined ? commas : `${commas}.${fraction}`
}
