import type { DeepReadonly, core, networking } from '#api'
import type { Service, Slice, Trouble } from './backends.ts'
import { backendOf, endpointsOf } from './backends.ts'
import { certificateOf } from './certificates.ts'
import type { Backend, Certificate, Desired, HostRoutes, PlainHttp, Site } from './desired.ts'
import { localAddress } from './desired.ts'

type Ingress = DeepReadonly<networking.Ingress>

export interface IngressState {
  /** Those of our class. */
  ingresses: readonly Ingress[]
  serviceAt(key: string): Service | undefined
  slicesOf(key: string): readonly Slice[]
  secretAt(key: string): DeepReadonly<core.Secret> | undefined
  /** Served where an Ingress asks for TLS and no other certificate fits. */
  fallback: Certificate
}

export interface IngressPlan {
  desired: Desired
  /** What cannot be served, by Ingress (`namespace/name`); everything else of it is. */
  troubles: Map<string, Trouble[]>
  /** Which Secrets a certificate is from, by its id. */
  sources: Map<string, { ingress: string; secret: string }[]>
}

/**
 * Ingresses to routes (https://kubernetes.io/docs/concepts/services-networking/ingress/). Each address has the routes of the Ingresses that show it in
 * their status; the host's own has those of all. Of two that claim one path of one host, the older has it.
 */
export function planIngress(state: IngressState): IngressPlan {
  const troubles = new Map<string, Trouble[]>()
  const backends = new Map<string, Backend>()
  const certificates = new Map<string, Certificate>([[state.fallback.id, state.fallback]])
  const sources: IngressPlan['sources'] = new Map()
  const sites = new Map<string, Site>()
  const ordered = state.ingresses.toSorted(
    (a, b) => compare(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') || compare(keyOf(a), keyOf(b)),
  )
  for (const ingress of ordered) {
    const found: Trouble[] = []
    const routes = routesOf(ingress, (reference) => use(ingress, reference, found), found)
    const tls = tlsOf(ingress, found)
    const addresses = (ingress.status?.loadBalancer?.ingress ?? []).flatMap((point) => (point.ip ? [point.ip] : []))
    for (const address of new Set([...addresses, localAddress])) addTo(site(address), routes, tls)
    // one trouble may have many places: it is told once
    const distinct = [...new Map(found.map((trouble) => [trouble.message, trouble])).values()]
    if (distinct.length > 0) troubles.set(keyOf(ingress), distinct)
  }
  for (const { tls } of sites.values()) {
    if (!tls) continue
    // the first without names is for what no other names; the fallback is always there, should another not be taken
    const [named, nameless] = [tls.certificates.filter((c) => c.names.length > 0), tls.certificates.filter((c) => c.names.length === 0)]
    tls.certificates = [...nameless, { id: state.fallback.id, names: [] }, ...named]
  }
  return {
    troubles,
    sources,
    desired: {
      sites: [...sites.values()].toSorted((a, b) => compare(a.address, b.address)),
      backends: [...backends.values()].toSorted((a, b) => compare(a.id, b.id)),
      certificates: [...certificates.values()].toSorted((a, b) => compare(a.id, b.id)),
    },
  }

  function site(address: string): Site {
    let known = sites.get(address)
    if (!known) sites.set(address, (known = { address, hosts: [] }))
    return known
  }

  /** The id of a backend; undefined when there is none. */
  function use(ingress: Ingress, reference: DeepReadonly<networking.IngressBackend>, found: Trouble[]): string | undefined {
    const answer = backendOf(ingress, reference, state.serviceAt)
    if ('trouble' in answer) {
      found.push(answer.trouble)
      return undefined
    }
    const { backend, service, portName } = answer
    if (!backends.has(backend.id)) {
      if (!backend.external) backend.endpoints = endpointsOf(state.slicesOf(keyOf(service)), portName)
      backends.set(backend.id, backend)
    }
    return backend.id
  }

  function tlsOf(ingress: Ingress, found: Trouble[]): { id: string; names: string[] }[] | undefined {
    if (!ingress.spec.tls?.length) return undefined
    return ingress.spec.tls.flatMap(({ hosts, secretName }) => {
      const names = (hosts ?? []).filter((host) => isHost(host))
      if (!secretName) return names.length > 0 ? [{ id: state.fallback.id, names }] : []
      const key = `${ingress.metadata.namespace}/${secretName}`
      const secret = state.secretAt(key)
      const answer = secret ? certificateOf(secret) : { trouble: { reason: 'SecretNotFound', message: `secret ${key} does not exist` } }
      if ('trouble' in answer) {
        found.push(answer.trouble)
        return names.length > 0 ? [{ id: state.fallback.id, names }] : []
      }
      const { id } = answer.certificate
      certificates.set(id, answer.certificate)
      sources.set(id, [...(sources.get(id) ?? []), { ingress: keyOf(ingress), secret: key }])
      return [{ id, names }]
    })
  }
}

const keyOf = (object: { readonly metadata: { readonly namespace?: string; readonly name: string } }) =>
  `${object.metadata.namespace}/${object.metadata.name}`
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

const isHost = (host: string) => /^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(host)

/** The routes of one Ingress, host by host; always with those for every other host, which hold the default backend. */
function routesOf(ingress: Ingress, use: (reference: DeepReadonly<networking.IngressBackend>) => string | undefined, found: Trouble[]): HostRoutes[] {
  const { spec } = ingress
  const fallback = spec.defaultBackend ? use(spec.defaultBackend) : undefined
  const hosts = new Map<string, HostRoutes>()
  const at = (host: string) => {
    let routes = hosts.get(host)
    if (!routes)
      hosts.set(
        host,
        (routes = { host, plainHttp: plainHttpOf(ingress, host), exact: new Map(), prefix: new Map(), ...(fallback ? { fallback } : {}) }),
      )
    return routes
  }
  if (spec.defaultBackend) at('')
  for (const rule of spec.rules ?? []) {
    const host = rule.host ?? ''
    if (host !== '' && !isHost(host)) {
      found.push({ reason: 'InvalidHost', message: `host ${JSON.stringify(host)} is not a name` })
      continue
    }
    const routes = at(host)
    // a rule without paths sends all traffic of its host to the default backend
    for (const { path, pathType, backend } of rule.http?.paths ?? []) {
      // map files have a line for each path; no request has these characters
      if (path !== undefined && /[^\x21-\x7e]/.test(path)) {
        found.push({ reason: 'InvalidPath', message: `path ${JSON.stringify(path)} has characters that no request has` })
        continue
      }
      const id = use(backend)
      // what leads nowhere answers 503, also when a shorter path leads somewhere
      const to = id ?? nowhere
      const { exact, key } = matcherOf(path ?? '/', pathType)
      const map = exact ? routes.exact : routes.prefix
      if (!map.has(key)) map.set(key, to)
    }
  }
  return [...hosts.values()]
}

/** The backend of routes whose service is missing: it has no endpoints. */
export const nowhere = 'nowhere'

/** A prefix matches element by element. What an implementation may decide is a prefix, too, GKE's way to write it (`/path/*`) included. */
function matcherOf(path: string, pathType: string): { exact: boolean; key: string } {
  if (pathType === 'Exact') return { exact: true, key: path }
  const plain = pathType === 'ImplementationSpecific' ? path.replace(/\/\*$/, '/') : path
  return { exact: false, key: plain.replace(/\/+$/, '') }
}

/** GKE's annotation refuses plain HTTP; hosts with TLS are redirected unless ours, or ingress-nginx', says otherwise. */
function plainHttpOf(ingress: Ingress, host: string): PlainHttp {
  const { tls } = ingress.spec
  const { annotations } = ingress.metadata
  if (annotations?.['kubernetes.io/ingress.allow-http'] === 'false') return 'refuse'
  if ((annotations?.['k8ts.dev/ssl-redirect'] ?? annotations?.['nginx.ingress.kubernetes.io/ssl-redirect']) === 'false') return 'serve'
  // an entry without hosts is for all of them
  const covered = tls?.some(({ hosts }) => !hosts?.length || hosts.includes(host) || (host !== '' && hosts.includes(host.replace(/^[^.]+/, '*'))))
  return covered ? 'redirect' : 'serve'
}

/** Merges the routes of one more Ingress into a site; what is there already stays. */
function addTo(site: Site, hosts: readonly HostRoutes[], tls: { id: string; names: string[] }[] | undefined): void {
  for (const added of hosts) {
    const known = site.hosts.find((routes) => routes.host === added.host)
    if (!known) {
      site.hosts.push({ ...added, exact: new Map(added.exact), prefix: new Map(added.prefix) })
      continue
    }
    for (const kind of ['exact', 'prefix'] as const) for (const [path, to] of added[kind]) if (!known[kind].has(path)) known[kind].set(path, to)
    known.fallback ??= added.fallback
  }
  if (!tls) return
  site.tls ??= { certificates: [] }
  const named = new Set(site.tls.certificates.flatMap((c) => c.names))
  for (const { id, names } of tls) {
    const free = names.filter((name) => !named.has(name))
    if (names.length === 0 ? site.tls.certificates.every((c) => c.names.length > 0) : free.length > 0) site.tls.certificates.push({ id, names: free })
    for (const name of free) named.add(name)
  }
}
