import type { KubeObject } from './object.ts'
import { kindTable } from './kind-table.ts'

export interface Subresource {
  name: string
  /** The kind of its body; the parent's where absent. */
  kind?: string
  group?: string
  version?: string
  verbs: readonly string[]
}

/** One kind in one served version: what discovery says of it, and which version of it is stored. */
export interface Kind<T extends KubeObject = KubeObject> {
  group: string
  version: string
  kind: string
  /** The plural in URLs, e.g. `deployments`. */
  resource: string
  singular: string
  shortNames: readonly string[]
  categories: readonly string[]
  namespaced: boolean
  /** Empty for a kind that exists as the body of a subresource alone. */
  verbs: readonly string[]
  subresources: readonly Subresource[]
  /** The group, version and resource in which objects of this kind are stored; itself for the preferred version. */
  storage: { group: string; version: string; resource: string }
  /** Kubernetes releases, e.g. `1.21`. */
  introduced?: string
  deprecated?: string
  removed?: string
  /** Carries the type only; never set. */
  readonly type?: T
}

export interface ApiGroup {
  /** Empty for the core group. */
  name: string
  /** Groups of higher priority come first in discovery. */
  priority: number
  /** In order of preference; the first is the preferred one. */
  versions: { version: string; kinds: readonly Kind[] }[]
}

const allVerbs: readonly string[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const getPatchUpdate: readonly string[] = ['get', 'patch', 'update']
const proxyVerbs: readonly string[] = ['create', 'delete', 'get', 'patch', 'update']
const streamVerbs: readonly string[] = ['create', 'get']

// Subresources by name, or by `resource/name` where the name alone does not tell.
const subresources: Record<string, Omit<Subresource, 'name'>> = {
  status: { verbs: getPatchUpdate },
  scale: { group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: getPatchUpdate },
  approval: { verbs: getPatchUpdate },
  finalize: { verbs: ['update'] },
  token: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest', verbs: ['create'] },
  binding: { kind: 'Binding', verbs: ['create'] },
  eviction: { group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] },
  ephemeralcontainers: { verbs: getPatchUpdate },
  resize: { verbs: getPatchUpdate },
  log: { verbs: ['get'] },
  attach: { kind: 'PodAttachOptions', verbs: streamVerbs },
  exec: { kind: 'PodExecOptions', verbs: streamVerbs },
  portforward: { kind: 'PodPortForwardOptions', verbs: streamVerbs },
  'pods/proxy': { kind: 'PodProxyOptions', verbs: proxyVerbs },
  'services/proxy': { kind: 'ServiceProxyOptions', verbs: proxyVerbs },
  'nodes/proxy': { kind: 'NodeProxyOptions', verbs: proxyVerbs },
}

// Kinds of two groups that are the same stored objects.
const storedElsewhere: Record<string, Kind['storage']> = {
  'events.k8s.io/events': { group: '', version: 'v1', resource: 'events' },
  'extensions/ingresses': { group: 'networking.k8s.io', version: 'v1', resource: 'ingresses' },
}

function parseKind(line: string, group: string, version: string, preferred: ReadonlyMap<string, string>): Kind {
  const [kind, resource, scope, ...attributes] = line.split(' ') as [string, string, string, ...string[]]
  const attribute = new Map(attributes.map((a) => a.split('=') as [string, string]))
  const list = (name: string): readonly string[] | undefined => attribute.get(name)?.split(',')
  return {
    group,
    version,
    kind,
    resource,
    singular: kind.toLowerCase(),
    shortNames: list('short') ?? [],
    categories: list('in') ?? [],
    namespaced: scope === 'namespaced',
    verbs: list('verbs') ?? allVerbs,
    subresources: (list('sub') ?? []).map((name) => ({ name, ...(subresources[`${resource}/${name}`] ?? subresources[name]!) })),
    storage: storedElsewhere[`${group}/${resource}`] ?? { group, version: preferred.get(resource) ?? version, resource },
    ...(attribute.has('since') ? { introduced: attribute.get('since')! } : {}),
    ...(attribute.has('deprecated') ? { deprecated: attribute.get('deprecated')! } : {}),
    ...(attribute.has('removed') ? { removed: attribute.get('removed')! } : {}),
  }
}

function parseTable(table: string): ApiGroup[] {
  const parsed: ApiGroup[] = []
  let group: ApiGroup = { name: '', priority: 0, versions: [] }
  let kindsOfVersion: Kind[] = []
  // The first version that a group lists for a resource is the one that is stored.
  let preferred = new Map<string, string>()
  for (const line of table.split('\n')) {
    const indent = line.length - line.trimStart().length
    const text = line.trim()
    if (text === '') continue
    if (indent === 0) {
      const [name, priority] = text.split(' ') as [string, string]
      group = { name: name === 'core' ? '' : name, priority: Number(priority), versions: [] }
      preferred = new Map()
      parsed.push(group)
    } else if (indent === 2) {
      kindsOfVersion = []
      group.versions.push({ version: text, kinds: kindsOfVersion })
    } else {
      const kind = parseKind(text, group.name, group.versions.at(-1)!.version, preferred)
      if (!preferred.has(kind.resource)) preferred.set(kind.resource, kind.version)
      kindsOfVersion.push(kind)
    }
  }
  return parsed
}

const table: readonly ApiGroup[] = parseTable(kindTable)

/** Every kind that is served, in the order of discovery. */
export const kinds: readonly Kind[] = table.flatMap((g) => g.versions.flatMap((v) => v.kinds))

const byResource = new Map(kinds.map((k) => [`${k.group}/${k.version}/${k.resource}`, k]))
const byKind = new Map(kinds.map((k) => [`${k.group}/${k.version}/${k.kind}`, k]))

/** The groups in the order of discovery, the core group first. */
export function groups(): readonly ApiGroup[] {
  return table
}

/** The kind behind a plural, e.g. `kindOfResource('apps', 'v1', 'deployments')`. */
export function kindOfResource(group: string, version: string, resource: string): Kind | undefined {
  return byResource.get(`${group}/${version}/${resource}`)
}

/** The kind of an object's `apiVersion` and `kind`. */
export function kindOf(apiVersion: string, kind: string): Kind | undefined {
  const { group, version } = parseApiVersion(apiVersion)
  return byKind.get(`${group}/${version}/${kind}`)
}

/** The kind in which objects of `kind` are stored; `kind` itself where it is that one. */
export function storageKind(kind: Kind): Kind {
  const { group, version, resource } = kind.storage
  return byResource.get(`${group}/${version}/${resource}`) ?? kind
}

/** `apps/v1` → group `apps`, version `v1`; `v1` → the core group. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? { group: '', version: apiVersion } : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}

/** The inverse of `parseApiVersion`. */
export function apiVersionOf(gv: { group: string; version: string }): string {
  return gv.group ? `${gv.group}/${gv.version}` : gv.version
}
