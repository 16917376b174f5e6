import type { Answer } from './answer.ts'
import type { CelDeviation } from './deviations.ts'
import { deviations } from './deviations.ts'

const fields = ['issues', 'fault', 'type', 'value', 'error', 'cost', 'least', 'most'] as const

/** What is not alike, one line each: `cost: ours 1, theirs 2`. */
export function differences(ours: Answer, theirs: Answer): string[] {
  if (ours.fault !== undefined && ours.fault === theirs.fault) return []
  const different = fields.filter((field) => ours[field] !== theirs[field])
  // what follows from another outcome says nothing more
  const first = different.find((field) => field === 'issues' || field === 'fault')
  return (first ? [first] : different).map((field) => `${field}: ours ${JSON.stringify(ours[field])}, theirs ${JSON.stringify(theirs[field])}`)
}

export function judge(expression: string, ours: Answer, theirs: Answer): { unexplained: string[]; needed: CelDeviation[] } {
  const applying = deviations.filter((one) => !one.expression || one.expression.test(expression))
  const unexplained: string[] = []
  const needed: CelDeviation[] = []
  for (const difference of differences(ours, theirs)) {
    const known = applying.find((one) => one.difference.test(difference))
    if (known) needed.push(known)
    else unexplained.push(difference)
  }
  return { unexplained, needed }
}
