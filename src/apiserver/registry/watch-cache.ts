import type { Clock, Logger } from '#base'
import { Teardown, describeError } from '#base'
import type { DeepReadonly, KubeObject } from '#api'
import type { Store, StoreEvent, WriteResult } from '#store'
import { StoreError } from '#store'
import type { ObjectReader } from '../object-reader.ts'
import { CacheEntry } from './cache-entry.ts'
import { ResourceCache } from './resource-cache.ts'

export const registryPrefix = '/registry/'

/** `/registry/apps/deployments/`; the core group is written out. */
export function resourcePrefix(group: string, resource: string): string {
  return `${registryPrefix}${group || 'core'}/${resource}/`
}

/** The store's key of an object; `namespace` is empty for cluster-scoped resources. */
export function storeKey(prefix: string, namespace: string, name: string): string {
  return namespace ? `${prefix}${namespace}/${name}` : prefix + name
}

/** Splits `…/RESOURCE/[NAMESPACE/]NAME` after its resource's prefix. */
export function splitStoreKey(key: string, prefix: string): { namespace: string; name: string } {
  const slash = key.indexOf('/', prefix.length)
  return slash < 0 ? { namespace: '', name: key.slice(prefix.length) } : { namespace: key.slice(prefix.length, slash), name: key.slice(slash + 1) }
}

export interface WatchCacheOptions {
  store: Store
  clock: Clock
  log: Logger
  /** Freezes every object before it is shared. */
  freeze?: boolean
}

/**
 * Everything the store holds, in memory, kept current by one watch. It moves forward only and never shows what is not
 * durable. A write of this server has been applied here before it is acknowledged (`applied`).
 */
export class WatchCache implements AsyncDisposable {
  readonly #store: Store
  readonly #clock: Clock
  readonly #log: Logger
  readonly #freeze: boolean
  readonly #resources = new Map<string, ResourceCache>()
  /** The one that was asked for last of those that have a resource's name. */
  readonly #byName = new Map<string, ResourceCache>()
  readonly #abort = new AbortController()
  readonly #teardown = new Teardown()
  #revision = 0
  #waiters: { revision: number; resolve: () => void }[] = []
  /** Objects of this server's own writes by the bytes they were written as: no need to parse what was just serialized. */
  readonly #written = new Map<Uint8Array, KubeObject>()

  constructor(options: WatchCacheOptions) {
    this.#store = options.store
    this.#clock = options.clock
    this.#log = options.log
    this.#freeze = options.freeze ?? false
  }

  /** Everything up to this revision has been applied. */
  get revision(): number {
    return this.#revision
  }

  /** Reads the store and follows it from then on. */
  async start(): Promise<void> {
    const listing = await this.#store.list(registryPrefix)
    this.#revision = listing.revision
    for (const resource of this.#resources.values()) resource.oldest = listing.revision
    for (const { key, value, modRevision, stale } of listing.items) {
      const resource = this.#resourceOf(key)
      if (!resource) continue
      const { namespace, name } = splitStoreKey(key, resource.prefix)
      const entry = new CacheEntry(key, namespace, name, modRevision, value)
      if (stale) entry.stale = true
      if (this.#freeze) deepFreeze(entry.object)
      resource.load(entry)
    }
    const following = this.#follow()
    this.#teardown.defer(() => following)
    this.#teardown.defer(() => this.#abort.abort())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#teardown[Symbol.asyncDispose]()
    this.endWatches()
  }

  endWatches(): void {
    for (const resource of this.#resources.values()) for (const watcher of resource.allWatchers()) watcher.end()
  }

  resource(group: string, resource: string): ResourceCache {
    const prefix = resourcePrefix(group, resource)
    let cache = this.#resources.get(prefix)
    if (!cache) this.#resources.set(prefix, (cache = new ResourceCache(group, resource, prefix, this.#revision)))
    return cache
  }

  /** What is asked for again and again with every write: found without making a prefix. */
  #named(group: string, resource: string): ResourceCache | undefined {
    const known = this.#byName.get(resource)
    if (known?.group === group) return known
    const found = this.#resources.get(resourcePrefix(group, resource))
    if (found) this.#byName.set(resource, found)
    return found
  }

  resources(): IterableIterator<ResourceCache> {
    return this.#resources.values()
  }

  /**
   * Carries out a write of `bytes`, the stored form of `object`, which nobody may change from here on. When it resolves with success, it has
   * been applied here.
   */
  async write(bytes: Uint8Array, object: KubeObject, operation: Promise<WriteResult>): Promise<WriteResult> {
    this.#written.set(bytes, object)
    try {
      const result = await operation
      if (result.ok && this.#revision < result.revision) await this.applied(result.revision)
      return result
    } finally {
      // a store that hands out copies never asks for it
      this.#written.delete(bytes)
    }
  }

  /** Resolves once everything up to `revision` is applied. */
  applied(revision: number): Promise<void> | undefined {
    if (this.#revision >= revision) return undefined
    return new Promise((resolve) => this.#waiters.push({ revision, resolve }))
  }

  /** Like `applied`, for at most `ms`; answers whether it came. */
  async appliedWithin(revision: number, ms: number): Promise<boolean> {
    const applied = this.applied(revision)
    if (!applied) return true
    return new Promise((resolve) => {
      const cancel = this.#clock.schedule(ms, () => resolve(false))
      void applied.then(() => {
        cancel()
        resolve(true)
      })
    })
  }

  reader(): ObjectReader {
    return {
      get: (group, resource, namespace, name) => this.#named(group, resource)?.get(namespace, name)?.object as never,
      list: (group, resource, namespace) =>
        (this.#named(group, resource)?.list(namespace) ?? []).map((entry) => entry.object) as DeepReadonly<never>[],
      onChange: (group, resource, fn) => this.resource(group, resource).onChange(fn as never),
    }
  }

  async #follow(): Promise<void> {
    const { signal } = this.#abort
    while (!signal.aborted) {
      try {
        for await (const batch of this.#store.watch(registryPrefix, { from: this.#revision, signal })) {
          const time = this.#clock.monotonic()
          for (const event of batch.events) this.#apply(event, time)
          this.#advance(batch.revision)
        }
      } catch (error) {
        if (signal.aborted || (error instanceof StoreError && error.kind === 'closed')) return
        this.#log.warn('the watch of the store broke off', { error })
        if (error instanceof StoreError && error.kind === 'compacted') await this.#resync(signal)
        else if (!(error instanceof StoreError && error.kind === 'slow')) await this.#clock.sleep(500, signal).catch(() => {})
      }
    }
  }

  /** Closes a gap in the events: compares what there is with what is cached, and makes all watchers start over. */
  async #resync(signal: AbortSignal): Promise<void> {
    try {
      const listing = await this.#store.list(registryPrefix)
      const present = new Set<string>()
      const time = this.#clock.monotonic()
      for (const { key, value, modRevision } of listing.items) {
        present.add(key)
        const resource = this.#resourceOf(key)
        const known = resource && resource.get(splitStoreKey(key, resource.prefix).namespace, splitStoreKey(key, resource.prefix).name)
        if (known?.revision !== modRevision) this.#apply({ type: 'put', key, value, revision: modRevision }, time)
      }
      for (const resource of this.#resources.values()) {
        for (const entry of resource.list().slice())
          if (!present.has(entry.key)) this.#apply({ type: 'delete', key: entry.key, revision: listing.revision }, time)
        resource.restart(listing.revision)
      }
      this.#advance(listing.revision)
    } catch (error) {
      this.#log.error('reading the store anew failed', { error: describeError(error) })
      await this.#clock.sleep(500, signal).catch(() => {})
    }
  }

  #apply(event: StoreEvent, time: number): void {
    const resource = this.#resourceOf(event.key)
    if (!resource) return
    const { namespace, name } = splitStoreKey(event.key, resource.prefix)
    let entry: CacheEntry | undefined
    if (event.type === 'put') {
      const object = this.#written.get(event.value!)
      if (object) {
        this.#written.delete(event.value!)
        object.metadata.resourceVersion = String(event.revision)
      }
      entry = new CacheEntry(event.key, namespace, name, event.revision, event.value!, object)
      if (event.stale) entry.stale = true
      if (this.#freeze) deepFreeze(entry.object)
    }
    resource.apply(entry, namespace, name, event.revision, time)
  }

  #advance(revision: number): void {
    if (revision <= this.#revision) return
    this.#revision = revision
    if (this.#waiters.length === 0) return
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) {
      if (waiter.revision <= revision) waiter.resolve()
      else this.#waiters.push(waiter)
    }
  }

  #resourceOf(key: string): ResourceCache | undefined {
    const group = key.indexOf('/', registryPrefix.length)
    const end = key.indexOf('/', group + 1)
    if (group < 0 || end < 0) return undefined
    const prefix = key.slice(0, end + 1)
    let cache = this.#resources.get(prefix)
    if (!cache) {
      const name = key.slice(registryPrefix.length, group)
      cache = new ResourceCache(name === 'core' ? '' : name, key.slice(group + 1, end), prefix, this.#revision)
      this.#resources.set(prefix, cache)
    }
    return cache
  }
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const part of Object.values(value)) deepFreeze(part)
}
