import type { DeepReadonly, KubeObject, core, meta } from '#api'
import { findCondition, isStatus } from '#api'

export type Pod = DeepReadonly<core.Pod>

/** Neither finished nor on its way out. */
export const isActive = (pod: Pod): boolean => pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed' && !pod.metadata.deletionTimestamp

export const isReady = (pod: Pod): boolean => findCondition(pod.status?.conditions, 'Ready')?.status === 'True'

/** When the pod has been ready long enough to count as available, milliseconds since the epoch; undefined while it is not ready. */
export function availableAt(pod: Pod, minReadySeconds: number): number | undefined {
  const ready = findCondition(pod.status?.conditions, 'Ready')
  if (ready?.status !== 'True') return undefined
  return minReadySeconds === 0 ? 0 : Date.parse(ready.lastTransitionTime ?? '') + minReadySeconds * 1000
}

export const isAvailable = (pod: Pod, minReadySeconds: number, now: number): boolean =>
  (availableAt(pod, minReadySeconds) ?? Number.POSITIVE_INFINITY) <= now

/** On its way out and not finished yet. */
export const isTerminating = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed'

/** Nothing can be made in a namespace that is going away; there is no point in trying again. */
export const isNamespaceTerminating = (error: unknown): boolean =>
  isStatus(error) && (error.status.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') ?? false)

export const restarts = (pod: Pod): number => (pod.status?.containerStatuses ?? []).reduce((most, s) => Math.max(most, s.restartCount), 0)

/** The reference by which a controller owns what it makes. */
export function ownedBy(owner: DeepReadonly<KubeObject>): meta.OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid!,
    controller: true,
    blockOwnerDeletion: true,
  }
}

/** An object that is about to be made. */
export type NewObject<T extends KubeObject> = Omit<T, 'metadata'> & { metadata: Partial<meta.ObjectMeta> }

/** A pod as the template describes it, owned by `owner`. The name is left to the server unless given. */
export function podFromTemplate(template: DeepReadonly<core.PodTemplateSpec>, owner: DeepReadonly<KubeObject>, name?: string): NewObject<core.Pod> {
  const { labels, annotations, finalizers } = template.metadata ?? {}
  return structuredClone({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(name ? { name } : { generateName: `${owner.metadata.name}-` }),
      namespace: owner.metadata.namespace!,
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
      ownerReferences: [ownedBy(owner)],
    },
    spec: template.spec,
  }) as core.Pod
}

/**
 * Orders pods by how little is lost when they go (https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#scaling-down-a-replicaset): without a node, pending,
 * not ready, cheaper by their deletion cost, on a node that has more of them, ready for a shorter time, restarted more often, younger.
 */
export function byDispensability(pods: readonly Pod[], related: readonly Pod[] = pods): Pod[] {
  const perNode = new Map<string, number>()
  for (const pod of related) if (pod.spec.nodeName) perNode.set(pod.spec.nodeName, (perNode.get(pod.spec.nodeName) ?? 0) + 1)
  const phase = (pod: Pod) => ({ Pending: 0, Unknown: 1, Running: 2 })[pod.status?.phase as string] ?? 3
  const cost = (pod: Pod) => Number(pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0)
  const readySince = (pod: Pod) => findCondition(pod.status?.conditions, 'Ready')?.lastTransitionTime ?? ''
  const created = (pod: Pod) => pod.metadata.creationTimestamp ?? ''
  const younger = (a: string, b: string) => (a > b ? -1 : a < b ? 1 : 0)
  return [...pods].sort(
    (a, b) =>
      Number(Boolean(a.spec.nodeName)) - Number(Boolean(b.spec.nodeName)) ||
      phase(a) - phase(b) ||
      Number(isReady(a)) - Number(isReady(b)) ||
      cost(a) - cost(b) ||
      (perNode.get(b.spec.nodeName ?? '') ?? 0) - (perNode.get(a.spec.nodeName ?? '') ?? 0) ||
      (isReady(a) ? younger(readySince(a), readySince(b)) : 0) ||
      restarts(b) - restarts(a) ||
      younger(created(a), created(b)),
  )
}
