import type { FieldSet } from './field-set.ts'
import type { KeyedShape, Shape, StructShape } from './shape.ts'
import { isObject } from './json-value.ts'
import { deduced } from './shape.ts'

/**
 * Which fields a new object has does not depend on what most of them hold. Objects of one make (the pods of a replica set, everything that a program creates again and again) are looked up by
 * what does count: which fields, items and keys there are, and which leaves hold nothing. A lookup goes down a tree of these and makes nothing; comparing the object with an empty
 * one makes an object for each of its fields.
 *
 *     {metadata: {labels: {app: 'a'}}, data: {k: 'v'}}  →  metadata · labels · app · up · up · up · data · k · up · up
 */
export interface CreatedFields {
  /** The fields of an object as `make` answers them; the same ones for all objects of one make. */
  of(shape: StructShape, object: object, make: () => FieldSet): FieldSet
}

/** Steps that are remembered; beyond them all are forgotten, and come back as they are used. */
const capacity = 20_000
/** Larger objects are nobody else's. */
const longest = 2000

/** A field's or a key's name, a value of a key or a set, or one of the marks below. */
type Step = string | number | boolean | null | undefined | typeof up | typeof item | typeof none

const up = Symbol('the end of what is below')
const item = Symbol('an item, or an object without a schema')
const none = Symbol('an empty list or object')

/** Most have one step after them: a map is made for the second. */
interface Node {
  step: Step
  next: Node | undefined
  others: Map<Step, Node> | undefined
  fields: FieldSet | undefined
}

const newNode = (): Node => ({ step: undefined, next: undefined, others: undefined, fields: undefined })

export function createdFields(): CreatedFields {
  let roots = new WeakMap<StructShape, Node>()
  let count = 0
  let left = 0

  function after(node: Node, step: Step): Node | undefined {
    if (node.next && node.step === step) return node.next
    const other = node.others?.get(step)
    if (other) return other
    if (left-- === 0) return undefined
    count++
    const made = newNode()
    if (!node.next) {
      node.step = step
      node.next = made
    } else (node.others ??= new Map()).set(step, made)
    return made
  }

  /** Undefined where it is given up: the object is too large, or none that a schema allows. */
  function struct({ fields }: StructShape, value: object, from: Node): Node | undefined {
    let node: Node | undefined = from
    for (const key in value) {
      const own = (value as Record<string, unknown>)[key]
      if (own === undefined) continue
      const field = fields.get(key)
      if (field && !field.tracked) continue
      node = after(node, key)
      node = node && below(field ? field.shape : deduced, own, node)
      if (!node) return undefined
    }
    return after(node, up)
  }

  function below(shape: Shape, value: unknown, node: Node): Node | undefined {
    if (typeof value !== 'object' || value === null) return leafOf(value, node)
    switch (shape.kind) {
      case 'leaf':
        return isNothing(value) ? after(node, none) : node
      case 'struct':
        return Array.isArray(value) ? undefined : struct(shape, value, node)
      case 'map':
        return Array.isArray(value) ? undefined : members(shape.values, value, node)
      case 'keyed':
        return Array.isArray(value) ? items(shape, value, node) : undefined
      case 'set':
        return Array.isArray(value) ? values(value, node) : undefined
      case 'deduced': {
        if (!isObject(value)) return isNothing(value) ? after(node, none) : node
        const inside = after(node, item)
        return inside && members(deduced, value, inside)
      }
    }
  }

  function members(shape: Shape, value: object, from: Node): Node | undefined {
    let node: Node | undefined = from
    for (const key in value) {
      const own = (value as Record<string, unknown>)[key]
      if (own === undefined) continue
      node = after(node, key)
      node = node && below(shape, own, node)
      // keys are anybody's: each ends by itself, so that none is taken for what is below the one before
      node = node && after(node, up)
      if (!node) return undefined
    }
    return after(node, up)
  }

  function items({ keys, items: shape }: KeyedShape, value: readonly unknown[], from: Node): Node | undefined {
    let node: Node | undefined = from
    for (const each of value) {
      if (!isObject(each)) return undefined
      node = after(node, item)
      for (const { name } of keys) {
        const key = each[name]
        if (typeof key === 'object' && key !== null) return undefined
        node = node && after(node, key as Step)
      }
      node = node && below(shape, each, node)
      if (!node) return undefined
    }
    return after(node, up)
  }

  function values(value: readonly unknown[], from: Node): Node | undefined {
    let node: Node | undefined = from
    for (const each of value) {
      if (typeof each === 'object' && each !== null) return undefined
      node = after(node, item)
      node = node && after(node, each as Step)
      if (!node) return undefined
    }
    return after(node, up)
  }

  function leafOf(value: unknown, node: Node): Node | undefined {
    return value === '' || value === '0' || !value ? after(node, value as Step) : node
  }

  return {
    of(shape, object, make) {
      if (count > capacity) {
        roots = new WeakMap()
        count = 0
      }
      left = longest
      let root = roots.get(shape)
      if (!root) roots.set(shape, (root = newNode()))
      const node = struct(shape, object, root)
      return node ? (node.fields ??= make()) : make()
    },
  }
}

/** What Go may write for a value that is not there: comparing tells it from the others, and so does this. */
function isNothing(value: object): boolean {
  if (Array.isArray(value)) return value.length === 0
  for (const key in value) if ((value as Record<string, unknown>)[key] !== undefined) return false
  return true
}
