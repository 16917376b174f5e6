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
  const touched = compareStruct(shape, before as Fields, after as Fields, undefined, out)
  return { touched: touched ?? leaf, removed: out.removed ?? leaf }
}

/** Where a comparison leaves what is gone below the value that it was called for; whoever called it takes it out. */
interface Out {
  removed: FieldSet | undefined
}

/** Answers what was touched in one value, the value's own membership included. Null is a value that is there and empty. */
function compareValue(shape: Shape, l: unknown, r: unknown, out: Out): FieldSet | undefined {
  if (l === r) return undefined
  switch (shape.kind) {
    case 'leaf':
      return leafDifference(l, r, out)
    case 'deduced':
      if (isObject(l ?? {}) && isObject(r ?? {})) return compareMap(deduced, l as Fields | null | undefined, r as Fields | null | undefined, out)
      return isObject(l) || isObject(r) ? otherKind(l, r, out) : leafDifference(l, r, out)
    default:
      break
  }
  if (isEmpty(l) && isEmpty(r)) return leafDifference(l, r, out)
  const own: Tree | undefined = l === undefined ? { '.': leaf } : undefined
  const wasThere = r === undefined
  let touched: FieldSet | undefined
  switch (shape.kind) {
    case 'struct':
      touched = compareStruct(shape, asFields(l), asFields(r), own, out)
      break
    case 'map':
      touched = compareMembers(shape.values, asFields(l), asFields(r), own, out)
      break
    case 'keyed':
      touched = compareKeyed(shape, asList(l), asList(r), own, out)
      break
    case 'set':
      touched = compareSet(asList(l), asList(r), own, out)
      break
  }
  if (wasThere) out.removed = out.removed ? { '.': leaf, ...out.removed } : leaf
  return touched && own && onlySelf(touched) ? leaf : touched
}

function compareMap(values: Shape, l: Fields | null | undefined, r: Fields | null | undefined, out: Out): FieldSet | undefined {
  if (isEmpty(l) && isEmpty(r)) return leafDifference(l, r, out)
  const touched = compareMembers(values, l ?? none, r ?? none, l === undefined ? { '.': leaf } : undefined, out)
  if (r === undefined) out.removed = out.removed ? { '.': leaf, ...out.removed } : leaf
  return touched && onlySelf(touched) ? leaf : touched
}

/** Free-form values of different kinds: the old one's members go, the new one's come, and the value itself changed. */
function otherKind(l: unknown, r: unknown, out: Out): FieldSet | undefined {
  if (isObject(l)) compareMap(deduced, l, null, out)
  const gone = out.removed
  const touched = isObject(r) ? compareMap(deduced, null, r, out) : undefined
  out.removed = r === undefined ? leaf : gone
  return r === undefined ? undefined : touched ? { '.': leaf, ...touched } : leaf
}

function leafDifference(l: unknown, r: unknown, out: Out): FieldSet | undefined {
  if (r === undefined) {
    out.removed = leaf
    return undefined
  }
  return l === undefined || !equalJson(l, r) ? leaf : undefined
}

function compareStruct(shape: StructShape, l: Fields, r: Fields, touched: Tree | undefined, out: Out): FieldSet | undefined {
  const { fields } = shape
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
    compareValue(field ? field.shape : deduced, before, undefined, out)
    ;(removed ??= {})[field ? field.element : `f:${key}`] = out.removed!
    out.removed = undefined
  }
  out.removed = removed
  return touched
}

function compareMembers(values: Shape, l: Fields, r: Fields, touched: Tree | undefined, out: Out): FieldSet | undefined {
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
    compareValue(values, l[key], undefined, out)
    ;(removed ??= {})[`f:${key}`] = out.removed!
    out.removed = undefined
  }
  out.removed = removed
  return touched
}

function compareKeyed(shape: KeyedShape, l: unknown[], r: unknown[], touched: Tree | undefined, out: Out): FieldSet | undefined {
  let removed: Tree | undefined
  const one = (before: unknown, now: unknown, element?: string) => {
    const child = compareValue(shape.items, before, now, out)
    if (!child && !out.removed) return
    const at = element ?? itemElement(shape, now)
    if (child) (touched ??= {})[at] = child
    if (out.removed) (removed ??= {})[at] = out.removed
    out.removed = undefined
  }
  if (l.length === 0) for (const item of r) one(undefined, item)
  else if (l.length === r.length && l.every((item, i) => sameItem(shape, item, r[i]))) for (let i = 0; i < r.length; i++) one(l[i], r[i])
  else {
    const before = byElement(l, (item) => itemElement(shape, item))
    const after = byElement(r, (item) => itemElement(shape, item))
    for (const [element, items] of after) {
      const old = before.get(element)
      if (items.length === 1 && (!old || old.length === 1)) one(old?.[0], items[0], element)
      // of items with one key nobody can say which is which: together they are a leaf
      else if (!old || !equalJson(old, items)) (touched ??= {})[element] = leaf
    }
    for (const [element, items] of before) if (!after.has(element)) one(items[0], undefined, element)
  }
  out.removed = removed
  return touched
}

function compareSet(l: unknown[], r: unknown[], touched: Tree | undefined, out: Out): FieldSet | undefined {
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

/** Whether a node has the key `.` and no other. */
function onlySelf(node: FieldSet): boolean {
  for (const key in node) if (key !== '.') return false
  return true
}
