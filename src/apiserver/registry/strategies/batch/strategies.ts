import type { DeepReadonly, batch } from '#api'
import { labelValue } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import {
  type Causes,
  immutable,
  invalid,
  invalidEach,
  nonNegative,
  notSupported,
  optionalOneOf,
  required,
  same,
  tooMany,
} from '../../validation/causes.ts'
import { scheduleProblem } from '../../validation/cron.ts'
import { validatePodTemplate } from '../../validation/pod/pod-spec.ts'
import { selectorMatches, validateLabelSelector } from '../../validation/selectors.ts'
import { keepAllButStatus, keepStatus } from '../status.ts'
import { defaultCronJob, defaultJob } from './defaults.ts'

const controllerUid = 'batch.kubernetes.io/controller-uid'
const jobName = 'batch.kubernetes.io/job-name'
const legacyControllerUid = 'controller-uid'
const legacyJobName = 'job-name'

export const jobStrategy: ResourceStrategy<batch.Job> = {
  default: defaultJob,
  prepareForCreate(job) {
    if (!job.spec.manualSelector) ownPods(job)
    job.status = {}
  },
  prepareForUpdate(job, old) {
    keepStatus(job, old)
  },
  prepareForStatusUpdate: keepAllButStatus,
  validate(job) {
    const causes: Causes = []
    validateJobSpec(causes, 'spec', job.spec)
    const { selector, template, manualSelector } = job.spec
    if (!selector) {
      causes.push(required('spec.selector'))
      causes.push(invalid('spec.template.metadata.labels', template.metadata?.labels ?? {}, '`selector` does not match template `labels`'))
    } else {
      const before = causes.length
      validateLabelSelector(causes, 'spec.selector', selector)
      if (causes.length > before) return causes
      if (!selectorMatches(selector, template.metadata?.labels))
        causes.push(invalid('spec.template.metadata.labels', template.metadata?.labels ?? {}, '`selector` does not match template `labels`'))
      if (!manualSelector) requireOwnLabels(causes, job)
    }
    return causes
  },
  validateUpdate({ spec }, { spec: old }) {
    const causes: Causes = []
    // Only a job that grows or shrinks its index space together may change its completions.
    const elastic = spec.completionMode === 'Indexed' && spec.completions !== undefined && spec.completions === spec.parallelism
    if (!elastic) immutable(causes, 'spec.completions', spec.completions, old.completions)
    immutable(causes, 'spec.selector', spec.selector, old.selector)
    if (!same(spec.template, schedulable(spec, old))) causes.push(invalid('spec.template', spec.template, 'field is immutable'))
    immutable(causes, 'spec.completionMode', spec.completionMode, old.completionMode)
    immutable(causes, 'spec.podFailurePolicy', spec.podFailurePolicy, old.podFailurePolicy)
    immutable(causes, 'spec.backoffLimitPerIndex', spec.backoffLimitPerIndex, old.backoffLimitPerIndex)
    immutable(causes, 'spec.managedBy', spec.managedBy, old.managedBy)
    immutable(causes, 'spec.successPolicy', spec.successPolicy, old.successPolicy)
    return causes
  },
  validateStatusUpdate({ status }) {
    const causes: Causes = []
    nonNegative(causes, 'status.active', status?.active)
    nonNegative(causes, 'status.succeeded', status?.succeeded)
    nonNegative(causes, 'status.failed', status?.failed)
    nonNegative(causes, 'status.ready', status?.ready)
    nonNegative(causes, 'status.terminating', status?.terminating)
    return causes
  },
  // Upstream keeps the pods of a deleted job unless the request says otherwise; kubectl always does.
  defaultPropagation: 'Orphan',
  unknownField: (field) => `field label ${JSON.stringify(field)} not supported for batchv1.Job`,
  selectableFields: (job) => ({ 'status.successful': String(job.status?.succeeded ?? 0) }),
}

/**
 * Labels and a selector that no other job's pods can match: the job's uid. A job without labels of its own carries those of its
 * template, the generated ones included.
 */
function ownPods(job: batch.Job): void {
  const template = (job.spec.template.metadata ??= {} as batch.Job['metadata'])
  const shared = same(job.metadata.labels, template.labels)
  const labels = (template.labels ??= {})
  const { name, uid = '' } = job.metadata
  labels[jobName] ??= name
  labels[legacyJobName] ??= name
  labels[controllerUid] ??= uid
  labels[legacyControllerUid] ??= uid
  const match = ((job.spec.selector ??= {}).matchLabels ??= {})
  match[controllerUid] ??= uid
  // a name that is too long for a label is said of the template's alone
  if (shared && labelValue(name).length === 0) job.metadata.labels = { ...labels }
}

function requireOwnLabels(causes: Causes, job: DeepReadonly<batch.Job>): void {
  const labels = job.spec.template.metadata?.labels
  const path = 'spec.template.metadata.labels'
  const check = (key: string, value: string | undefined) => {
    if (labels?.[key] === undefined) causes.push(required(`${path}[${key}]`, `must be '${value}'`))
    else if (labels[key] !== value) causes.push(invalid(`${path}[${key}]`, labels, `must be '${value}'`))
  }
  const uid = job.metadata.uid
  check(legacyControllerUid, uid)
  check(legacyJobName, job.metadata.name)
  check(controllerUid, uid)
  check(jobName, job.metadata.name)
  if (
    job.metadata.uid &&
    !selectorMatches(job.spec.selector!, {
      [controllerUid]: uid!,
      [legacyControllerUid]: uid!,
      [jobName]: job.metadata.name,
      [legacyJobName]: job.metadata.name,
    })
  )
    causes.push(invalid('spec.selector', job.spec.selector, '`selector` not auto-generated'))
}

/** A job that never started may still be told where its pods go; anything else of its template stays. */
function schedulable(spec: DeepReadonly<batch.JobSpec>, old: DeepReadonly<batch.JobSpec>): unknown {
  if (!old.suspend) return old.template
  const { nodeSelector, affinity, tolerations, schedulingGates } = spec.template.spec ?? { containers: [] }
  const { annotations, labels } = spec.template.metadata ?? {}
  return {
    ...old.template,
    metadata: { ...old.template.metadata, annotations, labels },
    spec: { ...old.template.spec, nodeSelector, affinity, tolerations, schedulingGates },
  }
}

/** The part that jobs and the job templates of cron jobs share. */
function validateJobSpec(causes: Causes, path: string, spec: DeepReadonly<batch.JobSpec>): void {
  nonNegative(causes, `${path}.parallelism`, spec.parallelism)
  nonNegative(causes, `${path}.completions`, spec.completions)
  nonNegative(causes, `${path}.activeDeadlineSeconds`, spec.activeDeadlineSeconds)
  nonNegative(causes, `${path}.backoffLimit`, spec.backoffLimit)
  nonNegative(causes, `${path}.ttlSecondsAfterFinished`, spec.ttlSecondsAfterFinished)
  nonNegative(causes, `${path}.backoffLimitPerIndex`, spec.backoffLimitPerIndex)
  nonNegative(causes, `${path}.maxFailedIndexes`, spec.maxFailedIndexes)
  const indexed = spec.completionMode === 'Indexed'
  if (spec.completionMode !== undefined && spec.completionMode !== 'NonIndexed' && !indexed)
    causes.push(notSupported(`${path}.completionMode`, spec.completionMode, ['Indexed', 'NonIndexed']))
  if (indexed) {
    if (spec.completions === undefined) causes.push(required(`${path}.completions`, 'when completion mode is Indexed'))
    if ((spec.parallelism ?? 0) > 100000)
      causes.push(invalid(`${path}.parallelism`, spec.parallelism, 'must be less than or equal to 100000 when completion mode is Indexed'))
  } else {
    if (spec.backoffLimitPerIndex !== undefined)
      causes.push(invalid(`${path}.backoffLimitPerIndex`, spec.backoffLimitPerIndex, 'requires indexed completion mode'))
    if (spec.successPolicy) causes.push(invalid(`${path}.successPolicy`, spec.successPolicy, 'requires indexed completion mode'))
  }
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    causes.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'))
  if (spec.podReplacementPolicy !== undefined) {
    if (spec.podFailurePolicy) {
      if (spec.podReplacementPolicy !== 'Failed') causes.push(notSupported(`${path}.podReplacementPolicy`, spec.podReplacementPolicy, ['Failed']))
    } else optionalOneOf(causes, `${path}.podReplacementPolicy`, spec.podReplacementPolicy, ['Failed', 'TerminatingOrFailed'])
  }
  if (spec.podFailurePolicy) validatePodFailurePolicy(causes, `${path}.podFailurePolicy`, spec)
  validatePodTemplate(causes, `${path}.template`, spec.template)
  const policy = spec.template.spec?.restartPolicy
  if (policy === 'Always') causes.push(required(`${path}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"'))
  else if (policy !== 'OnFailure' && policy !== 'Never')
    causes.push(notSupported(`${path}.template.spec.restartPolicy`, policy ?? '', ['OnFailure', 'Never']))
  else if (spec.podFailurePolicy && policy !== 'Never')
    causes.push(invalid(`${path}.template.spec.restartPolicy`, policy, 'only "Never" is supported when podFailurePolicy is specified'))
}

function validatePodFailurePolicy(causes: Causes, path: string, spec: DeepReadonly<batch.JobSpec>): void {
  const rules = spec.podFailurePolicy!.rules ?? []
  if (rules.length > 20) causes.push(tooMany(`${path}.rules`, rules.length, 20))
  rules.forEach((rule, i) => {
    const at = `${path}.rules[${i}]`
    if (!rule.action) causes.push(required(`${at}.action`, 'valid values: ["Count" "FailIndex" "FailJob" "Ignore"]'))
    else if (!['Count', 'FailIndex', 'FailJob', 'Ignore'].includes(rule.action))
      causes.push(notSupported(`${at}.action`, rule.action, ['Count', 'FailIndex', 'FailJob', 'Ignore']))
    const { onExitCodes, onPodConditions } = rule
    if (onExitCodes && onPodConditions?.length) causes.push(invalid(at, rule, 'specifying both OnExitCodes and OnPodConditions is not supported'))
    if (!onExitCodes && !onPodConditions?.length) causes.push(invalid(at, rule, 'specifying one of OnExitCodes and OnPodConditions is required'))
    if (!onExitCodes) return
    if (!['In', 'NotIn'].includes(onExitCodes.operator))
      causes.push(notSupported(`${at}.onExitCodes.operator`, onExitCodes.operator, ['In', 'NotIn']))
    const values = onExitCodes.values ?? []
    if (values.length === 0) causes.push(invalid(`${at}.onExitCodes.values`, values, 'at least one value is required'))
    else if (values.length > 255) causes.push(tooMany(`${at}.onExitCodes.values`, values.length, 255))
    const { containerName } = onExitCodes
    const containers = [...(spec.template.spec?.containers ?? []), ...(spec.template.spec?.initContainers ?? [])]
    if (containerName !== undefined && !containers.some((container) => container.name === containerName))
      causes.push(
        invalid(`${at}.onExitCodes.containerName`, containerName, 'must be one of the container or initContainer names in the pod template'),
      )
  })
}

export const cronJobStrategy: ResourceStrategy<batch.CronJob> = {
  // the beta keeps what a deleted cron job has made
  defaultPropagation: (apiVersion) => (apiVersion === 'batch/v1beta1' ? 'Orphan' : 'Background'),
  unknownField: (field, apiVersion) =>
    apiVersion === 'batch/v1beta1' ? `field label ${JSON.stringify(field)} not supported for "CronJob"` : undefined,
  default: defaultCronJob,
  prepareForCreate(object) {
    object.status = {}
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatus,
  validate({ metadata, spec }) {
    const causes: Causes = []
    if (!spec.schedule) causes.push(required('spec.schedule'))
    else validateSchedule(causes, spec)
    nonNegative(causes, 'spec.startingDeadlineSeconds', spec.startingDeadlineSeconds)
    if (!spec.concurrencyPolicy) causes.push(required('spec.concurrencyPolicy'))
    else optionalOneOf(causes, 'spec.concurrencyPolicy', spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'])
    nonNegative(causes, 'spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit)
    nonNegative(causes, 'spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit)
    const job = spec.jobTemplate.spec
    if (job) {
      validateJobSpec(causes, 'spec.jobTemplate.spec', job)
      if (job.manualSelector)
        causes.push({
          reason: 'FieldValueNotSupported',
          message: `Unsupported value: ${job.manualSelector}: supported values: "nil", "false"`,
          field: 'spec.jobTemplate.spec.manualSelector',
        })
    }
    // Jobs get the name and eleven characters more.
    if (metadata.name && metadata.name.length > 52) causes.push(invalid('metadata.name', metadata.name, 'must be no more than 52 characters'))
    for (const key in spec.jobTemplate.metadata?.labels)
      invalidEach(causes, 'spec.jobTemplate.labels', spec.jobTemplate.metadata.labels[key], labelValue(spec.jobTemplate.metadata.labels[key]!))
    return causes
  },
}

function validateSchedule(causes: Causes, spec: DeepReadonly<batch.CronJobSpec>): void {
  const { schedule, timeZone } = spec
  if (schedule.includes('TZ')) {
    causes.push(invalid('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'))
    return
  }
  const problem = scheduleProblem(schedule)
  if (problem) causes.push(invalid('spec.schedule', schedule, problem))
  if (timeZone === undefined) return
  if (timeZone === '') causes.push(invalid('spec.timeZone', timeZone, 'timeZone must be nil or non-empty string'))
  else if (timeZone.toLowerCase() === 'local')
    causes.push(invalid('spec.timeZone', timeZone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'))
  else if (!knownTimeZone(timeZone)) causes.push(invalid('spec.timeZone', timeZone, `unknown time zone ${timeZone}`))
}

function knownTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
