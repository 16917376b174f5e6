import { createHash } from 'node:crypto'
import { groupDiscoveryList } from './aggregated.ts'
import { apiGroup, apiGroupList, apiResourceList, apiVersions } from './documents.ts'
import type { ExtensionGroup } from './extension.ts'
import type { DiscoveredGroup } from './groups.ts'
import { discoveredGroups } from './groups.ts'

/** A document that is the same for everybody until what is served changes. */
export interface StaticAnswer {
  status: 200 | 304 | 406
  headers: Record<string, string>
  bytes: Uint8Array
}

export interface DiscoveryOptions {
  /** Of the request: a client that has the aggregated document already gets 304. */
  ifNoneMatch?: string
  /** Host and port as clients reach the server, for `/api`. */
  serverAddress?: string
}

/**
 * Answers `/api`, `/apis`, `/apis/<group>`, `/api/v1` and `/apis/<group>/<version>`, aggregated where `accept` asks for
 * it; undefined for any other path and for groups and versions that are not served. Bytes are made once per list of
 * extensions: pass the same array for as long as nothing changes.
 */
export function discoveryHandler(
  path: string,
  accept: string | undefined,
  extensions: readonly ExtensionGroup[],
  options: DiscoveryOptions = {},
): StaticAnswer | undefined {
  const [, root, group, version, ...rest] = path.replace(/\/$/, '').split('/')
  if (rest.length > 0) return undefined
  const view = viewOf(extensions)
  if (root === 'api') {
    if (version !== undefined) return undefined
    return group === undefined ? rootAnswer(view, 'api', accept, options) : view.resources('', group)
  }
  if (root !== 'apis') return undefined
  if (group === undefined) return rootAnswer(view, 'apis', accept, options)
  return version === undefined ? view.group(group) : view.resources(group, version)
}

interface View {
  groups: readonly DiscoveredGroup[]
  group(name: string): StaticAnswer | undefined
  resources(group: string, version: string): StaticAnswer | undefined
  memo(key: string, make: () => StaticAnswer): StaticAnswer
}

const views = new WeakMap<readonly ExtensionGroup[], View>()

function viewOf(extensions: readonly ExtensionGroup[]): View {
  const known = views.get(extensions)
  if (known) return known
  const groups = discoveredGroups(extensions)
  const made = new Map<string, StaticAnswer>()
  const view: View = {
    groups,
    memo(key, make) {
      const answer = made.get(key) ?? make()
      made.set(key, answer)
      return answer
    },
    group(name) {
      const group = name === '' ? undefined : groups.find((g) => g.name === name)
      return group && view.memo(`/apis/${name}`, () => plain(apiGroup(group)))
    },
    resources(name, version) {
      const found = groups.find((g) => g.name === name)?.versions.find((v) => v.version === version)
      return found && view.memo(`/apis/${name}/${version}`, () => plain(apiResourceList(name, found)))
    },
  }
  views.set(extensions, view)
  return view
}

function rootAnswer(view: View, root: 'api' | 'apis', accept: string | undefined, options: DiscoveryOptions): StaticAnswer {
  const isCore = (g: DiscoveredGroup) => g.name === ''
  const groups = view.groups.filter((g) => isCore(g) === (root === 'api'))
  const form = formFor(accept)
  if (form === 'plain') {
    const { serverAddress } = options
    return view.memo(`/${root} ${root === 'api' ? serverAddress : ''}`, () =>
      plain(root === 'api' ? apiVersions(groups[0]!, serverAddress) : apiGroupList(groups), { vary: 'Accept' }),
    )
  }
  const answer = view.memo(`/${root} ${form}`, () => aggregated(groupDiscoveryList(groups, form), form))
  return isSame(options.ifNoneMatch, answer.headers.etag!) ? { status: 304, headers: answer.headers, bytes: new Uint8Array() } : answer
}

/** The first form of the Accept header that is known. Clients list aggregated forms first and plain JSON as the fallback. */
function formFor(accept: string | undefined): 'plain' | 'v2' | 'v2beta1' {
  for (const range of (accept ?? '').split(',')) {
    const [type, ...pairs] = range.split(';').map((part) => part.trim())
    const parameters = new Map(pairs.map((pair) => pair.split('=') as [string, string]))
    if (parameters.get('as') === 'APIGroupDiscoveryList' && parameters.get('g') === 'apidiscovery.k8s.io') {
      const version = parameters.get('v')
      if (type === 'application/json' && (version === 'v2' || version === 'v2beta1')) return version
    } else if (type === 'application/json' || type === '*/*' || type === 'application/*') {
      return 'plain'
    }
  }
  return 'plain'
}

function plain(document: object, headers: Record<string, string> = {}): StaticAnswer {
  return { status: 200, headers: { 'content-type': 'application/json', ...headers }, bytes: Buffer.from(JSON.stringify(document)) }
}

function aggregated(document: object, version: string): StaticAnswer {
  const bytes = Buffer.from(JSON.stringify(document))
  return {
    status: 200,
    headers: {
      'content-type': `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
      'cache-control': 'public',
      etag: etagOf(bytes),
      vary: 'Accept',
    },
    bytes,
  }
}

export function etagOf(bytes: Uint8Array): string {
  return `"${createHash('sha512').update(bytes).digest('hex').toUpperCase()}"`
}

/** Whether an If-None-Match header names this tag. */
export function isSame(ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch !== undefined && ifNoneMatch.split(',').some((tag) => tag.trim() === etag || tag.trim() === '*')
}
