import type { cri } from '../cri/index.ts'
import type { Pod } from './names.ts'

export interface ClusterDns {
  /** Addresses of the cluster's DNS servers; without any, pods get the node's own configuration. */
  servers: readonly string[]
  /** `cluster.local`. */
  domain: string
}

export interface ResolverConfig {
  servers: string[]
  searches: string[]
  options: string[]
}

/** Reads a resolv.conf(5): of repeated `search` lines the last counts. */
export function parseResolvConf(text: string): ResolverConfig {
  const config: ResolverConfig = { servers: [], searches: [], options: [] }
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/)
    if (keyword === 'nameserver' && values[0]) config.servers.push(values[0])
    else if (keyword === 'search') config.searches = values.filter((v) => v !== '.').map((v) => v.replace(/\.$/, ''))
    else if (keyword === 'options') config.options = values
  }
  return config
}

// glibc's limit on servers; Kubernetes' own on the search list.
const maxServers = 3
const maxSearches = 32
const maxSearchLength = 2048

/** The resolver configuration of a pod's containers, as its `dnsPolicy` and `dnsConfig` say. `host` is the node's own. */
export function podDns(pod: Pod, cluster: ClusterDns, host: ResolverConfig): cri.DNSConfig {
  const base = byPolicy(pod, cluster, host)
  const own = pod.spec?.dnsConfig
  const searches = unique([...base.searches, ...(own?.searches ?? [])])
  const options = new Map(base.options.map(splitOption))
  for (const { name, value } of own?.options ?? []) if (name) options.set(name, value ?? '')
  return {
    servers: unique([...base.servers, ...(own?.nameservers ?? [])]).slice(0, maxServers),
    searches: fitSearches(searches),
    options: [...options].map(([name, value]) => (value === '' ? name : `${name}:${value}`)),
  }
}

function byPolicy(pod: Pod, cluster: ClusterDns, host: ResolverConfig): ResolverConfig {
  const policy = pod.spec?.dnsPolicy ?? 'ClusterFirst'
  if (policy === 'None') return { servers: [], searches: [], options: [] }
  const clusterFirst = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !pod.spec?.hostNetwork)
  if (!clusterFirst || cluster.servers.length === 0) return host
  const { domain } = cluster
  const own = [`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain]
  return { servers: [...cluster.servers], searches: [...own, ...host.searches], options: ['ndots:5'] }
}

const unique = (list: string[]) => [...new Set(list)]

function splitOption(option: string): [string, string] {
  const colon = option.indexOf(':')
  return colon < 0 ? [option, ''] : [option.slice(0, colon), option.slice(colon + 1)]
}

function fitSearches(searches: string[]): string[] {
  const kept: string[] = []
  let length = 0
  for (const search of searches.slice(0, maxSearches)) {
    length += search.length + 1
    if (length > maxSearchLength + 1) break
    kept.push(search)
  }
  return kept
}

export interface PodHostname {
  hostname: string
  /** The fully qualified name, where the pod has a subdomain. */
  fqdn?: string
}

/** The longest host name that Linux takes. */
const maxHostname = 64

/** The name a pod sees as its own. Throws when `setHostnameAsFQDN` makes it longer than the kernel allows. */
export function podHostname(pod: Pod, domain: string): PodHostname {
  const short = (pod.spec?.hostnameOverride ?? (pod.spec?.hostname || pod.metadata.name)).slice(0, 63).replace(/[-.]+$/, '')
  const hostname = pod.spec?.hostnameOverride ?? short
  const { subdomain } = pod.spec ?? {}
  if (!subdomain || pod.spec?.hostnameOverride) return { hostname }
  const fqdn = `${hostname}.${subdomain}.${pod.metadata.namespace}.svc.${domain}`
  if (!pod.spec?.setHostnameAsFQDN) return { hostname, fqdn }
  if (fqdn.length > maxHostname) {
    throw new Error(
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long (${maxHostname} characters is the max, ${fqdn.length} characters requested)`,
    )
  }
  return { hostname: fqdn, fqdn }
}
