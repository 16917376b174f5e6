import type { DeepReadonly, core, discovery } from '#api'
import type { AddressPool } from './pool.ts'

/**
 * Load balancers whose traffic must enter at a certain node, by address: with `externalTrafficPolicy: Local` only a node that has an endpoint answers. The
 * first of these nodes (by name) is chosen; a service that has none, or that any node answers for, is left out.
 */
export function entryNodes(
  services: readonly DeepReadonly<core.Service>[],
  slicesOf: (service: string) => readonly DeepReadonly<discovery.EndpointSlice>[],
  pool: AddressPool,
): Map<string, string> {
  const entries = new Map<string, string>()
  for (const { metadata, spec, status } of services) {
    if (spec.type !== 'LoadBalancer' || spec.externalTrafficPolicy !== 'Local') continue
    const ip = status?.loadBalancer?.ingress?.find((point) => point.ip && pool.contains(point.ip))?.ip
    if (!ip) continue
    const nodes = { ready: new Set<string>(), terminating: new Set<string>() }
    for (const slice of slicesOf(`${metadata.namespace}/${metadata.name}`))
      for (const { nodeName, conditions } of slice.endpoints ?? []) {
        if (!nodeName) continue
        if (conditions?.ready ?? true) nodes.ready.add(nodeName)
        else if (conditions?.serving && conditions.terminating) nodes.terminating.add(nodeName)
      }
    const [first] = [...(nodes.ready.size > 0 ? nodes.ready : nodes.terminating)].sort()
    if (first) entries.set(ip, first)
  }
  return entries
}
