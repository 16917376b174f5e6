import type { Creatable, DeepReadonly, KubeList, KubeObject, Status } from '#api'

/**
 * Which resource a client talks about; `kinds` of `#api` has one for every built-in kind.
 * `resource` is the plural, e.g. `deployments`.
 */
export interface ResourceRef<T extends KubeObject = KubeObject> {
  group: string
  version: string
  resource: string
  kind: string
  namespaced: boolean
  /** Carries the type only; never set. */
  readonly type?: T
}

export interface ReadOptions {
  signal?: AbortSignal
}

export interface ListQuery extends ReadOptions {
  /** All namespaces when absent. */
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  resourceVersion?: string
  resourceVersionMatch?: 'Exact' | 'NotOlderThan'
  limit?: number
  continue?: string
}

export interface WatchQuery extends ListQuery {
  allowBookmarks?: boolean
  sendInitialEvents?: boolean
  timeoutSeconds?: number
}

export interface WriteOptions {
  signal?: AbortSignal
  fieldManager?: string
  dryRun?: boolean
}

export interface DeleteOptions {
  signal?: AbortSignal
  gracePeriodSeconds?: number
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground'
  preconditions?: { uid?: string; resourceVersion?: string }
  dryRun?: boolean
}

export type PatchType = 'json' | 'merge' | 'strategic'

export type WatchEvent<T extends KubeObject> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: DeepReadonly<T> }
  | { type: 'BOOKMARK'; resourceVersion: string; initialEventsEnd: boolean }
  | { type: 'ERROR'; status: Status }

/**
 * The verbs of one resource. Objects that come back are shared and deep-readonly. Answers with a failure code reject with
 * `StatusError` (see `isStatus` of `#api`); trouble on the way rejects with `TransportError`.
 */
export interface ResourceClient<T extends KubeObject> {
  get(name: string, namespace?: string, options?: ReadOptions): Promise<DeepReadonly<T>>
  list(query?: ListQuery): Promise<DeepReadonly<KubeList<T>>>
  watch(query: WatchQuery): AsyncIterable<WatchEvent<T>>
  create(object: Creatable<T>, options?: WriteOptions): Promise<DeepReadonly<T>>
  update(object: T | DeepReadonly<T>, options?: WriteOptions): Promise<DeepReadonly<T>>
  updateStatus(object: T | DeepReadonly<T>, options?: WriteOptions): Promise<DeepReadonly<T>>
  patch(
    name: string,
    namespace: string | undefined,
    type: PatchType,
    patch: unknown,
    options?: WriteOptions & { subresource?: string },
  ): Promise<DeepReadonly<T>>
  /** Server-side apply; `fieldManager` is required by the server. */
  apply(object: object, options: WriteOptions & { fieldManager: string; force?: boolean; subresource?: string }): Promise<DeepReadonly<T>>
  delete(name: string, namespace?: string, options?: DeleteOptions): Promise<void>
  deleteCollection(query: ListQuery, options?: DeleteOptions): Promise<void>
  /** GET of a subresource that answers an object, e.g. `scale`. */
  getSubresource<S = unknown>(name: string, namespace: string | undefined, subresource: string, options?: ReadOptions): Promise<S>
  /** POST to a subresource, e.g. `binding`, `eviction`, `token`. */
  createSubresource<S = unknown>(name: string, namespace: string | undefined, subresource: string, body: object, options?: WriteOptions): Promise<S>
  /** PUT to a subresource, e.g. `scale`, `approval`. */
  updateSubresource<S = unknown>(name: string, namespace: string | undefined, subresource: string, body: object, options?: WriteOptions): Promise<S>
}

/** A client for a whole cluster over one Transport. Construction does nothing; it owns no connection (the Transport does). */
export interface Client {
  resource<T extends KubeObject>(ref: ResourceRef<T>): ResourceClient<T>
  /** Any path, e.g. `/version` or `/apis`; rejects with StatusError when the code is 400 or more. */
  raw<S = unknown>(
    method: string,
    path: string,
    body?: object,
    options?: { signal?: AbortSignal; query?: Record<string, string>; headers?: Record<string, string> },
  ): Promise<S>
}
