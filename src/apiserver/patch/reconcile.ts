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
    let fields = manager.fields
    for (const path of suspects(shape, fields)) fields = replaceAt(shape, fields, path, live)
    return withFields(manager, fields)
  })
}

// Which paths of a set can need it depends on the set and the schema alone, and sets are shared by many objects and writes.
const known = new WeakMap<StructShape, WeakMap<FieldSet, string[][]>>()

function suspects(shape: StructShape, fields: FieldSet): string[][] {
  let bySet = known.get(shape)
  if (!bySet) known.set(shape, (bySet = new WeakMap()))
  let found = bySet.get(fields)
  if (!found) {
    found = []
    collect(shape, fields, [], found)
    bySet.set(fields, found)
  }
  return found
}

function collect(shape: Shape, set: FieldSet, path: string[], found: string[][]): void {
  for (const element in set) {
    if (element === '.') continue
    const own = childShape(shape, element)
    const node = set[element]!
    if ((own.kind === 'leaf') !== isLeaf(node)) found.push([...path, element])
    else if (own.kind !== 'leaf') collect(own, node, [...path, element], found)
  }
}

function replaceAt(shape: Shape, set: FieldSet, path: readonly string[], live: unknown): FieldSet {
  const [element, ...rest] = path
  const node = set[element!]
  if (!node) return set
  const own = childShape(shape, element!)
  const value = valueAt(shape, live, element!)
  const replaced = rest.length > 0 ? replaceAt(own, node, rest, value) : own.kind === 'leaf' ? leaf : grown(own, value)
  return replaced === node ? set : { ...set, [element!]: replaced }
}

function grown(shape: Shape, value: unknown): FieldSet {
  const below = fieldsBelow(shape, value)
  return below ? { '.': leaf, ...below } : leaf
}

function valueAt(shape: Shape, value: unknown, element: string): unknown {
  if (element.startsWith('f:')) return isObject(value) ? member(value as JsonObject, element.slice(2)) : undefined
  return shape.kind === 'keyed' && Array.isArray(value) ? value.find((item) => itemElement(shape, item) === element) : undefined
}
