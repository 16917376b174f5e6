import type { Clock } from '#base'
import type { KeyValue, ListOptions, Listing, Store, StoreEvent, WatchBatch, WriteResult } from './store.ts'
import type { Version, Versions } from './versions.ts'
import { realClock } from '#base'
import { StoreError } from './store.ts'
import { closedError, Watchers } from './watchers.ts'

/** Where versions become durable. */
export interface RevisionLog {
  /**
   * Makes `writes` and, where there is one, a compaction durable in one step. Throws StoreError `full` or `unavailable` when none
   * of it was done. A log that answers no promise has done it.
   */
  append(writes: readonly Version[], compaction: Compaction | undefined): Promise<void> | void
  /** After `full`: makes the room that deletions and a compaction need to make more of it. */
  relieve?(): void
  /** Whether there is room again for everything, that of `relieve` put back included. */
  hasRoom?(): boolean
  /** The bytes of a version that is durable and not dropped; undefined when the log leaves the bytes in the index. */
  read?(revision: number): Uint8Array
  close(): Promise<void> | void
}

/** Forget the versions `dropped`, and remember that history begins at `floor`. */
export interface Compaction {
  dropped: readonly number[]
  floor: number
}

/** How much history is kept for readers and watchers of older revisions; it is compacted while writes come in. */
export interface Retention {
  /** Milliseconds; 10 minutes when absent. */
  age?: number
  /** Revisions; 100,000 when absent. */
  revisions?: number
}

export interface MvccOptions {
  log: RevisionLog
  versions: Versions
  /** Revisions that are compacted but still in the log. */
  dropped?: number[]
  retention?: Retention
  /** Undelivered events after which a watcher is cut off as `slow`; 10,000 when absent. */
  watchQueue?: number
  /** Runs the next commit soon: the writes that come in until then share it. */
  defer: (fn: () => void) => void
  clock?: Clock
}

interface Write {
  type: 'create' | 'update' | 'delete'
  key: string
  value: Uint8Array | undefined
  revision: number
  resolve: (result: WriteResult) => void
  reject: (error: Error) => void
}

// Writes that one commit takes: bounds how long a commit on this thread keeps everybody waiting.
const batchSize = 1024
// Versions that wait until the log forgets them: neighbours share pages, so that many at a time cost little more than one.
const dropSize = 256
// Revisions of history that a replaying watch looks at per batch.
const replaySpan = 1000

/**
 * A Store over a revision log. Writes that arrive while a commit is under way wait and then share the next one (group commit). They
 * are decided in order of arrival, each against the state that the ones before it in the same commit leave; what is not durable
 * yet is in no index, so a commit that fails leaves nothing to undo.
 */
export function mvccStore(options: MvccOptions): Store {
  const { log, versions, defer, clock = realClock } = options
  const retention = { age: options.retention?.age ?? 10 * 60_000, revisions: options.retention?.revisions ?? 100_000 }
  const queue: Write[] = []
  let dropped = options.dropped ?? []
  let compactions: { floor: number; resolve: () => void; reject: (error: Error) => void }[] = []
  // revisions by the time they were seen at, oldest first: what age means to a compaction
  const marks: { at: number; revision: number }[] = [{ at: clock.monotonic(), revision: versions.revision }]
  // set while the log has room for nothing but what makes room: deletions and compactions
  let full: { askedAt: number } | undefined
  let state: 'idle' | 'scheduled' | 'committing' | 'closed' = 'idle'
  let settled: (() => void) | undefined
  let closing: Promise<void> | undefined

  const bytes = (version: Version) => version.value ?? log.read!(version.revision)
  const keyValue = (version: Version): KeyValue => ({ key: version.key, value: bytes(version), modRevision: version.revision })

  const watchers = new Watchers(
    {
      get revision() {
        return versions.revision
      },
      since(prefix, after): WatchBatch {
        check(after)
        const { found, revision } = versions.since(prefix, after, replaySpan)
        return { events: found.map(eventOf), revision }
      },
    },
    options.watchQueue ?? 10_000,
  )

  function eventOf(version: Version): StoreEvent {
    const { key, revision, replaced } = version
    const previous = replaced && !replaced.deleted ? previousOf(replaced) : undefined
    return version.deleted ? { type: 'delete', key, previous, revision } : { type: 'put', key, value: bytes(version), previous, revision }
  }

  // Where the log holds the bytes, most watchers never ask for them: they are read when they are.
  function previousOf(version: Version): { value: Uint8Array; modRevision: number } {
    if (version.value) return { value: version.value, modRevision: version.revision }
    let value: Uint8Array | undefined
    return {
      get value() {
        return (value ??= log.read!(version.revision))
      },
      modRevision: version.revision,
    }
  }

  function check(revision: number): void {
    if (state === 'closed') throw closedError()
    if (revision < versions.floor) throw new StoreError('compacted', `revision ${revision} has been compacted, the oldest is ${versions.floor}`)
    if (revision > versions.revision) throw new StoreError('future', `revision ${revision} is in the future, the newest is ${versions.revision}`)
  }

  function write(type: Write['type'], key: string, value: Uint8Array | undefined, revision: number): Promise<WriteResult> {
    return new Promise((resolve, reject) => {
      if (state === 'closed') return reject(closedError())
      if (!key.isWellFormed()) return reject(new TypeError('a key must be a well-formed string'))
      if (full && type !== 'delete' && !roomAgain()) return reject(fullError())
      queue.push({ type, key, value, revision, resolve, reject })
      schedule()
    })
  }

  /** Asks the log at most twice a second: who frees the disk need not tell anybody. */
  function roomAgain(): boolean {
    if (!full) return true
    const now = clock.monotonic()
    if (now - full.askedAt < 500) return false
    full.askedAt = now
    if (log.hasRoom!()) full = undefined
    else forgetHistory()
    return !full
  }

  /** What was deleted takes room until it is forgotten. */
  function forgetHistory(): void {
    if (compactions.length > 0 || (versions.revision === versions.floor && dropped.length === 0)) return
    compactions.push({ floor: versions.revision, resolve() {}, reject() {} })
    schedule()
  }

  /** Goes on with deletions alone, and forgets all history to make room by itself. */
  function fillsUp(): void {
    if (full || !log.relieve) return
    full = { askedAt: -Infinity }
    log.relieve()
    forgetHistory()
    for (const write of queue.filter(({ type }) => type !== 'delete')) write.reject(fullError())
    queue.splice(0, queue.length, ...queue.filter(({ type }) => type === 'delete'))
  }

  function schedule(): void {
    if (state !== 'idle') return
    state = 'scheduled'
    defer(commit)
  }

  /** Decides the writes that wait, up to a batch: which succeed, and which conflict with one that is not durable yet. */
  function decide(): { writes: Write[]; made: Version[]; conflicts: Write[] } {
    const writes: Write[] = []
    const made: Version[] = []
    const conflicts: Write[] = []
    const pending = new Map<string, Version>()
    for (const write of queue.splice(0, batchSize)) {
      const ahead = pending.get(write.key)
      const head = ahead ?? versions.head(write.key)
      const exists = head !== undefined && !head.deleted
      if (write.type === 'create' ? exists : !exists || head.revision !== write.revision) {
        // nobody may learn of a write before it is durable, not even by conflicting with it
        if (ahead) conflicts.push(write)
        else write.resolve({ ok: false, current: exists ? keyValue(head) : undefined })
        continue
      }
      const version: Version = {
        // one string per key, not one per write
        key: head?.key ?? write.key,
        revision: versions.revision + made.length + 1,
        deleted: write.type === 'delete',
        value: write.value,
        replaced: head,
      }
      pending.set(version.key, version)
      writes.push(write)
      made.push(version)
    }
    return { writes, made, conflicts }
  }

  async function commit(): Promise<void> {
    if (state !== 'scheduled') return
    state = 'committing'
    const compaction = advance(Math.min(queue.length, batchSize))
    const { writes, made, conflicts } = decide()
    try {
      if (made.length > 0 || compaction) {
        const appended = log.append(made, compaction)
        if (appended) await appended
      }
      publish(made, writes)
      for (const write of conflicts) {
        const head = versions.head(write.key)
        write.resolve({ ok: false, current: head && !head.deleted ? keyValue(head) : undefined })
      }
      if (compaction) compacted(compaction)
    } catch (error) {
      for (const write of writes) write.reject(error as Error)
      queue.unshift(...conflicts)
      for (const c of compactions.splice(0)) c.reject(error as Error)
      if (error instanceof StoreError && error.kind === 'full') fillsUp()
    }
    state = 'idle'
    if (settled) settled()
    else if (queue.length > 0 || compactions.length > 0) schedule()
  }

  function publish(made: Version[], writes: Write[]): void {
    if (made.length === 0) return
    const events: StoreEvent[] = []
    for (const version of made) {
      versions.append(version)
      events.push(eventOf(version))
    }
    if (log.read) for (const version of made) version.value = undefined
    watchers.publish(events, versions.revision)
    for (let i = 0; i < made.length; i++) writes[i]!.resolve({ ok: true, revision: made[i]!.revision })
  }

  /** Compacts the index a little, in step with `writes`, towards what was asked for or what retention allows. */
  function advance(writes: number): Compaction | undefined {
    const now = clock.monotonic()
    const step = Math.max(retention.age / 10, 1)
    if (now - marks.at(-1)!.at >= step) marks.push({ at: now, revision: versions.revision })
    while (marks.length > 1 && now - marks[1]!.at >= retention.age) marks.shift()
    const aged = now - marks[0]!.at >= retention.age ? marks[0]!.revision : 0
    const target = Math.max(versions.revision - retention.revisions, aged, ...compactions.map((c) => c.floor))
    // somebody waits for a compaction: larger steps
    const waited = compactions.length > 0
    const floor = Math.min(target, versions.floor + (waited ? 4096 : Math.max(2 * writes, 64)))
    if (floor > versions.floor) {
      if (log.read) watchers.forEachQueued(floor, (event) => void event.previous?.value)
      versions.compact(floor, dropped)
    }
    return waited || dropped.length >= dropSize ? { dropped: dropped.slice(0, waited ? 8192 : 4 * dropSize), floor: versions.floor } : undefined
  }

  function compacted(compaction: Compaction): void {
    dropped = dropped.slice(compaction.dropped.length)
    if (dropped.length > 0) return
    const reached = compactions.filter((c) => c.floor <= compaction.floor)
    compactions = compactions.filter((c) => c.floor > compaction.floor)
    for (const c of reached) c.resolve()
  }

  async function close(): Promise<void> {
    if (state === 'committing') await new Promise<void>((resolve) => (settled = resolve))
    state = 'closed'
    for (const write of queue.splice(0)) write.reject(closedError())
    for (const c of compactions.splice(0)) c.reject(closedError())
    watchers.close()
    await log.close()
  }

  return {
    async get(key, { revision } = {}) {
      check(revision ?? versions.revision)
      const version = versions.at(key, revision ?? versions.revision)
      return version && keyValue(version)
    },
    async list(prefix, { revision = versions.revision, limit, after }: ListOptions = {}): Promise<Listing> {
      check(revision)
      const { found, more } = versions.range(prefix, { revision, after, limit: limit || Infinity })
      const items = found.map(keyValue)
      const remaining = more ? versions.remaining(prefix, items.at(-1)!.key, revision) : 0
      return { items, revision, more, remaining }
    },
    async currentRevision() {
      check(versions.revision)
      return versions.revision
    },
    create: (key, value) => write('create', key, value, 0),
    update: (key, value, revision) => write('update', key, value, revision),
    delete: (key, revision) => write('delete', key, undefined, revision),
    watch: (prefix, watchOptions) => watchers.watch(prefix, watchOptions),
    async compact(revision) {
      if (state === 'closed') throw closedError()
      if (revision > versions.revision) check(revision)
      if (revision <= versions.floor && dropped.length === 0) return
      await new Promise<void>((resolve, reject) => {
        compactions.push({ floor: revision, resolve, reject })
        schedule()
      })
    },
    [Symbol.asyncDispose]: () => (closing ??= close()),
  }
}

const fullError = () =>
  new StoreError('full', 'there is no space left for the store: deletions are taken, everything else is refused until there is some')
