import type { DeepReadonly, batch } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, invalid, nonNegative, oneOf, required, same } from '../../validation/causes.ts'
import { scheduleProblem } from '../../validation/cron.ts'
import { timeZoneProblem } from '../../validation/time-zone.ts'
import { podHostnameWarnings } from '../pod-names.ts'
import { keepAllButStatus, keepStatus } from '../status.ts'
import { defaultCronJob } from './defaults.ts'
import { validateJobSpec } from './job-spec.ts'
import { jobSpecWarnings } from './job-warnings.ts'

type CronJobSpec = DeepReadonly<batch.CronJobSpec>

/** Jobs get the name and eleven characters more, of the 63 that labels have. */
const maxNameLength = 52

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
  validate({ spec }, _apiVersion, old) {
    const causes: Causes = []
    if (!spec.schedule) causes.push(required('spec.schedule'))
    else validateSchedule(causes, spec, old?.spec)
    nonNegative(causes, 'spec.startingDeadlineSeconds', spec.startingDeadlineSeconds)
    if (spec.timeZone !== undefined && spec.timeZone !== old?.spec.timeZone) {
      const problem = timeZoneProblem(spec.timeZone)
      if (problem) causes.push(invalid('spec.timeZone', spec.timeZone, problem))
    }
    oneOf(causes, 'spec.concurrencyPolicy', spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'])
    validateJobTemplate(causes, spec, old?.spec.jobTemplate.spec)
    nonNegative(causes, 'spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit)
    nonNegative(causes, 'spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit)
    return causes
  },
  // cron jobs from before there was a limit may still be changed
  validateCreate({ metadata: { name } }) {
    return name.length > maxNameLength ? [invalid('metadata.name', name, `must be no more than ${maxNameLength} characters`)] : []
  },
  warnings({ metadata, spec }, old) {
    const job = spec.jobTemplate.spec ? jobSpecWarnings('spec.jobTemplate.spec', spec.jobTemplate.spec) : []
    if (!old) return [...podHostnameWarnings(metadata.name), ...job]
    return [
      ...(same(spec, old.spec) ? [] : job),
      ...(spec.schedule.includes('TZ')
        ? [
            'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details',
          ]
        : []),
    ]
  },
}

/** A zone in the schedule never meant what it said; those that have one may keep it. */
function validateSchedule(causes: Causes, { schedule, timeZone }: CronJobSpec, old: CronJobSpec | undefined): void {
  const problem = scheduleProblem(schedule)
  if (problem) causes.push(invalid('spec.schedule', schedule, problem))
  if (!schedule.includes('TZ')) return
  if (!old?.schedule.includes('TZ'))
    causes.push(invalid('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'))
  else if (timeZone !== undefined) causes.push(invalid('spec.schedule', schedule, 'cannot use both timeZone field and TZ or CRON_TZ in schedule'))
}

function validateJobTemplate(causes: Causes, { jobTemplate: { spec } }: CronJobSpec, old: CronJobSpec['jobTemplate']['spec']): void {
  if (!spec) return
  const path = 'spec.jobTemplate.spec'
  validateJobSpec(causes, path, spec, old)
  if (spec.selector) causes.push(invalid(`${path}.selector`, spec.selector, '`selector` will be auto-generated'))
  if (spec.manualSelector)
    causes.push({
      reason: 'FieldValueNotSupported',
      message: 'Unsupported value: true: supported values: "nil", "false"',
      field: `${path}.manualSelector`,
    })
}
