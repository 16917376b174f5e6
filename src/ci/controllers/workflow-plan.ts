import type { DeepReadonly, ci } from '#api'
import type { JobOutcome, WorkflowJob } from '../config/compiled.ts'
import { childName } from './object-names.ts'

export interface WorkflowState {
  name: string
  jobs: readonly DeepReadonly<WorkflowJob>[]
  /** The Job objects of this workflow, by the job's name in it. */
  objects: ReadonlyMap<string, DeepReadonly<ci.Job>>
  /** Jobs that a rerun takes over from the run before, by name. */
  kept: ReadonlyMap<string, DeepReadonly<ci.WorkflowJobStatus>>
  cancel: boolean
}

export interface WorkflowPlan {
  /** Jobs that may start now. */
  create: { job: DeepReadonly<WorkflowJob>; name: string; workspaces: string[] }[]
  /** Names of Job objects that are to end. */
  cancel: string[]
  jobs: ci.WorkflowJobStatus[]
  phase: ci.PipelinePhase
}

const outcomes: Partial<Record<ci.JobPhase, JobOutcome>> = {
  Succeeded: 'success',
  Failed: 'failed',
  TimedOut: 'failed',
  InfrastructureFailed: 'failed',
  Canceled: 'canceled',
  NotRun: 'not_run',
  Unauthorized: 'unauthorized',
}

/** What a workflow's jobs are, by what became of those before them: a job starts when all that it requires have ended, each in a way that it asks for. */
export function planWorkflow({ name, jobs, objects, kept, cancel }: WorkflowState): WorkflowPlan {
  const phases = new Map<string, ci.WorkflowJobStatus>()
  const create: WorkflowPlan['create'] = []
  const byName = new Map(jobs.map((job) => [job.name, job]))
  const objectName = (job: string) => objects.get(job)?.metadata.name ?? phases.get(job)?.jobName

  /** In whatever order the jobs stand; the compiler refuses cycles. */
  function visit(job: DeepReadonly<WorkflowJob>): ci.WorkflowJobStatus {
    const known = phases.get(job.name)
    if (known) return known
    const status: ci.WorkflowJobStatus = { name: job.name, type: job.type, phase: 'Blocked' }
    phases.set(job.name, status)
    const object = objects.get(job.name)
    const before = kept.get(job.name)
    if (object) {
      status.phase = object.status?.phase ?? 'Queued'
      status.jobName = object.metadata.name
      if (object.status?.message) status.message = object.status.message
    } else if (before) {
      Object.assign(status, before)
      for (const { job: required } of job.requires) if (byName.has(required)) visit(byName.get(required)!)
      return status
    }
    const required = job.requires.map(({ job: other, on }) => ({ other, on, status: byName.has(other) ? visit(byName.get(other)!) : undefined }))
    if (object) return status
    const ended = required.every((r) => outcomes[r.status?.phase ?? 'NotRun'])
    const unwanted = required.find((r) => {
      const outcome = outcomes[r.status?.phase ?? 'NotRun']
      return outcome !== undefined && !r.on.includes(outcome)
    })
    if (cancel) status.phase = 'Canceled'
    else if (unwanted) {
      status.phase = 'NotRun'
      status.message = `${unwanted.other} ended as ${outcomes[unwanted.status?.phase ?? 'NotRun']}`
    } else if (ended && job.type === 'no-op') status.phase = 'Succeeded'
    else if (ended) {
      status.phase = job.type === 'approval' ? 'OnHold' : 'Queued'
      status.jobName = childName(name, job.name)
      create.push({ job, name: status.jobName, workspaces: [] })
    }
    return status
  }

  const statuses = jobs.map(visit)
  for (const entry of create) entry.workspaces = upstream(entry.job, byName).flatMap((job) => objectName(job) ?? [])
  return {
    create,
    cancel: cancel
      ? [...objects.values()].filter((job) => !outcomes[job.status?.phase ?? 'Queued'] && !job.spec.cancel).map((job) => job.metadata.name)
      : [],
    jobs: statuses,
    phase: phaseOf(statuses, cancel),
  }
}

/** All jobs that one requires, however far up, the earliest first: the order in which their workspaces lie over one another. */
function upstream(job: DeepReadonly<WorkflowJob>, byName: ReadonlyMap<string, DeepReadonly<WorkflowJob>>): string[] {
  const seen: string[] = []
  const add = (one: DeepReadonly<WorkflowJob>) => {
    for (const { job: other } of one.requires) {
      const found = byName.get(other)
      if (!found || seen.includes(other)) continue
      add(found)
      if (!seen.includes(other)) seen.push(other)
    }
  }
  add(job)
  return seen
}

function phaseOf(jobs: readonly ci.WorkflowJobStatus[], cancel: boolean): ci.PipelinePhase {
  const has = (...phases: ci.JobPhase[]) => jobs.some((job) => phases.includes(job.phase!))
  if (jobs.some((job) => !outcomes[job.phase!])) {
    if (has('Queued', 'Starting', 'Running')) return 'Running'
    return has('OnHold') ? 'OnHold' : 'Running'
  }
  if (cancel || has('Canceled')) return has('Failed', 'TimedOut', 'InfrastructureFailed') && !cancel ? 'Failed' : 'Canceled'
  // a failure that another job was waiting for has been dealt with, but it is one all the same
  return has('Failed', 'TimedOut', 'InfrastructureFailed', 'Unauthorized') ? 'Failed' : 'Succeeded'
}

/** What a rerun takes over: all that succeeded, or all but the jobs that are named and what depends on them. */
export function keptJobs(
  jobs: readonly DeepReadonly<WorkflowJob>[],
  before: readonly DeepReadonly<ci.WorkflowJobStatus>[],
  from: ci.RerunFrom,
  again: readonly string[] = [],
): Map<string, DeepReadonly<ci.WorkflowJobStatus>> {
  if (from === 'start' && again.length === 0) return new Map()
  const rerun = new Set(again.length > 0 ? again : before.filter((job) => job.phase !== 'Succeeded').map((job) => job.name))
  // what depends on a job that runs again runs again
  for (let changed = true; changed;) {
    changed = false
    for (const job of jobs)
      if (!rerun.has(job.name) && job.requires.some((r) => rerun.has(r.job))) {
        rerun.add(job.name)
        changed = true
      }
  }
  return new Map(before.filter((job) => !rerun.has(job.name)).map((job) => [job.name, job]))
}
