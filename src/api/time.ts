/** What is wrong with a time or a duration, in Go's words. */
export class TimeError extends Error {
  override name = 'TimeError'
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)$/

/** Milliseconds since the epoch of an RFC 3339 time; fractions beyond milliseconds are cut. Throws TimeError. */
export function parseTime(text: string): number {
  return Math.floor(parseMicros(text) / 1000)
}

/** Microseconds since the epoch; exact for every year that RFC 3339 can name before 2255. Throws TimeError. */
export function parseMicros(text: string, layout = '2006-01-02T15:04:05Z07:00'): number {
  const match = rfc3339.exec(text)
  if (!match) throw new TimeError(`parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: ${mismatch(text, layout)}`)
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [number, number, number, number, number, number]
  const offset = match[8]!
  const zone = offset === 'Z' ? 0 : (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4))) * (offset[0] === '-' ? -1 : 1)
  const wrong = month < 1 || month > 12 ? 'month' : hour > 23 ? 'hour' : minute > 59 ? 'minute' : second > 59 ? 'second' : undefined
  // Date.UTC takes years below 100 for those of the 20th century.
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (wrong || date.getUTCDate() !== day || day === 0) throw new TimeError(`parsing time ${JSON.stringify(text)}: ${wrong ?? 'day'} out of range`)
  date.setUTCHours(hour, minute - zone, second)
  return date.getTime() * 1000 + Number((match[7] ?? '').slice(0, 6).padEnd(6, '0'))
}

const layoutSteps: [RegExp, string][] = [
  [/^\d{4}/, '2006'],
  [/^-/, '-'],
  [/^\d\d/, '01'],
  [/^-/, '-'],
  [/^\d\d/, '02'],
  [/^T/, 'T'],
  [/^\d\d/, '15'],
  [/^:/, ':'],
  [/^\d\d/, '04'],
  [/^:/, ':'],
  [/^\d\d(?:[.,]\d+)?/, '05'],
  [/^(?:Z|[+-]\d\d:\d\d)/, 'Z07:00'],
]

/** How Go tells where a text leaves the layout. */
function mismatch(text: string, layout: string): string {
  let rest = text
  for (const [pattern, part] of layoutSteps) {
    const found = pattern.exec(rest)?.[0]
    if (found === undefined)
      return `cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(part === '05' && layout.includes('.') ? '05.000000' : part)}`
    rest = rest.slice(found.length)
  }
  return `extra text: ${JSON.stringify(rest)}`
}

/** `metav1.Time`: RFC 3339 in UTC with whole seconds, e.g. `2026-01-02T03:04:05Z`. Takes milliseconds since the epoch. */
export function formatTime(ms: number): string {
  return `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`
}

/** `metav1.MicroTime`: RFC 3339 in UTC with six digits of fraction. Takes milliseconds since the epoch, fractions count. */
export function formatMicroTime(ms: number): string {
  return formatMicros(Math.round(ms * 1000))
}

function formatMicros(micros: number): string {
  const seconds = Math.floor(micros / 1e6)
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(micros - seconds * 1e6).padStart(6, '0')}Z`
}

const canonicalTime = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/

/** The stored form of a time: seconds, UTC. Throws TimeError. */
export function canonicalTimeOf(text: string): string {
  return canonicalTime.test(text) ? text : formatTime(parseTime(text))
}

const microLayout = '2006-01-02T15:04:05.000000Z07:00'

/** The stored form of a MicroTime: six digits, UTC. Throws TimeError. */
export function canonicalMicroTimeOf(text: string): string {
  // Go's layout asks for exactly six digits
  const fraction = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d((?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d))$/.exec(text)?.[1]
  if (fraction !== undefined && !/^[.,]\d{6}(?!\d)/.test(fraction)) {
    const whole = /^[.,]\d{6}/.test(fraction)
    const rest = fraction.length < 7 ? fraction : fraction.slice(7)
    throw new TimeError(
      `parsing time ${JSON.stringify(text)} as ${JSON.stringify(microLayout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(whole ? 'Z07:00' : '.000000')}`,
    )
  }
  return formatMicros(parseMicros(text, microLayout))
}

const nanosPer: Record<string, bigint> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}

/** Milliseconds of a Go duration such as `1h15m30.5s`. Throws TimeError. */
export function parseDuration(text: string): number {
  return Number(parseNanos(text)) / 1e6
}

/** Nanoseconds of a Go duration. Throws TimeError. */
export function parseNanos(text: string): bigint {
  const invalid = () => new TimeError(`time: invalid duration ${JSON.stringify(text)}`)
  const match = /^([+-]?)(.*)$/s.exec(text)!
  let rest = match[2]!
  if (rest === '0') return 0n
  if (rest === '') throw invalid()
  let nanos = 0n
  while (rest !== '') {
    const number = /^(\d*)(?:\.(\d*))?/.exec(rest)!
    const [all, whole = '', fraction = ''] = number
    if (whole === '' && fraction === '') throw invalid()
    rest = rest.slice(all.length)
    const name = /^[^.\d]*/.exec(rest)![0]
    if (name === '') throw new TimeError(`time: missing unit in duration ${JSON.stringify(text)}`)
    const unit = nanosPer[name]
    if (unit === undefined) throw new TimeError(`time: unknown unit ${JSON.stringify(name)} in duration ${JSON.stringify(text)}`)
    nanos += BigInt(whole || '0') * unit + (BigInt(fraction || '0') * unit) / 10n ** BigInt(fraction.length)
    rest = rest.slice(name.length)
  }
  if (nanos > 2n ** 63n - 1n) throw invalid()
  return match[1] === '-' ? -nanos : nanos
}

/** A duration as Go writes it: `1h15m30.5s`, `1.5ms`, `0s`. Takes milliseconds. */
export function formatDuration(ms: number): string {
  return formatNanos(BigInt(Math.round(ms * 1e6)))
}

/** Like formatDuration, of nanoseconds. */
export function formatNanos(signed: bigint): string {
  if (signed === 0n) return '0s'
  const sign = signed < 0n ? '-' : ''
  const nanos = signed < 0n ? -signed : signed
  const decimal = (value: bigint, unit: bigint) => {
    const fraction = (value % unit)
      .toString()
      .padStart(unit.toString().length - 1, '0')
      .replace(/0+$/, '')
    return fraction ? `${value / unit}.${fraction}` : `${value / unit}`
  }
  if (nanos < 1_000n) return `${sign}${nanos}ns`
  if (nanos < 1_000_000n) return `${sign}${decimal(nanos, 1_000n)}µs`
  if (nanos < 1_000_000_000n) return `${sign}${decimal(nanos, 1_000_000n)}ms`
  const minutes = nanos / nanosPer.m!
  const seconds = `${decimal(nanos % nanosPer.m!, nanosPer.s!)}s`
  if (minutes === 0n) return `${sign}${seconds}`
  return minutes < 60n ? `${sign}${minutes}m${seconds}` : `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`
}

/** The stored form of a `metav1.Duration`. Throws TimeError. */
export function canonicalDurationOf(text: string): string {
  return formatNanos(parseNanos(text))
}
