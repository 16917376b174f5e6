import type { Clock } from '#base'
import type { Retention } from '../mvcc-store.ts'
import type { Store } from '../store.ts'
import { mvccStore } from '../mvcc-store.ts'
import { Versions } from '../versions.ts'

export interface MemoryStoreOptions {
  /** How much history is kept; 10 minutes or 10,000 revisions when absent: it costs memory here. */
  retention?: Retention
  /** Undelivered events after which a watcher is cut off as `slow`; 10,000 when absent. */
  watchQueue?: number
  clock?: Clock
}

/** A store that lives and dies with the process: for tests and for throw-away API servers. "Durable" means acknowledged here. */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  return mvccStore({
    ...options,
    retention: { revisions: 10_000, ...options.retention },
    versions: new Versions(),
    // the index holds the bytes: nothing is left to do
    log: { append() {}, close() {} },
    // all writes of one turn share a commit
    defer: queueMicrotask,
  })
}
