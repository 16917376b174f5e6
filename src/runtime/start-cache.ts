import type { KubeObject } from '#api'
import { type Clock, type Logger, type Random, realClock, silentLogger } from '#base'
import type { Client, ListQuery, ResourceRef } from '#client'
import type { Cache, IndexFunctions } from './cache.ts'
import { type CacheWriter, createCache } from './cache-store.ts'
import { runWatcher } from './watcher.ts'

export interface StartCacheOptions<T extends KubeObject> {
  client: Client
  ref: ResourceRef<T>
  /** Restricts the cache, e.g. `{ fieldSelector: 'spec.nodeName=n1' }`. */
  query?: Pick<ListQuery, 'namespace' | 'labelSelector' | 'fieldSelector'>
  indexes?: IndexFunctions<T>
  clock?: Clock
  log?: Logger
  random?: Random
  /** Stops the watch, as disposing does. */
  signal?: AbortSignal
}

export interface RunningCache<T extends KubeObject> extends Cache<T>, AsyncDisposable {
  /** Adds index functions; one whose name exists is left as it is. */
  index(functions: IndexFunctions<T>): void
}

/** Starts a watch of its own and answers its cache. For the resources of a whole cluster use `ControllerContext.cache`, which shares them. */
export function startCache<T extends KubeObject>(options: StartCacheOptions<T>): RunningCache<T> {
  const { client, ref, query, indexes, clock = realClock, log = silentLogger, random = Math.random } = options
  const own = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, own.signal]) : own.signal
  const named = log.named(`cache/${ref.resource}`)
  const { cache, writer } = createCache<T>((error) => named.error('a cache listener failed', { error: error as Error }))
  if (indexes) writer.index(indexes)
  const done = runWatcher({ client: client.resource(ref), writer, clock, log: named, random, signal, query })
  return withDisposal(cache, writer, async () => {
    own.abort()
    await done
  })
}

function withDisposal<T extends KubeObject>(cache: Cache<T>, writer: CacheWriter<T>, dispose: () => Promise<void>): RunningCache<T> {
  return {
    get: cache.get,
    list: cache.list,
    byIndex: cache.byIndex,
    ready: cache.ready,
    subscribe: cache.subscribe,
    get synced() {
      return cache.synced
    },
    get resourceVersion() {
      return cache.resourceVersion
    },
    index: writer.index,
    [Symbol.asyncDispose]: dispose,
  }
}
