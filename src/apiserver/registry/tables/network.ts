import { isIPv6 } from 'node:net'
import type { DeepReadonly, core, discovery, networking } from '#api'
import type { TableDefinition } from '../strategy.ts'
import { ageColumn, column, nameColumn, wide } from './columns.ts'
import { age } from './duration.ts'
import { labelsText, selectorText } from './labels.ts'

/** How many hosts, endpoints and the like one cell names before it counts. */
const shown = 3

export const serviceTable: TableDefinition<core.Service> = {
  columns: [nameColumn, column('Type'), column('Cluster-IP'), column('External-IP'), column('Port(s)'), ageColumn, wide('Selector')],
  cells: (service, now) => [
    service.metadata.name,
    service.spec.type ?? '',
    service.spec.clusterIPs?.[0] ?? (service.spec.clusterIP || '<none>'),
    externalText(service),
    service.spec.ports?.map((port) => `${port.port}${port.nodePort ? `:${port.nodePort}` : ''}/${port.protocol}`).join(',') || '<none>',
    age(service.metadata.creationTimestamp, now),
    labelsText(service.spec.selector),
  ],
}

function externalText({ spec, status }: DeepReadonly<core.Service>): string {
  const addresses = spec.externalIPs ?? []
  if (spec.type === 'ExternalName') return spec.externalName ?? ''
  if (spec.type !== 'LoadBalancer') return addresses.length > 0 ? addresses.join(',') : '<none>'
  const balancer = pointsText(status?.loadBalancer?.ingress)
  const all = [...(balancer ? [balancer] : []), ...addresses]
  return all.length > 0 ? all.join(',') : '<pending>'
}

const pointsText = (points: DeepReadonly<{ ip?: string; hostname?: string }[]> | undefined) =>
  [...new Set(points?.map((point) => point.ip || point.hostname || '').filter(Boolean))].sort().join(',')

export const endpointsTable: TableDefinition<core.Endpoints> = {
  columns: [nameColumn, column('Endpoints'), ageColumn],
  cells: (object, now) => [object.metadata.name, endpointsText(object.subsets), age(object.metadata.creationTimestamp, now)],
}

function endpointsText(subsets: DeepReadonly<core.EndpointSubset[]> | undefined): string {
  if (!subsets?.length) return '<none>'
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map((address) => address.ip)
      : ports.flatMap((port) => addresses.map((address) => hostPort(address.ip, port.port))),
  )
  return withMore(all)
}

const hostPort = (ip: string, port: number) => (isIPv6(ip) ? `[${ip}]:${port}` : `${ip}:${port}`)

const withMore = (all: string[]) => (all.length > shown ? `${all.slice(0, shown).join(',')} + ${all.length - shown} more...` : all.join(','))

export const endpointSliceTable: TableDefinition<discovery.EndpointSlice> = {
  columns: [nameColumn, column('AddressType'), column('Ports'), column('Endpoints'), ageColumn],
  cells: ({ metadata, addressType, ports = [], endpoints = [] }, now) => [
    metadata.name,
    addressType,
    withMore(ports.map((port) => (port.port !== undefined ? `${port.port}` : (port.name ?? '*')))) || '<unset>',
    withMore(endpoints.flatMap((endpoint) => [...endpoint.addresses])) || '<unset>',
    age(metadata.creationTimestamp, now),
  ],
}

export const ingressTable: TableDefinition<networking.Ingress> = {
  columns: [nameColumn, column('Class'), column('Hosts'), column('Address'), column('Ports'), ageColumn],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    spec.ingressClassName ?? '<none>',
    hostsText(spec.rules),
    pointsText(status?.loadBalancer?.ingress),
    spec.tls?.length ? '80, 443' : '80',
    age(metadata.creationTimestamp, now),
  ],
}

function hostsText(rules: DeepReadonly<networking.IngressRule[]> | undefined): string {
  const hosts = rules?.flatMap((rule) => (rule.host ? [rule.host] : [])) ?? []
  return hosts.length === 0 ? '*' : withMore(hosts)
}

export const ingressClassTable: TableDefinition<networking.IngressClass> = {
  columns: [nameColumn, column('Controller'), column('Parameters'), ageColumn],
  cells({ metadata, spec }, now) {
    const parameters = spec.parameters
    return [
      metadata.name,
      spec.controller ?? '',
      parameters ? `${parameters.kind}${parameters.apiGroup !== undefined ? `.${parameters.apiGroup}` : ''}/${parameters.name}` : '<none>',
      age(metadata.creationTimestamp, now),
    ]
  },
}

export const networkPolicyTable: TableDefinition<networking.NetworkPolicy> = {
  columns: [nameColumn, column('Pod-Selector'), ageColumn],
  cells: ({ metadata, spec }, now) => [metadata.name, selectorText(spec.podSelector ?? {}), age(metadata.creationTimestamp, now)],
}

export const ipAddressTable: TableDefinition<networking.IPAddress> = {
  columns: [nameColumn, column('ParentRef')],
  cells({ metadata, spec }) {
    const ref = spec.parentRef
    const text = ref
      ? [(ref.resource + (ref.group ? `.${ref.group}` : '')).toLowerCase(), ref.namespace, ref.name].filter(Boolean).join('/')
      : '<none>'
    return [metadata.name, text]
  },
}

export const serviceCidrTable: TableDefinition<networking.ServiceCIDR> = {
  columns: [nameColumn, column('CIDRs'), ageColumn],
  cells: ({ metadata, spec }, now) => [metadata.name, spec.cidrs?.join(',') ?? '', age(metadata.creationTimestamp, now)],
}
