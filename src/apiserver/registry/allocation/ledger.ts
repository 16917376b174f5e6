import type { Store } from '#store'

/** Whose a number is; `at` (milliseconds since the epoch) tells a fresh claim from a forgotten one. */
export interface Owner {
  uid: string
  namespace: string
  name: string
  at: number
}

/**
 * Where it is written down which number is whose. An entry is a key of the store that is created once: that makes it unique among all API servers on
 * that store.
 */
export interface Ledger {
  /** False when somebody has the number, whoever that is. */
  create(text: string, owner: Owner): Promise<boolean>
  /** False when nobody has it. */
  has(text: string): Promise<boolean>
  /** Whether somebody is known to have it: saves tries, and may be behind. */
  knows(text: string): boolean
  /** Strikes the entry out if it is this owner's. */
  release(text: string, owner: Pick<Owner, 'uid' | 'namespace' | 'name'>): Promise<void>
}

/** A ledger with entries that nobody sees but API servers. */
export interface KeyLedger extends Ledger {
  /** All entries, as the store has them now. */
  entries(): Promise<Map<string, Owner | undefined>>
}

/** Keys are the prefix and the number's text. */
export function keyLedger(store: Store, prefix: string): KeyLedger {
  const known = new Set<string>()
  return {
    async create(text, owner) {
      known.add(text)
      return (await store.create(prefix + text, encode(owner))).ok
    },
    has: async (text) => (await store.get(prefix + text)) !== undefined,
    knows: (text) => known.has(text),
    async release(text, { uid }) {
      for (;;) {
        const current = await store.get(prefix + text)
        if (!current) known.delete(text)
        if (!current || decode(current.value)?.uid !== uid) return
        const result = await store.delete(current.key, current.modRevision)
        if (!result.ok) continue
        known.delete(text)
        return
      }
    },
    async entries() {
      const owners = new Map<string, Owner | undefined>()
      for (const item of (await store.list(prefix)).items) owners.set(item.key.slice(prefix.length), decode(item.value))
      known.clear()
      for (const text of owners.keys()) known.add(text)
      return owners
    },
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
