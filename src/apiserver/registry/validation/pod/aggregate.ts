import type { DeepReadonly, core } from '#api'
import { addQuantity, compareQuantity, formatQuantity } from '#api'

type PodSpec = DeepReadonly<core.PodSpec>
type Amounts = Record<string, string>

/**
 * What a pod's containers need together at most, of each resource: containers and sidecars run side by side, while each init
 * container runs alone beside the sidecars that started before it (component-helpers' AggregateContainerRequests and -Limits).
 */
export function aggregateContainers(spec: PodSpec, part: 'requests' | 'limits'): Amounts {
  const sum: Amounts = {}
  for (const container of spec.containers) add(sum, container.resources?.[part])
  const sidecars: Amounts = {}
  const most: Amounts = {}
  for (const container of spec.initContainers ?? []) {
    const own = container.resources?.[part]
    if (container.restartPolicy === 'Always') {
      add(sum, own)
      add(sidecars, own)
      raise(most, sidecars)
    } else {
      const meanwhile = { ...sidecars }
      add(meanwhile, own)
      raise(most, meanwhile)
    }
  }
  raise(sum, most)
  return sum
}

function add(to: Amounts, amounts: DeepReadonly<Amounts> | undefined): void {
  for (const name in amounts) to[name] = name in to ? formatQuantity(addQuantity(to[name]!, amounts[name]!)) : amounts[name]!
}

function raise(to: Amounts, amounts: Amounts): void {
  for (const name in amounts) if (!(name in to) || compareQuantity(amounts[name]!, to[name]!) > 0) to[name] = amounts[name]!
}
