import type { DeepReadonly, batch, core } from '#api'
import { same } from '../../validation/causes.ts'

type Job = DeepReadonly<batch.Job>
type Template = DeepReadonly<core.PodTemplateSpec>
type PodSpec = DeepReadonly<core.PodSpec>

/** Whether the template of a job is what it was, but for what a job without pods may still be told: where they go, and what they take. */
export function templateStays(job: Job, old: Job): boolean {
  const next = job.spec.template
  const before = old.spec.template
  return same(next, withoutPods(old) ? { ...before, metadata: schedulingMetadata(next, before), spec: mutable(next.spec, before.spec) } : before)
}

/**
 * A suspended job has no pods when it never started, or when its controller has said that it stopped; pods that are on their way out may be
 * left. Since 1.36 jobs that had been started count, too.
 */
function withoutPods({ spec, status }: Job): boolean {
  if (!spec.suspend || (status?.active ?? 0) > 0) return false
  return !status?.startTime || status.conditions?.some(({ type, status }) => type === 'Suspended' && status === 'True') === true
}

function schedulingMetadata({ metadata: next }: Template, { metadata: before }: Template): Template['metadata'] {
  return { ...before, annotations: next?.annotations, labels: next?.labels } as Template['metadata']
}

function mutable(next: PodSpec | undefined, before: PodSpec | undefined): PodSpec {
  const { nodeSelector, tolerations, schedulingGates, affinity, containers = [], initContainers } = next ?? ({} as PodSpec)
  const { containers: wereContainers = [], initContainers: wereInit, ...rest } = before ?? ({} as PodSpec)
  return {
    ...rest,
    nodeSelector,
    tolerations,
    schedulingGates,
    affinity: nodeAffinityOf(affinity, rest.affinity),
    containers: resourcesOf(containers, wereContainers),
    initContainers: wereInit && resourcesOf(initContainers ?? [], wereInit),
  } as PodSpec
}

/** Of the affinity only the part about nodes may change. */
function nodeAffinityOf(next: PodSpec['affinity'], before: PodSpec['affinity']): PodSpec['affinity'] {
  const others: Record<string, unknown> = { ...before }
  delete others['nodeAffinity']
  if (!next) return Object.keys(others).length > 0 ? others : undefined
  return { ...others, ...(next.nodeAffinity ? { nodeAffinity: next.nodeAffinity } : {}) }
}

/** What containers take, where they are as many as before. */
function resourcesOf<T extends { readonly resources?: unknown }>(next: readonly T[], before: readonly T[]): readonly T[] {
  if (next.length !== before.length) return before
  return before.map((container, i) => ({ ...container, resources: next[i]!.resources }))
}
