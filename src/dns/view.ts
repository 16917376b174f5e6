import type { core, discovery } from '#api'
import { resources } from '#api'
import type { ControllerContext } from '#runtime'
import type { DnsView } from './records.ts'

/** A view over shared caches; call it while the context is being set up. `ready` resolves when the first lists are in. */
export function cachedView(context: Pick<ControllerContext, 'cache'>): { view: DnsView; ready(signal?: AbortSignal): Promise<void> } {
  const namespaces = context.cache<core.Namespace>(resources.namespaces)
  const services = context.cache<core.Service>(resources.services, { clusterIP: (s) => [...(s.spec.clusterIPs ?? [])] })
  const slices = context.cache<discovery.EndpointSlice>(resources.endpointSlices, {
    service: (s) => [`${s.metadata.namespace}/${s.metadata.labels?.['kubernetes.io/service-name'] ?? ''}`],
    address: (s) => (s.endpoints ?? []).flatMap((e) => [...e.addresses]),
  })
  return {
    view: {
      namespaceExists: (name) => namespaces.get(name) !== undefined,
      service: (namespace, name) => services.get(`${namespace}/${name}`),
      slices: (namespace, service) => slices.byIndex('service', `${namespace}/${service}`),
      serviceByIp: (ip) => services.byIndex('clusterIP', ip)[0],
      slicesByIp: (ip) => slices.byIndex('address', ip),
    },
    ready: async (signal) => void (await Promise.all([namespaces.ready(signal), services.ready(signal), slices.ready(signal)])),
  }
}
