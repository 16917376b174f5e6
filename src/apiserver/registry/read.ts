import type { DeepReadonly, KubeObject, StatusCause } from '#api'
import { errors } from '#api'
import type { Listing } from '#store'
import { StoreError } from '#store'
import { CacheEntry } from './cache-entry.ts'
import type { Registry, ServedResource } from './registry.ts'
import type { Selection } from './selection.ts'
import { splitStoreKey } from './watch-cache.ts'
import { jsonError } from '../json-error.ts'
import { stored } from './write.ts'

/** How long a read waits for a revision that has not arrived, milliseconds. */
const arrivalLimit = 3000

/** Reads one object, at once unless it has to wait for the store; `resourceVersion` other than "" and "0" is the least that will do. Throws, or rejects with, StatusError. */
export function getObject(
  registry: Registry,
  served: ServedResource,
  namespace: string,
  name: string,
  resourceVersion: string | null,
): CacheEntry | Promise<CacheEntry> {
  const read = () => {
    const entry = served.cache.get(namespace, name)
    if (!entry) throw errors.notFound(served.gr, name)
    return entry
  }
  if (resourceVersion) {
    const revision = parseRevision(resourceVersion)
    if (revision > registry.cache.revision) return notOlderThan(registry, revision).then(read)
  } else if (registry.sharedStore) return upToDate(registry).then(read)
  return read()
}

/** Waits until the cache has everything that was acknowledged by whatever server before this call. */
export async function upToDate(registry: Registry): Promise<void> {
  await registry.cache.applied(await stored(registry.store.currentRevision()))
}

async function notOlderThan(registry: Registry, revision: number): Promise<void> {
  if (await registry.cache.appliedWithin(revision, arrivalLimit)) return
  throw tooLarge(revision, registry.cache.revision)
}

export function tooLarge(revision: number, current: number) {
  const error = errors.timeout(`Too large resource version: ${revision}, current: ${current}`, 1)
  error.status.details!.causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }]
  return error
}

export function parseRevision(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw errors.badRequest(
    `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
  )
}

export interface ListRequest {
  namespace: string
  selection: Selection
  resourceVersion: string
  resourceVersionMatch: string
  limit: number
  continue: string
  /** The request has the option, which only watches may have. */
  sendInitialEvents?: boolean
}

export interface List {
  /** Undefined: all entries of `namespace`, whose joined bytes the cache keeps. */
  entries: readonly CacheEntry[] | undefined
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number }
}

/** Reads a collection with upstream's semantics of resourceVersion, resourceVersionMatch, limit and continue. */
export async function listObjects(registry: Registry, served: ServedResource, request: ListRequest): Promise<List> {
  checkListRequest(request)
  const { cache } = served
  // what may be of any version is read from memory, whole
  if (request.resourceVersion === '0' && request.resourceVersionMatch !== 'Exact' && !request.continue) request = { ...request, limit: 0 }
  const { namespace, selection, resourceVersion, limit } = request
  if (request.continue) return continued(registry, served, request)
  if (!resourceVersion) {
    if (registry.sharedStore) await upToDate(registry)
  } else if (resourceVersion !== '0') {
    const revision = parseRevision(resourceVersion)
    await notOlderThan(registry, revision)
    const exact = request.resourceVersionMatch === 'Exact' || (limit > 0 && !request.resourceVersionMatch)
    if (exact && cache.version > revision) return page(registry, served, request, revision, undefined)
    if (exact) return fromCache(served, request, revision, undefined)
  }
  if (limit <= 0 && !selection.matches && !selection.name)
    return { entries: undefined, metadata: { resourceVersion: String(registry.cache.revision) } }
  if (selection.name && namespace) {
    const entry = cache.get(namespace, selection.name)
    return {
      entries: entry && (!selection.matches || selection.matches(entry)) ? [entry] : [],
      metadata: { resourceVersion: String(registry.cache.revision) },
    }
  }
  return fromCache(served, request, registry.cache.revision, undefined)
}

/** A page of the cache's present state, which is also the state at `revision`. */
function fromCache(served: ServedResource, request: ListRequest, revision: number, after: string | undefined): List {
  const { namespace, selection, limit } = request
  const all = served.cache.list(namespace || undefined)
  const metadata: List['metadata'] = { resourceVersion: String(revision) }
  let at = after === undefined ? 0 : firstAfter(all, after)
  if (limit <= 0) return { entries: selection.matches ? all.slice(at).filter(selection.matches) : all.slice(at), metadata }
  const entries: CacheEntry[] = []
  for (; at < all.length && entries.length < limit; at++) {
    const entry = all[at]!
    if (!selection.matches || selection.matches(entry)) entries.push(entry)
  }
  if (at < all.length && (!selection.matches || all.slice(at).some(selection.matches))) {
    metadata.continue = continueToken(revision, entries.at(-1)!.key, served.cache.prefix)
    if (!selection.matches) metadata.remainingItemCount = all.length - at
  }
  return { entries, metadata }
}

function firstAfter(entries: readonly CacheEntry[], key: string): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (entries[middle]!.key <= key) low = middle + 1
    else high = middle
  }
  return low
}

async function continued(registry: Registry, served: ServedResource, request: ListRequest): Promise<List> {
  const { revision, start } = parseToken(request.continue)
  if (request.resourceVersion && request.resourceVersion !== '0')
    throw errors.badRequest('specifying resource version is not allowed when using continue')
  const after = served.cache.prefix + start
  if (revision < 0) return fromCache(served, request, registry.cache.revision, after)
  await notOlderThan(registry, revision)
  if (served.cache.version <= revision) return fromCache(served, request, revision, after)
  return page(registry, served, request, revision, after)
}

/** A page of the past: read from the store, which keeps history until it is compacted. */
async function page(registry: Registry, served: ServedResource, request: ListRequest, revision: number, after: string | undefined): Promise<List> {
  const { namespace, selection, limit } = request
  const { prefix } = served.cache
  const range = namespace ? `${prefix}${namespace}/` : prefix
  const entries: CacheEntry[] = []
  let from = after
  for (;;) {
    let listing: Listing
    try {
      listing = await registry.store.list(range, {
        revision,
        ...(limit > 0 ? { limit: limit - entries.length } : {}),
        ...(from ? { after: from } : {}),
      })
    } catch (error) {
      if (error instanceof StoreError && error.kind === 'compacted')
        throw after === undefined ? tooOld() : tooOldToContinue(after.slice(prefix.length))
      if (error instanceof StoreError && error.kind === 'future') throw tooLarge(revision, registry.cache.revision)
      return stored(Promise.reject(error))
    }
    for (const { key, value, modRevision } of listing.items) {
      const place = splitStoreKey(key, prefix)
      const cached = served.cache.get(place.namespace, place.name)
      const entry = cached?.revision === modRevision ? cached : new CacheEntry(key, place.namespace, place.name, modRevision, value)
      if (!selection.matches || selection.matches(entry)) entries.push(entry)
    }
    from = listing.items.at(-1)?.key
    if (listing.more && from && (limit <= 0 || entries.length < limit)) continue
    const metadata: List['metadata'] = { resourceVersion: String(revision) }
    if (listing.more && from) {
      metadata.continue = continueToken(revision, from, prefix)
      if (!selection.matches && listing.remaining !== undefined) metadata.remainingItemCount = listing.remaining
    }
    return { entries, metadata }
  }
}

const tooOld = () => errors.expired('The resourceVersion for the provided list is too old.')

/** The token in the answer goes on at the newest revision: the rest of the list, though not of the same moment. */
function tooOldToContinue(start: string) {
  const error = errors.expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  )
  error.status.metadata = { continue: encodeToken(-1, start) }
  return error
}

function continueToken(revision: number, lastKey: string, prefix: string): string {
  return encodeToken(revision, lastKey.slice(prefix.length))
}

/** Opaque to clients: the revision that all pages show (-1: the newest) and the key that was last shown. */
function encodeToken(revision: number, start: string): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: start + '\0' })).toString('base64url')
}

function parseToken(token: string): { revision: number; start: string } {
  const refused = (why: string) => errors.badRequest(`invalid continue token: continue key is not valid: ${why}`)
  const text = Buffer.from(token, 'base64url').toString('latin1')
  const problem = jsonError(text)
  if (problem) throw refused(problem)
  const { v, rv, start } = (JSON.parse(Buffer.from(token, 'base64url').toString()) ?? {}) as { v?: string; rv?: number; start?: string }
  if (v !== 'meta.k8s.io/v1') throw refused(`server does not recognize this encoded version ${typeof v === 'string' ? v : ''}`)
  if (!Number.isInteger(rv) || typeof start !== 'string' || !start.endsWith('\0')) throw refused('it was not made by this server')
  return { revision: rv!, start: start.slice(0, -1) }
}

function checkListRequest({ resourceVersion, resourceVersionMatch: match, continue: token, sendInitialEvents }: ListRequest): void {
  const causes: StatusCause[] = []
  if (sendInitialEvents)
    causes.push({ reason: 'FieldValueForbidden', message: 'Forbidden: sendInitialEvents is forbidden for list', field: 'sendInitialEvents' })
  const forbidden = (why: string) => causes.push({ reason: 'FieldValueForbidden', message: `Forbidden: ${why}`, field: 'resourceVersionMatch' })
  if (match && token) forbidden('resourceVersionMatch is forbidden when continue is provided')
  if (match && !resourceVersion) forbidden('resourceVersionMatch is forbidden unless resourceVersion is provided')
  if (match && match !== 'Exact' && match !== 'NotOlderThan')
    causes.push({
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan", ""`,
      field: 'resourceVersionMatch',
    })
  if (match === 'Exact' && resourceVersion === '0') forbidden('resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
  if (causes.length > 0) throw errors.invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', causes)
}

export function objectsOf(entries: readonly CacheEntry[]): DeepReadonly<KubeObject>[] {
  return entries.map((entry) => entry.object)
}
