import type { DeepReadonly, batch } from '#api'
import { podTemplateWarnings } from '../../warnings/pod.ts'

const manyCompletions = 100_000
const muchParallelism = 10_000

/** What is allowed of a job, and may not end well. */
export function jobSpecWarnings(path: string, spec: DeepReadonly<batch.JobSpec>): string[] {
  const ofTemplate = podTemplateWarnings(`${path}.template`, spec.template)
  if (spec.completionMode !== 'Indexed' || (spec.completions ?? 0) <= manyCompletions || (spec.parallelism ?? 0) <= muchParallelism) return ofTemplate
  return [
    `${path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`,
    ...ofTemplate,
  ]
}
