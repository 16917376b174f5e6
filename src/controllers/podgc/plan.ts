import type { DeepReadonly, core } from '#api'

type Pod = DeepReadonly<core.Pod>

const isTerminated = (pod: Pod) =>
  pod.status?.phase !== 'Pending' && pod.status?.phase !== 'Running' && pod.status?.phase !== 'Unknown' && pod.status?.phase !== undefined

/** The oldest finished pods beyond the threshold; evicted ones first. 0 keeps all. */
export function surplus(pods: readonly Pod[], threshold: number): Pod[] {
  if (threshold <= 0) return []
  const terminated = pods.filter(isTerminated)
  const evicted = (pod: Pod) => pod.status?.phase === 'Failed' && pod.status.reason === 'Evicted'
  const created = (pod: Pod) => pod.metadata.creationTimestamp ?? ''
  return terminated
    .toSorted(
      (a, b) => Number(evicted(b)) - Number(evicted(a)) || created(a).localeCompare(created(b)) || a.metadata.name.localeCompare(b.metadata.name),
    )
    .slice(0, Math.max(terminated.length - threshold, 0))
}

/** Pods that wait for a kubelet that will never come: nobody but us can let them go. */
export function unscheduledTerminating(pods: readonly Pod[]): Pod[] {
  return pods.filter((pod) => pod.metadata.deletionTimestamp && !pod.spec.nodeName)
}

/** Pods on nodes that do not exist, by node. */
export function orphans(pods: readonly Pod[], exists: (node: string) => boolean): Map<string, Pod[]> {
  return Map.groupBy(
    pods.filter((pod) => pod.spec.nodeName && !exists(pod.spec.nodeName)),
    (pod) => pod.spec.nodeName!,
  )
}

/** Terminating pods on nodes that an administrator declared lost: their kubelet will not confirm anything. */
export function lostTerminating(pods: readonly Pod[], node: (name: string) => DeepReadonly<core.Node> | undefined): Pod[] {
  return pods.filter((pod) => {
    if (!pod.metadata.deletionTimestamp || !pod.spec.nodeName) return false
    const on = node(pod.spec.nodeName)
    const isReady = on?.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True')
    return !isReady && (on?.spec?.taints ?? []).some((t) => t.key === 'node.kubernetes.io/out-of-service')
  })
}
