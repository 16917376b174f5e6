import { durationSeconds, secondsOf, zoneOffset } from '../values/time.ts'
import type { Overload } from '../library.ts'
import { types } from '../types.ts'
import { CelError, Duration, Timestamp, type Value } from '../values.ts'

const { duration, int, string, timestamp } = types

/** A timestamp as the calendar has it somewhere. */
interface Local {
  date: Date
  nanosecond: bigint
}

const DAY = 86_400_000

const FIELDS: readonly [name: string, id: string, field: (local: Local) => number][] = [
  ['getFullYear', 'timestamp_to_year', ({ date }) => date.getUTCFullYear()],
  ['getMonth', 'timestamp_to_month', ({ date }) => date.getUTCMonth()],
  ['getDayOfYear', 'timestamp_to_day_of_year', ({ date }) => Math.floor((date.getTime() - new Date(date).setUTCMonth(0, 1)) / DAY)],
  ['getDayOfMonth', 'timestamp_to_day_of_month', ({ date }) => date.getUTCDate() - 1],
  ['getDate', 'timestamp_to_day_of_month_1_based', ({ date }) => date.getUTCDate()],
  ['getDayOfWeek', 'timestamp_to_day_of_week', ({ date }) => date.getUTCDay()],
  ['getHours', 'timestamp_to_hours', ({ date }) => date.getUTCHours()],
  ['getMinutes', 'timestamp_to_minutes', ({ date }) => date.getUTCMinutes()],
  ['getSeconds', 'timestamp_to_seconds', ({ date }) => date.getUTCSeconds()],
  ['getMilliseconds', 'timestamp_to_milliseconds', ({ nanosecond }) => Number(nanosecond / 1_000_000n)],
]

const DURATIONS: Readonly<Record<string, [id: string, of: (nanoseconds: bigint) => Value]>> = {
  getHours: ['duration_to_hours', (nanoseconds) => whole(durationSeconds(nanoseconds) / 3600)],
  getMinutes: ['duration_to_minutes', (nanoseconds) => whole(durationSeconds(nanoseconds) / 60)],
  getSeconds: ['duration_to_seconds', (nanoseconds) => whole(durationSeconds(nanoseconds))],
  getMilliseconds: ['duration_to_milliseconds', (nanoseconds) => nanoseconds / 1_000_000n],
}

const whole = (value: number) => BigInt(Math.trunc(value))

function local(nanoseconds: bigint, offset: number): Local {
  const seconds = secondsOf(nanoseconds)
  return { date: new Date((Number(seconds) + offset) * 1000), nanosecond: nanoseconds - seconds * 1_000_000_000n }
}

function overloads([name, id, field]: (typeof FIELDS)[number]): [string, Overload[]] {
  const inUtc: Overload = {
    id,
    parameters: [timestamp],
    result: int,
    member: true,
    call: (value) => BigInt(field(local((value as Timestamp).nanoseconds, 0))),
  }
  const inZone: Overload = {
    // so cel-go has it
    id: id === 'timestamp_to_seconds' ? `${id}_tz` : `${id}_with_tz`,
    parameters: [timestamp, string],
    result: int,
    member: true,
    call: (value, zone) => {
      const { nanoseconds } = value as Timestamp
      const offset = zoneOffset(zone as string, nanoseconds)
      return typeof offset === 'string' ? new CelError(offset) : BigInt(field(local(nanoseconds, offset)))
    },
  }
  const ofDuration = DURATIONS[name]
  if (!ofDuration) return [name, [inUtc, inZone]]
  const [durationId, of] = ofDuration
  return [
    name,
    [inUtc, inZone, { id: durationId, parameters: [duration], result: int, member: true, call: (value) => of((value as Duration).nanoseconds) }],
  ]
}

/** What a timestamp or a duration says of itself: `t.getHours('Europe/Berlin')`. */
export const timeFunctions: Readonly<Record<string, Overload[]>> = Object.fromEntries(FIELDS.map(overloads))
