import type { Clock } from './clock.ts'
import { realClock } from './clock.ts'

/** Told what becomes of each key, for metrics; asked for nothing. */
export interface WorkQueueObserver {
  added(key: string): void
  taken(key: string): void
  done(key: string): void
}

/**
 * A queue of keys with the guarantees of client-go's workqueue: a key waits at most once; a key that is added while it
 * is processed is processed once more afterwards, never twice at the same time; `addAfter` keeps the earliest due time.
 */
export class WorkQueue {
  readonly #clock: Clock
  readonly #ready: string[] = []
  readonly #dirty = new Set<string>()
  readonly #processing = new Set<string>()
  readonly #delayed = new Map<string, { at: number; cancel: () => void }>()
  readonly #waiters: ((key: string | undefined) => void)[] = []
  readonly #observer: WorkQueueObserver | undefined
  #closed = false

  constructor(options: { clock?: Clock; observer?: WorkQueueObserver | undefined } = {}) {
    this.#clock = options.clock ?? realClock
    this.#observer = options.observer
  }

  add(key: string): void {
    if (this.#closed || this.#dirty.has(key)) return
    this.#dirty.add(key)
    this.#observer?.added(key)
    if (this.#processing.has(key)) return
    this.#push(key)
  }

  /** Adds `key` after `ms`, unless it is due earlier already. */
  addAfter(key: string, ms: number): void {
    if (this.#closed) return
    if (ms <= 0) return this.add(key)
    const at = this.#clock.monotonic() + ms
    const waiting = this.#delayed.get(key)
    if (waiting) {
      if (waiting.at <= at) return
      waiting.cancel()
    }
    const cancel = this.#clock.schedule(ms, () => {
      this.#delayed.delete(key)
      this.add(key)
    })
    this.#delayed.set(key, { at, cancel })
  }

  /** The next key, or undefined once the queue is closed. Call `done` with it afterwards. */
  next(): Promise<string | undefined> {
    const key = this.#ready.shift()
    if (key !== undefined) return Promise.resolve(this.#take(key))
    if (this.#closed) return Promise.resolve(undefined)
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  done(key: string): void {
    this.#processing.delete(key)
    this.#observer?.done(key)
    if (this.#dirty.has(key)) this.#push(key)
  }

  /** Keys ready to be taken. */
  get length(): number {
    return this.#ready.length
  }

  close(): void {
    this.#closed = true
    for (const { cancel } of this.#delayed.values()) cancel()
    this.#delayed.clear()
    this.#ready.length = 0
    for (const resolve of this.#waiters.splice(0)) resolve(undefined)
  }

  #push(key: string): void {
    if (this.#closed) return
    const waiter = this.#waiters.shift()
    if (waiter) waiter(this.#take(key))
    else this.#ready.push(key)
  }

  #take(key: string): string {
    this.#dirty.delete(key)
    this.#processing.add(key)
    this.#observer?.taken(key)
    return key
  }
}
