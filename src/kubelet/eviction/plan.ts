import { formatQuantity, quantityOf, quantityValue } from '#api'
import type { Pod } from '../pod/names.ts'
import { containersOf } from '../pod/names.ts'
import type { PodFailure } from '../pod/pod-worker.ts'
import { criticalPriority, podTotal } from '../pod/resources.ts'
import type { EvictionSignal, EvictionThresholds, Observations } from './thresholds.ts'
import { thresholdValue } from './thresholds.ts'

export interface PodUsage {
  pod: Pod
  /** Working set, bytes, by container. */
  memory: ReadonlyMap<string, number>
  /** Bytes of logs and volumes on the node's disk. */
  disk: number
}

export interface EvictionInput {
  signal: EvictionSignal
  thresholds: EvictionThresholds
  observed: Observations
  pods: readonly PodUsage[]
}

export interface Eviction {
  uid: string
  failure: PodFailure
}

/**
 * The one pod to evict for a signal; undefined when none may be. Pods that use more than they asked for go first, then those of lower priority, then
 * those that exceed what they asked for by most. Pure.
 */
export function planEviction({ signal, thresholds, observed, pods }: EvictionInput): Eviction | undefined {
  const resource = resourceOf(signal)
  const candidates = pods
    .filter(({ pod }) => (pod.spec?.priority ?? 0) < criticalPriority)
    .map((usage) => ({ usage, excess: excessOf(usage, resource) }))
    .toSorted(
      (a, b) =>
        Number(b.excess > 0) - Number(a.excess > 0) || (a.usage.pod.spec?.priority ?? 0) - (b.usage.pod.spec?.priority ?? 0) || b.excess - a.excess,
    )
  const chosen = candidates[0]?.usage
  if (!chosen) return undefined
  const now = observed[signal]!
  const threshold = thresholdValue(thresholds[signal]!, now.capacity)
  const amount = (bytes: number) => (resource === 'pids' || signal === 'nodefs.inodesFree' ? String(Math.round(bytes)) : kibibytes(bytes))
  const message =
    `The node was low on resource: ${resource}. Threshold quantity: ${amount(threshold)}, available: ${amount(now.available)}. ` +
    (resource === 'memory' ? consumers(chosen) : '')
  return { uid: chosen.pod.metadata.uid ?? '', failure: evicted(message) }
}

export const evicted = (message: string): PodFailure => ({
  reason: 'Evicted',
  message,
  graceSeconds: 0,
  disruption: { reason: 'TerminationByKubelet', message },
})

type Resource = 'memory' | 'ephemeral-storage' | 'pids' | 'inodes'

function resourceOf(signal: EvictionSignal): Resource {
  switch (signal) {
    case 'memory.available':
      return 'memory'
    case 'pid.available':
      return 'pids'
    case 'nodefs.inodesFree':
      return 'inodes'
    default:
      return 'ephemeral-storage'
  }
}

const kibibytes = (bytes: number) => formatQuantity(quantityOf(Math.floor(bytes / 1024) * 1024, 'BinarySI'))

/** How much more than its request the pod uses. */
function excessOf({ pod, memory, disk }: PodUsage, resource: Resource): number {
  if (resource === 'memory') return [...memory.values()].reduce((sum, n) => sum + n, 0) - podTotal(pod, 'requests', 'memory', quantityValue).total
  if (resource === 'ephemeral-storage') return disk - podTotal(pod, 'requests', 'ephemeral-storage', quantityValue).total
  return 0
}

function consumers({ pod, memory }: PodUsage): string {
  return containersOf(pod)
    .map(({ spec }) => {
      const used = memory.get(spec.name) ?? 0
      const request = spec.resources?.requests?.memory ?? '0'
      if (used <= quantityValue(request)) return ''
      return `Container ${spec.name} was using ${kibibytes(used)}, request is ${request}, has larger consumption of memory. `
    })
    .join('')
}

/** Disk use of one pod, for the limits that it has itself. */
export interface LocalStorage {
  /** Bytes by emptyDir volume. */
  emptyDirs: ReadonlyMap<string, number>
  /** Bytes of logs and writable layer, by container. */
  containers: ReadonlyMap<string, number>
}

/** Whether a pod has limits on its local storage at all: measuring costs. */
export function limitsLocalStorage(pod: Pod): boolean {
  return (
    (pod.spec?.volumes ?? []).some((v) => v.emptyDir?.sizeLimit !== undefined && v.emptyDir.medium !== 'Memory') ||
    containersOf(pod).some(({ spec }) => spec.resources?.limits?.['ephemeral-storage'] !== undefined)
  )
}

/** Why a pod must go for its own use of the disk; undefined when it keeps its limits. */
export function localStorageViolation(pod: Pod, used: LocalStorage): PodFailure | undefined {
  for (const { name, emptyDir } of pod.spec?.volumes ?? []) {
    const limit = emptyDir?.sizeLimit
    if (limit === undefined || quantityValue(limit) === 0 || (used.emptyDirs.get(name) ?? 0) <= quantityValue(limit)) continue
    return evicted(`Usage of EmptyDir volume "${name}" exceeds the limit "${limit}". `)
  }
  const { total, complete } = podTotal(pod, 'limits', 'ephemeral-storage', quantityValue)
  const sum = [...used.containers.values(), ...used.emptyDirs.values()].reduce((a, b) => a + b, 0)
  if (complete && total > 0 && sum > total) {
    return evicted(`Pod ephemeral local storage usage exceeds the total limit of containers ${formatQuantity(quantityOf(total, 'BinarySI'))}. `)
  }
  for (const { spec } of containersOf(pod)) {
    const limit = spec.resources?.limits?.['ephemeral-storage']
    if (limit === undefined || (used.containers.get(spec.name) ?? 0) <= quantityValue(limit)) continue
    return evicted(`Container ${spec.name} exceeded its local ephemeral storage limit "${limit}". `)
  }
  return undefined
}
