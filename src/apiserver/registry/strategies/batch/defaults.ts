import type { batch } from '#api'
import { defaultPodTemplate } from '../pod/defaults.ts'

export function defaultJob(object: batch.Job): void {
  const spec = (object.spec ??= {} as batch.JobSpec)
  defaultPodTemplate((spec.template ??= {}))
  // Neither number means one pod; with parallelism alone the job is a work queue without a completion count.
  if (spec.completions === undefined && spec.parallelism === undefined) {
    spec.completions = 1
    spec.parallelism = 1
  }
  spec.parallelism ??= 1
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2 ** 31 - 1
  spec.completionMode ||= 'NonIndexed'
  spec.suspend ??= false
  defaultPodFailurePolicy(spec.podFailurePolicy)
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed'
  spec.manualSelector ??= false
  const labels = spec.template.metadata?.labels
  if (labels && Object.keys(object.metadata.labels ?? {}).length === 0) object.metadata.labels = { ...labels }
}

function defaultPodFailurePolicy(policy: batch.PodFailurePolicy | undefined): void {
  for (const { onPodConditions } of policy?.rules ?? []) for (const pattern of onPodConditions ?? []) pattern.status ||= 'True'
}

export function defaultCronJob(object: batch.CronJob): void {
  const spec = (object.spec ??= {} as batch.CronJobSpec)
  const job = ((spec.jobTemplate ??= {}).spec ??= {} as batch.JobSpec)
  spec.jobTemplate.metadata ??= {} as batch.Job['metadata']
  defaultPodTemplate((job.template ??= {}))
  defaultPodFailurePolicy(job.podFailurePolicy)
  spec.concurrencyPolicy ||= 'Allow'
  spec.suspend ??= false
  spec.successfulJobsHistoryLimit ??= 3
  spec.failedJobsHistoryLimit ??= 1
}
