import type { DeepReadonly, batch } from '#api'
import { type Causes, duplicate, invalid, invalidOmitted, nonNegative, required, same } from '../../validation/causes.ts'
import { groupForms } from '../../validation/group-forms.ts'
import { internalForm } from '../../validation/internal-form.ts'
import { commonIndex, countIndexes } from './indexes.ts'

type Job = DeepReadonly<batch.Job>
type Status = DeepReadonly<batch.JobStatus>

const conditions = 'status.conditions'

/**
 * Jobs may be led by a controller of somebody else's (`managedBy`), so their status is held to what clients rely on. Most rules ask only
 * of what an update changes: a status that was wrong before may still be mended in other places.
 */
export function validateJobStatus(job: Job, old: Job): Causes {
  const causes: Causes = []
  const { status = {}, spec } = job
  const before = old.status ?? {}
  for (const field of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const) nonNegative(causes, `status.${field}`, status[field])
  validateUncounted(causes, status)
  validateConditions(causes, status, before)
  validateTimes(causes, status, before, spec.suspend ?? false)
  if (finished(status)) validateFinished(causes, status, before)
  validateIndexes(causes, job, before)
  validateCounters(causes, job, before)
  return causes
}

const has = (status: Status, type: string) => status.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false
const complete = (status: Status) => has(status, 'Complete')
const failed = (status: Status) => has(status, 'Failed')
const finished = (status: Status) => complete(status) || failed(status)

function validateUncounted(causes: Causes, { uncountedTerminatedPods: uncounted }: Status): void {
  const seen = new Set<string>()
  for (const field of ['succeeded', 'failed'] as const)
    for (const [i, uid] of (uncounted?.[field] ?? []).entries()) {
      const at = `status.uncountedTerminatedPods.${field}[${i}]`
      if (uid === '') causes.push(invalid(at, uid, 'must not be empty'))
      else if (seen.has(uid)) causes.push(duplicate(at, uid))
      seen.add(uid)
    }
}

/** How a job ends is said once, and by one condition after the other. */
function validateConditions(causes: Causes, status: Status, before: Status): void {
  const forbid = (when: boolean, detail: string) => {
    if (when) causes.push(invalidOmitted(conditions, detail))
  }
  const changed = (...types: string[]) => types.some((type) => has(status, type) !== has(before, type))
  const target = has(status, 'FailureTarget')
  const met = has(status, 'SuccessCriteriaMet')
  forbid(changed('Complete', 'Failed') && complete(status) && failed(status), 'cannot set Complete=True and Failed=true conditions')
  forbid(changed('Complete', 'FailureTarget') && complete(status) && target, 'cannot set Complete=True and FailureTarget=true conditions')
  forbid(changed('Failed', 'FailureTarget') && failed(status) && !target, 'cannot set Failed=True condition without the FailureTarget=true condition')
  forbid(
    changed('Complete', 'SuccessCriteriaMet') && complete(status) && !met,
    'cannot set Complete=True condition without the SuccessCriteriaMet=true condition',
  )
  forbid(met && failed(status), 'cannot set SuccessCriteriaMet=True and Failed=true conditions')
  forbid(met && target, 'cannot set SuccessCriteriaMet=True and FailureTarget=true conditions')
  for (const type of ['Failed', 'Complete', 'FailureTarget'])
    forbid(has(before, type) && !has(status, type), `cannot disable the terminal ${type}=True condition`)
  forbid(has(before, 'SuccessCriteriaMet') && !met, 'cannot disable the SuccessCriteriaMet=True condition')
  forbid(
    complete(before) && !has(before, 'SuccessCriteriaMet') && met,
    'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions',
  )
}

function validateTimes(causes: Causes, status: Status, before: Status, suspended: boolean): void {
  const { startTime, completionTime } = status
  const completionChanged = completionTime !== before.completionTime
  const startChanged = startTime !== before.startTime
  const at = 'status.completionTime'
  if (completionChanged || complete(status) !== complete(before)) {
    if (completionTime && !complete(status))
      causes.push(invalid(at, completionTime, 'cannot set completionTime when there is no Complete=True condition'))
    if (!completionTime && complete(status)) causes.push(required(at, 'completionTime is required for Complete jobs'))
  }
  if ((completionChanged || startChanged) && startTime && completionTime && Date.parse(completionTime) < Date.parse(startTime))
    causes.push(invalid(at, completionTime, 'completionTime cannot be set before startTime'))
  if (completionChanged && completionTime && before.completionTime) causes.push(invalid(at, completionTime, 'completionTime cannot be mutated'))
  if (startChanged && before.startTime && !suspended) causes.push(required('status.startTime', 'startTime cannot be removed for unsuspended job'))
}

/** Nothing of a job that has ended is still on its way. */
function validateFinished(causes: Causes, status: Status, before: Status): void {
  const ended = !finished(before)
  const { active = 0, terminating = 0, startTime, uncountedTerminatedPods: uncounted } = status
  if (active > 0 && (ended || active !== (before.active ?? 0))) causes.push(invalid('status.active', active, 'active>0 is invalid for finished job'))
  if (!startTime && (ended || startTime !== before.startTime)) causes.push(required('status.startTime', 'startTime is required for finished job'))
  const left = (uncounted?.succeeded?.length ?? 0) + (uncounted?.failed?.length ?? 0)
  if (left > 0 && (ended || !same(uncounted, before.uncountedTerminatedPods)))
    causes.push(
      invalid(
        'status.uncountedTerminatedPods',
        internalForm(uncounted, groupForms.uncountedTerminatedPods),
        'uncountedTerminatedPods needs to be empty for finished job',
      ),
    )
  if (terminating > 0 && (ended || terminating !== (before.terminating ?? 0)))
    causes.push(invalid('status.terminating', terminating, 'terminating>0 is invalid for finished job'))
}

function validateIndexes(causes: Causes, { spec, status = {} }: Job, before: Status): void {
  const { completedIndexes: completed = '', failedIndexes } = status
  const { completions, backoffLimitPerIndex, completionMode } = spec
  const completedChanged = completed !== (before.completedIndexes ?? '')
  const failedChanged = failedIndexes !== before.failedIndexes
  const parse = (field: string, text: string) => {
    const count = countIndexes(text, completions!)
    if (typeof count === 'string') causes.push(invalid(`status.${field}`, text, `error parsing ${field}: ${count}`))
  }
  if (completedChanged) {
    if (completions !== undefined) parse('completedIndexes', completed)
    if (completed !== '' && completionMode !== 'Indexed')
      causes.push(invalid('status.completedIndexes', completed, 'cannot set non-empty completedIndexes when non-indexed completion mode'))
  }
  if (failedIndexes === undefined) return
  if (failedChanged) {
    if (completions !== undefined && backoffLimitPerIndex !== undefined) parse('failedIndexes', failedIndexes)
    if (backoffLimitPerIndex === undefined)
      causes.push(invalid('status.failedIndexes', failedIndexes, 'cannot set non-null failedIndexes when backoffLimitPerIndex is null'))
  }
  if ((!completedChanged && !failedChanged) || completions === undefined) return
  const common = commonIndex(completed, failedIndexes, completions)
  if (common !== undefined)
    causes.push(invalid('status.failedIndexes', failedIndexes, `failedIndexes and completedIndexes overlap at index: ${common}`))
}

function validateCounters(causes: Causes, { spec, status = {} }: Job, before: Status): void {
  const { ready, active = 0, succeeded = 0, failed: failures = 0 } = status
  if (ready !== undefined && ready > active && (ready !== before.ready || active !== (before.active ?? 0)))
    causes.push(invalid('status.ready', ready, 'cannot set more ready pods than active'))
  if (failures < (before.failed ?? 0)) causes.push(invalid('status.failed', failures, 'cannot decrease the failed counter'))
  // an index space that shrinks takes with it what succeeded beyond its end
  const elastic = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism
  if (!elastic && succeeded < (before.succeeded ?? 0)) causes.push(invalid('status.succeeded', succeeded, 'cannot decrease the succeeded counter'))
}
