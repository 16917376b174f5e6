import { type DeepReadonly, type KubeList, type KubeObject, StatusError } from '#api'
import { Backoff, type Clock, type Logger, type Random, describeError } from '#base'
import type { ListQuery, ResourceClient, WatchEvent } from '#client'
import type { CacheWriter } from './cache-store.ts'

/**
 * Where a watcher is. It lists, page by page, then watches from the list's resource version; a watch that ends is resumed from the last
 * version it saw, and only when the server no longer knows that version it lists again.
 *
 * `from` of a listing: any version at least as new as this (`0`: whatever the server has at hand); empty asks for the newest there is.
 */
export type WatcherState<T extends KubeObject> =
  | { at: 'listing'; from: string; items: DeepReadonly<T>[]; page?: string }
  | { at: 'watching'; resourceVersion: string }

/** What happened to the request that the state asked for. */
export type WatcherInput<T extends KubeObject> =
  | { type: 'listed'; list: DeepReadonly<KubeList<T>> }
  | { type: 'event'; event: WatchEvent<T> }
  | { type: 'ended' }
  | { type: 'failed'; error: unknown }

/** What the cache is told, if anything. */
export type WatcherOutput<T extends KubeObject> =
  | { type: 'replace'; items: DeepReadonly<T>[]; resourceVersion: string }
  | { type: 'put' | 'remove'; object: DeepReadonly<T> }
  | { type: 'progress'; resourceVersion: string }

export interface WatcherStep<T extends KubeObject> {
  state: WatcherState<T>
  output?: WatcherOutput<T>
  /** The request that runs has to be given up and the new state's request made. */
  restart?: boolean
}

export const initialWatcherState: WatcherState<never> = { at: 'listing', from: '0', items: [] }

/** One step of the protocol: a pure function, so that every turn of it is a row of a table. */
export function stepWatcher<T extends KubeObject>(state: WatcherState<T>, input: WatcherInput<T>): WatcherStep<T> {
  switch (input.type) {
    case 'listed': {
      if (state.at !== 'listing') return { state }
      const { metadata, items } = input.list
      const all = state.items.length > 0 ? [...state.items, ...items] : (items as DeepReadonly<T>[])
      if (metadata.continue) return { state: { ...state, items: all, page: metadata.continue } }
      const resourceVersion = metadata.resourceVersion ?? ''
      return { state: { at: 'watching', resourceVersion }, output: { type: 'replace', items: all, resourceVersion } }
    }
    case 'event':
      return state.at === 'watching' ? onEvent(state, input.event) : { state }
    case 'ended':
      return { state }
    case 'failed':
      return { state: afterFailure(state, input.error) }
  }
}

function onEvent<T extends KubeObject>(state: WatcherState<T> & { at: 'watching' }, event: WatchEvent<T>): WatcherStep<T> {
  switch (event.type) {
    case 'BOOKMARK':
      if (!event.resourceVersion) return { state }
      return {
        state: { at: 'watching', resourceVersion: event.resourceVersion },
        output: { type: 'progress', resourceVersion: event.resourceVersion },
      }
    case 'ERROR':
      return { state: afterFailure(state, new StatusError(event.status)), restart: true }
    default: {
      const { object } = event
      const resourceVersion = object.metadata.resourceVersion ?? state.resourceVersion
      // without its version the event may be applied, but nothing can be resumed from it
      return { state: { at: 'watching', resourceVersion }, output: { type: event.type === 'DELETED' ? 'remove' : 'put', object } }
    }
  }
}

function afterFailure<T extends KubeObject>(state: WatcherState<T>, error: unknown): WatcherState<T> {
  const expired = error instanceof StatusError && (error.code === 410 || error.reason === 'Expired' || error.reason === 'Gone')
  // the version is not there yet: this server is behind the one we spoke to (another member, or a restored backup)
  const future = error instanceof StatusError && (error.reason === 'Timeout' || error.code === 504) && /resource version/i.test(error.message)
  if (state.at === 'watching') return expired ? { at: 'listing', from: state.resourceVersion, items: [] } : state
  // a page token that expired starts over; one that failed otherwise is asked for again
  if (expired || future) return { at: 'listing', from: '', items: [] }
  return state
}

export interface WatcherOptions<T extends KubeObject> {
  client: ResourceClient<T>
  writer: CacheWriter<T>
  clock: Clock
  log: Logger
  random: Random
  signal: AbortSignal
  /** Restricts what is watched. */
  query?: Pick<ListQuery, 'namespace' | 'labelSelector' | 'fieldSelector'>
  /** Objects per list request; 500 as client-go's pager. */
  pageSize?: number
}

/** A watch that lived shorter than this without an event counts as a failure, so that a server that hangs up at once is not asked in a hot loop. */
const shortWatch = 1000

/**
 * How long to wait at most for a server that does not answer at all, milliseconds: to ask costs it nothing, and who learns late that it is back acts
 * meanwhile on what is no longer true.
 */
const unreachablePause = 1000

/** The I/O around the step: makes the request that the state asks for until `signal` aborts. Never rejects. */
export async function runWatcher<T extends KubeObject>(options: WatcherOptions<T>): Promise<void> {
  const { client, writer, clock, log, random, signal, query, pageSize = 500 } = options
  const backoff = new Backoff({ initial: 200, max: 5_000, jitter: 0.5, random })
  let state: WatcherState<T> = initialWatcherState

  function advance(input: WatcherInput<T>): boolean {
    const step = stepWatcher(state, input)
    state = step.state
    const { output } = step
    if (output?.type === 'replace') writer.replace(output.items, output.resourceVersion)
    else if (output?.type === 'put') writer.put(output.object)
    else if (output?.type === 'remove') writer.remove(output.object)
    else if (output?.type === 'progress') writer.progress(output.resourceVersion)
    return step.restart ?? false
  }

  while (!signal.aborted) {
    let cancelOverdue: (() => void) | undefined
    try {
      if (state.at === 'listing') {
        const { from, page } = state
        // the first page may come from the server's memory as a whole; a page token carries its own version
        const version = page ? {} : from ? { resourceVersion: from, resourceVersionMatch: from === '0' ? undefined : ('NotOlderThan' as const) } : {}
        const list = await client.list({ ...query, ...version, limit: pageSize, continue: page, signal })
        advance({ type: 'listed', list })
        continue
      }
      const started = clock.monotonic()
      let events = 0
      // the server ends the watch after 5 to 10 minutes, so that half-dead connections end and servers get rebalanced
      const timeoutSeconds = Math.round(300 * (1 + random()))
      // a server that hangs does not end anything: then we do
      const overdue = new AbortController()
      cancelOverdue = clock.schedule((timeoutSeconds + 30) * 1000, () => overdue.abort())
      const watch = client.watch({
        ...query,
        resourceVersion: state.resourceVersion,
        allowBookmarks: true,
        timeoutSeconds,
        signal: AbortSignal.any([signal, overdue.signal]),
      })
      let failed = false
      for await (const event of watch) {
        events++
        if (event.type === 'ERROR') {
          log.debug('watch was answered an error', { error: event.status.message })
          failed = true
        } else backoff.reset()
        if (advance({ type: 'event', event })) break
      }
      if (signal.aborted) return
      advance({ type: 'ended' })
      const brief = clock.monotonic() - started < shortWatch
      if (!failed && !brief) backoff.reset()
      // the first time that a version is too old the list comes at once; whatever fails again, or hangs up without a word, waits
      if (failed && (state as WatcherState<T>).at === 'listing' && backoff.attempts() === 0) backoff.next()
      else if (failed || (events === 0 && brief)) await clock.sleep(backoff.next(), signal)
    } catch (error) {
      if (signal.aborted) return
      advance({ type: 'failed', error })
      const next = backoff.next()
      const wait = error instanceof StatusError ? next : Math.min(next, unreachablePause * (1 + random() / 2))
      // one line per outage, not one per try
      const report = backoff.attempts() === 1 ? log.warn : log.debug
      report('list or watch failed', { error: describeError(error), retryInMs: Math.round(wait) })
      await clock.sleep(wait, signal).catch(() => {})
    } finally {
      cancelOverdue?.()
    }
  }
}
