import type { DeepReadonly, core, discovery } from '#api'
import {
  addressesOf,
  familiesOf,
  familyOf,
  hasNoAddress,
  hostnameFor,
  isHeadless,
  isListed,
  isReady,
  targetPortOf,
} from '../service-endpoints/pods.ts'
import { type SliceGroup, type SliceTemplate, serviceNameLabel, sliceLabels, sliceManagedByLabel, slicePrefix } from './slices.ts'

export const managedBy = 'endpointslice-controller.k8s.io'

/** The endpoints of a service, in groups that offer the same ports; a family without any has one empty group. */
export function groupsOf(
  service: DeepReadonly<core.Service>,
  pods: readonly DeepReadonly<core.Pod>[],
  zoneOf: (node: string) => string | undefined,
): SliceGroup[] {
  const groups: SliceGroup[] = []
  for (const addressType of new Set(familiesOf(service))) {
    const byPorts = new Map<string, SliceGroup>()
    for (const pod of pods) {
      if (!isListed(pod, true)) continue
      const addresses = addressesOf(pod).filter((a) => familyOf(a) === addressType)
      if (addresses.length === 0) continue
      const ports = portsOf(service, pod)
      const id = JSON.stringify(ports)
      let group = byPorts.get(id)
      if (!group) byPorts.set(id, (group = { addressType, ports, endpoints: [] }))
      group.endpoints.push(endpointOf(service, pod, addresses, zoneOf))
    }
    if (byPorts.size === 0) groups.push({ addressType, ports: [], endpoints: [] })
    else groups.push(...byPorts.values())
  }
  return groups
}

function endpointOf(
  service: DeepReadonly<core.Service>,
  pod: DeepReadonly<core.Pod>,
  addresses: string[],
  zoneOf: (node: string) => string | undefined,
): discovery.Endpoint {
  const serving = isReady(pod)
  const terminating = pod.metadata.deletionTimestamp !== undefined
  const hostname = hostnameFor(pod, service)
  const { nodeName } = pod.spec
  const zone = nodeName ? zoneOf(nodeName) : undefined
  const { name, namespace, uid } = pod.metadata
  // a pod that terminates is never ready, unless the service asks for those that are not
  const ready = service.spec?.publishNotReadyAddresses || (serving && !terminating)
  const hints = ready ? hintsFor(service.spec?.trafficDistribution, nodeName, zone) : undefined
  return {
    addresses,
    conditions: { ready, serving, terminating },
    ...(hostname ? { hostname } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(nodeName ? { nodeName } : {}),
    ...(zone ? { zone } : {}),
    ...(hints ? { hints } : {}),
  }
}

/** For whom an endpoint is meant first: clients of its zone or node (KEP-4444, KEP-3015). Proxies follow it where all endpoints have such a hint. */
function hintsFor(distribution: string | undefined, nodeName: string | undefined, zone: string | undefined): discovery.EndpointHints | undefined {
  const sameNode = distribution === 'PreferSameNode'
  if (!sameNode && distribution !== 'PreferClose' && distribution !== 'PreferSameZone') return undefined
  const hints: discovery.EndpointHints = {
    ...(zone ? { forZones: [{ name: zone }] } : {}),
    ...(sameNode && nodeName ? { forNodes: [{ name: nodeName }] } : {}),
  }
  return Object.keys(hints).length > 0 ? hints : undefined
}

function portsOf(service: DeepReadonly<core.Service>, pod: DeepReadonly<core.Pod>): discovery.EndpointPort[] {
  const ports = service.spec?.ports ?? []
  if (ports.length === 0 && isHeadless(service)) return []
  return ports.flatMap((servicePort): discovery.EndpointPort[] => {
    const port = targetPortOf(pod, servicePort)
    if (port === undefined) return []
    const { name = '', protocol = 'TCP', appProtocol } = servicePort
    return [{ name, protocol, port, ...(appProtocol ? { appProtocol } : {}) }]
  })
}

export function templateOf(service: DeepReadonly<core.Service>): SliceTemplate {
  const { name, namespace, uid, labels } = service.metadata
  return {
    namespace: namespace!,
    generateName: slicePrefix(name),
    labels: sliceLabels(labels, {
      [serviceNameLabel]: name,
      [sliceManagedByLabel]: managedBy,
      ...(hasNoAddress(service) ? { 'service.kubernetes.io/headless': '' } : {}),
    }),
    annotations: {},
    owner: { apiVersion: 'v1', kind: 'Service', name, uid: uid!, controller: true, blockOwnerDeletion: true },
  }
}
