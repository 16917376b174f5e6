import { DatabaseSync } from 'node:sqlite'
import type { Compaction } from '../mvcc-store.ts'
import { spaceReserve } from './space-reserve.ts'
import type { Version } from '../versions.ts'
import { StoreError } from '../store.ts'

/** The log as a file: every call blocks this thread until it is done. */
export interface LogFile {
  /** One transaction, one fsync. Throws StoreError `full`, `damaged` or `unavailable`, and then nothing of it was done. */
  append(writes: readonly Pick<Version, 'key' | 'revision' | 'deleted' | 'value'>[], compaction?: Compaction): void
  read(revision: number): Uint8Array
  /** Everything but the bytes, in order of revision. */
  load(): { floor: number; rows: Version[] }
  /** Gives the reserve away. */
  relieve(): void
  /** Takes the reserve back; answers whether that went. */
  hasRoom(): boolean
  close(): void
}

export interface LogFileOptions {
  path: string
  /** Largest size of the database in bytes; writes are refused with `full` beyond it. */
  maxBytes?: number
  /** The revision that the first write of a new file gets; 1 when absent. */
  firstRevision?: number
  /** Bytes that are kept back, in a file beside the database, for deletions on a full disk; none when absent. */
  reserve?: number
}

const layout = 1
const pageSize = 8192
// Small checkpoints: each one keeps the event loop for a few milliseconds (measured: 400 pages under 10 ms, 2000 up to 60 ms).
const checkpointPages = 400

/**
 * Opens or makes the log. Two tables, both appended to and keyed by revision: `log` says what happened, `bytes` holds the values,
 * so that loading the index reads none of them. The key order is in memory alone: an index here would be written at random
 * places on every commit.
 */
export function openLogFile(options: LogFileOptions): LogFile {
  const db = new DatabaseSync(options.path, { open: false, timeout: 0 })
  try {
    db.open()
    prepareFile(db, options)
  } catch (error) {
    if (db.isOpen) db.close()
    throw failure(error, `cannot open ${options.path}`)
  }
  const reserve = options.reserve ? spaceReserve(`${options.path}.reserve`, options.reserve) : undefined
  reserve?.take()
  const pages = options.maxBytes && Math.ceil(options.maxBytes / pageSize)
  // of a quota, a twentieth is kept back
  const quota = pages ? { pages, reserve: Math.max(4, Math.floor(pages / 20)) } : undefined
  const pragma = (name: string) => Number(Object.values(db.prepare(`PRAGMA ${name}`).get()!)[0])
  const setQuota = (count: number) => db.exec(`PRAGMA max_page_count = ${count}`)
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  const insertLog = db.prepare('INSERT INTO log (revision, key, deleted) VALUES (?, ?, ?)')
  const insertBytes = db.prepare('INSERT INTO bytes (revision, value) VALUES (?, ?)')
  const deleteLog = db.prepare('DELETE FROM log WHERE revision = ?')
  const deleteBytes = db.prepare('DELETE FROM bytes WHERE revision = ?')
  const setFloor = db.prepare("UPDATE meta SET value = ? WHERE name = 'floor'")
  const select = db.prepare('SELECT value FROM bytes WHERE revision = ?')
  select.setReturnArrays(true)

  return {
    append(writes, compaction) {
      try {
        begin.run()
        if (compaction) {
          for (const revision of compaction.dropped) {
            deleteLog.run(revision)
            deleteBytes.run(revision)
          }
          setFloor.run(compaction.floor)
        }
        for (const { key, revision, deleted, value } of writes) {
          insertLog.run(revision, key, deleted ? 1 : 0)
          if (value) insertBytes.run(revision, value)
        }
        commit.run()
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK')
        throw failure(error, `cannot write to ${options.path}`)
      }
    },
    read(revision) {
      let row: [Uint8Array] | undefined
      try {
        row = select.get(revision) as unknown as [Uint8Array] | undefined
      } catch (error) {
        throw failure(error, `cannot read ${options.path}`)
      }
      if (!row) throw new StoreError('compacted', `revision ${revision} has been compacted`)
      return row[0]
    },
    load() {
      try {
        const floor = Number(db.prepare("SELECT value FROM meta WHERE name = 'floor'").get()!.value)
        const all = db.prepare('SELECT revision, key, deleted FROM log ORDER BY revision')
        all.setReturnArrays(true)
        const rows: Version[] = []
        for (const row of all.iterate() as unknown as Iterable<[number, string, number]>)
          rows.push({ key: row[1], revision: row[0], deleted: row[2] === 1, value: undefined, replaced: undefined })
        return { floor, rows }
      } catch (error) {
        db.close()
        throw failure(error, `cannot read ${options.path}`)
      }
    },
    relieve() {
      reserve?.release()
      if (quota) setQuota(quota.pages + quota.reserve)
    },
    hasRoom() {
      try {
        db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
        if (quota && quota.pages - pragma('page_count') + pragma('freelist_count') < quota.reserve) return false
        if (reserve && !reserve.take()) return false
      } catch {
        return false
      }
      if (quota) setQuota(quota.pages)
      return true
    },
    close: () => db.close(),
  }
}

function prepareFile(db: DatabaseSync, options: LogFileOptions): void {
  // a second process on the same file would not see what this one has in memory
  db.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA page_size = ${pageSize}`)
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${checkpointPages}; PRAGMA cache_size = -8000`)
  if (options.maxBytes) db.exec(`PRAGMA max_page_count = ${Math.ceil(options.maxBytes / pageSize)}`)
  const found = Number(db.prepare('PRAGMA user_version').get()!.user_version)
  if (found > layout) throw new Error(`its layout is version ${found}, this program knows ${layout}`)
  if (found === layout) {
    // takes the lock, which a read alone would take in a weaker form
    db.exec('BEGIN IMMEDIATE; COMMIT')
    return
  }
  db.exec(`BEGIN IMMEDIATE;
    CREATE TABLE log (revision INTEGER PRIMARY KEY, key TEXT NOT NULL, deleted INTEGER NOT NULL) STRICT;
    CREATE TABLE bytes (revision INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;
    CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO meta VALUES ('floor', ${(options.firstRevision ?? 1) - 1});
    PRAGMA user_version = ${layout};
    COMMIT`)
}

const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOTADB = 26

function failure(error: unknown, what: string): StoreError {
  if (error instanceof StoreError) return error
  const code = ((error as { errcode?: number }).errcode ?? 0) & 0xff
  const message = `${what}: ${(error as Error).message}`
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB)
    return new StoreError('damaged', `${message}. The file is damaged, or no database of k8ts; it stays as it is. Restore a backup`, { cause: error })
  return new StoreError(code === SQLITE_FULL ? 'full' : 'unavailable', message, { cause: error })
}
