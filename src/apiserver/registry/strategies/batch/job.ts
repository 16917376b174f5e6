import type { DeepReadonly, batch } from '#api'
import { dns1123Label } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, immutable, invalid, required, same } from '../../validation/causes.ts'
import { groupForms } from '../../validation/group-forms.ts'
import { internalForm } from '../../validation/internal-form.ts'
import { selectorMatches, validateLabelSelector } from '../../validation/selectors.ts'
import { podHostnameWarnings } from '../pod-names.ts'
import { keepAllButStatus, keepStatus } from '../status.ts'
import { defaultJob } from './defaults.ts'
import { ownPods, requireOwnLabels } from './job-labels.ts'
import { validateJobSpec } from './job-spec.ts'
import { validateJobStatus } from './job-status.ts'
import { templateStays } from './job-template-update.ts'
import { jobSpecWarnings } from './job-warnings.ts'

type Job = DeepReadonly<batch.Job>

export const jobStrategy: ResourceStrategy<batch.Job> = {
  default: defaultJob,
  prepareForCreate(job) {
    if (!job.spec.manualSelector) ownPods(job)
    job.status = {}
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatus,
  validate(job, _apiVersion, old) {
    const causes: Causes = []
    validateJobSpec(causes, 'spec', job.spec, old?.spec)
    validateSelector(causes, job, old)
    validateHostnames(causes, job)
    return causes
  },
  validateUpdate(job, old) {
    const causes: Causes = []
    const { spec } = job
    validateCompletions(causes, spec, old.spec)
    immutable(causes, 'spec.selector', spec.selector, old.spec.selector)
    if (!templateStays(job, old)) causes.push(invalid('spec.template', spec.template, 'field is immutable'))
    for (const field of ['completionMode', 'backoffLimitPerIndex', 'managedBy'] as const)
      immutable(causes, `spec.${field}`, spec[field], old.spec[field])
    for (const field of ['podFailurePolicy', 'successPolicy'] as const)
      if (!same(spec[field], old.spec[field]))
        causes.push(invalid(`spec.${field}`, internalForm(spec[field], groupForms[field]), 'field is immutable'))
    return causes
  },
  validateStatusUpdate: validateJobStatus,
  warnings(job, old) {
    if (old) return same(job.spec, old.spec) ? [] : jobSpecWarnings('spec', job.spec)
    return [...podHostnameWarnings(job.metadata.name), ...jobSpecWarnings('spec', job.spec)]
  },
  // Upstream keeps the pods of a deleted job unless the request says otherwise; kubectl always does.
  defaultPropagation: 'Orphan',
  unknownField: (field) => `field label ${JSON.stringify(field)} not supported for batchv1.Job`,
  selectableFields: (job) => ({ 'status.successful': String(job.status?.succeeded ?? 0) }),
}

function validateSelector(causes: Causes, job: Job, old: Job | undefined): void {
  const { selector, template, manualSelector } = job.spec
  if (selector && !manualSelector) requireOwnLabels(causes, job, old)
  if (!selector) causes.push(required('spec.selector'))
  else {
    const before = causes.length
    validateLabelSelector(causes, 'spec.selector', selector)
    if (causes.length > before) return
  }
  if (!selectorMatches(selector, template.metadata?.labels))
    causes.push(invalid('spec.template.metadata.labels', template.metadata?.labels ?? {}, '`selector` does not match template `labels`'))
}

/** Pods of an indexed job are called after it and their index; the last of them has the longest name. */
function validateHostnames(causes: Causes, { metadata, spec }: Job): void {
  if (spec.completionMode !== 'Indexed' || !((spec.completions ?? 0) > 0)) return
  const last = `${metadata.name}-${spec.completions! - 1}`
  if (dns1123Label(last).length > 0)
    causes.push(invalid('metadata.name', metadata.name, `will not able to create pod with invalid DNS label: ${last}`))
}

/** Only a job that grows or shrinks its index space together with its parallelism may change its completions. */
function validateCompletions(causes: Causes, spec: Job['spec'], old: Job['spec']): void {
  if (spec.completionMode !== 'Indexed') immutable(causes, 'spec.completions', spec.completions, old.completions)
  else if (spec.completions !== undefined && spec.completions !== old.completions && spec.completions !== spec.parallelism)
    causes.push(invalid('spec.completions', spec.completions, 'can only be modified in tandem with spec.parallelism'))
}
