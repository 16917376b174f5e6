import { Timestamp } from '../values.ts'
import { formatPlain, isInt64 } from './numbers.ts'

export const SECOND = 1_000_000_000n
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, in seconds since 1970. */
const LEAST_SECOND = -62_135_596_800n
const GREATEST_SECOND = 253_402_300_799n

/** Whole seconds, rounded down. */
export const secondsOf = (nanoseconds: bigint): bigint => (nanoseconds - modulo(nanoseconds, SECOND)) / SECOND

function modulo(value: bigint, by: bigint): bigint {
  const rest = value % by
  return rest < 0n ? rest + by : rest
}

/** Whether a timestamp is of the years 1 to 9999. */
export function inRange(nanoseconds: bigint): boolean {
  const seconds = secondsOf(nanoseconds)
  return seconds >= LEAST_SECOND && seconds <= GREATEST_SECOND
}

const STRICT_RFC3339 =
  /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d+))?([Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/

/**
 * What `timestamp('…')` reads: `malformed` is not written as RFC 3339 has it, `invalid` names no time, as February 30.
 * Fractions beyond nanoseconds are cut off.
 */
export function parseTimestamp(text: string): Timestamp | 'malformed' | 'invalid' | 'overflow' {
  const match = text.length > 1024 ? null : STRICT_RFC3339.exec(text)
  if (!match) return 'malformed'
  const [, year, month, day, hour, minute, second, fraction, zone, sign, zoneHour, zoneMinute] = match
  // Go's time.Parse knows no leap second, nor lower case letters.
  if (second === '60' || text[10] !== 'T' || zone === 'z') return 'invalid'
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  if (date.getUTCDate() !== Number(day)) return 'invalid'
  date.setUTCHours(Number(hour), Number(minute), Number(second))
  const offset = sign === undefined ? 0 : (sign === '-' ? -1 : 1) * (Number(zoneHour) * 3600 + Number(zoneMinute) * 60)
  const seconds = BigInt(date.getTime() / 1000 - offset)
  const nanoseconds = BigInt((fraction ?? '').slice(0, 9).padEnd(9, '0'))
  return seconds < LEAST_SECOND || seconds > GREATEST_SECOND ? 'overflow' : new Timestamp(seconds * SECOND + nanoseconds, offset)
}

const pad = (value: number, length = 2): string => String(value).padStart(length, '0')

/** RFC 3339 with as many digits of the second as it takes, in the zone that the timestamp was written in. */
export function formatTimestamp({ nanoseconds, offset }: Timestamp): string {
  const { date, fraction } = civil(nanoseconds, offset)
  const zone = offset === 0 ? 'Z' : zoneText(offset, ':')
  return `${day(date)}T${clock(date)}${fraction}${zone}`
}

function civil(nanoseconds: bigint, offset: number): { date: Date; fraction: string } {
  const digits = modulo(nanoseconds, SECOND).toString().padStart(9, '0').replace(/0+$/, '')
  return { date: new Date((Number(secondsOf(nanoseconds)) + offset) * 1000), fraction: digits === '' ? '' : `.${digits}` }
}

const day = (date: Date): string => `${pad(date.getUTCFullYear(), 4)}-${pad(date.getUTCMonth() + 1)}-${pad(date.getUTCDate())}`
const clock = (date: Date): string => `${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}:${pad(date.getUTCSeconds())}`

function zoneText(offset: number, separator: string): string {
  const minutes = Math.abs(Math.trunc(offset / 60))
  return `${offset < 0 ? '-' : '+'}${pad(Math.trunc(minutes / 60))}${separator}${pad(minutes % 60)}`
}

/** As Go's Time.String shows it in messages. */
export function goTime({ nanoseconds, offset }: Timestamp): string {
  const { date, fraction } = civil(nanoseconds, offset)
  const zone = zoneText(offset, '')
  return `${day(date)} ${clock(date)}${fraction} ${zone} ${offset === 0 ? 'UTC' : zone}`
}

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3600n * SECOND,
}

const DURATION_PART = /(\d*)(?:\.(\d*))?([a-zµμ]+)/y

/** Nanoseconds of a duration as Go's time.ParseDuration reads it: `1h30m`, `-1.5s`, `0`. Undefined where that fails. */
export function parseDuration(text: string): bigint | undefined {
  const negative = text.startsWith('-')
  const rest = negative || text.startsWith('+') ? text.slice(1) : text
  if (rest === '0') return 0n
  if (rest === '' || rest.length > 1024) return undefined
  let total = 0n
  for (let index = 0; index < rest.length; index = DURATION_PART.lastIndex) {
    DURATION_PART.lastIndex = index
    const match = DURATION_PART.exec(rest)
    if (!match) return undefined
    const [, whole, fraction = '', name] = match as unknown as [string, string, string | undefined, string]
    const unit = Object.hasOwn(UNITS, name) ? UNITS[name]! : undefined
    if (unit === undefined || whole.length + fraction.length === 0) return undefined
    const digits = fraction.slice(0, 18)
    total += BigInt(whole || '0') * unit + (digits === '' ? 0n : (BigInt(digits) * unit) / 10n ** BigInt(digits.length))
  }
  const value = negative ? -total : total
  return isInt64(value) ? value : undefined
}

/** `5400s`: the text of a duration in CEL is its seconds. */
export const formatDuration = (nanoseconds: bigint): string => `${formatPlain(durationSeconds(nanoseconds))}s`

/** The seconds of a duration as a double, by the steps Go's Duration.Seconds takes. */
export const durationSeconds = (nanoseconds: bigint): number => Number(nanoseconds / SECOND) + Number(nanoseconds % SECOND) / 1e9

/** As Go's Duration.String shows it in messages: `1h30m0s`. */
export function goDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s'
  const sign = nanoseconds < 0n ? '-' : ''
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds
  const decimals = (unit: bigint) => {
    const rest = (size % unit)
      .toString()
      .padStart(unit.toString().length - 1, '0')
      .replace(/0+$/, '')
    return rest === '' ? '' : `.${rest}`
  }
  if (size < 1000n) return `${sign}${size}ns`
  if (size < 1_000_000n) return `${sign}${size / 1000n}${decimals(1000n)}µs`
  if (size < SECOND) return `${sign}${size / 1_000_000n}${decimals(1_000_000n)}ms`
  const seconds = size / SECOND
  const hours = seconds / 3600n
  const minutes = (seconds / 60n) % 60n
  const lead = hours > 0n ? `${hours}h${minutes}m` : minutes > 0n ? `${minutes}m` : ''
  return `${sign}${lead}${seconds % 60n}${decimals(SECOND)}s`
}

/** The offset from UTC in seconds that a zone has at a time, or the message of Go's error. */
export function zoneOffset(zone: string, nanoseconds: bigint): number | string {
  const colon = zone.indexOf(':')
  if (colon >= 0) return numericOffset(zone, colon)
  if (zone === '' || zone === 'UTC' || zone === 'Local') return 0
  if (zone.startsWith('/') || zone.startsWith('\\') || zone.includes('..')) return 'time: invalid location name'
  const format = zoneFormat(zone)
  if (format === undefined) return `unknown time zone ${zone}`
  const milliseconds = Number(secondsOf(nanoseconds)) * 1000
  const parts: Record<string, number> = {}
  for (const { type, value } of format.formatToParts(milliseconds)) parts[type] = type === 'era' ? Number(value === 'BC') : Number(value)
  // before the year 1 come 1 BC, which is 0, and so on
  if (parts['era'] === 1) parts['year'] = 1 - parts['year']!
  const local = new Date(0)
  local.setUTCFullYear(parts['year']!, parts['month']! - 1, parts['day'])
  local.setUTCHours(parts['hour']!, parts['minute'], parts['second'])
  return (local.getTime() - milliseconds) / 1000
}

function numericOffset(zone: string, colon: number): number | string {
  const read = (text: string) => (/^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined)
  const failed = (text: string) => `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`
  const hours = read(zone.slice(0, colon))
  if (hours === undefined) return failed(zone.slice(0, colon))
  const minutes = read(zone.slice(colon + 1))
  if (minutes === undefined) return failed(zone.slice(colon + 1))
  if (hours < -23 || hours > 23) return `timezone offset hours out of range [-23, 23]: ${zone}`
  if (minutes < 0 || minutes > 59) return `timezone offset minutes out of range [0, 59]: ${zone}`
  return (hours * 60 + (zone.startsWith('-') ? -minutes : minutes)) * 60
}

/** Formats cost much to make and are pure: the last ones used are kept, few enough that no sender of names fills the memory. */
const formats = new Map<string, Intl.DateTimeFormat | undefined>()
const KEPT_FORMATS = 64

function zoneFormat(zone: string): Intl.DateTimeFormat | undefined {
  if (formats.has(zone)) return formats.get(zone)
  const format = makeFormat(zone)
  if (formats.size >= KEPT_FORMATS) formats.clear()
  formats.set(zone, format)
  return format
}

/** Names of zones are files' names to Go: they have their capital letters where they have them, while Intl reads any. */
const isWritten = (part: string): boolean => /^[A-Z]/.test(part) && !/^[A-Z_]{5,}$/.test(part)

function makeFormat(zone: string): Intl.DateTimeFormat | undefined {
  if (!/^[A-Za-z][\w+/-]{0,63}$/.test(zone) || !zone.split('/').every(isWritten)) return undefined
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      era: 'short',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch {
    return undefined
  }
}
