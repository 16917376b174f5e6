import type { DeepReadonly, batch } from '#api'
import { labelValue } from '#api'
import { type Causes, invalid, required, same } from '../../validation/causes.ts'
import { isValidSelector, selectorMatches } from '../../validation/selectors.ts'

const controllerUid = 'batch.kubernetes.io/controller-uid'
const jobName = 'batch.kubernetes.io/job-name'
const legacyControllerUid = 'controller-uid'
const legacyJobName = 'job-name'

/**
 * Labels and a selector that no other job's pods can match: the job's uid. A job without labels of its own carries those of its
 * template, the generated ones included.
 */
export function ownPods(job: batch.Job): void {
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

/** Jobs from before 1.27, which may still be in a store, have the labels without a domain alone. */
const hasPrefixedLabels = ({ spec }: DeepReadonly<batch.Job>) => {
  const labels = spec.template.metadata?.labels
  return labels?.[jobName] !== undefined && labels[controllerUid] !== undefined
}

/** Holds template and selector against what `ownPods` has put there: a client may have put something else. */
export function requireOwnLabels(causes: Causes, job: DeepReadonly<batch.Job>, old: DeepReadonly<batch.Job> | undefined): void {
  const labels = job.spec.template.metadata?.labels
  const { name, uid } = job.metadata
  if (!uid) causes.push(required('metadata.uid'))
  const expected: Record<string, string> = { [legacyControllerUid]: uid ?? '', [legacyJobName]: name }
  if (!old || hasPrefixedLabels(old)) Object.assign(expected, { [controllerUid]: uid ?? '', [jobName]: name })
  for (const [key, value] of Object.entries(expected)) {
    const field = `spec.template.metadata.labels[${key}]`
    if (labels?.[key] === undefined) causes.push(required(field, `must be '${value}'`))
    else if (labels[key] !== value) causes.push(invalid(field, labels, `must be '${value}'`))
  }
  // what is wrong with the selector itself is said elsewhere
  if (isValidSelector(job.spec.selector!) && !selectorMatches(job.spec.selector!, expected))
    causes.push(invalid('spec.selector', job.spec.selector, '`selector` not auto-generated'))
}
