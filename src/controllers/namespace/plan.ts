import { type DeepReadonly, type core, withCondition } from '#api'
import type { DiscoveredResource } from '#client'

/** What is left of one resource in a namespace that is being deleted. */
export interface Remaining {
  resource: string
  group: string
  count: number
  /** How many instances carry each finalizer. */
  finalizers: Record<string, number>
}

/** How emptying a namespace went so far. */
export interface Progress {
  discoveryFailures: { groupVersion: string; error: Error }[]
  deletionErrors: Error[]
  remaining: Remaining[]
}

type Condition = core.NamespaceCondition

/** The conditions of a terminating namespace; reasons and messages are upstream's. Answers the same array when nothing changed. */
export function conditionsOf(old: readonly Condition[] | undefined, progress: Progress, now: string): readonly Condition[] {
  const { discoveryFailures, deletionErrors, remaining } = progress
  const left = remaining.filter((r) => r.count > 0).map((r) => `${r.resource}.${r.group} has ${r.count} resource instances`)
  const byFinalizer = new Map<string, number>()
  for (const { finalizers } of remaining)
    for (const [name, count] of Object.entries(finalizers)) byFinalizer.set(name, (byFinalizer.get(name) ?? 0) + count)
  const finalizers = [...byFinalizer].map(([name, count]) => `${name} in ${count} resource instances`)
  const failures = discoveryFailures.map((f) => `${f.groupVersion}: ${f.error.message}`)
  const conditions: Omit<Condition, 'lastTransitionTime'>[] = [
    failures.length > 0
      ? {
          type: 'NamespaceDeletionDiscoveryFailure',
          status: 'True',
          reason: 'DiscoveryFailed',
          message: `Discovery failed for some groups, ${failures.length} failing: unable to retrieve the complete list of server APIs: ${failures.sort().join(', ')}`,
        }
      : {
          type: 'NamespaceDeletionDiscoveryFailure',
          status: 'False',
          reason: 'ResourcesDiscovered',
          message: 'All resources successfully discovered',
        },
    {
      type: 'NamespaceDeletionGroupVersionParsingFailure',
      status: 'False',
      reason: 'ParsedGroupVersions',
      message: 'All legacy kube types successfully parsed',
    },
    deletionErrors.length > 0
      ? {
          type: 'NamespaceDeletionContentFailure',
          status: 'True',
          reason: 'ContentDeletionFailed',
          message: `Failed to delete all resource types, ${deletionErrors.length} remaining: ${deletionErrors
            .map((e) => e.message)
            .sort()
            .join(', ')}`,
        }
      : {
          type: 'NamespaceDeletionContentFailure',
          status: 'False',
          reason: 'ContentDeleted',
          message: 'All content successfully deleted, may be waiting on finalization',
        },
    left.length > 0
      ? {
          type: 'NamespaceContentRemaining',
          status: 'True',
          reason: 'SomeResourcesRemain',
          message: `Some resources are remaining: ${left.sort().join(', ')}`,
        }
      : { type: 'NamespaceContentRemaining', status: 'False', reason: 'ContentRemoved', message: 'All content successfully removed' },
    finalizers.length > 0
      ? {
          type: 'NamespaceFinalizersRemaining',
          status: 'True',
          reason: 'SomeFinalizersRemain',
          message: `Some content in the namespace has finalizers remaining: ${finalizers.sort().join(', ')}`,
        }
      : {
          type: 'NamespaceFinalizersRemaining',
          status: 'False',
          reason: 'ContentHasNoFinalizers',
          message: 'All content-preserving finalizers finished',
        },
  ]
  return conditions.reduce<readonly Condition[]>((list, condition) => withCondition<Condition>(list, condition as Condition, now), old ?? [])
}

/** The resources to empty: each once, in its preferred version, where a namespace can hold it and it can be listed and deleted. */
export function deletable(resources: readonly DiscoveredResource[]): DiscoveredResource[] {
  return resources.filter((r) => r.preferred && r.namespaced && r.verbs.includes('list') && r.verbs.includes('delete'))
}

const finalizer = 'kubernetes'

/** What the namespace needs next; `gone` means that others' finalizers or nothing keep it. */
export function nextStep(namespace: DeepReadonly<core.Namespace> | undefined): 'none' | 'terminate' | 'empty' {
  if (!namespace?.metadata.deletionTimestamp) return 'none'
  if (namespace.status?.phase !== 'Terminating') return 'terminate'
  // who else has a finalizer here counts on the content being gone, so ours stays until it is
  return namespace.spec?.finalizers?.includes(finalizer) ? 'empty' : 'none'
}

/**
 * In which order a namespace is emptied: pods before all else, so that none outlives what holds it in check, such as its network
 * policies (KEP-5080). The next stage begins when nothing of the one before is left.
 */
export function stages(resources: readonly DiscoveredResource[]): DiscoveredResource[][] {
  const isPods = (r: DiscoveredResource) => r.group === '' && r.resource === 'pods'
  return [resources.filter(isPods), resources.filter((r) => !isPods(r))].filter((stage) => stage.length > 0)
}

/** The namespace without our finalizer, as it is sent to `finalize`. */
export function finalized(namespace: DeepReadonly<core.Namespace>): core.Namespace {
  const finalizers = (namespace.spec?.finalizers ?? []).filter((f) => f !== finalizer)
  return { ...(namespace as core.Namespace), spec: { ...(namespace.spec as core.NamespaceSpec), finalizers } }
}

export function isEmpty(progress: Progress): boolean {
  return progress.discoveryFailures.length === 0 && progress.deletionErrors.length === 0 && progress.remaining.every((r) => r.count === 0)
}
