import { Cron } from 'croner'
import { parseDuration } from '#api'

/** When a cron job is due. */
export interface Schedule {
  /** The first time after `ms`, milliseconds since the epoch; undefined when there is none. */
  next(ms: number): number | undefined
}

const aliases: Record<string, string> = { '@annually': '@yearly', '@midnight': '@daily' }

/**
 * Reads a schedule of five fields, a name such as `@hourly`, or `@every 1h30m`. Without a time zone it is the controller's own. Throws for a schedule or a time zone that does not
 * exist.
 */
export function parseSchedule(text: string, timeZone?: string): Schedule {
  const every = /^@every\s+(.*)$/.exec(text)?.[1]
  if (every !== undefined) {
    const interval = Math.max(parseDuration(every), 1000)
    // whole seconds, whatever the beginning
    return { next: (ms) => Math.floor((ms + interval) / 1000) * 1000 }
  }
  const cron = new Cron(aliases[text] ?? text, { paused: true, mode: '5-part', sloppyRanges: true, ...(timeZone ? { timezone: timeZone } : {}) })
  return { next: (ms) => cron.nextRun(new Date(ms))?.getTime() }
}

/** Starts that were missed beyond this number are worth a warning. */
const many = 100

/** The latest time after `earliest` that is not after `now`, and whether a great many were missed. */
export function latestDue(schedule: Schedule, earliest: number, now: number): { due?: number; tooMany: boolean } {
  const first = schedule.next(earliest)
  if (first === undefined || first > now) return { tooMany: false }
  const second = schedule.next(first)
  if (second === undefined || second > now) return { due: first, tooMany: false }
  // walk from close to now: a cron job that slept for a year has half a million minutes behind it
  const step = second - first
  let from = first
  for (let back = step; now - back > first; back *= 2) {
    const candidate = schedule.next(now - back)
    if (candidate !== undefined && candidate <= now) {
      from = candidate
      break
    }
  }
  for (let next = schedule.next(from); next !== undefined && next <= now; next = schedule.next(next)) from = next
  return { due: from, tooMany: (now - first) / step > many }
}

/** RFC 3339 with the offset of the time zone, e.g. `2026-01-02T03:04:05+09:00`. */
export function zonedTime(ms: number, timeZone?: string): string {
  const format = new Intl.DateTimeFormat('en-US', {
    ...(timeZone ? { timeZone } : {}),
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  const part = Object.fromEntries(format.formatToParts(new Date(ms)).map((p) => [p.type, p.value])) as Record<string, string>
  const local = `${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}:${part.second}`
  const minutes = Math.round((Date.parse(`${local}Z`) - Math.floor(ms / 1000) * 1000) / 60_000)
  if (minutes === 0) return `${local}Z`
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0')
  return `${local}${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`
}
