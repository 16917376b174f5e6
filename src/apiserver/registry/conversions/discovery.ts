import type { DeepReadonly, KubeObject, discovery, discoveryV1beta1 } from '#api'
import type { Conversion } from '../registry.ts'

const hostname = 'kubernetes.io/hostname'
const zone = 'topology.kubernetes.io/zone'

/** EndpointSlice of v1beta1: its topology map is split into nodeName, zone and what remains. */
export const endpointSliceV1beta1: Conversion = {
  toStorage(object) {
    const slice = object as unknown as discoveryV1beta1.EndpointSlice
    return { ...slice, apiVersion: 'discovery.k8s.io/v1', endpoints: (slice.endpoints ?? []).map(toV1) } as KubeObject
  },
  fromStorage(object) {
    const slice = object as DeepReadonly<discovery.EndpointSlice>
    return { ...slice, apiVersion: 'discovery.k8s.io/v1beta1', endpoints: (slice.endpoints ?? []).map(toV1beta1) } as DeepReadonly<KubeObject>
  },
}

function toV1({ topology, ...endpoint }: discoveryV1beta1.Endpoint): discovery.Endpoint {
  if (!topology) return endpoint
  const { [hostname]: host, [zone]: inZone, ...rest } = topology
  const result: discovery.Endpoint = { ...endpoint }
  if (host !== undefined) result.nodeName ??= host
  if (inZone !== undefined) result.zone = inZone
  if (Object.keys(rest).length > 0) result.deprecatedTopology = rest
  return result
}

function toV1beta1({ deprecatedTopology, zone: inZone, ...endpoint }: DeepReadonly<discovery.Endpoint>): DeepReadonly<discoveryV1beta1.Endpoint> {
  const topology: Record<string, string> = { ...deprecatedTopology }
  if (inZone !== undefined) topology[zone] = inZone
  if (endpoint.nodeName !== undefined) topology[hostname] = endpoint.nodeName
  return Object.keys(topology).length > 0 ? { ...endpoint, topology } : endpoint
}
