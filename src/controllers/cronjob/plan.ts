import type { DeepReadonly, batch, core } from '#api'
import { formatTime, isConditionTrue } from '#api'
import type { NewObject } from '../workload/pods.ts'
import { ownedBy } from '../workload/pods.ts'
import type { Schedule } from './schedule.ts'
import { latestDue, parseSchedule, zonedTime } from './schedule.ts'

export type CronJob = DeepReadonly<batch.CronJob>
export type Job = DeepReadonly<batch.Job>

const scheduledAt = 'batch.kubernetes.io/cronjob-scheduled-timestamp'

/** Milliseconds after the due time at which it is looked at: by then it is certainly there. */
const delay = 100

export interface CronEvent {
  type: 'Normal' | 'Warning'
  reason: string
  message: string
}

export interface CronJobPlan {
  status: batch.CronJobStatus
  /** Finished jobs beyond the history limits. */
  forget: Job[]
  /** Running jobs that the new one replaces. */
  replace: Job[]
  /** When the job to make was due, milliseconds since the epoch. */
  create?: number
  events: CronEvent[]
  /** Milliseconds until the next start. */
  recheckAfter?: number
}

const isComplete = (job: Job) => isConditionTrue(job.status?.conditions, 'Complete')
const isFailed = (job: Job) => isConditionTrue(job.status?.conditions, 'Failed')

/** What to do for a cron job (https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/), given the jobs that it controls. */
export function planCronJob(cronJob: CronJob, jobs: readonly Job[], now: number): CronJobPlan {
  const status = structuredClone(cronJob.status ?? {}) as batch.CronJobStatus
  const plan: CronJobPlan = { status, forget: planHistory(cronJob, jobs), replace: [], events: [] }
  followJobs(plan, jobs)
  if (cronJob.metadata.deletionTimestamp || cronJob.spec.suspend) return plan
  const schedule = scheduleOf(cronJob, plan)
  if (schedule) planStart(cronJob, schedule, jobs, plan, now)
  return plan
}

/** Jobs that have finished, or are gone, are not active any more. */
function followJobs({ status, events }: CronJobPlan, jobs: readonly Job[]): void {
  const byUid = new Map(jobs.map((job) => [job.metadata.uid, job]))
  const active: core.ObjectReference[] = []
  for (const reference of status.active ?? []) {
    const job = byUid.get(reference.uid)
    if (!job) events.push({ type: 'Normal', reason: 'MissingJob', message: `Active job went missing: ${reference.name}` })
    else if (isComplete(job) || isFailed(job)) {
      const condition = isComplete(job) ? 'Complete' : 'Failed'
      events.push({ type: 'Normal', reason: 'SawCompletedJob', message: `Saw completed job: ${job.metadata.name}, condition: ${condition}` })
    } else active.push(reference)
  }
  setActive(status, active)
  for (const job of jobs) {
    const end = isComplete(job) ? job.status?.completionTime : undefined
    if (end && (!status.lastSuccessfulTime || Date.parse(end) > Date.parse(status.lastSuccessfulTime))) status.lastSuccessfulTime = end
  }
}

function setActive(status: batch.CronJobStatus, active: core.ObjectReference[]): void {
  if (active.length > 0) status.active = active
  else delete status.active
}

function planHistory({ spec }: CronJob, jobs: readonly Job[]): Job[] {
  const started = (job: Job) => job.status?.startTime ?? job.metadata.creationTimestamp ?? ''
  const excess = (finished: Job[], limit: number | undefined) =>
    limit === undefined
      ? []
      : finished
          .filter((job) => !job.metadata.deletionTimestamp)
          .sort((a, b) => (started(a) === started(b) ? (a.metadata.name < b.metadata.name ? -1 : 1) : started(a) < started(b) ? -1 : 1))
          .slice(0, Math.max(finished.length - limit, 0))
  return [...excess(jobs.filter(isComplete), spec.successfulJobsHistoryLimit), ...excess(jobs.filter(isFailed), spec.failedJobsHistoryLimit)]
}

function scheduleOf({ spec }: CronJob, { events }: CronJobPlan): Schedule | undefined {
  const { schedule, timeZone } = spec
  try {
    if (timeZone) new Intl.DateTimeFormat('en-US', { timeZone })
  } catch (error) {
    events.push({ type: 'Warning', reason: 'UnknownTimeZone', message: `invalid timeZone: ${JSON.stringify(timeZone)}: ${(error as Error).message}` })
    return undefined
  }
  try {
    return parseSchedule(schedule, timeZone)
  } catch (error) {
    events.push({
      type: 'Warning',
      reason: 'UnparseableSchedule',
      message: `unparseable schedule: ${JSON.stringify(schedule)} : ${(error as Error).message}`,
    })
    return undefined
  }
}

function planStart(cronJob: CronJob, schedule: Schedule, jobs: readonly Job[], plan: CronJobPlan, now: number): void {
  const { spec, status: before, metadata } = cronJob
  const since = Date.parse(before?.lastScheduleTime ?? metadata.creationTimestamp ?? '')
  const deadline = spec.startingDeadlineSeconds === undefined ? undefined : spec.startingDeadlineSeconds * 1000
  const next = schedule.next(Math.max(latestDue(schedule, since, now).due ?? since, since))
  if (next !== undefined) plan.recheckAfter = Math.max(next + delay - now, delay)

  const { due, tooMany } = latestDue(schedule, Math.max(since, deadline === undefined ? since : now - deadline), now)
  if (tooMany)
    plan.events.push({
      type: 'Warning',
      reason: 'TooManyMissedTimes',
      message: 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
    })
  if (due === undefined || due === Date.parse(before?.lastScheduleTime ?? '')) return
  if (deadline !== undefined && due + deadline < now) {
    plan.events.push({ type: 'Warning', reason: 'MissSchedule', message: `Missed scheduled time to start a job: ${rfc1123(due)}` })
    return
  }
  const active = plan.status.active ?? []
  if (active.some((reference) => reference.name === jobName(cronJob, due))) return
  if (spec.concurrencyPolicy === 'Forbid' && active.length > 0) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid'
    plan.events.push({ type: 'Normal', reason: 'JobAlreadyActive', message })
    return
  }
  if (spec.concurrencyPolicy === 'Replace') {
    plan.replace = jobs.filter((job) => active.some((reference) => reference.uid === job.metadata.uid))
    setActive(plan.status, [])
  }
  plan.create = due
}

/** `Fri, 02 Jan 2026 15:04:05 +0000` */
const rfc1123 = (ms: number) => new Date(ms).toUTCString().replace('GMT', '+0000')

/** One name per due time: a job that was made and not noted is found again. */
export const jobName = (cronJob: CronJob, due: number): string => `${cronJob.metadata.name}-${Math.floor(due / 60_000)}`

/** The job of a due time. */
export function jobFor(cronJob: CronJob, due: number): NewObject<batch.Job> {
  const { metadata, spec } = cronJob.spec.jobTemplate
  return structuredClone({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      ...(metadata?.labels ? { labels: metadata.labels } : {}),
      annotations: { ...metadata?.annotations, [scheduledAt]: zonedTime(due, cronJob.spec.timeZone) },
      name: jobName(cronJob, due),
      namespace: cronJob.metadata.namespace!,
      ownerReferences: [ownedBy(cronJob)],
    },
    spec,
  }) as NewObject<batch.Job>
}

/** The status with a job that was just made for a due time. */
export function withStarted(status: batch.CronJobStatus, job: Job, due: number): batch.CronJobStatus {
  const { name, namespace, uid, resourceVersion } = job.metadata
  const reference: core.ObjectReference = {
    kind: 'Job',
    apiVersion: 'batch/v1',
    name,
    namespace: namespace!,
    uid: uid!,
    resourceVersion: resourceVersion!,
  }
  return { ...status, active: [...(status.active ?? []).filter((r) => r.uid !== uid), reference], lastScheduleTime: formatTime(due) }
}
