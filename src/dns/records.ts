import type { DeepReadonly, core, discovery } from '#api'

/** What the cluster's names are made from; reads are synchronous and cheap. */
export interface DnsView {
  namespaceExists(namespace: string): boolean
  service(namespace: string, name: string): DeepReadonly<core.Service> | undefined
  /** All endpoint slices of a service. */
  slices(namespace: string, service: string): readonly DeepReadonly<discovery.EndpointSlice>[]
  /** The service with this cluster IP. */
  serviceByIp(ip: string): DeepReadonly<core.Service> | undefined
  /** Slices that have an endpoint with this address. */
  slicesByIp(ip: string): readonly DeepReadonly<discovery.EndpointSlice>[]
}

export type DnsRecord =
  | { type: 'A' | 'AAAA' | 'CNAME' | 'PTR'; name: string; data: string }
  | { type: 'SRV'; name: string; data: { priority: number; weight: number; port: number; target: string } }
  | { type: 'TXT'; name: string; data: string }

/**
 * `found`: the name exists (answers may be empty: it has no record of the type asked for); `missing`: the name is ours and does not exist (NXDOMAIN);
 * `foreign`: the name is not the cluster's.
 */
export type Lookup = { result: 'found'; answers: DnsRecord[]; additionals?: DnsRecord[] } | { result: 'missing' } | { result: 'foreign' }

const none: Lookup = { result: 'found', answers: [] }
const missing: Lookup = { result: 'missing' }

/** Answers a question by the Kubernetes DNS specification 1.1 (https://github.com/kubernetes/dns/blob/master/docs/specification.md). */
export function lookup(question: { name: string; type: string }, zone: string, view: DnsView): Lookup {
  const name = question.name.toLowerCase().replace(/\.$/, '')
  if (name.endsWith('.in-addr.arpa')) return reverse(name, zone, view)
  if (name !== zone && !name.endsWith(`.${zone}`)) return { result: 'foreign' }
  const labels = name === zone ? [] : name.slice(0, -zone.length - 1).split('.')
  const wants = (type: string) => question.type === type || question.type === 'ANY'
  if (labels.length === 0) return none
  if (labels.length === 1 && labels[0] === 'dns-version')
    return wants('TXT') ? { result: 'found', answers: [{ type: 'TXT', name, data: '1.1.0' }] } : none
  const kind = labels.at(-1)
  const namespace = labels.at(-2)
  if (kind !== 'svc' && kind !== 'pod') return missing
  if (namespace === undefined) return none
  if (!view.namespaceExists(namespace)) return missing
  const rest = labels.slice(0, -2)
  if (rest.length === 0) return none
  return kind === 'pod' ? pod(name, rest, wants) : service(name, rest, namespace, zone, view, wants)
}

type Wants = (type: string) => boolean

/** `10-1-2-3.namespace.pod.zone` is 10.1.2.3. */
function pod(name: string, labels: string[], wants: Wants): Lookup {
  const ip = labels[0]!.replaceAll('-', '.')
  if (labels.length !== 1 || !isIpv4(ip)) return missing
  return { result: 'found', answers: wants('A') ? [{ type: 'A', name, data: ip }] : [] }
}

function service(name: string, labels: string[], namespace: string, zone: string, view: DnsView, wants: Wants): Lookup {
  const serviceName = labels.at(-1)!
  const found = view.service(namespace, serviceName)
  if (!found) return missing
  const own = `${serviceName}.${namespace}.svc.${zone}`
  const before = labels.slice(0, -1)
  if (found.spec.type === 'ExternalName') {
    if (before.length > 0) return missing
    return { result: 'found', answers: found.spec.externalName ? [{ type: 'CNAME', name, data: found.spec.externalName }] : [] }
  }
  const headless = found.spec.clusterIP === 'None'
  if (before.length === 2 && before.every((label) => label.startsWith('_'))) return serviceRecords(name, before, found, own, headless, view, wants)
  if (headless) return headlessAddresses(name, before, found, view, wants)
  if (before.length > 0) return missing
  const ips = found.spec.clusterIPs ?? (found.spec.clusterIP ? [found.spec.clusterIP] : [])
  return { result: 'found', answers: addresses(name, ips, wants) }
}

/** `_port._protocol.service…`: where the port is, as SRV records, with the targets' addresses beside them. */
function serviceRecords(
  name: string,
  labels: string[],
  found: DeepReadonly<core.Service>,
  own: string,
  headless: boolean,
  view: DnsView,
  wants: Wants,
): Lookup {
  const [portName, protocol] = labels.map((label) => label.slice(1)) as [string, string]
  if (!headless) {
    const port = found.spec.ports?.find((p) => p.name === portName && (p.protocol ?? 'TCP').toLowerCase() === protocol)
    if (!port) return missing
    if (!wants('SRV')) return none
    return { result: 'found', answers: [srv(name, port.port, own, 1)], additionals: addresses(own, found.spec.clusterIPs ?? [], () => true) }
  }
  const answers: DnsRecord[] = []
  const additionals: DnsRecord[] = []
  for (const slice of view.slices(found.metadata.namespace!, found.metadata.name)) {
    const port = slice.ports?.find((p) => p.name === portName && (p.protocol ?? 'TCP').toLowerCase() === protocol)
    if (port?.port === undefined) continue
    for (const endpoint of published(slice, found)) {
      const target = `${hostnameOf(endpoint)}.${own}`
      answers.push(srv(name, port.port, target, 1))
      additionals.push(...addresses(target, endpoint.addresses, () => true))
    }
  }
  if (answers.length === 0) return missing
  return wants('SRV') ? { result: 'found', answers, additionals } : none
}

function headlessAddresses(name: string, before: string[], found: DeepReadonly<core.Service>, view: DnsView, wants: Wants): Lookup {
  if (before.length > 1) return missing
  const all = view.slices(found.metadata.namespace!, found.metadata.name).flatMap((slice) => published(slice, found))
  const chosen = before.length === 0 ? all : all.filter((endpoint) => hostnameOf(endpoint) === before[0])
  if (chosen.length === 0) return missing
  const ips = [...new Set(chosen.flatMap((endpoint) => endpoint.addresses))]
  return { result: 'found', answers: addresses(name, ips, wants) }
}

function reverse(name: string, zone: string, view: DnsView): Lookup {
  const ip = name.slice(0, -'.in-addr.arpa'.length).split('.').toReversed().join('.')
  if (!isIpv4(ip)) return missing
  const found = view.serviceByIp(ip)
  if (found) return { result: 'found', answers: [{ type: 'PTR', name, data: `${found.metadata.name}.${found.metadata.namespace}.svc.${zone}` }] }
  const answers: DnsRecord[] = []
  for (const slice of view.slicesByIp(ip)) {
    const service = slice.metadata.labels?.['kubernetes.io/service-name']
    if (!service || view.service(slice.metadata.namespace!, service)?.spec.clusterIP !== 'None') continue
    for (const endpoint of slice.endpoints ?? [])
      if (endpoint.addresses.includes(ip))
        answers.push({ type: 'PTR', name, data: `${hostnameOf(endpoint)}.${service}.${slice.metadata.namespace}.svc.${zone}` })
  }
  return answers.length > 0 ? { result: 'found', answers } : { result: 'foreign' }
}

/** Endpoints that a headless service's name stands for: the ready ones, or all when it says so. */
function published(slice: DeepReadonly<discovery.EndpointSlice>, found: DeepReadonly<core.Service>): readonly DeepReadonly<discovery.Endpoint>[] {
  return (slice.endpoints ?? []).filter((e) => (e.conditions?.ready ?? true) || found.spec.publishNotReadyAddresses)
}

/** An endpoint without a hostname is named after its address. */
const hostnameOf = (endpoint: DeepReadonly<discovery.Endpoint>) => endpoint.hostname ?? endpoint.addresses[0]!.replaceAll(/[.:]/g, '-')

const srv = (name: string, port: number, target: string, weight: number): DnsRecord => ({
  type: 'SRV',
  name,
  data: { priority: 0, weight, port, target },
})

function addresses(name: string, ips: readonly string[], wants: Wants): DnsRecord[] {
  return ips.flatMap((data): DnsRecord[] => {
    const type = data.includes(':') ? 'AAAA' : 'A'
    return wants(type) ? [{ type, name, data }] : []
  })
}

const isIpv4 = (text: string) => /^(\d{1,3})(\.\d{1,3}){3}$/.test(text) && text.split('.').every((part) => Number(part) < 256)
