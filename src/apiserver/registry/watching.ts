import type { StatusCause } from '#api'
import { errors } from '#api'
import { parseRevision, tooLarge, upToDate } from './read.ts'
import type { Registry, ServedResource } from './registry.ts'
import type { Selection } from './selection.ts'
import type { View } from './watcher.ts'
import { Watcher } from './watcher.ts'

export interface WatchRequest {
  namespace: string
  selection: Selection
  resourceVersion: string
  resourceVersionMatch: string
  /** Of lists alone: a watch that names one is refused. */
  continue?: string
  allowBookmarks: boolean
  sendInitialEvents: boolean | undefined
  /** Milliseconds after which the server ends the watch. */
  timeout: number
}

/** Time between bookmarks, milliseconds. */
const bookmarkInterval = 60_000
/** How long a watch waits for a revision that has not arrived, milliseconds. */
const arrivalLimit = 3000

/** Begins a watch. It ends by its timeout, by `signal`, when its client is too slow, or when the server stops. */
export async function watchObjects(
  registry: Registry,
  served: ServedResource,
  request: WatchRequest,
  view: View,
  signal?: AbortSignal,
): Promise<Watcher> {
  checkWatchRequest(request)
  const { cache } = served
  const { selection, namespace } = request
  const watcher = new Watcher({
    cache,
    view,
    version: served.kind.version,
    clock: registry.clock,
    ...(namespace ? { namespace } : {}),
    ...(selection.matches ? { matches: selection.matches } : {}),
    ...(selection.exact ? { exact: selection.exact } : {}),
  })
  const { resourceVersion } = request
  const streamList = request.sendInitialEvents === true
  if (streamList || !resourceVersion || resourceVersion === '0') {
    if (streamList && resourceVersion && resourceVersion !== '0') await arrival(registry, parseRevision(resourceVersion))
    else if (resourceVersion !== '0' && registry.sharedStore) await upToDate(registry)
    // from here to addWatcher nothing waits: no event can slip in between
    if (request.sendInitialEvents !== false) {
      if (selection.name && namespace) {
        const entry = cache.get(namespace, selection.name)
        if (entry) watcher.initial(entry)
      } else for (const entry of cache.list(namespace || undefined)) watcher.initial(entry)
      // also of a watch that says nothing: it begins with what is there
      if (request.allowBookmarks) watcher.bookmark(registry.cache.revision, { 'k8s.io/initial-events-end': 'true' })
    }
  } else {
    const revision = parseRevision(resourceVersion)
    if (revision > registry.cache.revision) await arrival(registry, revision)
    const events = cache.eventsAfter(revision)
    if (!events) {
      watcher.error(errors.expired(`too old resource version: ${revision} (${cache.oldest})`).status)
      return watcher
    }
    for (const event of events) watcher.offer(event)
  }
  cache.addWatcher(watcher)
  const finish = () => {
    if (request.allowBookmarks) watcher.bookmark(registry.cache.revision)
    watcher.end()
  }
  watcher.onEnd(registry.clock.schedule(request.timeout, finish))
  if (request.allowBookmarks) keepBookmarking(registry, watcher)
  if (signal) {
    const stop = () => watcher.end()
    if (signal.aborted) stop()
    else {
      signal.addEventListener('abort', stop, { once: true })
      watcher.onEnd(() => signal.removeEventListener('abort', stop))
    }
  }
  return watcher
}

function keepBookmarking(registry: Registry, watcher: Watcher): void {
  let cancel: () => void
  const again = () => {
    watcher.bookmark(registry.cache.revision)
    cancel = registry.clock.schedule(bookmarkInterval, again)
  }
  cancel = registry.clock.schedule(bookmarkInterval, again)
  watcher.onEnd(() => cancel())
}

async function arrival(registry: Registry, revision: number): Promise<void> {
  if (!(await registry.cache.appliedWithin(revision, arrivalLimit))) throw tooLarge(revision, registry.cache.revision)
}

function checkWatchRequest({ sendInitialEvents, resourceVersion, resourceVersionMatch: match, continue: token }: WatchRequest): void {
  const causes: StatusCause[] = []
  const forbidden = (why: string) => causes.push({ reason: 'FieldValueForbidden', message: `Forbidden: ${why}`, field: 'resourceVersionMatch' })
  // without a version, what is there comes first: upstream takes that for a match
  const fromNow = sendInitialEvents === undefined && (!resourceVersion || resourceVersion === '0')
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan')
    forbidden('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
  if (sendInitialEvents === undefined && match) forbidden('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
  if (match && match !== 'NotOlderThan')
    causes.push({
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(match)}: supported values: "NotOlderThan"`,
      field: 'resourceVersionMatch',
    })
  if (token && (match || fromNow)) forbidden('resourceVersionMatch is forbidden when continue is provided')
  if (causes.length > 0) throw errors.invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', causes)
}
