// Chunks are split in two when they reach this many keys: large enough that there are few, small enough that an insertion moves little.
const chunkSize = 256

/**
 * A map whose keys are kept in order of their UTF-8 bytes: lookup, insertion and deletion cost O(log n) comparisons, walking a
 * range costs its start and its length.
 */
export class SortedMap<V> {
  #chunks: { keys: string[]; values: V[] }[] = []
  #size = 0
  // JavaScript compares UTF-16 units, which is another order than bytes only where surrogates occur
  #surrogates = false

  /** A map of `entries`, which must be unique by key; faster than inserting them one by one. */
  static from<V>(entries: Map<string, V>): SortedMap<V> {
    const map = new SortedMap<V>()
    const keys = [...entries.keys()]
    map.#surrogates = keys.some(hasSurrogates)
    keys.sort(map.#surrogates ? compareBytes : (a, b) => (a < b ? -1 : 1))
    // chunks start three quarters full, so that the first insertions split none
    const step = (chunkSize * 3) / 4
    for (let i = 0; i < keys.length; i += step) {
      const part = keys.slice(i, i + step)
      map.#chunks.push({ keys: part, values: part.map((key) => entries.get(key)!) })
    }
    map.#size = keys.length
    return map
  }

  get size(): number {
    return this.#size
  }

  get(key: string): V | undefined {
    const chunk = this.#chunks[this.#chunkOf(key)]
    if (!chunk) return undefined
    const i = this.#lowerBound(chunk.keys, key)
    return chunk.keys[i] === key ? chunk.values[i] : undefined
  }

  set(key: string, value: V): void {
    if (!this.#surrogates && hasSurrogates(key)) this.#surrogates = true
    const at = this.#chunkOf(key)
    const chunk = this.#chunks[at]
    if (!chunk) {
      this.#chunks.push({ keys: [key], values: [value] })
      this.#size = 1
      return
    }
    const { keys, values } = chunk
    // appending in key order is common (generated names, loads): no search, no move
    const i = keys.length > 0 && this.#orderFor(key)(keys[keys.length - 1]!, key) ? keys.length : this.#lowerBound(keys, key)
    if (keys[i] === key) {
      values[i] = value
      return
    }
    keys.splice(i, 0, key)
    values.splice(i, 0, value)
    this.#size++
    if (keys.length > chunkSize) {
      const half = keys.length >> 1
      this.#chunks.splice(at + 1, 0, { keys: keys.splice(half), values: values.splice(half) })
    }
  }

  delete(key: string): boolean {
    const at = this.#chunkOf(key)
    const chunk = this.#chunks[at]
    if (!chunk) return false
    const i = this.#lowerBound(chunk.keys, key)
    if (chunk.keys[i] !== key) return false
    chunk.keys.splice(i, 1)
    chunk.values.splice(i, 1)
    this.#size--
    if (chunk.keys.length === 0) this.#chunks.splice(at, 1)
    return true
  }

  /**
   * Visits the entries whose keys start with `prefix` and are greater than `after`, in order, until `visit` answers false.
   * The map must not change meanwhile.
   */
  walk(prefix: string, after: string | undefined, visit: (key: string, value: V) => boolean): void {
    const start = after !== undefined && !this.#orderFor(after + prefix)(after, prefix) ? after : prefix
    let at = this.#chunkOf(start)
    let chunk = this.#chunks[at]
    if (!chunk) return
    let i = this.#lowerBound(chunk.keys, start)
    if (after !== undefined && chunk.keys[i] === after) i++
    for (; chunk; chunk = this.#chunks[++at], i = 0) {
      const { keys, values } = chunk
      for (; i < keys.length; i++) {
        const key = keys[i]!
        if (!key.startsWith(prefix) || !visit(key, values[i]!)) return
      }
    }
  }

  /** How many keys start with `prefix` and are greater than `after`, without walking them. */
  count(prefix: string, after?: string): number {
    const start = after !== undefined && !this.#orderFor(after + prefix)(after, prefix) ? after : prefix
    let at = this.#chunkOf(start)
    let chunk = this.#chunks[at]
    if (!chunk) return 0
    let i = this.#lowerBound(chunk.keys, start)
    if (after !== undefined && chunk.keys[i] === after) i++
    let count = 0
    for (; chunk; chunk = this.#chunks[++at], i = 0) {
      const { keys } = chunk
      const last = keys[keys.length - 1]!
      if (last.startsWith(prefix)) count += keys.length - i
      else {
        for (; i < keys.length && keys[i]!.startsWith(prefix); i++) count++
        break
      }
    }
    return count
  }

  /** The chunk that holds `key`, or would. */
  #chunkOf(key: string): number {
    const isLess = this.#orderFor(key)
    let low = 0
    let high = this.#chunks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (isLess(key, this.#chunks[middle]!.keys[0]!)) high = middle - 1
      else low = middle
    }
    return low
  }

  #lowerBound(keys: string[], key: string): number {
    const isLess = this.#orderFor(key)
    let low = 0
    let high = keys.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (isLess(keys[middle]!, key)) low = middle + 1
      else high = middle
    }
    return low
  }

  /** How `key` compares with the keys that are here, and they with it. Asked once a search: most keys have no surrogates. */
  #orderFor(key: string): (a: string, b: string) => boolean {
    return this.#surrogates || hasSurrogates(key) ? lessInBytes : less
  }
}

const less = (a: string, b: string) => a < b
const lessInBytes = (a: string, b: string) => compareBytes(a, b) < 0

// cheap for keys without: V8 keeps Latin-1 strings in one byte per character and knows that the class cannot match there
const hasSurrogates = (key: string) => /[\ud800-\udfff]/.test(key)

/** The order of two strings' UTF-8 encodings: by code point, which UTF-16 order is too but for surrogates against U+E000 and above. */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

const rank = (unit: number) => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)
