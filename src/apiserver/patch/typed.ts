import type { FieldSet } from './field-set.ts'
import type { JsonObject } from './json-value.ts'
import type { FieldShape, KeyedShape, SetShape, Shape, StructShape } from './shape.ts'
import { has, isLeaf, isMember, leaf } from './field-set.ts'
import { isObject, member, setMember } from './json-value.ts'
import { deduced, itemElement, leafShape, valueElement } from './shape.ts'

/** The fields that an applied configuration names: what its manager wants to own. */
export function fieldSetOf(shape: StructShape, value: object): FieldSet {
  const set = fieldsBelow(shape, value) ?? leaf
  const metadata = set['f:metadata']
  if (!metadata || !isMember(metadata)) return set
  // nobody owns the metadata as such
  const { '.': _, ...below } = metadata
  const { 'f:metadata': __, ...others } = set
  return isLeaf(below) ? others : { ...others, 'f:metadata': below }
}

/** The fields below a value; undefined when there are none. */
export function fieldsBelow(shape: Shape, value: unknown): FieldSet | undefined {
  const result: Record<string, FieldSet> = {}
  if (isObject(value) && isGranular(shape)) {
    for (const key of Object.keys(value)) {
      if (value[key] === undefined) continue
      const { element, shape: own, tracked } = fieldOf(shape, key)
      if (!tracked) continue
      const child = value[key]
      const below = isOwnedWhole(own, child) ? undefined : fieldsBelow(own, child)
      // a field of a struct that only holds others is not owned itself; what is empty, null or a leaf is
      const named = shape.kind === 'struct' && shape.fields.has(key)
      const self = isOwnedWhole(own, child) || !named || child === null || (isObject(child) && Object.keys(child).length === 0)
      if (self) result[element] = below ? { '.': leaf, ...below } : leaf
      else if (below) result[element] = below
    }
  } else if (Array.isArray(value) && (shape.kind === 'keyed' || shape.kind === 'set'))
    for (const item of value) {
      const element = elementOf(shape, item)
      // of items with one key nobody can say which is which: together they are a leaf
      const below = shape.kind === 'keyed' && !Object.hasOwn(result, element) ? fieldsBelow(shape.items, item) : undefined
      result[element] = below ? { '.': leaf, ...below } : leaf
    }
  return Object.keys(result).length > 0 ? result : undefined
}

/**
 * Merges an applied configuration into the live object: fields of `applied` win, everything else stays. Items of keyed lists and sets
 * come in the order of `applied`; those that only the live object has keep their place among them. Null
 * stands where it was applied: what it means is for decoding to say.
 */
export function mergeTyped(shape: Shape, live: unknown, applied: unknown): unknown {
  if (applied === undefined) return live
  if (live === undefined) return applied
  if (isGranular(shape) && (isObject(live) || live === null) && (isObject(applied) || applied === null)) {
    if (applied === null) return live !== null && Object.keys(live).length > 0 ? live : null
    const result: JsonObject = {}
    for (const key of Object.keys(live ?? {})) setMember(result, key, (live as JsonObject)[key])
    for (const key of Object.keys(applied)) {
      const merged = mergeTyped(fieldOf(shape, key).shape, member(result, key), applied[key])
      if (merged === undefined) delete result[key]
      else setMember(result, key, merged)
    }
    return result
  }
  if ((shape.kind === 'keyed' || shape.kind === 'set') && Array.isArray(live) && (Array.isArray(applied) || applied === null)) {
    if (applied === null) return live.length > 0 ? live : null
    return mergeLists(shape, live, applied)
  }
  return applied
}

function mergeLists(shape: KeyedShape | SetShape, live: unknown[], applied: unknown[]): unknown[] {
  const itemShape = shape.kind === 'keyed' ? shape.items : leafShape
  const old = live.map((item) => elementOf(shape, item))
  const oldItems = new Map<string, unknown>()
  // duplicates are not merged with an item that is applied: it takes their place
  for (const [i, element] of old.entries()) oldItems.set(element, oldItems.has(element) ? undefined : live[i])
  const wanted = new Map(applied.map((item) => [elementOf(shape, item), item]))
  const order = [...wanted.keys()]
  // the items that both have, in the order they are to have
  const shared = order.filter((element) => oldItems.has(element))
  // which of these is next: taking them off the front of a long list would move all of it each time
  let next = 0
  const done = new Set<string>()
  const result: unknown[] = []
  const take = (element: string) => {
    done.add(element)
    if (element === shared[next]) next++
    result.push(mergeTyped(itemShape, oldItems.get(element), wanted.get(element)))
  }
  for (let l = 0, r = 0; l < old.length || r < order.length;) {
    if (l < old.length && r < order.length) {
      const element = old[l]!
      if (element === order[r]) {
        take(element)
        l++
        r++
        continue
      }
      // a shared item whose turn has not come
      if (wanted.has(element) && shared[next] !== undefined && shared[next] !== element) {
        l++
        continue
      }
    }
    if (l < old.length) {
      const element = old[l]!
      if (!wanted.has(element)) {
        result.push(live[l++])
        continue
      }
      if (done.has(element)) l++
    }
    if (r < order.length) take(order[r++]!)
  }
  return result
}

/** The value without the fields and items of `gone`; undefined when nothing of it is left. What is emptied within it becomes null. */
export function removeItems(shape: Shape, value: unknown, gone: FieldSet): unknown {
  if (isObject(value) && isGranular(shape)) {
    const result: JsonObject = {}
    let some = false
    for (const key of Object.keys(value)) {
      const { element, shape: own } = fieldOf(shape, key)
      if (has(gone, element)) continue
      const below = gone[element]
      const child = below ? (removeItems(own, value[key], below) ?? null) : value[key]
      if (child === undefined) continue
      setMember(result, key, child)
      some = true
    }
    return some ? result : undefined
  }
  if (Array.isArray(value) && (shape.kind === 'keyed' || shape.kind === 'set')) {
    const result: unknown[] = []
    for (const item of value) {
      const element = elementOf(shape, item)
      if (has(gone, element)) continue
      const below = gone[element]
      result.push(below && shape.kind === 'keyed' ? (removeItems(shape.items, item, below) ?? {}) : item)
    }
    return result.length > 0 ? result : undefined
  }
  return value
}

/** The set with every struct field that holds members made a member: so that structs go when the last of their fields does. */
export function withNamedFields(shape: Shape, set: FieldSet): FieldSet {
  const result: Record<string, FieldSet> = {}
  for (const key in set) {
    if (key === '.') {
      result['.'] = leaf
      continue
    }
    const named = shape.kind === 'struct' ? shape.fields.get(key.slice(2)) : undefined
    const below = withNamedFields(childShape(shape, key), set[key]!)
    result[key] = named && !('.' in below) && Object.keys(below).length > 0 ? { '.': leaf, ...below } : below
  }
  return result
}

/** The shape of what a path element leads to. */
export function childShape(shape: Shape, element: string): Shape {
  if (shape.kind === 'keyed') return shape.items
  return isGranular(shape) ? fieldOf(shape, element.slice(2)).shape : leafShape
}

type Granular = Extract<Shape, { kind: 'struct' | 'map' | 'deduced' }>
const isGranular = (shape: Shape): shape is Granular => shape.kind === 'struct' || shape.kind === 'map' || shape.kind === 'deduced'

function fieldOf(shape: Granular, key: string): FieldShape {
  if (shape.kind === 'struct') {
    const field = shape.fields.get(key)
    if (field) return field
  }
  return { element: `f:${key}`, shape: shape.kind === 'map' ? shape.values : deduced, tracked: true }
}

/** Whether a value is owned as a whole whatever is in it. */
const isOwnedWhole = (shape: Shape, value: unknown) => shape.kind === 'leaf' || (shape.kind === 'deduced' && !isObject(value))

const elementOf = (shape: KeyedShape | SetShape, item: unknown) => (shape.kind === 'keyed' ? itemElement(shape, item) : valueElement(item))
