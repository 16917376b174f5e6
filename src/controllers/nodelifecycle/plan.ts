import { type DeepReadonly, type core, findCondition } from '#api'

type Node = DeepReadonly<core.Node>
type Taint = core.Taint

export const notReadyTaint = 'node.kubernetes.io/not-ready'
export const unreachableTaint = 'node.kubernetes.io/unreachable'
const unschedulableTaint = 'node.kubernetes.io/unschedulable'

/** What the kubelet reports; when it falls silent, all of it is unknown. */
const heartbeatConditions = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const

export const isNodeReady = (node: Node): boolean => readyStatus(node) === 'True'
export const readyStatus = (node: Node): string | undefined => findCondition(node.status?.conditions, 'Ready')?.status

/** The conditions of a node whose kubelet is silent; undefined when they say so already. */
export function silentConditions(node: Node, now: string): core.NodeCondition[] | undefined {
  const old = (node.status?.conditions ?? []) as core.NodeCondition[]
  let changed = false
  const next = [...old]
  for (const type of heartbeatConditions) {
    const index = old.findIndex((c) => c.type === type)
    const condition = old[index]
    if (!condition) {
      changed = true
      next.push({
        type,
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
        lastHeartbeatTime: node.metadata.creationTimestamp,
        lastTransitionTime: now,
      })
    } else if (condition.status !== 'Unknown') {
      changed = true
      next[index] = {
        ...condition,
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
        lastTransitionTime: now,
      }
    }
  }
  return changed ? next : undefined
}

// condition → status → taint that keeps new pods away
const conditionTaints: Record<string, Record<string, string>> = {
  Ready: { False: notReadyTaint, Unknown: unreachableTaint },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
}
const ownNoSchedule = new Set([...Object.values(conditionTaints).flatMap((byStatus) => Object.values(byStatus)), unschedulableTaint])

/**
 * The taints of a node that follow from its conditions; undefined when it has them. `evict`: whether pods may be driven off at all; when every node is down, it is the control plane
 * that is cut off, and nothing is evicted.
 */
export function planTaints(node: Node, options: { evict: boolean; now: string }): Taint[] | undefined {
  const keys: string[] = []
  for (const [type, byStatus] of Object.entries(conditionTaints)) {
    const key = byStatus[findCondition(node.status?.conditions, type as core.NodeCondition['type'])?.status ?? '']
    if (key) keys.push(key)
  }
  if (node.spec?.unschedulable) keys.push(unschedulableTaint)
  const wanted: Taint[] = keys.map((key) => ({ key, effect: 'NoSchedule' }))
  const down = keys.find((key) => key === notReadyTaint || key === unreachableTaint)
  if (down && options.evict) wanted.push({ key: down, effect: 'NoExecute', timeAdded: options.now })
  const old = (node.spec?.taints ?? []) as Taint[]
  const isOurs = ({ key, effect }: Taint) =>
    effect === 'NoSchedule' ? ownNoSchedule.has(key) : effect === 'NoExecute' && (key === notReadyTaint || key === unreachableTaint)
  const same = (a: Taint, b: Taint) => a.key === b.key && a.effect === b.effect
  const ours = old.filter(isOurs)
  if (ours.length === wanted.length && wanted.every((w) => ours.some((o) => same(o, w)))) return undefined
  // a taint that stays keeps the time it was added
  return [...old.filter((t) => !isOurs(t)), ...wanted.map((w) => ours.find((o) => same(o, w)) ?? w)]
}

/** The pod with its readiness taken back, because nobody watches over it; undefined when it is not ready anyway. */
export function unreadyPod(pod: DeepReadonly<core.Pod>, now: string): core.Pod | undefined {
  const ready = findCondition(pod.status?.conditions, 'Ready')
  if (ready?.status !== 'True') return undefined
  const conditions = pod.status!.conditions!.map((c) => (c.type === 'Ready' ? { ...c, status: 'False', lastTransitionTime: now } : c))
  return { ...(pod as core.Pod), status: { ...(pod.status as core.PodStatus), conditions: conditions as core.PodCondition[] } }
}
