import { differences } from './compare.ts'
import type { Deviation } from './deviations.ts'
import { deviations, rewordings } from './deviations.ts'
import { deviations as deviationsOf136 } from './deviations-1.36.ts'
import type { Release } from './recorded.ts'
import type { Answer } from './step.ts'

export interface Verdict {
  /** Differences without a reason. */
  unexplained: string[]
  /** The deviations that were needed. */
  needed: Deviation[]
}

export const deviationsOf: Record<Release, readonly Deviation[]> = { '1.20': deviations, '1.36': deviationsOf136 }

/** Holds our answer against the recorded one. */
export function judge(release: Release, topic: string, name: string, ours: Answer, theirs: Answer): Verdict {
  const applying = deviationsOf[release].filter(({ at }) => !at || at.test(`${topic}: ${name}`))
  const verdict: Verdict = { unexplained: [], needed: [] }
  for (const difference of differences(ours, release === '1.20' ? reworded(theirs) : theirs)) {
    const known = applying.find((deviation) => deviation.difference.test(difference))
    if (known) verdict.needed.push(known)
    else verdict.unexplained.push(difference)
  }
  return verdict
}

function reworded<T>(value: T): T {
  if (typeof value === 'string') return rewordings.reduce((text: string, [old, now]) => text.replace(old, now), value) as T
  if (Array.isArray(value)) return value.map(reworded) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, reworded<unknown>(inner)])) as T
}
