import type { DeepReadonly, core, discovery } from '#api'
import { familyOf } from '../service-endpoints/pods.ts'
import { triggerTimeAnnotation } from '../service-endpoints/trigger-time.ts'
import { type SliceGroup, type SliceTemplate, serviceNameLabel, sliceLabels, sliceManagedByLabel, slicePrefix } from '../endpointslice/slices.ts'

export const managedBy = 'endpointslicemirroring-controller.k8s.io'

/** Addresses of one subset that are mirrored at most. */
const maxPerSubset = 1000

/** Whether the Endpoints are for somebody to write by hand and for us to mirror. */
export function isMirrored(endpoints: DeepReadonly<core.Endpoints> | undefined, service: DeepReadonly<core.Service> | undefined): boolean {
  if (!endpoints || !service || endpoints.metadata.deletionTimestamp) return false
  // a selector means that slices are made from pods
  if (service.spec?.selector && Object.keys(service.spec.selector).length > 0) return false
  const { labels, annotations } = endpoints.metadata
  return labels?.['endpointslice.kubernetes.io/skip-mirror'] !== 'true' && annotations?.['control-plane.alpha.kubernetes.io/leader'] === undefined
}

export function mirroredGroups(endpoints: DeepReadonly<core.Endpoints>): SliceGroup[] {
  const groups = new Map<string, SliceGroup>()
  for (const subset of endpoints.subsets ?? []) {
    const ports = (subset.ports ?? []).map(({ name = '', port, protocol = 'TCP', appProtocol }) => ({
      name,
      port,
      protocol,
      ...(appProtocol ? { appProtocol } : {}),
    }))
    const add = (address: DeepReadonly<core.EndpointAddress>, ready: boolean) => {
      const addressType = familyOf(address.ip)
      const id = `${addressType} ${JSON.stringify(ports)}`
      let group = groups.get(id)
      if (!group) groups.set(id, (group = { addressType, ports, endpoints: [] }))
      group.endpoints.push(mirroredEndpoint(address, ready))
    }
    const ready = (subset.addresses ?? []).slice(0, maxPerSubset)
    for (const address of ready) add(address, true)
    for (const address of (subset.notReadyAddresses ?? []).slice(0, maxPerSubset - ready.length)) add(address, false)
  }
  return [...groups.values()]
}

function mirroredEndpoint(address: DeepReadonly<core.EndpointAddress>, ready: boolean): discovery.Endpoint {
  const { ip, hostname, nodeName, targetRef } = address
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    ...(targetRef ? { targetRef: targetRef as core.ObjectReference } : {}),
  }
}

export function mirrorTemplate(endpoints: DeepReadonly<core.Endpoints>): SliceTemplate {
  const { name, namespace, uid, labels, annotations } = endpoints.metadata
  const { [triggerTimeAnnotation]: _, 'kubectl.kubernetes.io/last-applied-configuration': __, ...kept } = annotations ?? {}
  return {
    namespace: namespace!,
    generateName: slicePrefix(name),
    labels: sliceLabels(labels, { [serviceNameLabel]: name, [sliceManagedByLabel]: managedBy }),
    annotations: kept,
    owner: { apiVersion: 'v1', kind: 'Endpoints', name, uid: uid!, controller: true, blockOwnerDeletion: true },
  }
}
