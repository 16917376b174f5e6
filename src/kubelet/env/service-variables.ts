import type { core, DeepReadonly } from '#api'

/**
 * The environment variables that announce services (Docker links' names): `FOO_SERVICE_HOST`, `FOO_PORT_80_TCP_ADDR` … The service
 * `default/kubernetes` is always announced, those of the pod's namespace when `enableServiceLinks` is on. Headless services are not.
 */
export function serviceVariables(
  services: readonly DeepReadonly<core.Service>[],
  namespace: string,
  enableServiceLinks: boolean,
): Map<string, string> {
  const announced = new Map<string, DeepReadonly<core.Service>>()
  for (const service of services) {
    const { clusterIP } = service.spec ?? {}
    if (!clusterIP || clusterIP === 'None') continue
    const { name } = service.metadata
    if (service.metadata.namespace === 'default' && name === 'kubernetes') {
      if (!announced.has(name)) announced.set(name, service)
    } else if (service.metadata.namespace === namespace && enableServiceLinks) {
      announced.set(name, service)
    }
  }
  const variables = new Map<string, string>()
  for (const service of announced.values()) announce(service, variables)
  return variables
}

function announce(service: DeepReadonly<core.Service>, variables: Map<string, string>): void {
  const prefix = service.metadata.name.replaceAll('-', '_').toUpperCase()
  const ip = service.spec!.clusterIP!
  const ports = service.spec!.ports ?? []
  variables.set(`${prefix}_SERVICE_HOST`, ip)
  if (ports[0]) variables.set(`${prefix}_SERVICE_PORT`, String(ports[0].port))
  for (const port of ports) {
    if (port.name) variables.set(`${prefix}_SERVICE_PORT_${port.name.replaceAll('-', '_').toUpperCase()}`, String(port.port))
  }
  ports.forEach((port, i) => {
    const protocol = port.protocol ?? 'TCP'
    const url = `${protocol.toLowerCase()}://${ip.includes(':') ? `[${ip}]` : ip}:${port.port}`
    if (i === 0) variables.set(`${prefix}_PORT`, url)
    const link = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`
    variables.set(link, url)
    variables.set(`${link}_PROTO`, protocol.toLowerCase())
    variables.set(`${link}_PORT`, String(port.port))
    variables.set(`${link}_ADDR`, ip)
  })
}
