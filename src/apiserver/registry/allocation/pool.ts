import type { Random } from '#base'
import type { Store } from '#store'
import type { NumberRange } from './ranges.ts'

/** Whose a number is; `at` (milliseconds since the epoch) tells a fresh claim from a forgotten one. */
export interface Owner {
  uid: string
  namespace: string
  name: string
  at: number
}

export interface PoolOptions {
  store: Store
  /** Keys are this prefix and the number's text. */
  prefix: string
  range: NumberRange
  /** The text of a number, and back. */
  text(number: bigint): string
  random: Random
}

/** Random tries before the range is searched from end to end. */
const tries = 16

/**
 * Numbers of a range, each owned by at most one object. An allocation is a key of the store that is created once: that makes it unique among all
 * API servers on that store. What is known here to be taken only saves tries.
 */
export class Pool {
  readonly #options: PoolOptions
  readonly #taken = new Set<string>()

  constructor(options: PoolOptions) {
    this.#options = options
  }

  contains(number: bigint): boolean {
    const { range } = this.#options
    return number >= range.first && number <= range.last
  }

  /** Takes this number for the owner; false when somebody else has it. */
  async take(text: string, owner: Owner): Promise<boolean> {
    const result = await this.#options.store.create(this.#key(text), encode(owner))
    this.#taken.add(text)
    if (result.ok) return true
    return result.current !== undefined && decode(result.current.value)?.uid === owner.uid
  }

  /** Takes any free number; undefined when there is none. */
  async takeAny(owner: Owner): Promise<string | undefined> {
    for (const text of this.#candidates()) if (await this.#create(text, owner)) return text
    // What was thought to be taken may have been released by another API server.
    await this.refresh()
    for (const text of this.#candidates()) if (await this.#create(text, owner)) return text
    return undefined
  }

  /** A number that is probably free, without taking it: what a dry run answers. */
  peek(): string | undefined {
    return this.#candidates().next().value ?? undefined
  }

  async isTaken(text: string): Promise<boolean> {
    return (await this.#options.store.get(this.#key(text))) !== undefined
  }

  /** Gives a number back, if it is this owner's. */
  async release(text: string, uid: string): Promise<void> {
    const { store } = this.#options
    for (;;) {
      const current = await store.get(this.#key(text))
      if (!current || decode(current.value)?.uid !== uid) break
      const result = await store.delete(current.key, current.modRevision)
      if (result.ok) break
    }
    if (!(await this.isTaken(text))) this.#taken.delete(text)
  }

  /** All allocations by their text, as the store has them now. */
  async refresh(): Promise<Map<string, Owner | undefined>> {
    const { store, prefix } = this.#options
    const owners = new Map<string, Owner | undefined>()
    for (const item of (await store.list(prefix)).items) owners.set(item.key.slice(prefix.length), decode(item.value))
    this.#taken.clear()
    for (const text of owners.keys()) this.#taken.add(text)
    return owners
  }

  async #create(text: string, owner: Owner): Promise<boolean> {
    this.#taken.add(text)
    return (await this.#options.store.create(this.#key(text), encode(owner))).ok
  }

  /** Numbers not known to be taken: a few at random from the dynamic band, then all of it in order, then the static band. */
  *#candidates(): Generator<string, undefined> {
    const { range, random, text } = this.#options
    const size = Number(range.last - range.dynamicFrom + 1n)
    for (let i = 0; i < tries; i++) {
      const candidate = text(range.dynamicFrom + BigInt(Math.floor(random() * size)))
      if (!this.#taken.has(candidate)) yield candidate
    }
    for (let number = range.dynamicFrom; number <= range.last; number++) {
      const candidate = text(number)
      if (!this.#taken.has(candidate)) yield candidate
    }
    for (let number = range.dynamicFrom - 1n; number >= range.first; number--) {
      const candidate = text(number)
      if (!this.#taken.has(candidate)) yield candidate
    }
    return undefined
  }

  #key(text: string): string {
    return this.#options.prefix + text
  }
}

const encode = (owner: Owner) => Buffer.from(JSON.stringify(owner))

function decode(value: Uint8Array): Owner | undefined {
  try {
    return JSON.parse(Buffer.from(value).toString()) as Owner
  } catch {
    return undefined
  }
}
