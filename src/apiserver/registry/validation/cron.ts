import { isTimeZone } from './time-zone.ts'

interface Field {
  min: number
  max: number
  names?: readonly string[]
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

const fields: readonly Field[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: months },
  { min: 0, max: 6, names: weekdays },
]

const descriptors = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'])
const duration = /^([0-9]*\.?[0-9]+(ns|us|µs|ms|s|m|h))+$/

/**
 * What is wrong with the schedule of a cron job, as upstream's parser says it; undefined when nothing is. Accepted are five
 * fields (with names of months and days, ranges, lists and steps), a descriptor such as `@daily`, and `@every` with a duration; before them a
 * time zone (`TZ=UTC`), for what was stored when that was allowed.
 */
export function scheduleProblem(text: string): string | undefined {
  const zone = /^(?:CRON_)?TZ=(\S*)(?:\s|$)/.exec(text)
  if (zone && zone[1] !== '' && !isTimeZone(zone[1]!)) return `provided bad location ${zone[1]}: unknown time zone ${zone[1]}`
  const schedule = zone ? text.slice(zone[0].length).trim() : text
  if (schedule.startsWith('@')) {
    if (descriptors.has(schedule)) return undefined
    if (schedule.startsWith('@every '))
      return duration.test(schedule.slice('@every '.length))
        ? undefined
        : `failed to parse duration ${schedule}: time: invalid duration ${JSON.stringify(schedule.slice(7))}`
    return `unrecognized descriptor: ${schedule}`
  }
  const parts = schedule.split(/\s+/).filter(Boolean)
  if (parts.length !== 5) return `expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`
  for (const [i, part] of parts.entries())
    for (const expression of part.split(',')) {
      const problem = rangeProblem(expression, fields[i]!)
      if (problem) return problem
    }
  return undefined
}

/** One expression of a list: `*`, `3`, `1-5`, each with a step. */
function rangeProblem(expression: string, { min, max, names }: Field): string | undefined {
  const rangeAndStep = expression.split('/')
  const lowAndHigh = rangeAndStep[0]!.split('-')
  let low = min
  let high = max
  if (lowAndHigh[0] === '*' || lowAndHigh[0] === '?') {
    if (lowAndHigh.length > 1) return `too many hyphens: ${expression}`
  } else {
    const first = numberOf(lowAndHigh[0]!, names)
    if (typeof first === 'string') return first
    low = first
    high = first
    if (lowAndHigh.length === 2) {
      const last = numberOf(lowAndHigh[1]!, names)
      if (typeof last === 'string') return last
      high = last
    } else if (lowAndHigh.length > 2) return `too many hyphens: ${expression}`
    else if (rangeAndStep.length === 2) high = max
  }
  if (rangeAndStep.length > 2) return `too many slashes: ${expression}`
  if (rangeAndStep.length === 2) {
    const step = numberOf(rangeAndStep[1]!, undefined)
    if (typeof step === 'string') return step
    if (step === 0) return `step of range should be a positive number: ${expression}`
  }
  if (low < min) return `beginning of range (${low}) below minimum (${min}): ${expression}`
  if (high > max) return `end of range (${high}) above maximum (${max}): ${expression}`
  if (low > high) return `beginning of range (${low}) beyond end of range (${high}): ${expression}`
  return undefined
}

/** The number, or what is wrong with it. */
function numberOf(text: string, names: readonly string[] | undefined): number | string {
  const named = names?.indexOf(text.toLowerCase()) ?? -1
  if (named >= 0) return names === months ? named + 1 : named
  if (!/^[+-]?[0-9]+$/.test(text)) return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`
  const number = Number(text)
  return number < 0 ? `negative number (${number}) not allowed: ${text}` : number
}
