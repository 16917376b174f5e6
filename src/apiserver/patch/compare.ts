import type { FieldSet } from './field-set.ts'
import type { KeyedShape, Shape, StructShape } from './shape.ts'
import { leaf } from './field-set.ts'
import { equalJson, isObject } from './json-value.ts'
import { deduced, itemElement, sameItem, valueElement } from './shape.ts'

/** How one object became another: the fields that were added or changed, and those that are gone. */
export interface Comparison {
  touched: FieldSet
  removed: FieldSet
}

type Tree = Record<string, FieldSet>
type Fields = Record<string, unknown>

/**
 * Compares two objects field by field. Parts that are the same object in both are not looked at. This runs on every write:
 * it goes over both once and builds nothing for what is equal.
 */
export function compare(shape: StructShape, before: object, after: object): Comparison {
  const out: Out = { removed: undefined }
  const touched = compareStruct(shape, before as Fields, after as Fields, out)
  return { touched: touched ?? leaf, removed: out.removed ?? leaf }
}

/** Where a comparison leaves what is gone below the value that it was called for; whoever called it takes it out. */
interface Out {
  removed: FieldSet | undefined
}

/** Answers what was touched in one value, its own membership included. Null is a value that is there and empty. */
function compareValue(shape: Shape, l: unknown, r: unknown, out: Out): FieldSet | undefined {
  if (l === r) return undefined
  if (l === undefined) return everything(shape, r)
  if (r === undefined) {
    out.removed = everything(shape, l)
    return undefined
  }
  if (shape.kind === 'leaf' || (isEmpty(l) && isEmpty(r))) return equalJson(l, r) ? undefined : leaf
  switch (shape.kind) {
    case 'struct':
      return compareStruct(shape, asFields(l), asFields(r), out)
    case 'map':
      return compareMembers(shape.values, asFields(l), asFields(r), out)
    case 'keyed':
      return compareKeyed(shape, asList(l), asList(r), out)
    case 'set':
      return compareSet(asList(l), asList(r), out)
    case 'deduced':
      if (!isObject(l) && !isObject(r)) return equalJson(l, r) ? undefined : leaf
      if ((isObject(l) || l === null) && (isObject(r) || r === null)) return compareMembers(deduced, l ?? none, r ?? none, out)
      return otherKind(l, r, out)
  }
}

/** All fields of a value that only one of the objects has, the value itself among them. */
function everything(shape: Shape, value: unknown): FieldSet {
  if (shape.kind === 'leaf' || typeof value !== 'object' || value === null) return leaf
  let node: Tree | undefined
  if (Array.isArray(value)) {
    if (shape.kind === 'keyed')
      for (const item of value) {
        const element = itemElement(shape, item)
        node ??= { '.': leaf }
        node[element] = Object.hasOwn(node, element) ? leaf : everything(shape.items, item)
      }
    else if (shape.kind === 'set') for (const item of value) (node ??= { '.': leaf })[valueElement(item)] = leaf
    return node ?? leaf
  }
  const fields = value as Fields
  if (shape.kind === 'struct') {
    for (const key in fields) {
      const own = fields[key]
      if (own === undefined) continue
      const field = shape.fields.get(key)
      if (!field) (node ??= { '.': leaf })[`f:${key}`] = everything(deduced, own)
      else if (field.tracked) (node ??= { '.': leaf })[field.element] = field.shape.kind === 'leaf' ? leaf : everything(field.shape, own)
    }
    return node ?? leaf
  }
  if (shape.kind !== 'map' && shape.kind !== 'deduced') return leaf
  const values = shape.kind === 'map' ? shape.values : deduced
  for (const key in fields) if (fields[key] !== undefined) (node ??= { '.': leaf })[`f:${key}`] = everything(values, fields[key])
  return node ?? leaf
}

/** Free-form values of different kinds: the old one's members go, the new one's come, and the value itself changed. */
function otherKind(l: unknown, r: unknown, out: Out): FieldSet {
  if (isObject(l)) compareMembers(deduced, l, none, out)
  return isObject(r) ? everything(deduced, r) : leaf
}

function compareStruct(shape: StructShape, l: Fields, r: Fields, out: Out): FieldSet | undefined {
  const { fields } = shape
  let touched: Tree | undefined
  let removed: Tree | undefined
  for (const key in r) {
    const now = r[key]
    const before = memberOf(l, key)
    if (now === before || now === undefined) continue
    const field = fields.get(key)
    if (field && !field.tracked) continue
    const element = field ? field.element : `f:${key}`
    const child = compareValue(field ? field.shape : deduced, before, now, out)
    if (child) (touched ??= {})[element] = child
    if (out.removed) {
      ;(removed ??= {})[element] = out.removed
      out.removed = undefined
    }
  }
  for (const key in l) {
    const before = l[key]
    if (before === undefined || memberOf(r, key) !== undefined) continue
    const field = fields.get(key)
    if (field && !field.tracked) continue
    ;(removed ??= {})[field ? field.element : `f:${key}`] = everything(field ? field.shape : deduced, before)
  }
  out.removed = removed
  return touched
}

function compareMembers(values: Shape, l: Fields, r: Fields, out: Out): FieldSet | undefined {
  let touched: Tree | undefined
  let removed: Tree | undefined
  for (const key in r) {
    const now = r[key]
    const before = memberOf(l, key)
    if (now === before || now === undefined) continue
    const child = compareValue(values, before, now, out)
    if (child) (touched ??= {})[`f:${key}`] = child
    if (out.removed) {
      ;(removed ??= {})[`f:${key}`] = out.removed
      out.removed = undefined
    }
  }
  for (const key in l) {
    if (l[key] === undefined || memberOf(r, key) !== undefined) continue
    ;(removed ??= {})[`f:${key}`] = everything(values, l[key])
  }
  out.removed = removed
  return touched
}

function compareKeyed(shape: KeyedShape, l: unknown[], r: unknown[], out: Out): FieldSet | undefined {
  let touched: Tree | undefined
  let removed: Tree | undefined
  const one = (before: unknown, now: unknown, element?: string) => {
    const child = compareValue(shape.items, before, now, out)
    if (!child && !out.removed) return
    const at = element ?? itemElement(shape, now)
    if (child) (touched ??= {})[at] = child
    if (out.removed) (removed ??= {})[at] = out.removed
    out.removed = undefined
  }
  if (l.length === r.length && l.every((item, i) => sameItem(shape, item, r[i]))) for (let i = 0; i < r.length; i++) one(l[i], r[i])
  else {
    const before = byElement(l, (item) => itemElement(shape, item))
    const after = byElement(r, (item) => itemElement(shape, item))
    for (const [element, items] of after) {
      const old = before.get(element)
      if (items.length === 1 && (!old || old.length === 1)) one(old?.[0], items[0], element)
      // of items with one key nobody can say which is which: together they are a leaf, which goes when one item is left
      else if (items.length === 1) {
        ;(touched ??= {})[element] = everything(shape.items, items[0])
        ;(removed ??= {})[element] = leaf
      } else if (!old || !equalJson(old, items)) {
        ;(touched ??= {})[element] = leaf
        if (old?.length === 1) (removed ??= {})[element] = everything(shape.items, old[0])
      }
    }
    for (const [element, items] of before)
      if (!after.has(element)) (removed ??= {})[element] = items.length === 1 ? everything(shape.items, items[0]) : leaf
  }
  out.removed = removed
  return touched
}

function compareSet(l: unknown[], r: unknown[], out: Out): FieldSet | undefined {
  let touched: Tree | undefined
  let removed: Tree | undefined
  const before = byElement(l, valueElement)
  const after = byElement(r, valueElement)
  for (const [element, items] of after) if (before.get(element)?.length !== items.length) (touched ??= {})[element] = leaf
  for (const element of before.keys()) if (!after.has(element)) (removed ??= {})[element] = leaf
  out.removed = removed
  return touched
}

function byElement(items: unknown[], elementOf: (item: unknown) => string): Map<string, unknown[]> {
  const map = new Map<string, unknown[]>()
  for (const item of items) {
    const element = elementOf(item)
    const same = map.get(element)
    if (same) same.push(item)
    else map.set(element, [item])
  }
  return map
}

const none: Fields = Object.freeze({})
const nothing: unknown[] = []
const asFields = (value: unknown): Fields => (isObject(value) ? value : none)
const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : nothing)

/** A member by a name that users choose: what every object inherits (`constructor`) is none of its own. */
function memberOf(object: Fields, key: string): unknown {
  const value = object[key]
  return (typeof value === 'function' || key === '__proto__') && !Object.hasOwn(object, key) ? undefined : value
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true
  if (Array.isArray(value)) return value.length === 0
  if (typeof value !== 'object') return false
  for (const key in value) if ((value as Fields)[key] !== undefined) return false
  return true
}
