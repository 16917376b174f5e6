import { getRandomValues } from 'node:crypto'

/** A source of numbers in [0, 1): injected wherever a decision is random. */
export type Random = () => number

/** Deterministic numbers from a seed (mulberry32), for tests that log their seed. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

// The alphabet of generated Kubernetes names: no vowels and no look-alikes, so that no word appears by chance.
const nameAlphabet = 'bcdfghjklmnpqrstvwxz2456789'

// Asking the system for a few bytes costs as much as asking for thousands: they are fetched in advance.
const pool = new Uint8Array(4096)
let used = pool.length

/** A suffix as `generateName` appends it: `length` characters that are safe in every object name. */
export function nameSuffix(length = 5): string {
  let suffix = ''
  while (suffix.length < length) {
    if (used === pool.length) {
      getRandomValues(pool)
      used = 0
    }
    suffix += nameAlphabet[pool[used++]! % nameAlphabet.length]
  }
  return suffix
}
