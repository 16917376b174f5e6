import type { Random } from './random.ts'

export interface BackoffOptions {
  /** First delay, milliseconds. */
  initial: number
  /** Largest delay, milliseconds. */
  max: number
  /** Growth per attempt; 2 when absent. */
  factor?: number
  /** Adds up to this share of the delay at random; 0 when absent. */
  jitter?: number
  random?: Random
}

/** Exponential delays per key: `next` grows a key's delay, `reset` forgets it. */
export class Backoff {
  readonly #options: BackoffOptions
  readonly #attempts = new Map<string, number>()

  constructor(options: BackoffOptions) {
    this.#options = options
  }

  /** The delay in milliseconds before the next attempt for `key`. */
  next(key = ''): number {
    const { initial, max, factor = 2, jitter = 0, random = Math.random } = this.#options
    const attempt = this.#attempts.get(key) ?? 0
    this.#attempts.set(key, attempt + 1)
    const delay = Math.min(initial * factor ** attempt, max)
    return delay + delay * jitter * random()
  }

  /** How often `next` was asked for `key` since its last reset. */
  attempts(key = ''): number {
    return this.#attempts.get(key) ?? 0
  }

  reset(key = ''): void {
    this.#attempts.delete(key)
  }
}
