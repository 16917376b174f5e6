import { type DeepReadonly, type KubeObject, objectKey } from '#api'
import type { Cache } from './cache.ts'
import { isNewer } from './cache-store.ts'

/**
 * Keeps a controller that makes children from deciding on a cache that has not seen its own last writes yet, which would double them.
 *
 * After each write the controller tells what it did; before the next decision for the same owner it asks whether the cache has caught up. Nothing is
 * counted and nothing times out: a creation at resource version R has been seen once the cache is at R or later, and a deletion once the cache's
 * object is gone, is another one, or is terminating.
 *
 *     if (!expectations.satisfied(key)) return { requeueAfter: 1000 }  // its watch event usually comes first
 *     …
 *     expectations.created(key, await pods.create(pod))
 *     await pods.delete(name, namespace); expectations.deleted(key, pod)
 */
export interface Expectations<T extends KubeObject> {
  /** `child` is what the server answered to a create (or to any write that the next decision must see). */
  created(key: string, child: DeepReadonly<T>): void
  /** `child` is the cached object whose deletion the server has accepted. */
  deleted(key: string, child: DeepReadonly<T>): void
  /** Whether the cache has seen everything that was told for `key`. */
  satisfied(key: string): boolean
  /** The owner is gone. */
  forget(key: string): void
}

export function createExpectations<T extends KubeObject>(cache: Cache<T>): Expectations<T> {
  const pending = new Map<string, { version: string; deletions: Map<string, string | undefined> }>()
  const of = (key: string) => {
    let entry = pending.get(key)
    if (!entry) pending.set(key, (entry = { version: '', deletions: new Map() }))
    return entry
  }
  const isDeleted = (childKey: string, uid: string | undefined) => {
    const child = cache.get(childKey)
    return !child || child.metadata.uid !== uid || child.metadata.deletionTimestamp !== undefined
  }
  return {
    created(key, child) {
      const entry = of(key)
      const version = child.metadata.resourceVersion ?? ''
      if (isNewer(version, entry.version)) entry.version = version
    },
    deleted(key, child) {
      of(key).deletions.set(objectKey(child), child.metadata.uid)
    },
    satisfied(key) {
      const entry = pending.get(key)
      if (!entry) return true
      if (isNewer(entry.version, cache.resourceVersion)) return false
      for (const [childKey, uid] of entry.deletions) {
        if (!isDeleted(childKey, uid)) return false
        entry.deletions.delete(childKey)
      }
      pending.delete(key)
      return true
    },
    forget: (key) => void pending.delete(key),
  }
}
