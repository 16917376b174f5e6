import type { Pod } from '../workload/pods.ts'

/** The first delay after a failed pod and the longest, milliseconds. */
const firstDelay = 10_000
const longestDelay = 10 * 60_000

/** When a pod ended, milliseconds since the epoch: with its last container, or when it was told to. */
export function finishedAt(pod: Pod): number {
  const ends = (pod.status?.containerStatuses ?? []).map((s) => Date.parse(s.state?.terminated?.finishedAt ?? '') || 0)
  return Math.max(0, ...ends) || Date.parse(pod.metadata.deletionTimestamp ?? pod.metadata.creationTimestamp ?? '') || 0
}

/** Milliseconds left to wait after `failures` failures, the last at `last`: 10 s, doubling with each. */
export function remainingDelay(failures: number, last: number, now: number): number {
  return failures === 0 ? 0 : Math.max(last + Math.min(firstDelay * 2 ** (failures - 1), longestDelay) - now, 0)
}

/** Milliseconds until a job may replace its failed pods: the failures since its last success count. */
export function retryDelay(pods: readonly Pod[], now: number): number {
  const finished = pods.filter((pod) => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed')
  const newestFirst = finished.sort((a, b) => finishedAt(b) - finishedAt(a))
  const success = newestFirst.findIndex((pod) => pod.status?.phase === 'Succeeded')
  const failures = success < 0 ? newestFirst.length : success
  return failures === 0 ? 0 : remainingDelay(failures, finishedAt(newestFirst[0]!), now)
}
