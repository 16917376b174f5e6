/**
 * The store: a multi-version map from keys to bytes, with etcd's guarantees as its contract
 * (https://etcd.io/docs/v3.5/learning/api_guarantees/).
 *
 * Vocabulary. Every successful write makes one new **revision**, a counter over the whole store (the first write of an
 * empty store gets 1 or more; revisions only grow). A value's **modRevision** is the revision that wrote it. A range is all
 * keys that start with a **prefix**; keys are ordered bytewise. **Compaction** at revision R forgets every
 * version that was replaced at or before R; reads and watches below R answer `compacted`.
 *
 * Guarantees. Strict serializability: a write that was acknowledged is seen by every later read. No read sees a write that is not durable. A watch
 * delivers every event after its start revision, once, in order of revision, and all events of one revision in one batch; when
 * it cannot, it ends with a `compacted` error. An implementation delivers to local watchers before, or in the same turn
 * as, it resolves the write.
 */
export interface Store extends StoreReader, StoreWriter, StoreWatcher, AsyncDisposable {
  /** Forgets versions replaced at or before `revision`. */
  compact(revision: number): Promise<void>
  /** Whether keys that are written with a `ttl` go by themselves. */
  readonly leases?: boolean
  /** Bytes that it takes up where it is kept; absent where that is memory. */
  size?(): Promise<number>
  /** Whether other processes write here as well: what was read a moment ago may be out of date without any event of this process. */
  readonly shared?: boolean
}

export interface StoreReader {
  /** The value at `key` as of `revision` (the newest when absent); undefined when there is none. */
  get(key: string, options?: { revision?: number }): Promise<KeyValue | undefined>
  /** The values under `prefix` in key order, all from one revision. */
  list(prefix: string, options?: ListOptions): Promise<Listing>
  /** A revision at least as new as every write acknowledged before the call. */
  currentRevision(): Promise<number>
}

export interface StoreWriter {
  /** Writes a key that must not exist. */
  create(key: string, value: Uint8Array, options?: WriteOptions): Promise<WriteResult>
  /** Replaces the value whose modRevision is `revision`. */
  update(key: string, value: Uint8Array, revision: number, options?: WriteOptions): Promise<WriteResult>
  /** Deletes the value whose modRevision is `revision`; the event carries the deleted value as `previous`. */
  delete(key: string, revision: number): Promise<WriteResult>
}

export interface WriteOptions {
  /** Seconds after which a store with `leases` deletes the key by itself; others leave that to the caller. */
  ttl?: number
}

export interface StoreWatcher {
  /**
   * Events under `prefix` with revisions greater than `from`. Progress batches (no events) say that everything up to their revision was delivered;
   * they come at least after each batch and when asked for. Ends when `signal` aborts, or with a StoreError `compacted`
   * when events after `from` are no longer known, or `slow` when the reader fell too far behind.
   */
  watch(prefix: string, options: { from: number; signal?: AbortSignal }): AsyncIterable<WatchBatch>
}

export interface KeyValue {
  key: string
  value: Uint8Array
  modRevision: number
  /** The store would keep the value in another form if it were written now: writing it again, unchanged, is no waste. */
  stale?: boolean
}

export interface ListOptions {
  /** Read as of this revision; the newest when absent. */
  revision?: number
  /** At most this many values. */
  limit?: number
  /** Only keys greater than this one (the last key of the previous page). */
  after?: string
}

export interface Listing {
  items: KeyValue[]
  /** The revision the listing was read at. */
  revision: number
  /** Whether more keys follow the last item. */
  more: boolean
  /** How many keys follow the last item, where it is cheap to know. */
  remaining?: number
}

/**
 * Expected outcomes of a write are values: `conflict` means that the key exists (create), does not, or has another
 * modRevision (update, delete); `current` is what is there.
 */
export type WriteResult = { ok: true; revision: number } | { ok: false; current: KeyValue | undefined }

export interface StoreEvent {
  type: 'put' | 'delete'
  key: string
  /** The new value of a put. */
  value?: Uint8Array
  /** As of a KeyValue. */
  stale?: boolean
  /** The value that was replaced or deleted, and its revision. */
  previous?: { value: Uint8Array; modRevision: number }
  /** The revision that made this event. */
  revision: number
}

export interface WatchBatch {
  events: StoreEvent[]
  /** All events up to this revision have been delivered. */
  revision: number
}

/** `compacted`: the revision is no longer known; `future`: it does not exist yet; `slow`: a watcher fell behind; `closed`; `unavailable`: try again, a write may have been done; `full`: no space, though the write that took the last of it may have been done; `damaged`: what was stored cannot be read. */
export type StoreErrorKind = 'compacted' | 'future' | 'slow' | 'closed' | 'unavailable' | 'full' | 'damaged'

export class StoreError extends Error {
  readonly kind: StoreErrorKind
  constructor(kind: StoreErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreError'
    this.kind = kind
  }
}
