import type { StoreEvent, WatchBatch } from './store.ts'
import { compareBytes } from './sorted-map.ts'
import { StoreError } from './store.ts'

/** Where a watcher reads what happened before it came. */
export interface History {
  /** Events under `prefix` after a revision, in order, a part at a time; throws `compacted` or `future`. */
  since(prefix: string, after: number): WatchBatch | Promise<WatchBatch>
  /** The newest revision. */
  readonly revision: number
}

interface Watcher {
  queue: StoreEvent[]
  /** Everything up to here is in the queue or delivered. */
  revision: number
  /** The revision of the last batch that was delivered. */
  delivered: number
  waiting: { resolve: (result: IteratorResult<WatchBatch>) => void; reject: (error: Error) => void } | undefined
  ended: Error | 'done' | undefined
}

/** The watchers of one prefix; `parent` is the watched prefix that is the longest proper prefix of it. */
interface Node {
  prefix: string
  parent: Node | undefined
  watchers: Set<Watcher>
  events: StoreEvent[]
}

/**
 * Fans committed events out to watchers. An event is one object for all of them; the watchers that match a key are found by
 * one binary search over the watched prefixes.
 */
export class Watchers {
  readonly #history: History
  readonly #limit: number
  readonly #byPrefix = new Map<string, Node>()
  // the nodes in order of prefix; undefined after a change
  #sorted: Node[] | undefined
  #closed = false

  /** A watcher that has more than `limit` undelivered events is cut off. */
  constructor(history: History, limit: number) {
    this.#history = history
    this.#limit = limit
  }

  watch(prefix: string, options: { from: number; signal?: AbortSignal }): AsyncIterable<WatchBatch> {
    return { [Symbol.asyncIterator]: () => this.#iterate(prefix, options.from, options.signal) }
  }

  /** Hands out the events of one commit, in order of revision, and tells every other watcher how far the store is. */
  publish(events: StoreEvent[], revision: number): void {
    if (this.#byPrefix.size === 0) return
    const sorted = (this.#sorted ??= this.#sort())
    const touched: Node[] = []
    for (const event of events)
      for (let node = match(sorted, event.key); node; node = node.parent) if (node.events.push(event) === 1) touched.push(node)
    for (const node of touched) {
      const batch = { events: node.events, revision }
      node.events = []
      for (const watcher of node.watchers) this.#deliver(node, watcher, batch)
    }
    // one result for all: it holds nothing that a reader could take away from another
    const progress: IteratorResult<WatchBatch> = { done: false, value: { events: [], revision } }
    for (const node of sorted)
      for (const watcher of node.watchers) {
        watcher.revision = revision
        const { waiting } = watcher
        if (!waiting) continue
        watcher.waiting = undefined
        watcher.delivered = revision
        waiting.resolve(progress)
      }
  }

  /** Calls `visit` for each event that waits in a queue and is not newer than `revision`. */
  forEachQueued(revision: number, visit: (event: StoreEvent) => void): void {
    for (const node of this.#byPrefix.values())
      for (const { queue } of node.watchers)
        for (const event of queue) {
          if (event.revision > revision) break
          visit(event)
        }
  }

  /** Ends every watch with `closed`, and those to come. */
  close(): void {
    this.#closed = true
    this.endAll(closedError())
  }

  /** Ends every watch with an error. */
  endAll(error: Error): void {
    for (const node of this.#byPrefix.values()) for (const watcher of node.watchers) end(watcher, error)
    this.#byPrefix.clear()
    this.#sorted = undefined
  }

  #deliver(node: Node, watcher: Watcher, batch: WatchBatch): void {
    watcher.revision = batch.revision
    const { waiting } = watcher
    if (waiting) {
      watcher.waiting = undefined
      watcher.delivered = batch.revision
      waiting.resolve({ done: false, value: batch })
      return
    }
    for (const event of batch.events) watcher.queue.push(event)
    if (watcher.queue.length <= this.#limit) return
    this.#remove(node, watcher)
    end(watcher, new StoreError('slow', `watch of "${node.prefix}" fell more than ${this.#limit} events behind`))
  }

  #iterate(prefix: string, from: number, signal: AbortSignal | undefined): AsyncIterator<WatchBatch> {
    let position = from
    // undefined while the watch still reads history
    let live: { node: Node; watcher: Watcher } | undefined
    let finished = false

    const finish = () => {
      finished = true
      signal?.removeEventListener('abort', onAbort)
      if (live) this.#remove(live.node, live.watcher)
    }
    const onAbort = () => {
      finish()
      if (live) end(live.watcher, 'done')
    }
    if (signal?.aborted) finished = true
    else signal?.addEventListener('abort', onAbort, { once: true })

    const next = async (): Promise<IteratorResult<WatchBatch>> => {
      const found = this.#closed ? fail(closedError()) : this.#history.since(prefix, position)
      const batch = found instanceof Promise ? await found : found
      if (finished) return done
      position = batch.revision
      if (position === this.#history.revision) live = this.#add(prefix, position)
      // parts of history without a match say nothing worth waking for, but the last one tells that the watch is up to date
      return batch.events.length > 0 || live ? { done: false, value: batch } : next()
    }
    return {
      next: () => {
        if (finished) return Promise.resolve(done)
        if (!live)
          return next().catch((error: Error) => {
            finish()
            throw error
          })
        const { watcher } = live
        if (watcher.ended) {
          const { ended } = watcher
          finish()
          return ended === 'done' ? Promise.resolve(done) : Promise.reject(ended)
        }
        if (watcher.queue.length > 0 || watcher.revision > watcher.delivered) {
          const batch = { events: watcher.queue, revision: watcher.revision }
          watcher.queue = []
          watcher.delivered = watcher.revision
          return Promise.resolve({ done: false, value: batch })
        }
        if (watcher.waiting) return Promise.reject(new TypeError('a watch has one reader'))
        return new Promise((resolve, reject) => (watcher.waiting = { resolve, reject }))
      },
      return: () => {
        finish()
        return Promise.resolve(done)
      },
    }
  }

  #add(prefix: string, revision: number): { node: Node; watcher: Watcher } {
    let node = this.#byPrefix.get(prefix)
    if (!node) {
      node = { prefix, parent: undefined, watchers: new Set(), events: [] }
      this.#byPrefix.set(prefix, node)
      this.#sorted = undefined
    }
    const watcher: Watcher = { queue: [], revision, delivered: revision, waiting: undefined, ended: undefined }
    node.watchers.add(watcher)
    return { node, watcher }
  }

  #remove(node: Node, watcher: Watcher): void {
    if (!node.watchers.delete(watcher) || node.watchers.size > 0) return
    this.#byPrefix.delete(node.prefix)
    this.#sorted = undefined
  }

  #sort(): Node[] {
    const sorted = [...this.#byPrefix.values()].sort((a, b) => compareBytes(a.prefix, b.prefix))
    const open: Node[] = []
    for (const node of sorted) {
      while (open.length > 0 && !node.prefix.startsWith(open[open.length - 1]!.prefix)) open.pop()
      node.parent = open[open.length - 1]
      open.push(node)
    }
    return sorted
  }
}

/**
 * The node with the longest prefix of `key`; its ancestors are the others that match. Every string between a prefix of `key` and
 * `key` starts with that prefix, so the greatest prefix that is not greater than `key` is the match or below it.
 */
function match(sorted: Node[], key: string): Node | undefined {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareBytes(sorted[middle]!.prefix, key) <= 0) low = middle + 1
    else high = middle
  }
  let node = sorted[low - 1]
  while (node && !key.startsWith(node.prefix)) node = node.parent
  return node
}

function end(watcher: Watcher, how: Error | 'done'): void {
  watcher.ended = how
  watcher.queue = []
  const { waiting } = watcher
  watcher.waiting = undefined
  if (how === 'done') waiting?.resolve(done)
  else waiting?.reject(how)
}

const done: IteratorResult<WatchBatch> = { done: true, value: undefined }
export const closedError = () => new StoreError('closed', 'the store is closed')

function fail(error: Error): never {
  throw error
}
