import type { DeepReadonly, KubeObject } from '#api'

export type CacheEvent<T extends KubeObject> =
  | { type: 'added'; object: DeepReadonly<T> }
  | { type: 'updated'; object: DeepReadonly<T>; previous: DeepReadonly<T> }
  | { type: 'deleted'; object: DeepReadonly<T> }

/**
 * A read-only view of one resource, kept by a watch (an informer). It may be behind the API server, never ahead, and moves
 * forward only. Objects are shared: never change them. The writer is private to the runtime.
 */
export interface Cache<T extends KubeObject> {
  /** The object at `namespace/name` (or `name`). */
  get(key: string): DeepReadonly<T> | undefined
  list(namespace?: string): DeepReadonly<T>[]
  /** Objects whose index function (given when the cache was made) returned `value`. */
  byIndex(index: string, value: string): DeepReadonly<T>[]
  /** Resolves when the first list is in. */
  ready(signal?: AbortSignal): Promise<void>
  readonly synced: boolean
  /** The newest resource version this view has caught up with; empty before the first list. */
  readonly resourceVersion: string
  /** Calls `listener` for every object there is (as `added`) and then for every change. Returns the way to stop. */
  subscribe(listener: (event: CacheEvent<T>) => void): () => void
}

export type IndexFunctions<T extends KubeObject> = Record<string, (object: DeepReadonly<T>) => string[]>
