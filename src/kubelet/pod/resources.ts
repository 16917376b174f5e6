import { compareQuantity, milliValue, quantityValue } from '#api'
import type { cri } from '../cri/index.ts'
import type { ContainerSpec, Pod } from './names.ts'
import { containersOf } from './names.ts'
import { qosClass } from './qos.ts'

// The kernel's bounds of cpu.shares and of a quota.
const minShares = 2
const maxShares = 262_144
const minQuota = 1000
/** Length of the scheduler's accounting period, microseconds. */
export const cpuPeriod = 100_000

export function cpuShares(millis: number): number {
  return Math.min(Math.max(Math.floor((millis * 1024) / 1000), minShares), maxShares)
}

/** Microseconds of CPU per period for a limit in thousandths of a CPU; -1 without one. */
export function cpuQuota(millis: number): number {
  return millis <= 0 ? -1 : Math.max(Math.floor((millis * cpuPeriod) / 1000), minQuota)
}

/** From this priority on a pod is critical to the node. */
export const criticalPriority = 2_000_000_000

/** How readily the kernel kills this container's processes when memory runs out. */
export function oomScoreAdj(pod: Pod, container: ContainerSpec, memoryCapacity: number): number {
  if ((pod.spec?.priority ?? 0) >= criticalPriority) return -997
  const qos = qosClass(pod)
  if (qos === 'Guaranteed') return -997
  if (qos === 'BestEffort') return 1000
  const request = quantityValue(container.resources?.requests?.memory ?? '0') + shareOfPodMemory(pod)
  const adjust = 1000 - Math.floor((1000 * request) / Math.max(memoryCapacity, 1))
  return Math.min(Math.max(adjust, 3), 999)
}

/** What a pod asks for beyond its containers' own requests is theirs in equal parts (KEP-2837). */
function shareOfPodMemory(pod: Pod): number {
  const asked = pod.spec?.resources?.requests?.memory
  if (asked === undefined) return 0
  const long = containersOf(pod).filter(({ role }) => role === 'regular' || role === 'sidecar')
  const own = long.reduce((sum, { spec }) => sum + quantityValue(spec.resources?.requests?.memory ?? '0'), 0)
  return long.length === 0 ? 0 : Math.max(Math.floor((quantityValue(asked) - own) / long.length), 0)
}

/** A limit of a container: its own, or else the pod's, which it can never exceed. */
function limitOf(pod: Pod, container: ContainerSpec, name: 'cpu' | 'memory'): string | undefined {
  return container.resources?.limits?.[name] ?? pod.spec?.resources?.limits?.[name]
}

export function containerResources(pod: Pod, container: ContainerSpec, memoryCapacity: number): cri.LinuxContainerResources {
  const { requests, limits } = container.resources ?? {}
  const cpu = limitOf(pod, container, 'cpu')
  const memory = limitOf(pod, container, 'memory')
  const limit = cpu === undefined ? 0 : milliValue(cpu)
  // without a request a container has its own limit's worth, not the pod's
  const request = requests?.cpu ?? limits?.cpu
  return {
    cpuShares: cpuShares(request === undefined ? 0 : milliValue(request)),
    cpuPeriod,
    cpuQuota: cpuQuota(limit),
    memoryLimitInBytes: memory === undefined ? 0 : quantityValue(memory),
    oomScoreAdj: oomScoreAdj(pod, container, memoryCapacity),
  }
}

/** What a pod's own cgroup is set to. */
export interface PodCgroupLimits {
  cpuShares: number
  /** Microseconds per period, -1 without a limit. */
  cpuQuota: number
  /** Bytes, -1 without a limit. */
  memory: number
}

/** Amounts of a resource over the whole pod: its containers together, or its largest init container where that is more. */
export function podTotal(pod: Pod, list: 'requests' | 'limits', name: string, amount: (q: string) => number): { total: number; complete: boolean } {
  const own = pod.spec?.resources?.[list]?.[name]
  const overhead = pod.spec?.overhead?.[name]
  const extra = overhead === undefined ? 0 : amount(overhead)
  if (own !== undefined) return { total: amount(own) + extra, complete: true }
  let running = 0
  let sidecars = 0
  let peak = 0
  let complete = true
  for (const { spec, role } of containersOf(pod)) {
    if (role === 'ephemeral') continue
    const { requests, limits } = spec.resources ?? {}
    const value = list === 'requests' ? (requests?.[name] ?? limits?.[name]) : limits?.[name]
    if (value === undefined || compareQuantity(value, 0) === 0) complete = false
    const n = value === undefined ? 0 : amount(value)
    if (role === 'init') peak = Math.max(peak, n + sidecars)
    else {
      running += n
      if (role === 'sidecar') sidecars += n
    }
  }
  return { total: Math.max(running, peak) + extra, complete }
}

export function podCgroupLimits(pod: Pod): PodCgroupLimits {
  const request = podTotal(pod, 'requests', 'cpu', milliValue)
  const cpu = podTotal(pod, 'limits', 'cpu', milliValue)
  const memory = podTotal(pod, 'limits', 'memory', quantityValue)
  return {
    cpuShares: cpuShares(request.total),
    cpuQuota: cpu.complete ? cpuQuota(cpu.total) : -1,
    memory: memory.complete && memory.total > 0 ? memory.total : -1,
  }
}
