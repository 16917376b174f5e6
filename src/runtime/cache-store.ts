import { type DeepReadonly, type KubeObject, objectKey } from '#api'
import type { Cache, CacheEvent, IndexFunctions } from './cache.ts'

/** The side of a cache that its watcher writes to. */
export interface CacheWriter<T extends KubeObject> {
  /** The complete state as of `resourceVersion`; whatever is not in it is gone. */
  replace(items: readonly DeepReadonly<T>[], resourceVersion: string): void
  put(object: DeepReadonly<T>): void
  remove(object: DeepReadonly<T>): void
  /** Everything up to `resourceVersion` has been delivered. */
  progress(resourceVersion: string): void
  /** Adds index functions, building the new ones from what is there. */
  index(functions: IndexFunctions<T>): void
}

interface Index<T extends KubeObject> {
  values: (object: DeepReadonly<T>) => string[]
  entries: Map<string, Map<string, DeepReadonly<T>>>
}

const byNamespace = 'namespace'

/** A cache and its writer. `onError` hears of listeners that throw: one bad listener must not keep others from the truth. */
export function createCache<T extends KubeObject>(onError: (error: unknown) => void = () => {}): { cache: Cache<T>; writer: CacheWriter<T> } {
  const objects = new Map<string, DeepReadonly<T>>()
  const indexes = new Map<string, Index<T>>()
  const listeners = new Set<(event: CacheEvent<T>) => void>()
  const waiters = new Set<() => void>()
  let synced = false
  let position = ''

  function emit(event: CacheEvent<T>): void {
    for (const listener of listeners) call(listener, event)
  }
  function call(listener: (event: CacheEvent<T>) => void, event: CacheEvent<T>): void {
    try {
      listener(event)
    } catch (error) {
      onError(error)
    }
  }

  function enter(index: Index<T>, key: string, object: DeepReadonly<T>): void {
    for (const value of index.values(object)) {
      let entry = index.entries.get(value)
      if (!entry) index.entries.set(value, (entry = new Map()))
      entry.set(key, object)
    }
  }
  function leave(index: Index<T>, key: string, object: DeepReadonly<T>): void {
    for (const value of index.values(object)) {
      const entry = index.entries.get(value)
      if (entry?.delete(key) && entry.size === 0) index.entries.delete(value)
    }
  }

  function put(object: DeepReadonly<T>): void {
    const key = objectKey(object)
    const previous = objects.get(key)
    // another object under the same name: what was known of the old one ends here
    if (previous && previous.metadata.uid !== object.metadata.uid) {
      erase(key, previous)
      emit({ type: 'deleted', object: previous })
      return put(object)
    }
    objects.set(key, object)
    for (const index of indexes.values()) {
      if (previous) leave(index, key, previous)
      enter(index, key, object)
    }
    emit(previous ? { type: 'updated', object, previous } : { type: 'added', object })
  }
  function erase(key: string, object: DeepReadonly<T>): void {
    objects.delete(key)
    for (const index of indexes.values()) leave(index, key, object)
  }
  const progress = (resourceVersion: string) => {
    if (isNewer(resourceVersion, position)) position = resourceVersion
  }

  const writer: CacheWriter<T> = {
    replace(items, resourceVersion) {
      const present = new Set(items.map(objectKey))
      progress(resourceVersion)
      for (const [key, object] of objects) {
        if (present.has(key)) continue
        erase(key, object)
        emit({ type: 'deleted', object })
      }
      for (const item of items) {
        const known = objects.get(objectKey(item))
        if (!known || known.metadata.uid !== item.metadata.uid || known.metadata.resourceVersion !== item.metadata.resourceVersion) put(item)
      }
      synced = true
      for (const resolve of waiters) resolve()
      waiters.clear()
    },
    put(object) {
      progress(object.metadata.resourceVersion ?? '')
      put(object)
    },
    remove(object) {
      progress(object.metadata.resourceVersion ?? '')
      const key = objectKey(object)
      const known = objects.get(key)
      if (!known) return
      erase(key, known)
      // the last state, with the resource version of the deletion
      emit({ type: 'deleted', object })
    },
    progress,
    index(functions) {
      for (const [name, values] of Object.entries(functions)) {
        if (indexes.has(name)) continue
        const index: Index<T> = { values, entries: new Map() }
        for (const [key, object] of objects) enter(index, key, object)
        indexes.set(name, index)
      }
    },
  }
  writer.index({ [byNamespace]: (object) => (object.metadata.namespace ? [object.metadata.namespace] : []) })

  const cache: Cache<T> = {
    get: (key) => objects.get(key),
    list: (namespace) => (namespace ? cache.byIndex(byNamespace, namespace) : [...objects.values()]),
    byIndex(name, value) {
      const index = indexes.get(name)
      if (!index) throw new RangeError(`cache has no index "${name}"`)
      const entry = index.entries.get(value)
      return entry ? [...entry.values()] : []
    },
    ready(signal) {
      if (synced) return Promise.resolve()
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const onAbort = () => {
          waiters.delete(onReady)
          reject(signal!.reason)
        }
        const onReady = () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        }
        waiters.add(onReady)
        signal?.addEventListener('abort', onAbort, { once: true })
      })
    },
    get synced() {
      return synced
    },
    get resourceVersion() {
      return position
    },
    subscribe(listener) {
      for (const object of objects.values()) call(listener, { type: 'added', object })
      // a wrapper, so that one function that subscribes twice is two subscriptions
      const own = (event: CacheEvent<T>) => listener(event)
      listeners.add(own)
      return () => void listeners.delete(own)
    },
  }
  return { cache, writer }
}

/** Whether resource version `a` is later than `b`: decimal numbers, compared without a limit of digits (KEP-5504 makes them comparable). */
export function isNewer(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length
}
