import { CelError, List, MapValue, Uint, type Value } from '../values.ts'

/** A list over an array, which must not change any more. */
export class ArrayList extends List {
  readonly items: readonly Value[]
  constructor(items: readonly Value[]) {
    super()
    this.items = items
  }
  get length(): number {
    return this.items.length
  }
  at(index: number): Value {
    return this.items[index]!
  }
}

const empty = new ArrayList([])

export const listOf = (items: readonly Value[]): List => (items.length === 0 ? empty : new ArrayList(items))

/**
 * The list that a comprehension collects into: `accumulator + [x]` appends instead of copying, so that a list of n elements costs n steps. No expression
 * can name it but the comprehension's own step; `frozen` is what its result is.
 */
export class MutableList extends List {
  readonly items: Value[] = []
  get length(): number {
    return this.items.length
  }
  at(index: number): Value {
    return this.items[index]!
  }
  append(other: List): this {
    if (other instanceof ArrayList && other.length === 1) this.items.push(other.items[0]!)
    else for (let index = 0, { length } = other; index < length; index++) this.items.push(other.at(index))
    return this
  }
  frozen(): List {
    return listOf(this.items)
  }
}

/** Two lists one after the other; nothing is copied. */
class ConcatList extends List {
  readonly length: number
  readonly first: List
  readonly second: List
  constructor(first: List, second: List) {
    super()
    this.first = first
    this.second = second
    this.length = first.length + second.length
  }
  at(index: number): Value {
    let first = this.first
    let second = this.second
    for (;;) {
      const inFirst = index < first.length
      const list = inFirst ? first : second
      if (!inFirst) index -= first.length
      if (!(list instanceof ConcatList)) return list.at(index)
      first = list.first
      second = list.second
    }
  }
}

/** `first + second`. What a comprehension collects is appended to in place. */
export function concat(first: List, second: List): List {
  if (first instanceof MutableList) return first.append(second)
  if (first.length === 0) return second
  if (second.length === 0) return first
  return new ConcatList(first, second)
}

/** A key by which JavaScript finds what CEL holds equal: numbers of all three types are one key when they are the same number. */
function normal(key: Value): string | boolean | bigint | number | undefined {
  switch (typeof key) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return key
    case 'number':
      return Number.isInteger(key) && key >= -(2 ** 63) && key < 2 ** 64 ? BigInt(key) : key
    default:
      return key instanceof Uint ? key.value : undefined
  }
}

interface Entry {
  key: Value
  value: Value
}

/** A map of entries in the order in which they came. */
export class EntryMap extends MapValue {
  protected readonly entries: Map<unknown, Entry>
  constructor(entries: Iterable<readonly [Value, Value]> = []) {
    super()
    this.entries = new Map()
    for (const [key, value] of entries) {
      const found = normal(key)
      // As in cel-go the later of two entries with one key wins.
      if (found !== undefined) this.entries.set(found, { key, value })
    }
  }
  get size(): number {
    return this.entries.size
  }
  get(key: Value): Value | undefined {
    const found = normal(key)
    return found === undefined ? undefined : this.entries.get(found)?.value
  }
  *keys(): Iterable<Value> {
    for (const { key } of this.entries.values()) yield key
  }
}

export const mapOf = (entries: Iterable<readonly [Value, Value]>): MapValue => new EntryMap(entries)

/** Whether a value can be the key of a map. */
export const isKey = (value: Value): boolean => normal(value) !== undefined

/** The map that a comprehension collects into, see MutableList. */
export class MutableMap extends EntryMap {
  /** Adds an entry in place and returns the map itself, or the error that there is such a key. */
  insert(key: Value, value: Value, shown: string): MutableMap | CelError {
    const found = normal(key)
    if (found === undefined) return new CelError('unsupported key type')
    if (this.entries.has(found)) return new CelError(`insert failed: key ${shown} already exists`)
    this.entries.set(found, { key, value })
    return this
  }
  frozen(): MapValue {
    return this
  }
}

/** An object with fields: what a literal such as `Object{…}` makes. */
export class ObjectValue extends MapValue {
  override readonly type: string
  readonly fields: ReadonlyMap<string, Value>
  constructor(type: string, fields: ReadonlyMap<string, Value>) {
    super()
    this.type = type
    this.fields = fields
  }
  get size(): number {
    return this.fields.size
  }
  get(key: Value): Value | undefined {
    return typeof key === 'string' ? this.fields.get(key) : undefined
  }
  keys(): Iterable<Value> {
    return this.fields.keys()
  }
}
