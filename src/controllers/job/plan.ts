import type { batch } from '#api'
import { findCondition, formatTime, isConditionTrue, withCondition } from '#api'
import type { Pod } from '../workload/pods.ts'
import { byDispensability, isActive, isReady, isTerminating } from '../workload/pods.ts'
import { finishedAt, remainingDelay, retryDelay } from './backoff.ts'
import { judgeFailure } from './failure-policy.ts'
import type { Course, Indexes, Job, Results } from './results.ts'
import {
  countResults,
  failuresBefore,
  hasFailed,
  ignoredBefore,
  indexOf,
  indexesOf,
  isTracked,
  recordResults,
  replacesOnlyFailed,
  settleCounts,
} from './results.ts'
import { successBy } from './success-policy.ts'

/** At most this many pods are made or deleted in one go. */
const burst = 500

/** A pod to make. */
export interface NewPod {
  /** Its completion index, where the job is indexed. */
  index?: number
  /** How often the index has failed before, where that is limited. */
  failures?: { counted: number; ignored: number }
}

export interface JobPlan {
  status: batch.JobStatus
  create: NewPod[]
  /** Pods to delete because the job is over. */
  delete: Pod[]
  /** Pods to delete that are too many, or not wanted for now: they count for nothing. */
  discard: Pod[]
  /** Pods that this status has written down: their finalizers may go once it is stored. */
  release: Pod[]
  /** What time alone will change, milliseconds from now. */
  recheckAfter?: number
  event?: { type: 'Normal' | 'Warning'; reason: string; message: string }
}

type Verdict = { course: Exclude<Course, 'running'>; reason: string; message: string }

export const isFinished = (job: Job): boolean =>
  isConditionTrue(job.status?.conditions, 'Complete') || isConditionTrue(job.status?.conditions, 'Failed')

/** What to do for a job (https://kubernetes.io/docs/concepts/workloads/controllers/job/), given all pods that it controls. `now` in milliseconds since the epoch. */
export function planJob(job: Job, pods: readonly Pod[], now: number): JobPlan {
  const { spec } = job
  const before = job.status ?? {}
  const status = structuredClone(before) as batch.JobStatus
  const plan: JobPlan = { status, create: [], delete: [], discard: [], release: [] }
  const active = pods.filter(isActive)
  if (isFinished(job)) return { ...plan, release: pods.filter(isTracked), delete: active }

  const stamp = formatTime(now)
  const setCondition = (type: string, value: 'True' | 'False', reason: string, message: string) => {
    const known = findCondition(status.conditions, type)
    if (known?.status === value && known.reason === reason && known.message === message) return false
    status.conditions = withCondition<batch.JobCondition>(
      status.conditions,
      { type, status: value, reason, message, lastProbeTime: stamp },
      stamp,
    ).slice()
    return true
  }
  if (!status.startTime && !spec.suspend) status.startTime = stamp
  const indexes = spec.completionMode === 'Indexed' ? indexesOf(job, pods) : undefined
  settleCounts(job, pods, status)
  const results = countResults(job, pods, status, indexes)
  const verdict = judge(job, pods, active, status, results, indexes, now)
  plan.release = recordResults(job, pods, status, indexes, verdict?.course ?? 'running')

  if (verdict) {
    plan.delete = active
    setCondition(verdict.course === 'failing' ? 'FailureTarget' : 'SuccessCriteriaMet', 'True', verdict.reason, verdict.message)
    // the end is told when the last pod has ended and all is counted
    if (active.length === 0 && !pods.some(isTerminating) && plan.release.length === 0 && !status.uncountedTerminatedPods)
      end(plan, verdict, setCondition, stamp)
  } else if (spec.suspend) {
    plan.discard = active
    // since 1.36: a job that is resumed starts anew, and may be told where to until then
    delete status.startTime
    if (setCondition('Suspended', 'True', 'JobSuspended', 'Job suspended'))
      plan.event = { type: 'Normal', reason: 'Suspended', message: 'Job suspended' }
  } else {
    if (isConditionTrue(before.conditions, 'Suspended')) {
      setCondition('Suspended', 'False', 'JobResumed', 'Job resumed')
      status.startTime = stamp
      plan.event = { type: 'Normal', reason: 'Resumed', message: 'Job resumed' }
    }
    planPods(job, plan, pods, active, results, indexes, now)
    if (spec.activeDeadlineSeconds !== undefined) recheck(plan, Date.parse(status.startTime!) + spec.activeDeadlineSeconds * 1000 - now)
  }
  countPods(plan, pods, active)
  return plan
}

function end(
  plan: JobPlan,
  { course, reason, message }: Verdict,
  setCondition: (...c: [string, 'True', string, string]) => boolean,
  stamp: string,
): void {
  // a job that needs no pods may end while it is suspended
  plan.status.startTime ??= stamp
  setCondition(course === 'failing' ? 'Failed' : 'Complete', 'True', reason, message)
  if (course === 'failing') {
    plan.event = { type: 'Warning', reason, message }
    return
  }
  plan.status.completionTime = stamp
  plan.event = { type: 'Normal', reason: 'Completed', message: 'Job completed' }
}

function countPods({ status, ...plan }: JobPlan, pods: readonly Pod[], active: readonly Pod[]): void {
  const gone = new Set([...plan.delete, ...plan.discard])
  const left = active.filter((pod) => !gone.has(pod))
  if (left.length > 0) status.active = left.length
  else delete status.active
  // a zero is written: clients tell it from a controller that does not count
  status.ready = left.filter(isReady).length
  status.terminating = pods.filter(isTerminating).length + gone.size
}

/** Whether the job ends now, or is ending already. */
function judge(
  job: Job,
  pods: readonly Pod[],
  active: readonly Pod[],
  status: batch.JobStatus,
  results: Results,
  indexes: Indexes | undefined,
  now: number,
): Verdict | undefined {
  const { spec } = job
  for (const [type, course] of [
    ['SuccessCriteriaMet', 'succeeding'],
    ['FailureTarget', 'failing'],
  ] as const) {
    const known = findCondition(status.conditions, type)
    if (known?.status === 'True') return { course, reason: known.reason ?? '', message: known.message ?? '' }
  }
  const failing = (reason: string, message: string): Verdict => ({ course: 'failing', reason, message })
  if (spec.podFailurePolicy)
    for (const pod of pods) {
      const message = hasFailed(job, pod) ? judgeFailure(spec.podFailurePolicy, pod).message : undefined
      if (message) return failing('PodFailurePolicy', message)
    }
  if (results.failed > (spec.backoffLimit ?? 6) || restartedTooOften(job, pods))
    return failing('BackoffLimitExceeded', 'Job has reached the specified backoff limit')
  if (isPastDeadline(job, status, now)) return failing('DeadlineExceeded', 'Job was active longer than specified deadline')
  if (indexes && spec.backoffLimitPerIndex !== undefined) {
    const { size } = indexes.failed
    if (spec.maxFailedIndexes !== undefined && size > spec.maxFailedIndexes)
      return failing('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes')
    if (size > 0 && size + indexes.succeeded.size >= (spec.completions ?? 0)) return failing('FailedIndexes', 'Job has failed indexes')
  }
  const rule = indexes && successBy(spec.successPolicy, indexes.succeeded)
  if (rule) return { course: 'succeeding', reason: 'SuccessPolicy', message: rule }
  const done = spec.completions === undefined ? results.succeeded > 0 && active.length === 0 : results.succeeded >= spec.completions
  return done ? { course: 'succeeding', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' } : undefined
}

/** Pods that restart in place fail without ending: their restarts together are held against the limit. */
function restartedTooOften(job: Job, pods: readonly Pod[]): boolean {
  const { template, backoffLimit = 6 } = job.spec
  if (template.spec?.restartPolicy !== 'OnFailure') return false
  let restarts = 0
  for (const { status } of pods)
    if (status?.phase === 'Running' || status?.phase === 'Pending')
      for (const container of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) restarts += container.restartCount
  return backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit
}

function isPastDeadline({ spec }: Job, status: batch.JobStatus, now: number): boolean {
  if (spec.activeDeadlineSeconds === undefined || spec.suspend || !status.startTime) return false
  // a job that was just resumed starts anew
  if (isConditionTrue(status.conditions, 'Suspended')) return false
  return now >= Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1000
}

function planPods(
  job: Job,
  plan: JobPlan,
  pods: readonly Pod[],
  active: readonly Pod[],
  { succeeded }: Results,
  indexes: Indexes | undefined,
  now: number,
): void {
  const { parallelism = 1, completions, backoffLimitPerIndex } = job.spec
  const wanted =
    completions !== undefined
      ? Math.max(Math.min(parallelism, completions - succeeded), 0)
      : succeeded > 0
        ? Math.min(active.length, parallelism)
        : parallelism
  const misplaced = indexes ? wrongIndexes(active, completions ?? 0) : []
  const excess = Math.max(active.length - wanted, misplaced.length)
  if (excess > 0) {
    const wrong = new Set(misplaced)
    plan.discard = [...misplaced, ...byDispensability(active.filter((pod) => !wrong.has(pod)))].slice(0, Math.min(excess, burst))
    return
  }
  const leaving = replacesOnlyFailed(job) ? pods.filter(isTerminating) : []
  const missing = Math.min(wanted - active.length - leaving.length, burst)
  if (missing <= 0) return
  const wait = backoffLimitPerIndex === undefined ? retryDelay(pods, now) : 0
  if (wait > 0) return recheck(plan, wait)
  if (!indexes) plan.create = Array.from({ length: missing }, () => ({}))
  else planIndexes(job, plan, [...active, ...leaving], indexes, missing, now)
}

/** Active pods whose index is taken by another, or beyond what the job has. */
function wrongIndexes(active: readonly Pod[], completions: number): Pod[] {
  const seen = new Set<number>()
  return byDispensability(active)
    .reverse()
    .filter((pod) => {
      const index = indexOf(pod)
      if (index < 0 || index >= completions || seen.has(index)) return true
      seen.add(index)
      return false
    })
}

function planIndexes(job: Job, plan: JobPlan, present: readonly Pod[], indexes: Indexes, missing: number, now: number): void {
  const { completions = 0, backoffLimitPerIndex, podFailurePolicy } = job.spec
  const taken = new Set([...indexes.succeeded, ...indexes.failed, ...present.map(indexOf)])
  for (let index = 0; index < completions && plan.create.length < missing; index++) {
    if (taken.has(index)) continue
    if (backoffLimitPerIndex === undefined) {
      plan.create.push({ index })
      continue
    }
    const last = indexes.lastFailure.get(index)
    const failures = { counted: last ? failuresBefore(last) : 0, ignored: last ? ignoredBefore(last) : 0 }
    if (last) {
      failures[judgeFailure(podFailurePolicy, last).counts ? 'counted' : 'ignored']++
      const wait = remainingDelay(failures.counted + failures.ignored, finishedAt(last), now)
      if (wait > 0) {
        recheck(plan, wait)
        continue
      }
    }
    plan.create.push({ index, failures })
  }
}

function recheck(plan: JobPlan, after: number): void {
  plan.recheckAfter = Math.max(Math.min(plan.recheckAfter ?? after, after), 1)
}
