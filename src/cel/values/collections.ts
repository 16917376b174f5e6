import { CelError, List, MapValue, Uint, type Value } from '../values.ts'
import { equal } from './equality.ts'

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
  if (first.joined) return first.joined(second)
  if (first.length === 0) return second
  if (second.length === 0) return first
  return new ConcatList(first, second)
}

interface Entry {
  key: Value
  value: Value
}

/**
 * A map of entries in the order in which they came. As in cel-go keys of other types are other keys, but a number finds the key of another type that is the
 * same number; and of two entries with one key the later wins.
 */
export class EntryMap extends MapValue {
  /** Of strings, booleans, ints and doubles. */
  readonly #simple = new Map<unknown, Entry>()
  #uints: Map<bigint, Entry> | undefined
  /** Of all other types, which are rare. */
  #others: Entry[] | undefined

  constructor(entries: Iterable<readonly [Value, Value]> = []) {
    super()
    for (const [key, value] of entries) this.set(key, value)
  }

  get size(): number {
    return this.#simple.size + (this.#uints?.size ?? 0) + (this.#others?.length ?? 0)
  }

  get(key: Value): Value | undefined {
    return this.#find(key)?.value
  }

  #find(key: Value): Entry | undefined {
    switch (typeof key) {
      case 'string':
      case 'boolean':
        return this.#simple.get(key)
      case 'bigint':
        return this.#simple.get(key) ?? this.#uints?.get(key)
      case 'number':
        if (Number.isNaN(key)) return undefined
        return this.#simple.get(key) ?? (Number.isInteger(key) ? (this.#simple.get(BigInt(key)) ?? this.#uints?.get(BigInt(key))) : undefined)
    }
    if (key instanceof Uint) return this.#uints?.get(key.value) ?? this.#simple.get(key.value)
    return this.#others?.find((entry) => equal(entry.key, key))
  }

  protected set(key: Value, value: Value): void {
    const entry = { key, value }
    if (key instanceof Uint) (this.#uints ??= new Map()).set(key.value, entry)
    else if (typeof key !== 'object') this.#simple.set(key, entry)
    else {
      const others = (this.#others ??= [])
      const same = others.findIndex((other) => equal(other.key, key))
      if (same >= 0) others[same] = entry
      else others.push(entry)
    }
  }

  *keys(): Iterable<Value> {
    for (const { key } of this.#simple.values()) yield key
    if (this.#uints) for (const { key } of this.#uints.values()) yield key
    if (this.#others) for (const { key } of this.#others) yield key
  }
}

export const mapOf = (entries: Iterable<readonly [Value, Value]>): MapValue => new EntryMap(entries)

/** The map that a comprehension collects into, see MutableList. */
export class MutableMap extends EntryMap {
  /** Adds an entry in place and returns the map itself, or the error that there is such a key. */
  insert(key: Value, value: Value, shown: string): MutableMap | CelError {
    if (this.get(key) !== undefined) return new CelError(`insert failed: key ${shown} already exists`)
    this.set(key, value)
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
