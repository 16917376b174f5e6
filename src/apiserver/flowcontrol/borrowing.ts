import type { Limits } from './seats.ts'

/** What a level has and wants when seats are lent anew. */
export interface LevelDemand {
  exempt: boolean
  limits: Limits
  /** The most seats that it wanted at once since the last time. */
  highest: number
  /** What it wants in the long run. */
  smoothed: number
  /** What it has now. */
  current: number
}

export interface Lending {
  /** What each level may use until the next time, in the order of the levels. */
  current: number[]
  /** What each was to get by its demand. */
  targets: number[]
  /** What part of its target each gets that no limit holds back; 0 when not even the least of all could be given. */
  fairFraction: number
}

/** How much of what was wanted before is still believed after a period: its half-life is 5 minutes of periods of 10 seconds. */
const persistence = 0.977

/** A demand goes up at once and down slowly. */
export function smoothed(before: number, average: number, deviation: number): number {
  const envelope = average + deviation
  return Math.max(envelope, persistence * before + (1 - persistence) * envelope)
}

/**
 * Lends seats for a period, as KEP-1040 has it: what exempt levels used is taken first; every other level keeps what it used at most of its own share, and the rest is divided by
 * what they want, within what each may borrow.
 */
export function lendSeats(levels: readonly LevelDemand[]): Lending {
  const total = levels.reduce((sum, { limits }) => sum + limits.nominal, 0)
  const least = levels.map(({ exempt, limits, highest }) => Math.max(limits.min, exempt ? highest : Math.min(limits.nominal, highest)))
  const targets = levels.map((level, i) => (level.exempt ? least[i]! : Math.max(least[i]!, level.smoothed)))
  const limited = levels.map((_, i) => i).filter((i) => !levels[i]!.exempt)
  const sumOf = (of: (i: number) => number) => limited.reduce((sum, i) => sum + of(i), 0)
  const remaining = total - levels.reduce((sum, { exempt }, i) => (exempt ? sum + least[i]! : sum), 0)
  const configured = sumOf((i) => levels[i]!.limits.min)
  const wanted = sumOf((i) => least[i]!)
  const current = [...least]
  let fairFraction = 0
  if (remaining <= configured) for (const i of limited) current[i] = levels[i]!.limits.min
  else if (remaining <= wanted) {
    const part = (remaining - configured) / (wanted - configured)
    for (const i of limited) current[i] = levels[i]!.limits.min + Math.round((least[i]! - levels[i]!.limits.min) * part)
  } else {
    const divided = divide(
      total,
      limited.map((i) => ({ target: targets[i]!, least: least[i]!, most: levels[i]!.limits.max })),
    )
    fairFraction = divided?.fraction ?? 0
    limited.forEach((i, n) => (current[i] = divided ? Math.round(divided.shares[n]!) : levels[i]!.current))
  }
  return { current, targets, fairFraction }
}

interface Share {
  target: number
  least: number
  most: number
}

/**
 * Finds the fraction by which everybody's target is multiplied, held within his bounds, so that all together are `sum`. Undefined when the bounds do not allow it. What the shares sum
 * up to grows with the fraction, in straight lines between those fractions at which somebody meets a bound.
 *
 * Example: 10 among targets 2 and 6 with at most 5 for the second: the fraction 2.5 gives 5 and 5.
 */
export function divide(sum: number, shares: readonly Share[]): { fraction: number; shares: number[] } | undefined {
  const own = shares.map(({ target, least, most }) => ({ target: Math.max(target, smallestTarget), least, most }))
  const at = (fraction: number) => own.map(({ target, least, most }) => Math.max(least, Math.min(most, fraction * target)))
  const total = (fraction: number) => at(fraction).reduce((a, b) => a + b, 0)
  const bends = own.flatMap(({ target, least, most }) => [least / target, most / target]).sort((a, b) => a - b)
  if (bends.length === 0 || total(0) > sum + rounding || total(bends.at(-1)!) < sum - rounding) return undefined
  let below = 0
  for (const bend of bends) {
    const reached = total(bend)
    if (reached < sum) {
      below = bend
      continue
    }
    const from = total(below)
    const fraction = reached > from ? below + ((bend - below) * Math.max(0, sum - from)) / (reached - from) : bend
    return { fraction, shares: at(fraction) }
  }
  return { fraction: below, shares: at(below) }
}

/** Who wants nothing is still given something when there is more than all want. */
const smallestTarget = 0.001
const rounding = 1e-7
