import type { FieldSet } from './field-set.ts'
import type { JsonObject } from './json-value.ts'
import type { Manager } from './managers.ts'
import type { Shape, StructShape } from './shape.ts'
import { isLeaf, leaf } from './field-set.ts'
import { isObject, member } from './json-value.ts'
import { withFields } from './managers.ts'
import { itemElement } from './shape.ts'
import { childShape, fieldsBelow } from './typed.ts'

/**
 * Brings managers' fields in line with the schema, as upstream does before each write: a granular value that is owned as a whole (it was
 * atomic, or was empty when it was taken) is owned with all that is in it now; an atomic one of which only parts are owned is owned
 * as a whole.
 */
export function reconcileManagers(shape: StructShape, managers: Manager[], live: object): Manager[] {
  return managers.map((manager) => {
    const tree = suspects(shape, manager.fields)
    return tree.size === 0 ? manager : withFields(manager, replaced(shape, manager.fields, tree, live))
  })
}

/** The elements of a set that can need it, and below them others; null: it is the element itself. */
type Suspects = Map<string, Suspects | null>

// Which elements of a set can need it depends on the set and the schema alone, and sets are shared by many objects and writes.
const known = new WeakMap<StructShape, WeakMap<FieldSet, Suspects>>()

function suspects(shape: StructShape, fields: FieldSet): Suspects {
  let bySet = known.get(shape)
  if (!bySet) known.set(shape, (bySet = new WeakMap()))
  let found = bySet.get(fields)
  if (!found) bySet.set(fields, (found = collect(shape, fields)))
  return found
}

function collect(shape: Shape, set: FieldSet): Suspects {
  const found: Suspects = new Map()
  for (const element in set) {
    if (element === '.') continue
    const own = childShape(shape, element)
    const node = set[element]!
    if ((own.kind === 'leaf') !== isLeaf(node)) found.set(element, null)
    else if (own.kind !== 'leaf') {
      const below = collect(own, node)
      if (below.size > 0) found.set(element, below)
    }
  }
  return found
}

function replaced(shape: Shape, set: FieldSet, tree: Suspects, live: unknown): FieldSet {
  const valueAt = valuesOf(shape, live)
  let result: Record<string, FieldSet> | undefined
  for (const [element, below] of tree) {
    const node = set[element]!
    const own = childShape(shape, element)
    const value = valueAt(element)
    const next = below ? replaced(own, node, below, value) : own.kind === 'leaf' ? leaf : grown(own, value)
    if (next !== node) (result ??= { ...set })[element] = next
  }
  return result ?? set
}

function grown(shape: Shape, value: unknown): FieldSet {
  const below = fieldsBelow(shape, value)
  return below ? { '.': leaf, ...below } : leaf
}

/** Finds what an element of a value stands for; the items of a list are gone through once, however many are asked for. */
function valuesOf(shape: Shape, value: unknown): (element: string) => unknown {
  let items: Map<string, unknown> | undefined
  return (element) => {
    if (element.startsWith('f:')) return isObject(value) ? member(value as JsonObject, element.slice(2)) : undefined
    if (shape.kind !== 'keyed' || !Array.isArray(value)) return undefined
    if (!items) {
      items = new Map()
      for (const item of value) {
        const own = itemElement(shape, item)
        if (!items.has(own)) items.set(own, item)
      }
    }
    return items.get(element)
  }
}
