import type { Clock } from '#base'
import type { Retention } from '../mvcc-store.ts'
import type { Store } from '../store.ts'
import { mkdirSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { mvccStore } from '../mvcc-store.ts'
import { Versions } from '../versions.ts'
import { openLogFile } from './revision-log.ts'

export interface SqliteStoreOptions {
  /** The database file; it and its directory are made when missing. One process at a time may have it open. */
  path: string
  /** Bytes of disk that are kept back for deletions when it is full; 4 MiB when absent. */
  reserve?: number
  /** The revision that the first write of a new file gets; 1 when absent. */
  firstRevision?: number
  /** How much history is kept; 10 minutes or 100,000 revisions when absent. */
  retention?: Retention
  /** Undelivered events after which a watcher is cut off as `slow`; 10,000 when absent. */
  watchQueue?: number
  /** Largest size of the database in bytes; writes are refused with `full` beyond it. */
  maxBytes?: number
  clock?: Clock
}

/**
 * Opens the embedded durable store. Rejects with StoreError `unavailable` when the file cannot be opened, is open elsewhere, or
 * is of a newer layout, `damaged` when it is no database or not a whole one; damage to single values shows when they are read.
 *
 * Commits run on the calling thread. Measured on 2 cores (sqlite.bench.ts) a worker thread was slower at every load, also with the
 * event loop busy 60 us per write: the hop costs more than the fsync that it hides.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  mkdirSync(dirname(options.path), { recursive: true })
  const file = openLogFile({ ...options, reserve: options.reserve ?? 4 << 20 })
  const { floor, rows } = file.load()
  const dropped: number[] = []
  const versions = Versions.load(rows, floor, dropped)
  const store = mvccStore({ ...options, log: file, versions, dropped, defer: afterNextTurn })
  const size = async () => {
    const files = await Promise.all([options.path, `${options.path}-wal`].map((path) => stat(path).catch(() => undefined)))
    return files.reduce((sum, found) => sum + (found ? found.size : 0), 0)
  }
  return Object.assign(store, { size })
}

/**
 * Runs `commit` after one more turn of the event loop: requests that arrived while the last commit kept the thread are read in it, so that their writes share the next
 * one. Measured with 16 clients, who otherwise fall into groups that take turns: 12 writes a commit instead of 10, a fifth less processor time for each.
 */
const afterNextTurn = (commit: () => void) => void setImmediate(() => setImmediate(commit))
