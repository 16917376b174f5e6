import { createHash } from 'node:crypto'
import { StatusError, encodeCbor, schemaOf, sealed, writeFields } from '#api'
import type { Accepted } from '../http/negotiate.ts'
import { cborType, clausesOf, covers, negotiate, protobufType } from '../http/negotiate.ts'
import { emitYaml } from '../yaml/emit.ts'
import { groupDiscoveryList } from './aggregated.ts'
import type { DiscoveryDocument } from './documents.ts'
import { apiGroup, apiGroupList, apiResourceList, apiVersions } from './documents.ts'
import type { ExtensionGroup } from './extension.ts'
import type { DiscoveredGroup } from './groups.ts'
import { discoveredGroups } from './groups.ts'

/** A document that is the same for everybody until what is served changes. */
export interface StaticAnswer {
  status: 200 | 304 | 406
  headers: Record<string, string>
  bytes: Uint8Array
  /** The format was chosen. */
  form: 'fixed'
}

export interface DiscoveryOptions {
  /** Of the request: a client that has the aggregated document already gets 304. */
  ifNoneMatch?: string
  /** Host and port as clients reach the server, for `/api`. */
  serverAddress?: string
}

/**
 * Answers `/api`, `/apis`, `/apis/<group>`, `/api/v1` and `/apis/<group>/<version>` in the format that `accept` weighs highest, aggregated where it asks for
 * that; undefined for any other path and for groups and versions that are not served. Bytes are made once per list of
 * extensions: pass the same array for as long as nothing changes.
 */
export function discoveryHandler(
  path: string,
  accept: string | undefined,
  extensions: readonly ExtensionGroup[],
  options: DiscoveryOptions = {},
): StaticAnswer | undefined {
  const [, root, group, version, ...rest] = path.replace(/\/$/, '').split('/')
  if (rest.length > 0 || (root !== 'api' && root !== 'apis') || (root === 'api' && version !== undefined)) return undefined
  const view = viewOf(extensions)
  if (group === undefined) return rootAnswer(view, root, accept, options)
  return root === 'api'
    ? view.resources('', group, accept)
    : version === undefined
      ? view.group(group, accept)
      : view.resources(group, version, accept)
}

interface View {
  groups: readonly DiscoveredGroup[]
  group(name: string, accept: string | undefined): StaticAnswer | undefined
  resources(group: string, version: string, accept: string | undefined): StaticAnswer | undefined
  memo(key: string, make: () => StaticAnswer): StaticAnswer
  /** A document in the accepted format, or the 406. */
  plain(key: string, accept: string | undefined, make: () => DiscoveryDocument, use: 'resourceLists' | 'versions' | 'groups'): StaticAnswer
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
    group(name, accept) {
      const group = name === '' ? undefined : groups.find((g) => g.name === name)
      return group && view.plain(`/apis/${name}`, accept, () => apiGroup(group), 'groups')
    },
    resources(name, version, accept) {
      const found = groups.find((g) => g.name === name)?.versions.find((v) => v.version === version)
      return found && view.plain(`/apis/${name}/${version}`, accept, () => apiResourceList(name, found), 'resourceLists')
    },
    plain(key, accept, make, use) {
      let format: Accepted['format']
      try {
        format = negotiate(accept, use).format
      } catch (error) {
        if (!(error instanceof StatusError)) throw error
        const bytes = Buffer.from(JSON.stringify(error.status, undefined, 2))
        return { status: 406, headers: { 'content-type': 'application/json' }, bytes, form: 'fixed' }
      }
      return view.memo(`${key} ${format}`, () => ({
        status: 200,
        headers: { 'content-type': mediaTypes[format] },
        bytes: encoded(make(), format),
        form: 'fixed',
      }))
    },
  }
  views.set(extensions, view)
  return view
}

const mediaTypes: Record<Accepted['format'], string> = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: protobufType,
  cbor: cborType,
}

function encoded(document: DiscoveryDocument, format: Accepted['format']): Uint8Array {
  switch (format) {
    case 'json':
      return Buffer.from(JSON.stringify(document))
    case 'yaml':
      return Buffer.from(emitYaml(document))
    case 'cbor':
      return encodeCbor(document)
    case 'protobuf': {
      // the core group's documents have no version, neither here
      const { kind, apiVersion = '' } = document
      return sealed({ kind, apiVersion }, (writer) => writeFields(writer, { ...document }, schemaOf(apiVersion || 'v1', kind)!), 4096)
    }
  }
}

function rootAnswer(view: View, root: 'api' | 'apis', accept: string | undefined, options: DiscoveryOptions): StaticAnswer {
  const isCore = (g: DiscoveredGroup) => g.name === ''
  const groups = view.groups.filter((g) => isCore(g) === (root === 'api'))
  const form = aggregatedForm(accept)
  if (!form) {
    const { serverAddress } = options
    const make = () => (root === 'api' ? apiVersions(groups[0]!, serverAddress) : apiGroupList(groups))
    return view.plain(`/${root} ${root === 'api' ? serverAddress : ''}`, accept, make, root === 'api' ? 'versions' : 'groups')
  }
  const answer = view.memo(`/${root} ${form.version} ${form.format}`, () => aggregated(groupDiscoveryList(groups, form.version), form))
  return isSame(options.ifNoneMatch, answer.headers.etag!) ? { ...answer, status: 304, bytes: new Uint8Array() } : answer
}

interface AggregatedForm {
  format: Accepted['format']
  version: 'v2' | 'v2beta1'
}

/** What an Accept header asks for of the aggregated document; undefined where it does not. Whatever else it names, clients that know the document want it. */
function aggregatedForm(accept: string | undefined): AggregatedForm | undefined {
  if (!accept?.includes('APIGroupDiscoveryList')) return undefined
  for (const clause of clausesOf(accept)) {
    const [as, group, version] = ['as', 'g', 'v'].map((name) => clause.parameters.get(name))
    if (as !== 'APIGroupDiscoveryList' || group !== 'apidiscovery.k8s.io' || (version !== 'v2' && version !== 'v2beta1')) continue
    for (const format of ['json', 'yaml', 'protobuf'] as const) if (covers(clause, mediaTypes[format])) return { format, version }
  }
  return undefined
}

function aggregated(document: DiscoveryDocument, { format, version }: AggregatedForm): StaticAnswer {
  return {
    status: 200,
    headers: {
      'content-type': `${mediaTypes[format]};g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
      'cache-control': 'public',
      // of the JSON in every format, as upstream does: caches tell formats apart by Vary
      etag: etagOf(Buffer.from(JSON.stringify(document))),
      vary: 'Accept',
    },
    bytes: encoded(document, format),
    form: 'fixed',
  }
}

export function etagOf(bytes: Uint8Array): string {
  return `"${createHash('sha512').update(bytes).digest('hex').toUpperCase()}"`
}

/** Whether an If-None-Match header names this tag. */
export function isSame(ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch !== undefined && ifNoneMatch.split(',').some((tag) => tag.trim() === etag || tag.trim() === '*')
}
