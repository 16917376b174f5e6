import type { core, DeepReadonly } from '#api'
import { milliValue, quantityValue } from '#api'

type Resources = DeepReadonly<Record<string, string>>

/**
 * The value of a resourceFieldRef: the container's limit or request in units of the divisor, rounded up. A limit that is not set is the pod's, or what the node
 * can allocate; a request that is not set is 0. Throws an Error in upstream's words.
 */
export function resourceFieldValue(
  pod: DeepReadonly<core.Pod>,
  selector: DeepReadonly<core.ResourceFieldSelector>,
  container: DeepReadonly<core.Container> | undefined,
  allocatable: Resources,
): string {
  const target = selector.containerName ? findContainer(pod, selector.containerName) : container
  if (!target) throw new Error(`container ${selector.containerName ?? ''} not found`)
  const match = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)$/.exec(selector.resource)
  if (!match) throw new Error(`unsupported container resource : ${selector.resource}`)
  const [, list, name] = match as unknown as [string, 'limits' | 'requests', string]
  const amount =
    target.resources?.[list]?.[name] ?? (list === 'limits' ? (pod.spec.resources?.limits?.[name] ?? allocatable[name]) : undefined) ?? '0'
  const divisor = selector.divisor && quantityValue(selector.divisor) !== 0 ? selector.divisor : '1'
  // cpu is counted in thousandths, so that a divisor of 1m works
  const value = name === 'cpu' ? milliValue(amount) / milliValue(divisor) : quantityValue(amount) / quantityValue(divisor)
  return String(Math.ceil(value))
}

function findContainer(pod: DeepReadonly<core.Pod>, name: string) {
  return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((c) => c.name === name)
}
