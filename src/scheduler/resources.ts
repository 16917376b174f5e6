import type { DeepReadonly, core } from '#api'
import { milliValue, quantityValue } from '#api'
import type { Pod } from './framework.ts'

/** Amounts by resource name: cpu in milli-cores, everything else in its base unit (bytes, pieces). */
export type Resources = Map<string, number>

type ResourceList = Readonly<Record<string, string | number>> | undefined

/** Quantities repeat: nearly all pods of a cluster ask for the same few amounts. */
const parsed = new Map<string, number>()
const remembered = 4096

function amountOf(name: string, quantity: string | number): number {
  const inMillis = name === 'cpu'
  if (typeof quantity === 'number') return inMillis ? milliValue(quantity) : quantityValue(quantity)
  const key = inMillis ? `m${quantity}` : quantity
  let amount = parsed.get(key)
  if (amount === undefined) {
    amount = inMillis ? milliValue(quantity) : quantityValue(quantity)
    if (parsed.size >= remembered) parsed.clear()
    parsed.set(key, amount)
  }
  return amount
}

export function parseResources(list: ResourceList): Resources {
  const amounts: Resources = new Map()
  for (const name in list) amounts.set(name, amountOf(name, list[name]!))
  return amounts
}

export function addTo(total: Resources, more: Resources, sign: 1 | -1 = 1): void {
  for (const [name, amount] of more) total.set(name, (total.get(name) ?? 0) + sign * amount)
}

function atLeast(total: Resources, least: Resources): void {
  for (const [name, amount] of least) if (amount > (total.get(name) ?? 0)) total.set(name, amount)
}

export interface PodRequest {
  /** What the pod asks for. */
  requests: Resources
  /** The same for scoring, where a container that asks for nothing counts as 100 milli-cores and 200 MB. */
  nonZero: { cpu: number; memory: number }
}

const defaultCpu = 100
const defaultMemory = 200 * 1024 * 1024
const known = new WeakMap<object, PodRequest>()

/**
 * A pod's effective request (KEP-753): the containers and sidecars together, or the largest moment of initialization if that is more, plus the overhead. A
 * pod-level request (KEP-2837) stands for the sum. A container that is being resized in place counts with what it has and what it shall have, whichever is more (KEP-1287).
 */
export function requestOf(pod: Pod): PodRequest {
  const cached = known.get(pod)
  if (cached) return cached
  const requests: Resources = new Map()
  const nonZero = { cpu: 0, memory: 0 }
  for (const container of pod.spec.containers) {
    const asked = askedBy(container, pod.status?.containerStatuses)
    addTo(requests, asked)
    nonZero.cpu += asked.get('cpu') ?? defaultCpu
    nonZero.memory += asked.get('memory') ?? defaultMemory
  }
  const sidecars: Resources = new Map()
  const peak: Resources = new Map()
  for (const container of pod.spec.initContainers ?? []) {
    const asked = askedBy(container, pod.status?.initContainerStatuses)
    if (container.restartPolicy === 'Always') {
      addTo(requests, asked)
      addTo(sidecars, asked)
      atLeast(peak, sidecars)
    } else {
      addTo(asked, sidecars)
      atLeast(peak, asked)
    }
  }
  atLeast(requests, peak)
  for (const [name, amount] of parseResources(pod.spec.resources?.requests)) requests.set(name, amount)
  addTo(requests, parseResources(pod.spec.overhead))
  nonZero.cpu = Math.max(nonZero.cpu, requests.get('cpu') ?? 0)
  nonZero.memory = Math.max(nonZero.memory, requests.get('memory') ?? 0)
  const request = { requests, nonZero }
  known.set(pod, request)
  return request
}

function askedBy(container: DeepReadonly<core.Container>, statuses: readonly DeepReadonly<core.ContainerStatus>[] | undefined): Resources {
  const asked = parseResources(container.resources?.requests)
  const status = statuses?.find((s) => s.name === container.name)
  if (status?.allocatedResources) atLeast(asked, parseResources(status.allocatedResources))
  if (status?.resources?.requests) atLeast(asked, parseResources(status.resources.requests))
  return asked
}
