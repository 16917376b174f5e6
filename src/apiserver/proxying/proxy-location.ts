import { isIP } from 'node:net'
import type { core, DeepReadonly, discovery } from '#api'
import { errors } from '#api'
import type { Random } from '#base'
import type { ObjectReader } from '../object-reader.ts'
import { nodeAddress } from './node-connection.ts'

/** Where a proxied request goes. */
export interface ProxyLocation {
  scheme: 'http' | 'https'
  address: string
  port: number
  /** It is the node's kubelet: to be talked to as the API server. */
  kubelet?: boolean
}

/** `name`, `name:port` or `scheme:name:port`; undefined when it is none of them. */
export function splitProxyName(id: string): { scheme: 'http' | 'https' | ''; name: string; port: string } | undefined {
  const parts = id.split(':')
  const [scheme, name, port] = parts.length === 1 ? ['', parts[0]!, ''] : parts.length === 2 ? ['', parts[0]!, parts[1]!] : parts
  if (parts.length > 3 || !name || (scheme !== '' && scheme !== 'http' && scheme !== 'https')) return undefined
  return { scheme, name, port: port! }
}

export function podLocation(reader: ObjectReader, namespace: string, id: string): ProxyLocation {
  const target = splitProxyName(id)
  if (!target) throw errors.badRequest(`invalid pod request ${JSON.stringify(id)}`)
  const pod = reader.get<core.Pod>('', 'pods', namespace, target.name)
  if (!pod) throw errors.notFound({ group: '', resource: 'pods' }, target.name)
  const declared = pod.spec.containers.flatMap((c) => c.ports ?? [])[0]?.containerPort
  const address = pod.status?.podIP ?? pod.status?.podIPs?.[0]?.ip ?? ''
  mustBeProxyable(address)
  return {
    scheme: target.scheme || 'http',
    address,
    port: target.port ? portNumber(target.port) : (declared ?? (target.scheme === 'https' ? 443 : 80)),
  }
}

/** A ready endpoint of a service, chosen at random. */
export function serviceLocation(reader: ObjectReader, namespace: string, id: string, random: Random): ProxyLocation {
  const target = splitProxyName(id)
  if (!target) throw errors.badRequest(`invalid service request ${JSON.stringify(id)}`)
  const service = reader.get<core.Service>('', 'services', namespace, target.name)
  if (!service) throw errors.notFound({ group: '', resource: 'services' }, target.name)
  let portName = target.port
  if (/^\d+$/.test(portName)) {
    const port = service.spec?.ports?.find((p) => p.port === Number(portName))
    if (!port) throw errors.unavailable(`no service port ${Number(portName)} found for service ${JSON.stringify(target.name)}`)
    // endpoints know a port by its name
    portName = port.name ?? ''
  }
  const candidates = endpointsOf(reader, namespace, target.name, portName)
  const chosen = candidates[Math.floor(random() * candidates.length)]
  if (!chosen) throw errors.unavailable(`no endpoints available for service ${JSON.stringify(target.name)}`)
  mustBeProxyable(chosen.address)
  return { scheme: target.scheme || 'http', ...chosen }
}

function endpointsOf(reader: ObjectReader, namespace: string, service: string, portName: string): { address: string; port: number }[] {
  const endpoints = reader.get<core.Endpoints>('', 'endpoints', namespace, service)
  if (endpoints) {
    return (endpoints.subsets ?? []).flatMap(({ addresses = [], ports = [] }) =>
      ports.filter((p) => (p.name ?? '') === portName).flatMap((p) => addresses.map((a) => ({ address: a.ip, port: p.port }))),
    )
  }
  return reader
    .list<discovery.EndpointSlice>('discovery.k8s.io', 'endpointslices', namespace)
    .filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === service)
    .flatMap((slice) => slicePorts(slice, portName))
}

function slicePorts(slice: DeepReadonly<discovery.EndpointSlice>, portName: string): { address: string; port: number }[] {
  const ports = (slice.ports ?? []).filter((p) => (p.name ?? '') === portName && p.port !== undefined)
  const ready = (slice.endpoints ?? []).filter((e) => e.conditions?.ready !== false)
  return ports.flatMap((p) => ready.map((e) => ({ address: e.addresses[0]!, port: p.port! })))
}

export function nodeLocation(reader: ObjectReader, id: string): ProxyLocation {
  const target = splitProxyName(id)
  if (!target) throw errors.badRequest(`invalid node request ${JSON.stringify(id)}`)
  const node = reader.get<core.Node>('', 'nodes', '', target.name)
  if (!node) throw errors.notFound({ group: '', resource: 'nodes' }, target.name)
  const kubelet = nodeAddress(node)
  if (!target.port || portNumber(target.port) === kubelet.port) return { scheme: 'https', ...kubelet, kubelet: true }
  mustBeProxyable(kubelet.address)
  return { scheme: target.scheme || 'http', address: kubelet.address, port: portNumber(target.port) }
}

function portNumber(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65535) throw errors.badRequest(`invalid port ${JSON.stringify(text)}`)
  return port
}

/** Requests must not be led to this machine itself or to its link: what listens there trusts its neighbours. */
function mustBeProxyable(address: string): void {
  const family = isIP(address)
  const lower = address.toLowerCase()
  const refused =
    family === 0
      ? address === '' || lower === 'localhost'
      : family === 4
        ? /^(127\.|169\.254\.|0\.|22[4-9]\.|2[3-5]\d\.)/.test(address)
        : lower === '::1' || lower === '::' || /^(fe[89ab]|ff|::ffff:(127|169\.254)\.)/.test(lower)
  if (refused) throw errors.badRequest('address not allowed')
}
