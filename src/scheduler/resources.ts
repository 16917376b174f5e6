import { milliValue, quantityValue } from '#api'
import type { Pod } from './framework.ts'

/** Amounts by resource name: cpu in milli-cores, everything else in its base unit (bytes, pieces). */
export type Resources = Map<string, number>

export function parseResources(list: Readonly<Record<string, string | number>> | undefined): Resources {
  const parsed: Resources = new Map()
  for (const [name, amount] of Object.entries(list ?? {})) parsed.set(name, name === 'cpu' ? milliValue(amount) : quantityValue(amount))
  return parsed
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
 * pod-level request (KEP-2837) stands for the sum.
 */
export function requestOf(pod: Pod): PodRequest {
  const cached = known.get(pod.spec)
  if (cached) return cached
  const requests: Resources = new Map()
  const nonZero = { cpu: 0, memory: 0 }
  for (const container of pod.spec.containers) {
    const asked = parseResources(container.resources?.requests)
    addTo(requests, asked)
    nonZero.cpu += asked.get('cpu') ?? defaultCpu
    nonZero.memory += asked.get('memory') ?? defaultMemory
  }
  const sidecars: Resources = new Map()
  const peak: Resources = new Map()
  for (const container of pod.spec.initContainers ?? []) {
    const asked = parseResources(container.resources?.requests)
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
  known.set(pod.spec, request)
  return request
}
