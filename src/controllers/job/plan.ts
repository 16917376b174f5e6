import type { DeepReadonly, batch } from '#api'
import { findCondition, withCondition } from '#api'
import type { Pod } from '../workload/pods.ts'
import { byDispensability, isActive, isReady, restarts } from '../workload/pods.ts'
import { formatIndexes, parseIndexes } from './indexes.ts'

export type Job = DeepReadonly<batch.Job>

/** Holds a finished pod until it has been counted, so that nobody can delete a result unseen (KEP-2307). */
export const trackingFinalizer = 'batch.kubernetes.io/job-tracking'
export const indexAnnotation = 'batch.kubernetes.io/job-completion-index'

/** The first delay after a failed pod and the longest, milliseconds. */
const firstDelay = 10_000
const longestDelay = 10 * 60_000

export interface JobPlan {
  status: batch.JobStatus
  /** Pods to make: one entry each, with its completion index where the job is indexed. */
  create: (number | undefined)[]
  delete: Pod[]
  /** Finished pods that this status has written down: their finalizers may go once it is stored. */
  release: Pod[]
  /** What time alone will change, milliseconds from now. */
  recheckAfter?: number
  event?: { type: 'Normal' | 'Warning'; reason: string; message: string }
}

export const isFinished = (job: Job): boolean => ['Complete', 'Failed'].some((type) => findCondition(job.status?.conditions, type)?.status === 'True')

/** What to do for a job (https://kubernetes.io/docs/concepts/workloads/controllers/job/), given all pods that it controls. */
export function planJob(job: Job, pods: readonly Pod[], now: number): JobPlan {
  const stamp = new Date(now).toISOString().slice(0, 19) + 'Z'
  const { spec } = job
  const indexed = spec.completionMode === 'Indexed'
  const before = job.status ?? {}
  const status = structuredClone(before) as batch.JobStatus
  const plan: JobPlan = { status, create: [], delete: [], release: [] }
  const active = pods.filter(isActive)

  if (isFinished(job)) {
    plan.release = pods.filter(isTracked)
    plan.delete = active
    return plan
  }
  if (!status.startTime && !spec.suspend) status.startTime = stamp

  const results = takeResults(job, pods, status)
  plan.release = results.release
  const condition = (type: string, value: 'True' | 'False', reason: string, message: string) => {
    status.conditions = withCondition<batch.JobCondition>(
      status.conditions,
      { type, status: value, reason, message, lastProbeTime: stamp },
      stamp,
    ).slice()
  }
  const failures = results.failed + (spec.template.spec?.restartPolicy === 'OnFailure' ? active.reduce((n, pod) => n + restarts(pod), 0) : 0)
  const failure = failureOf(job, pods, failures, status, now)
  const done = spec.completions === undefined ? results.succeeded > 0 && active.length === 0 : results.succeeded >= spec.completions
  const terminating = pods.filter((pod) => pod.metadata.deletionTimestamp && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed')

  const settled = active.length === 0 && terminating.length === 0 && status.uncountedTerminatedPods === undefined

  if (failure) {
    plan.delete = active
    condition('FailureTarget', 'True', failure.reason, failure.message)
    if (settled) {
      condition('Failed', 'True', failure.reason, failure.message)
      plan.event = { type: 'Warning', ...failure }
    }
  } else if (done) {
    plan.delete = active
    condition('SuccessCriteriaMet', 'True', 'CompletionsReached', 'Reached expected number of succeeded pods')
    if (settled) {
      condition('Complete', 'True', 'CompletionsReached', 'Reached expected number of succeeded pods')
      status.completionTime = stamp
      plan.event = { type: 'Normal', reason: 'Completed', message: 'Job completed' }
    }
  } else if (spec.suspend) {
    plan.delete = active
    if (findCondition(before.conditions, 'Suspended')?.status !== 'True')
      plan.event = { type: 'Normal', reason: 'Suspended', message: 'Job suspended' }
    condition('Suspended', 'True', 'JobSuspended', 'Job suspended')
    delete status.startTime
  } else {
    if (findCondition(before.conditions, 'Suspended')?.status === 'True') {
      condition('Suspended', 'False', 'JobResumed', 'Job resumed')
      status.startTime = stamp
      plan.event = { type: 'Normal', reason: 'Resumed', message: 'Job resumed' }
    }
    planPods(job, plan, pods, active, terminating, results.succeeded, now)
  }

  const gone = new Set(plan.delete)
  const left = active.filter((pod) => !gone.has(pod))
  setCount(status, 'active', left.length)
  // a zero is written: clients tell it from a server that does not count
  status.ready = left.filter(isReady).length
  status.terminating = terminating.length + gone.size
  const deadline = spec.activeDeadlineSeconds
  if (deadline !== undefined && status.startTime && !failure && !done && !spec.suspend)
    recheck(plan, Date.parse(status.startTime) + deadline * 1000 - now)
  return plan
}

function planPods(
  job: Job,
  plan: JobPlan,
  pods: readonly Pod[],
  active: readonly Pod[],
  terminating: readonly Pod[],
  succeeded: number,
  now: number,
): void {
  const { spec } = job
  const parallelism = spec.parallelism ?? 1
  let wanted: number
  if (spec.completions === undefined) wanted = succeeded > 0 ? active.length : parallelism
  else wanted = Math.min(parallelism, spec.completions - succeeded)
  if (active.length > wanted) {
    plan.delete = byDispensability(active).slice(0, active.length - Math.max(wanted, 0))
    return
  }
  const occupied = active.length + (spec.podReplacementPolicy === 'Failed' ? terminating.length : 0)
  const missing = wanted - occupied
  if (missing <= 0) return
  const wait = retryDelay(pods, now)
  if (wait > 0) return recheck(plan, wait)
  if (spec.completionMode !== 'Indexed') {
    plan.create = Array.from({ length: missing }, () => undefined)
    return
  }
  const taken = new Set([
    ...parseIndexes(plan.status.completedIndexes),
    ...[...active, ...(spec.podReplacementPolicy === 'Failed' ? terminating : [])].map(indexOf),
  ])
  const failedIndexes = new Set(parseIndexes(plan.status.failedIndexes))
  for (let index = 0; index < spec.completions! && plan.create.length < missing; index++)
    if (!taken.has(index) && !failedIndexes.has(index)) plan.create.push(index)
}

interface Results {
  succeeded: number
  failed: number
  release: Pod[]
}

/**
 * Takes down what pods came to. A result passes three states, so that a crash between any two writes neither loses it nor counts it twice: the pod finished and has its
 * finalizer; its uid stands in `uncountedTerminatedPods`, and the finalizer may go; the finalizer is gone, and the result moves to the counts.
 */
function takeResults(job: Job, pods: readonly Pod[], status: batch.JobStatus): Results {
  const byUid = new Map(pods.map((pod) => [pod.metadata.uid!, pod]))
  const held = { succeeded: [...(status.uncountedTerminatedPods?.succeeded ?? [])], failed: [...(status.uncountedTerminatedPods?.failed ?? [])] }
  const indexed = job.spec.completionMode === 'Indexed'
  for (const outcome of ['succeeded', 'failed'] as const) {
    const still = held[outcome].filter((uid) => byUid.has(uid) && isTracked(byUid.get(uid)!))
    if (!indexed || outcome === 'failed') setCount(status, outcome, (status[outcome] ?? 0) + held[outcome].length - still.length)
    held[outcome] = still
  }
  const completed = new Set(parseIndexes(status.completedIndexes))
  for (const pod of pods) {
    const { uid } = pod.metadata
    if (!isTracked(pod) || !hasResult(pod) || held.succeeded.includes(uid!) || held.failed.includes(uid!)) continue
    const won = pod.status?.phase === 'Succeeded'
    held[won ? 'succeeded' : 'failed'].push(uid!)
    if (indexed && won && indexOf(pod) < (job.spec.completions ?? 0)) completed.add(indexOf(pod))
  }
  if (indexed && completed.size > 0) {
    status.completedIndexes = formatIndexes(completed)
    setCount(status, 'succeeded', completed.size)
  }
  if (held.succeeded.length + held.failed.length > 0)
    status.uncountedTerminatedPods = {
      ...(held.succeeded.length > 0 ? { succeeded: held.succeeded } : {}),
      ...(held.failed.length > 0 ? { failed: held.failed } : {}),
    }
  else delete status.uncountedTerminatedPods
  return {
    succeeded: indexed ? completed.size : (status.succeeded ?? 0) + held.succeeded.length,
    failed: (status.failed ?? 0) + held.failed.length,
    release: [...held.succeeded, ...held.failed].map((uid) => byUid.get(uid)!),
  }
}

const isTracked = (pod: Pod) => pod.metadata.finalizers?.includes(trackingFinalizer) ?? false

/** Finished, or deleted before it could finish: that counts as failed. */
const hasResult = (pod: Pod) =>
  pod.status?.phase === 'Succeeded' ||
  pod.status?.phase === 'Failed' ||
  (pod.metadata.deletionTimestamp !== undefined && pod.metadata.deletionGracePeriodSeconds === 0)

export const indexOf = (pod: Pod): number => Number(pod.metadata.annotations?.[indexAnnotation] ?? -1)

function failureOf(
  job: Job,
  pods: readonly Pod[],
  failures: number,
  status: batch.JobStatus,
  now: number,
): { reason: string; message: string } | undefined {
  const target = findCondition(status.conditions, 'FailureTarget')
  if (target?.status === 'True') return { reason: target.reason ?? '', message: target.message ?? '' }
  const { spec } = job
  if (
    !spec.suspend &&
    spec.activeDeadlineSeconds !== undefined &&
    status.startTime &&
    now >= Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1000
  )
    return { reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' }
  const policy = failedByPolicy(job, pods)
  if (policy) return policy
  if (failures > (spec.backoffLimit ?? 6)) return { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' }
  return undefined
}

/** A pod failure policy's rule may end the job at once (KEP-3329). */
function failedByPolicy(job: Job, pods: readonly Pod[]): { reason: string; message: string } | undefined {
  for (const pod of pods) {
    if (pod.status?.phase !== 'Failed') continue
    const rules = job.spec.podFailurePolicy?.rules ?? []
    const index = rules.findIndex((rule) => matchesRule(rule, pod))
    if (index >= 0 && rules[index]!.action === 'FailJob')
      return {
        reason: 'PodFailurePolicy',
        message: `Pod ${pod.metadata.namespace}/${pod.metadata.name} failed with a result matching FailJob rule at index ${index}`,
      }
  }
  return undefined
}

function matchesRule(rule: DeepReadonly<batch.PodFailurePolicyRule>, pod: Pod): boolean {
  const codes = rule.onExitCodes
  if (codes) {
    const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])].filter(
      (s) => !codes.containerName || s.name === codes.containerName,
    )
    return statuses.some((s) => {
      const code = s.state?.terminated?.exitCode
      return code !== undefined && code !== 0 && (codes.operator === 'In') === codes.values.includes(code)
    })
  }
  return (rule.onPodConditions ?? []).some((c) => findCondition(pod.status?.conditions, c.type)?.status === (c.status ?? 'True'))
}

/** How long to wait after the last failures: 10 s, doubling with each one since the last success. */
function retryDelay(pods: readonly Pod[], now: number): number {
  const end = (pod: Pod) =>
    Math.max(0, ...(pod.status?.containerStatuses ?? []).map((s) => Date.parse(s.state?.terminated?.finishedAt ?? '') || 0)) ||
    Date.parse(pod.metadata.deletionTimestamp ?? pod.metadata.creationTimestamp ?? '') ||
    0
  const finished = pods.filter((pod) => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed').sort((a, b) => end(b) - end(a))
  const failures = finished.findIndex((pod) => pod.status?.phase === 'Succeeded')
  const inARow = failures < 0 ? finished.length : failures
  if (inARow === 0) return 0
  return end(finished[0]!) + Math.min(firstDelay * 2 ** (inARow - 1), longestDelay) - now
}

function recheck(plan: JobPlan, after: number): void {
  plan.recheckAfter = Math.max(Math.min(plan.recheckAfter ?? after, after), 1)
}

function setCount(status: batch.JobStatus, key: 'active' | 'succeeded' | 'failed', n: number): void {
  if (n > 0) status[key] = n
  else delete status[key]
}
