import type { DeepReadonly, core, discovery } from '#api'

/** Where a packet to a service goes: `ip:port` of one of these, evenly. */
export interface Endpoint {
  ip: string
  port: number
}

export type Protocol = 'tcp' | 'udp' | 'sctp'

/** The endpoints of one service port under one traffic policy. */
export interface Backend {
  /** `namespace/name/protocol/port`, with `/local` for those of this node alone; unique. */
  id: string
  protocol: Protocol
  endpoints: Endpoint[]
  /** Seconds that a client's address sticks to an endpoint; absent without affinity. */
  affinitySeconds?: number
}

/** An address at which a service port is reached. */
export interface Frontend {
  ip: string
  protocol: Protocol
  port: number
  /** The backend, or what to do without one: `reject` answers the client at once, `drop` lets another node answer. */
  to: { backend: string } | 'reject' | 'drop'
  /** Rewrite the source address, so that answers come back through this node: always for traffic from outside, or only when it is not a pod's. */
  masquerade: 'always' | 'unlessPod' | 'never'
  /** Only these sources are let through (loadBalancerSourceRanges). */
  sources?: string[]
}

/** A node port answers on every address of the node. */
export type NodePortFrontend = Omit<Frontend, 'ip'>

/** Everything the node's packet filter must do: complete, and independent of what is programmed now. */
export interface Rules {
  backends: Backend[]
  frontends: Frontend[]
  nodePorts: NodePortFrontend[]
}

/**
 * Services to rules (https://kubernetes.io/docs/reference/networking/virtual-ips/). Pure; output order follows the input's names, so
 * that equal states give equal rules.
 */
export function planRules(
  services: readonly DeepReadonly<core.Service>[],
  slices: readonly DeepReadonly<discovery.EndpointSlice>[],
  nodeName: string,
): Rules {
  const rules: Rules = { backends: [], frontends: [], nodePorts: [] }
  const slicesOf = new Map<string, DeepReadonly<discovery.EndpointSlice>[]>()
  for (const slice of slices) {
    const service = slice.metadata.labels?.['kubernetes.io/service-name']
    if (!service || slice.addressType !== 'IPv4') continue
    const key = `${slice.metadata.namespace}/${service}`
    const known = slicesOf.get(key)
    if (known) known.push(slice)
    else slicesOf.set(key, [slice])
  }
  for (const service of services.toSorted((a, b) => compare(keyOf(a), keyOf(b))))
    planService(service, slicesOf.get(keyOf(service)) ?? [], nodeName, rules)
  return rules
}

const keyOf = (service: DeepReadonly<core.Service>) => `${service.metadata.namespace}/${service.metadata.name}`
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

function planService(
  service: DeepReadonly<core.Service>,
  slices: readonly DeepReadonly<discovery.EndpointSlice>[],
  nodeName: string,
  rules: Rules,
): void {
  const { spec } = service
  if (spec.type === 'ExternalName' || !spec.clusterIP || spec.clusterIP === 'None') return
  if (service.metadata.labels?.['service.kubernetes.io/service-proxy-name']) return // another proxy's
  const clusterIps = (spec.clusterIPs ?? [spec.clusterIP]).filter((ip) => !ip.includes(':'))
  const external = [...(spec.externalIPs ?? []), ...loadBalancerIps(service)].filter((ip) => !ip.includes(':'))
  const affinitySeconds = spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10800) : undefined

  for (const port of spec.ports ?? []) {
    const protocol = (port.protocol ?? 'TCP').toLowerCase() as Protocol
    const all = usableEndpoints(slices, port.name ?? '', port.protocol ?? 'TCP')
    const base = `${service.metadata.namespace}/${service.metadata.name}/${protocol}/${port.port}`
    const backends = {
      Cluster: add(
        base,
        all.map((e) => e.endpoint),
      ),
      Local: undefined as Frontend['to'] | undefined,
    }
    const local = () => {
      backends.Local ??=
        all.length === 0
          ? 'reject'
          : add(
              `${base}/local`,
              all.filter((e) => e.nodeName === nodeName).map((e) => e.endpoint),
              'drop',
            )
      return backends.Local
    }
    const inside = spec.internalTrafficPolicy === 'Local' ? local() : backends.Cluster
    for (const ip of clusterIps) rules.frontends.push({ ip, protocol, port: port.port, to: inside, masquerade: 'unlessPod' })
    const externalLocal = spec.externalTrafficPolicy === 'Local'
    const outside = externalLocal ? local() : backends.Cluster
    const masquerade = externalLocal ? 'never' : 'always'
    const sources = spec.loadBalancerSourceRanges?.length ? [...spec.loadBalancerSourceRanges] : undefined
    for (const ip of external)
      rules.frontends.push({
        ip,
        protocol,
        port: port.port,
        to: outside,
        masquerade,
        ...(sources && loadBalancerIps(service).includes(ip) ? { sources } : {}),
      })
    if (port.nodePort) rules.nodePorts.push({ protocol, port: port.nodePort, to: outside, masquerade })

    function add(id: string, endpoints: Endpoint[], without: 'reject' | 'drop' = 'reject'): Frontend['to'] {
      if (endpoints.length === 0) return without
      rules.backends.push({ id, protocol, endpoints, ...(affinitySeconds === undefined ? {} : { affinitySeconds }) })
      return { backend: id }
    }
  }
}

function loadBalancerIps(service: DeepReadonly<core.Service>): string[] {
  if (service.spec.type !== 'LoadBalancer') return []
  return (service.status?.loadBalancer?.ingress ?? []).flatMap((i) => (i.ip && i.ipMode !== 'Proxy' ? [i.ip] : []))
}

/** Ready endpoints; when there is none, those that still serve while they terminate (KEP-1669). */
function usableEndpoints(
  slices: readonly DeepReadonly<discovery.EndpointSlice>[],
  portName: string,
  protocol: string,
): { endpoint: Endpoint; nodeName: string | undefined }[] {
  const ready = new Map<string, { endpoint: Endpoint; nodeName: string | undefined }>()
  const terminating = new Map<string, { endpoint: Endpoint; nodeName: string | undefined }>()
  for (const slice of slices) {
    const port = slice.ports?.find((p) => (p.name ?? '') === portName && (p.protocol ?? 'TCP') === protocol)
    if (!port?.port) continue
    for (const endpoint of slice.endpoints ?? []) {
      const ip = endpoint.addresses[0]
      if (!ip) continue
      const found = { endpoint: { ip, port: port.port }, nodeName: endpoint.nodeName }
      if (endpoint.conditions?.ready ?? true) ready.set(`${ip}:${port.port}`, found)
      else if (endpoint.conditions?.serving && endpoint.conditions.terminating) terminating.set(`${ip}:${port.port}`, found)
    }
  }
  const chosen = ready.size > 0 ? ready : terminating
  return [...chosen].sort(([a], [b]) => compare(a, b)).map(([, e]) => e)
}
