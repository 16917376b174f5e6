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
  /** Where packets from inside of the cluster go instead: a policy for traffic from outside does not concern them. */
  inside?: { backend: string }
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
  healthChecks: HealthCheck[]
  /** Ranges of service addresses beside the cluster's own: what is in them and no service is refused. */
  ranges?: string[]
}

/** Where a load balancer asks whether this node has endpoints of a service. */
export interface HealthCheck {
  port: number
  namespace: string
  name: string
  localEndpoints: number
}

/** Which node the rules are for. */
export interface Place {
  nodeName: string
  /** The node's `topology.kubernetes.io/zone`. */
  zone?: string | undefined
}

/**
 * Services to rules (https://kubernetes.io/docs/reference/networking/virtual-ips/). Pure; output order follows the input's names, so
 * that equal states give equal rules.
 */
export function planRules(
  services: readonly DeepReadonly<core.Service>[],
  slices: readonly DeepReadonly<discovery.EndpointSlice>[],
  place: Place,
): Rules {
  const rules: Rules = { backends: [], frontends: [], nodePorts: [], healthChecks: [] }
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
    planService(service, slicesOf.get(keyOf(service)) ?? [], place, rules)
  return rules
}

const keyOf = (service: DeepReadonly<core.Service>) => `${service.metadata.namespace}/${service.metadata.name}`
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

function planService(
  service: DeepReadonly<core.Service>,
  slices: readonly DeepReadonly<discovery.EndpointSlice>[],
  place: Place,
  rules: Rules,
): void {
  const { spec } = service
  if (spec.type === 'ExternalName' || !spec.clusterIP || spec.clusterIP === 'None') return
  if (service.metadata.labels?.['service.kubernetes.io/service-proxy-name']) return // another proxy's
  const clusterIps = (spec.clusterIPs ?? [spec.clusterIP]).filter((ip) => !ip.includes(':'))
  const external = [...(spec.externalIPs ?? []), ...loadBalancerIps(service)].filter((ip) => !ip.includes(':'))
  const affinitySeconds = spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10800) : undefined

  if (spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local' && spec.healthCheckNodePort) {
    const local = slices.flatMap((slice) => (slice.endpoints ?? []).filter((e) => e.nodeName === place.nodeName && (e.conditions?.ready ?? true)))
    const { namespace = '', name } = service.metadata
    rules.healthChecks.push({ port: spec.healthCheckNodePort, namespace, name, localEndpoints: new Set(local.map((e) => e.addresses[0])).size })
  }
  for (const port of spec.ports ?? []) {
    const protocol = (port.protocol ?? 'TCP').toLowerCase() as Protocol
    const found = endpointsOf(slices, port.name ?? '', port.protocol ?? 'TCP')
    const all = usable(found, (endpoints) => nearest(endpoints, place))
    const base = `${service.metadata.namespace}/${service.metadata.name}/${protocol}/${port.port}`
    const cluster = add(
      base,
      all.map((e) => e.endpoint),
    )
    let here: Frontend['to'] | undefined
    const local = () => {
      here ??=
        all.length === 0
          ? 'reject'
          : add(
              `${base}/local`,
              usable(found.filter((e) => e.nodeName === place.nodeName)).map((e) => e.endpoint),
              'drop',
            )
      return here
    }
    const inside = spec.internalTrafficPolicy === 'Local' ? local() : cluster
    for (const ip of clusterIps) rules.frontends.push({ ip, protocol, port: port.port, to: inside, masquerade: 'unlessPod' })
    const externalLocal = spec.externalTrafficPolicy === 'Local'
    const outside = externalLocal ? local() : cluster
    const fromInside = externalLocal && typeof cluster !== 'string' ? { inside: cluster } : {}
    const masquerade = externalLocal ? 'never' : 'always'
    const sources = spec.loadBalancerSourceRanges?.length ? [...spec.loadBalancerSourceRanges] : undefined
    for (const ip of external)
      rules.frontends.push({
        ip,
        protocol,
        port: port.port,
        to: outside,
        ...fromInside,
        masquerade,
        ...(sources && loadBalancerIps(service).includes(ip) ? { sources } : {}),
      })
    if (port.nodePort) rules.nodePorts.push({ protocol, port: port.nodePort, to: outside, ...fromInside, masquerade })

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

interface FoundEndpoint {
  endpoint: Endpoint
  nodeName: string | undefined
  ready: boolean
  hints: DeepReadonly<discovery.EndpointHints> | undefined
}

/** Endpoints that take connections or still finish some, by address; of an address that is there twice the ready one counts. */
function endpointsOf(slices: readonly DeepReadonly<discovery.EndpointSlice>[], portName: string, protocol: string): FoundEndpoint[] {
  const found = new Map<string, FoundEndpoint>()
  for (const slice of slices) {
    const port = slice.ports?.find((p) => (p.name ?? '') === portName && (p.protocol ?? 'TCP') === protocol)
    if (!port?.port) continue
    for (const { addresses, conditions, nodeName, hints } of slice.endpoints ?? []) {
      const ip = addresses[0]
      if (!ip) continue
      const key = `${ip}:${port.port}`
      const ready = conditions?.ready ?? true
      if (ready || (conditions?.serving && conditions.terminating && !found.get(key)?.ready))
        found.set(key, { endpoint: { ip, port: port.port }, nodeName, ready, hints })
    }
  }
  return [...found].sort(([a], [b]) => compare(a, b)).map(([, e]) => e)
}

/** Ready endpoints, those of them that are preferred; when there is none, those that still serve while they terminate (KEP-1669). */
function usable(found: readonly FoundEndpoint[], prefer = (ready: readonly FoundEndpoint[]) => ready): readonly FoundEndpoint[] {
  const ready = found.filter((e) => e.ready)
  return ready.length > 0 ? prefer(ready) : found
}

/** The endpoints that are meant for this node, or else for its zone, where every one says whom it is meant for and some are for us; else all. */
function nearest(ready: readonly FoundEndpoint[], { nodeName, zone }: Place): readonly FoundEndpoint[] {
  const meantFor = (list: 'forNodes' | 'forZones', name: string | undefined) => {
    if (!name || !ready.every((e) => e.hints?.[list]?.length)) return []
    return ready.filter((e) => e.hints?.[list]?.some((hint) => hint.name === name))
  }
  return [meantFor('forNodes', nodeName), meantFor('forZones', zone), ready].find((some) => some.length > 0) ?? ready
}
