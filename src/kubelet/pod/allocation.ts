import type { DeepReadonly, core } from '#api'
import { milliValue, quantityValue } from '#api'
import type { Pod } from './names.ts'
import { podTotal } from './resources.ts'
import { isTerminal } from './status.ts'

/** Why a pod that was resized keeps what it has, for now or as long as the node is what it is (KEP-1287). */
export interface PendingResize {
  reason: 'Deferred' | 'Infeasible'
  message: string
}

export interface AllocationInput {
  /** The pod as it is wanted. */
  pod: Pod
  /** The pod with what it was given last. */
  given: Pod
  /** The node's other pods, with what they were given. */
  others: readonly Pod[]
  allocatable: Readonly<Record<string, string>>
}

const resizable = ['cpu', 'memory'] as const

/** Whether the node can give a pod what it wants now. Pure. */
export function pendingResize({ pod, given, others, allocatable }: AllocationInput): PendingResize | undefined {
  const sums = resizable.map((name) => {
    const amount = name === 'cpu' ? milliValue : quantityValue
    const ask = (p: Pod) => podTotal(p, 'requests', name, amount).total
    return { name, amount, ask, wanted: ask(pod), had: ask(given), capacity: amount(allocatable[name] ?? '0') }
  })
  for (const { name, wanted, had, capacity } of sums) {
    if (wanted > had && wanted > capacity) {
      return { reason: 'Infeasible', message: `Node didn't have enough capacity: ${name}, requested: ${wanted}, capacity: ${capacity}` }
    }
  }
  const active = others.filter((other) => !isTerminal(other.status?.phase))
  for (const { name, ask, wanted, had, capacity } of sums) {
    const used = active.reduce((sum, other) => sum + ask(other), 0)
    if (wanted > had && used + wanted > capacity) {
      const message = `Node didn't have enough resource: ${name}, requested: ${wanted}, used: ${used}, capacity: ${capacity}`
      return { reason: 'Deferred', message }
    }
  }
  return undefined
}

type Resources = DeepReadonly<core.ResourceRequirements> | undefined
type Containers = readonly DeepReadonly<core.Container>[]

/** Whether two states of a pod ask for the same. */
export const sameResources = (a: Pod, b: Pod): boolean => JSON.stringify(resourcesOf(a)) === JSON.stringify(resourcesOf(b))

const resourcesOf = ({ spec }: Pod) => [
  spec?.resources,
  ...[...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map((c) => [c.name, c.resources]),
]

/** A pod with the resources of another state of it. */
export function withResources(pod: Pod, given: Pod): Pod {
  if (!pod.spec || sameResources(pod, given)) return pod
  const of = new Map(
    [...(given.spec?.containers ?? []), ...(given.spec?.initContainers ?? [])].map((c): [string, Resources] => [c.name, c.resources]),
  )
  return withContainers(pod, (c) => (of.has(c.name) ? of.get(c.name) : c.resources), given.spec?.resources)
}

/** What a pod was given before this kubelet knew of it, as its status tells: a resize that was put off stays so over a restart. */
export function givenBefore(pod: Pod): Pod {
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
  if (!pod.spec || statuses.every((s) => !s.allocatedResources)) return pod
  return withContainers(
    pod,
    ({ name, resources }) => {
      const status = statuses.find((s) => s.name === name)
      return status?.allocatedResources ? { ...resources, ...status.resources, requests: status.allocatedResources } : resources
    },
    pod.spec.resources,
  )
}

function withContainers(pod: Pod, resources: (container: DeepReadonly<core.Container>) => Resources, whole: Resources): Pod {
  const spec = pod.spec!
  const set = (containers: Containers) =>
    containers.map((c) => {
      const { resources: _, ...rest } = c
      const own = resources(c)
      return own ? { ...rest, resources: own } : rest
    })
  const { resources: _, ...rest } = spec
  return {
    ...pod,
    spec: {
      ...rest,
      ...(whole ? { resources: whole } : {}),
      containers: set(spec.containers),
      ...(spec.initContainers ? { initContainers: set(spec.initContainers) } : {}),
    },
  }
}
