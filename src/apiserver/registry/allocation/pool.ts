import type { Random } from '#base'
import type { Ledger, Owner } from './ledger.ts'
import type { NumberRange } from './ranges.ts'

export interface PoolOptions {
  ledger: Ledger
  /** The ranges as they are now; the later are for when the earlier are used up. */
  ranges(): readonly NumberRange[]
  /** The text of a number. */
  text(number: bigint): string
  random: Random
}

/** Numbers of some ranges, each owned by at most one object. */
export class Pool {
  readonly ledger: Ledger
  readonly #options: PoolOptions

  constructor(options: PoolOptions) {
    this.ledger = options.ledger
    this.#options = options
  }

  contains(number: bigint): boolean {
    return this.#options.ranges().some(({ first, last }) => number >= first && number <= last)
  }

  /** Takes any free number; undefined when there is none. */
  async takeAny(owner: Owner): Promise<string | undefined> {
    for (const text of this.#candidates()) if (!this.ledger.knows(text) && (await this.ledger.create(text, owner))) return text
    // what was thought to be taken may have been given back by another API server, and that may become known any time from now on
    for (const text of this.#candidates()) if (!(await this.ledger.has(text)) && (await this.ledger.create(text, owner))) return text
    return undefined
  }

  /** A number that is probably free, without taking it: what a dry run answers. */
  peek(): string | undefined {
    return this.#candidates().find((text) => !this.ledger.knows(text))
  }

  /** All numbers: of each range the dynamic part and then the static one, each from some place in it on. */
  *#candidates(): Generator<string, undefined> {
    const { ranges, random, text } = this.#options
    for (const { first, last, dynamicFrom } of ranges())
      for (const [from, to] of [
        [dynamicFrom, last],
        [first, dynamicFrom - 1n],
      ] as const) {
        const size = to - from + 1n
        if (size <= 0n) continue
        const start = (size * BigInt(Math.floor(random() * 2 ** 32))) >> 32n
        for (let i = 0n; i < size; i++) yield text(from + ((start + i) % size))
      }
    return undefined
  }
}
