export interface RestartBackoffOptions {
  /** First delay, milliseconds; 10 s when absent. */
  initial?: number
  /** Largest delay, milliseconds; 5 min when absent. */
  max?: number
}

interface Entry {
  delay: number
  updatedAt: number
}

/**
 * The delays of CrashLoopBackOff and ImagePullBackOff: nothing before the first retry, then 10 s, doubling up to 5 min. A key that had no failure for
 * twice the largest delay begins anew. Times are wall-clock milliseconds.
 */
export class RestartBackoff {
  readonly #initial: number
  readonly #max: number
  readonly #entries = new Map<string, Entry>()

  constructor(options: RestartBackoffOptions = {}) {
    this.#initial = options.initial ?? 10_000
    this.#max = options.max ?? 300_000
  }

  /** When the next attempt may start, given that the last one failed at `failedAt`. */
  allowedAt(key: string, failedAt: number): number {
    const entry = this.#entries.get(key)
    return !entry || this.#expired(entry, failedAt) ? failedAt : failedAt + entry.delay
  }

  /** The delay that holds now, milliseconds; 0 before the first failure. */
  delay(key: string): number {
    return this.#entries.get(key)?.delay ?? 0
  }

  /** Says that an attempt starts at `now` after a failure at `failedAt`: the next failure waits longer. */
  attempt(key: string, failedAt: number, now: number): void {
    const entry = this.#entries.get(key)
    const delay = !entry || this.#expired(entry, failedAt) ? this.#initial : Math.min(entry.delay * 2, this.#max)
    this.#entries.set(key, { delay, updatedAt: now })
  }

  forget(key: string): void {
    this.#entries.delete(key)
  }

  #expired(entry: Entry, at: number): boolean {
    return at - entry.updatedAt > this.#max * 2
  }
}
