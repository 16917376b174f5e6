import type { Pressure } from '../node/node-status.ts'
import type { DeepReadonly, core } from '#api'
import { conflictsWithHostPorts, hostPorts, matchesNode, milliValue, quantityValue, toleratesTaint } from '#api'
import type { Pod } from './names.ts'
import { containersOf } from './names.ts'
import type { PodFailure } from './pod-worker.ts'
import { qosClass } from './qos.ts'
import { criticalPriority, podTotal } from './resources.ts'
import { isTerminal } from './status.ts'

export interface AdmitInput {
  pod: Pod
  /** The node's other pods. */
  others: readonly Pod[]
  allocatable: Readonly<Record<string, string>>
  /** Sysctls beyond the safe ones that this node allows; a trailing `*` stands for the rest of a name. */
  allowedUnsafeSysctls: readonly string[]
  pressure: Pressure
  /** What pods may ask of the node beyond that and it may not have. */
  supports: { strictGroups: boolean; appArmor: boolean }
}

/** Sysctls that are namespaced and cannot disturb other pods. */
const safeSysctls = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
]

/** Why this node cannot take a pod that was assigned to it; undefined when it can. Pure. */
export function admitPod(input: AdmitInput): PodFailure | undefined {
  return supportFailure(input) ?? sysctlFailure(input) ?? pressureFailure(input) ?? resourceFailure(input) ?? portFailure(input)
}

/**
 * Why the pod is not meant for this node: its selector and affinity, or a NoExecute taint that it does not tolerate. For pods that came by `nodeName`, past
 * the scheduler. Asked only of a node that was read just now: a label that is older here than there would fail a pod for good.
 */
export function placementFailure({ spec }: Pod, node: DeepReadonly<core.Node>): PodFailure | undefined {
  if (!spec) return undefined
  if (!matchesNode(spec, node)) {
    return { reason: 'NodeAffinity', message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector" }
  }
  const untolerated = (node.spec?.taints ?? []).some((taint) => taint.effect === 'NoExecute' && !toleratesTaint(spec.tolerations, taint))
  return untolerated
    ? { reason: 'TaintToleration', message: "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate" }
    : undefined
}

function supportFailure({ pod, supports }: AdmitInput): PodFailure | undefined {
  const { os, securityContext } = pod.spec ?? {}
  if (os && os.name !== 'linux') return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" }
  if (securityContext?.supplementalGroupsPolicy === 'Strict' && !supports.strictGroups) {
    return { reason: 'SupplementalGroupsPolicyNotSupported', message: 'SupplementalGroupsPolicy=Strict is not supported in this node' }
  }
  const profiles = containersOf(pod).map(({ spec }) => spec.securityContext?.appArmorProfile ?? securityContext?.appArmorProfile)
  if (!supports.appArmor && profiles.some((profile) => profile && profile.type !== 'Unconfined')) {
    return { reason: 'AppArmor', message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host' }
  }
  return undefined
}

function sysctlFailure({ pod, allowedUnsafeSysctls }: AdmitInput): PodFailure | undefined {
  const allowed = [...safeSysctls, ...allowedUnsafeSysctls]
  for (const { name } of pod.spec?.securityContext?.sysctls ?? []) {
    const dotted = name.replaceAll('/', '.')
    if (allowed.some((a) => (a.endsWith('*') ? dotted.startsWith(a.slice(0, -1)) : a === dotted))) continue
    return { reason: 'SysctlForbidden', message: `forbidden sysctl: "${name}" not allowlisted` }
  }
  return undefined
}

/** Under memory pressure only pods that ask for nothing are kept out, under disk pressure all that are not critical. */
function pressureFailure({ pod, pressure }: AdmitInput): PodFailure | undefined {
  if ((pod.spec?.priority ?? 0) >= criticalPriority) return undefined
  const tolerates = toleratesTaint(pod.spec?.tolerations, { key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' })
  const memory = pressure.memory && qosClass(pod) === 'BestEffort' && !tolerates
  const conditions = [...(memory ? ['MemoryPressure'] : []), ...(pressure.disk ? ['DiskPressure'] : []), ...(pressure.pids ? ['PIDPressure'] : [])]
  if (conditions.length === 0) return undefined
  return { reason: 'Evicted', message: `The node had condition: [${conditions.join(', ')}]. ` }
}

function resourceFailure({ pod, others, allocatable }: AdmitInput): PodFailure | undefined {
  const active = others.filter((p) => !isTerminal(p.status?.phase))
  const maxPods = allocatable.pods === undefined ? Number.POSITIVE_INFINITY : quantityValue(allocatable.pods)
  if (active.length + 1 > maxPods) return outOf('pods', 1, active.length, maxPods)
  const names = new Set(containersOf(pod).flatMap(({ spec }) => Object.keys({ ...spec.resources?.requests, ...spec.resources?.limits })))
  for (const name of names) {
    // extended resources that nothing on this node reports are the scheduler's to count: somebody wrote them into the node's status
    if (name.includes('/') && allocatable[name] === undefined) continue
    const amount = name === 'cpu' ? milliValue : quantityValue
    const wanted = podTotal(pod, 'requests', name, amount).total
    if (wanted === 0) continue
    const capacity = allocatable[name] === undefined ? 0 : amount(allocatable[name])
    const used = active.reduce((sum, p) => sum + podTotal(p, 'requests', name, amount).total, 0)
    if (used + wanted > capacity) return outOf(name, wanted, used, capacity)
  }
  return undefined
}

/** A pod that was given its node by name has not been seen by the scheduler, which would have found the port taken. */
function portFailure({ pod, others }: AdmitInput): PodFailure | undefined {
  const wanted = hostPorts(pod.spec)
  if (wanted.length === 0) return undefined
  const taken = new Set(others.filter((p) => !isTerminal(p.status?.phase)).flatMap((p) => hostPorts(p.spec)))
  if (!wanted.some((port) => conflictsWithHostPorts(port, taken))) return undefined
  return { reason: 'NodePorts', message: "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports" }
}

function outOf(resource: string, requested: number, used: number, capacity: number): PodFailure {
  return {
    reason: `OutOf${resource}`,
    message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  }
}
