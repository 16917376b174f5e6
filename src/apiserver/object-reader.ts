import type { DeepReadonly, KubeObject } from '#api'

export type ObjectChange<T extends KubeObject = KubeObject> =
  | { type: 'added'; object: DeepReadonly<T> }
  | { type: 'updated'; object: DeepReadonly<T>; previous: DeepReadonly<T> }
  | { type: 'deleted'; object: DeepReadonly<T> }

/**
 * The API server's own view of what is stored, for authentication, authorization and admission: synchronous, from the watch cache, in
 * the storage version. It is never ahead of the store; a write that this server acknowledged is seen by the next read. Objects are shared: nobody
 * may change them. A resource that is not served has no objects.
 */
export interface ObjectReader {
  /** `namespace` is empty for cluster-scoped resources. */
  get<T extends KubeObject = KubeObject>(group: string, resource: string, namespace: string, name: string): DeepReadonly<T> | undefined
  /** All namespaces when `namespace` is absent or empty. */
  list<T extends KubeObject = KubeObject>(group: string, resource: string, namespace?: string): DeepReadonly<T>[]
  /** Calls `fn` for every change from now on (what is there already is not replayed), in order, before the write is acknowledged. Returns the way to stop. */
  onChange<T extends KubeObject = KubeObject>(group: string, resource: string, fn: (change: ObjectChange<T>) => void): () => void
}
