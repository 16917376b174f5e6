import type { DeepReadonly, core, discovery, networking } from '#api'
import type { Backend, BackendProtocol } from './desired.ts'

export type Service = DeepReadonly<core.Service>
export type Slice = DeepReadonly<discovery.EndpointSlice>

/** A reason that a route cannot be served, in an event's words. */
export interface Trouble {
  reason: string
  message: string
}

const protocolAnnotation = 'k8ts.dev/backend-protocol'

const protocols: Record<string, BackendProtocol> = {
  http: 'http',
  ws: 'http',
  'kubernetes.io/ws': 'http',
  https: 'https',
  wss: 'https',
  'kubernetes.io/wss': 'https',
  h2c: 'h2c',
  grpc: 'h2c',
  'kubernetes.io/h2c': 'h2c',
  h2: 'h2',
  http2: 'h2',
  grpcs: 'h2',
}

/**
 * The backend that an Ingress names, without its endpoints. Its protocol is the annotation's of the Ingress or the Service, or else the `appProtocol` of the
 * port; one that is not known is HTTP, as a port without one is.
 */
export function backendOf(
  ingress: DeepReadonly<networking.Ingress>,
  reference: DeepReadonly<networking.IngressBackend>,
  serviceAt: (key: string) => Service | undefined,
): { backend: Backend; portName: string; service: Service } | { trouble: Trouble } {
  const named = reference.service
  if (!named)
    return {
      trouble: {
        reason: 'UnsupportedBackend',
        message: `resource backends are not supported: ${reference.resource?.kind ?? ''} ${reference.resource?.name ?? ''}`,
      },
    }
  const { namespace } = ingress.metadata
  const service = serviceAt(`${namespace}/${named.name}`)
  if (!service) return { trouble: { reason: 'ServiceNotFound', message: `service ${namespace}/${named.name} does not exist` } }
  const asked = named.port?.name ?? named.port?.number
  const port = (service.spec.ports ?? []).find((p) => (named.port?.name ? p.name === named.port.name : p.port === named.port?.number))
  const external = service.spec.type === 'ExternalName'
  // an ExternalName service needs no ports of its own
  const number = port?.port ?? (external ? named.port?.number : undefined)
  if (number === undefined) return { trouble: { reason: 'PortNotFound', message: `service ${namespace}/${named.name} has no port ${asked}` } }
  if (port && (port.protocol ?? 'TCP') !== 'TCP')
    return { trouble: { reason: 'PortNotFound', message: `port ${asked} of service ${namespace}/${named.name} is not TCP` } }
  const declared =
    ingress.metadata.annotations?.[protocolAnnotation] ?? service.metadata.annotations?.[protocolAnnotation] ?? port?.appProtocol ?? 'http'
  const protocol = protocols[declared.toLowerCase()] ?? 'http'
  if (external && !/^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/.test(service.spec.externalName ?? ''))
    return { trouble: { reason: 'InvalidExternalName', message: `service ${namespace}/${named.name} has no external name that could be resolved` } }
  return {
    service,
    portName: port?.name ?? '',
    backend: {
      id: `${namespace}:${named.name}:${number}:${protocol}`,
      protocol,
      endpoints: [],
      sticky: service.spec.sessionAffinity === 'ClientIP',
      ...(external ? { external: { host: service.spec.externalName!, port: number } } : {}),
    },
  }
}

/** `ip:port` of the endpoints that serve: those that are ready, and when there is none those that still serve while they terminate (KEP-1669). */
export function endpointsOf(slices: readonly Slice[], portName: string): string[] {
  const ready = new Set<string>()
  const terminating = new Set<string>()
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue
    const port = slice.ports?.find((p) => (p.name ?? '') === portName && (p.protocol ?? 'TCP') === 'TCP')?.port
    if (!port) continue
    for (const { addresses, conditions } of slice.endpoints ?? []) {
      if (!addresses[0]) continue
      if (conditions?.ready ?? true) ready.add(`${addresses[0]}:${port}`)
      else if (conditions?.serving && conditions.terminating) terminating.add(`${addresses[0]}:${port}`)
    }
  }
  return [...(ready.size > 0 ? ready : terminating)].sort()
}
