import type { DeepReadonly, batch } from '#api'
import { isActive } from '../workload/pods.ts'
import type { Pod } from '../workload/pods.ts'
import { finishedAt } from './backoff.ts'
import { judgeFailure } from './failure-policy.ts'
import { formatIndexes, parseIndexes } from './indexes.ts'

export type Job = DeepReadonly<batch.Job>

/** Holds a pod until it has been counted, so that nobody can delete a result unseen (KEP-2307). */
export const trackingFinalizer = 'batch.kubernetes.io/job-tracking'
export const indexAnnotation = 'batch.kubernetes.io/job-completion-index'
/** How often a pod's index had failed before it: failures that count, and those that a policy ignores. */
export const failureCount = 'batch.kubernetes.io/job-index-failure-count'
export const ignoredFailureCount = 'batch.kubernetes.io/job-index-ignored-failure-count'

export const indexOf = (pod: Pod): number => Number(pod.metadata.annotations?.[indexAnnotation] ?? -1)
export const failuresBefore = (pod: Pod): number => Number(pod.metadata.annotations?.[failureCount] ?? 0)
export const ignoredBefore = (pod: Pod): number => Number(pod.metadata.annotations?.[ignoredFailureCount] ?? 0)

export const isTracked = (pod: Pod): boolean => pod.metadata.finalizers?.includes(trackingFinalizer) ?? false

/** Whether a pod that is on its way out is replaced only once it has ended. */
export const replacesOnlyFailed = ({ spec }: Job): boolean => spec.podReplacementPolicy === 'Failed' || spec.podFailurePolicy !== undefined

/** A pod that is deleted before it could finish counts as failed, at once unless its end is waited for. */
export const hasFailed = (job: Job, pod: Pod): boolean =>
  pod.status?.phase === 'Failed' || (!replacesOnlyFailed(job) && pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== 'Succeeded')

/** A job's completion indexes by what became of them. */
export interface Indexes {
  succeeded: ReadonlySet<number>
  /** Those that have used up `backoffLimitPerIndex`. */
  failed: ReadonlySet<number>
  /** The pod whose failure the next pod of the index has to know: it stays until that is made. */
  lastFailure: ReadonlyMap<number, Pod>
}

export function indexesOf(job: Job, pods: readonly Pod[]): Indexes {
  const { completions = 0, backoffLimitPerIndex, podFailurePolicy } = job.spec
  const within = (index: number) => index >= 0 && index < completions
  const succeeded = new Set(parseIndexes(job.status?.completedIndexes).filter(within))
  for (const pod of pods) if (isTracked(pod) && pod.status?.phase === 'Succeeded' && within(indexOf(pod))) succeeded.add(indexOf(pod))
  const failed = new Set<number>()
  const lastFailure = new Map<number, Pod>()
  if (backoffLimitPerIndex === undefined) return { succeeded, failed, lastFailure }
  for (const index of parseIndexes(job.status?.failedIndexes)) if (within(index)) failed.add(index)
  const failures = pods.filter((pod) => isTracked(pod) && hasFailed(job, pod) && within(indexOf(pod)))
  for (const pod of failures) {
    const { action, counts } = judgeFailure(podFailurePolicy, pod)
    if (action === 'FailIndex' || (counts && failuresBefore(pod) >= backoffLimitPerIndex)) failed.add(indexOf(pod))
  }
  const active = new Set(pods.filter(isActive).map(indexOf))
  const all = (pod: Pod) => failuresBefore(pod) + ignoredBefore(pod)
  for (const pod of failures) {
    const index = indexOf(pod)
    if (succeeded.has(index) || failed.has(index) || active.has(index)) continue
    const known = lastFailure.get(index)
    if (!known || (all(known) <= all(pod) && finishedAt(known) <= finishedAt(pod))) lastFailure.set(index, pod)
  }
  return { succeeded, failed, lastFailure }
}

/** What happens to the job as a whole: `failing` and `succeeding` end it and do away with what still runs. */
export type Course = 'running' | 'failing' | 'succeeding'

export interface Results {
  /** All that succeeded or failed, including what is not in the counts yet. */
  succeeded: number
  failed: number
}

type Held = { succeeded: string[]; failed: string[] }

const heldBy = (status: DeepReadonly<batch.JobStatus>): Held => ({
  succeeded: [...(status.uncountedTerminatedPods?.succeeded ?? [])],
  failed: [...(status.uncountedTerminatedPods?.failed ?? [])],
})

/**
 * Moves what has been let go of since the last time from `uncountedTerminatedPods` to the counts. A result passes three states, so that a crash between any two writes neither loses it nor
 * counts it twice: the pod finished and has its finalizer; its uid stands in `uncountedTerminatedPods` (or its index in `completedIndexes`), and the finalizer may go; the finalizer is
 * gone, and the result moves to the counts.
 */
export function settleCounts(job: Job, pods: readonly Pod[], status: batch.JobStatus): void {
  const tracked = new Set(pods.filter(isTracked).map((pod) => pod.metadata.uid))
  const held = heldBy(status)
  for (const outcome of ['succeeded', 'failed'] as const) {
    const still = held[outcome].filter((uid) => tracked.has(uid))
    const counted = held[outcome].length - still.length
    if (counted > 0) status[outcome] = (status[outcome] ?? 0) + counted
    held[outcome] = still
  }
  writeHeld(status, held)
}

/** The counts with what is about to enter them. */
export function countResults(job: Job, pods: readonly Pod[], status: batch.JobStatus, indexes: Indexes | undefined): Results {
  const held = heldBy(status)
  const fresh = newResults(job, pods, held, indexes, 'running')
  return {
    succeeded: indexes ? indexes.succeeded.size : (status.succeeded ?? 0) + held.succeeded.length + fresh.succeeded.length,
    failed: (status.failed ?? 0) + held.failed.length + fresh.failed.length,
  }
}

/** Writes new results down and answers the pods whose finalizers may go once the status is stored. */
export function recordResults(job: Job, pods: readonly Pod[], status: batch.JobStatus, indexes: Indexes | undefined, course: Course): Pod[] {
  const held = heldBy(status)
  const fresh = newResults(job, pods, held, indexes, course)
  held.succeeded.push(...fresh.succeeded)
  held.failed.push(...fresh.failed)
  writeHeld(status, held)
  if (indexes) {
    if (indexes.succeeded.size > 0) {
      status.completedIndexes = formatIndexes(indexes.succeeded)
      status.succeeded = indexes.succeeded.size
    } else {
      delete status.completedIndexes
      delete status.succeeded
    }
    if (job.spec.backoffLimitPerIndex !== undefined) status.failedIndexes = formatIndexes(indexes.failed)
  }
  return pods.filter((pod) => isTracked(pod) && mayRelease(job, pod, indexes, course))
}

function newResults(job: Job, pods: readonly Pod[], held: Held, indexes: Indexes | undefined, course: Course): Held {
  const fresh: Held = { succeeded: [], failed: [] }
  const { completions = 0, podFailurePolicy } = job.spec
  for (const pod of pods) {
    const uid = pod.metadata.uid!
    if (!isTracked(pod) || held.succeeded.includes(uid) || held.failed.includes(uid)) continue
    if (pod.status?.phase === 'Succeeded') {
      // of an indexed job the index is what counts
      if (!indexes) fresh.succeeded.push(uid)
    } else if (hasFailed(job, pod) || course === 'failing') {
      const counted = !indexes || (indexOf(pod) >= 0 && indexOf(pod) < completions)
      if (counted && judgeFailure(podFailurePolicy, pod).counts) fresh.failed.push(uid)
    }
  }
  return fresh
}

function mayRelease(job: Job, pod: Pod, indexes: Indexes | undefined, course: Course): boolean {
  if (course !== 'running' || pod.status?.phase === 'Succeeded') return true
  return hasFailed(job, pod) && indexes?.lastFailure.get(indexOf(pod))?.metadata.uid !== pod.metadata.uid
}

function writeHeld(status: batch.JobStatus, held: Held): void {
  if (held.succeeded.length + held.failed.length === 0) return void delete status.uncountedTerminatedPods
  status.uncountedTerminatedPods = {
    ...(held.succeeded.length > 0 ? { succeeded: held.succeeded } : {}),
    ...(held.failed.length > 0 ? { failed: held.failed } : {}),
  }
}
