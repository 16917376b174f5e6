import type { DeepReadonly, batch } from '#api'
import { type Causes, invalid, nonNegative, notSupported, required, tooLong } from '../../validation/causes.ts'
import { groupForms } from '../../validation/group-forms.ts'
import { internalForm } from '../../validation/internal-form.ts'
import { domainPrefixedPath } from '../../validation/domain-path.ts'
import { validatePodTemplate } from '../../validation/pod/pod-spec.ts'
import { validatePodFailurePolicy } from './pod-failure-policy.ts'
import { validateSuccessPolicy } from './success-policy.ts'

type JobSpec = DeepReadonly<batch.JobSpec>

// Bounds that keep the texts of indexes in a job's status short enough to be stored.
const maxParallelism = 100_000
const maxFailedIndexes = 100_000
const manyCompletions = 100_000
const maxParallelismOfMany = 10_000
const maxFailedIndexesOfMany = 10_000
const maxManagedByLength = 63

/** What jobs and the job templates of cron jobs share. */
export function validateJobSpec(causes: Causes, path: string, spec: JobSpec, old?: JobSpec): void {
  for (const field of [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ] as const)
    nonNegative(causes, `${path}.${field}`, spec[field])
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    causes.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'))
  if (spec.managedBy !== undefined) {
    causes.push(...domainPrefixedPath(`${path}.managedBy`, spec.managedBy))
    if (spec.managedBy.length > maxManagedByLength) causes.push(tooLong(`${path}.managedBy`, maxManagedByLength))
  }
  const { completionMode: mode } = spec
  if (mode === 'Indexed') validateIndexed(causes, path, spec)
  else if (mode === undefined || mode === 'NonIndexed') {
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const)
      if (spec[field] !== undefined) causes.push(invalid(`${path}.${field}`, spec[field], 'requires indexed completion mode'))
  } else causes.push(notSupported(`${path}.completionMode`, mode, ['NonIndexed', 'Indexed']))
  if (spec.podFailurePolicy) validatePodFailurePolicy(causes, `${path}.podFailurePolicy`, spec)
  if (spec.successPolicy) {
    if (mode === 'Indexed') validateSuccessPolicy(causes, `${path}.successPolicy`, spec)
    else causes.push(invalid(`${path}.successPolicy`, internalForm(spec.successPolicy, groupForms.successPolicy), 'requires indexed completion mode'))
  }
  if (spec.podReplacementPolicy !== undefined) {
    const policies = spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed']
    if (!policies.includes(spec.podReplacementPolicy)) causes.push(notSupported(`${path}.podReplacementPolicy`, spec.podReplacementPolicy, policies))
  }
  validatePodTemplate(causes, `${path}.template`, spec.template, old?.template)
  validateRestartPolicy(causes, `${path}.template.spec.restartPolicy`, spec)
}

function validateIndexed(causes: Causes, path: string, spec: JobSpec): void {
  const { completions, parallelism, maxFailedIndexes: failed } = spec
  if (completions === undefined) causes.push(required(`${path}.completions`, 'when completion mode is Indexed'))
  const atMost = (field: 'parallelism' | 'maxFailedIndexes', limit: number, why: string) => {
    const value = spec[field]
    if (value !== undefined && value > limit) causes.push(invalid(`${path}.${field}`, value, `must be less than or equal to ${limit}${why}`))
  }
  atMost('parallelism', maxParallelism, ' when completion mode is Indexed')
  if (completions !== undefined && failed !== undefined && failed > completions)
    causes.push(invalid(`${path}.maxFailedIndexes`, failed, 'must be less than or equal to completions'))
  atMost('maxFailedIndexes', maxFailedIndexes, '')
  if ((completions ?? 0) <= manyCompletions || spec.backoffLimitPerIndex === undefined) return
  const many = ` when completions are above ${manyCompletions} and used with backoff limit per index`
  if (failed === undefined) causes.push(required(`${path}.maxFailedIndexes`, `must be specified when completions is above ${manyCompletions}`))
  if (parallelism !== undefined) atMost('parallelism', maxParallelismOfMany, many)
  atMost('maxFailedIndexes', maxFailedIndexesOfMany, many)
}

/** Pods of a job end: a policy that was left out has been defaulted to Always, and is one that was not said. */
function validateRestartPolicy(causes: Causes, path: string, spec: JobSpec): void {
  const policy = spec.template.spec?.restartPolicy
  if (!policy || policy === 'Always') causes.push(required(path, 'valid values: "OnFailure", "Never"'))
  else if (policy !== 'OnFailure' && policy !== 'Never') causes.push(notSupported(path, policy, ['OnFailure', 'Never']))
  else if (spec.podFailurePolicy && policy !== 'Never')
    causes.push(invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified'))
}
