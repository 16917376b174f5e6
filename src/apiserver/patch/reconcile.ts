import type { FieldSet } from './field-set.ts'
import type { Manager } from './managers.ts'
import type { Shape, StructShape } from './shape.ts'
import { isLeaf, leaf } from './field-set.ts'
import { withFields } from './managers.ts'
import { childShape } from './typed.ts'

/**
 * Brings managers' fields in line with the schema, as upstream does before each write: an atomic value of which only parts are owned (it was
 * granular once) is owned as a whole. What was atomic and is granular now keeps the ownership of the value alone.
 */
export function reconcileManagers(shape: StructShape, managers: Manager[]): Manager[] {
  return managers.map((manager) => {
    const tree = suspects(shape, manager.fields)
    return tree.size === 0 ? manager : withFields(manager, whole(manager.fields, tree))
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
    if (own.kind === 'leaf' && !isLeaf(node)) found.set(element, null)
    else if (own.kind !== 'leaf') {
      const below = collect(own, node)
      if (below.size > 0) found.set(element, below)
    }
  }
  return found
}

function whole(set: FieldSet, tree: Suspects): FieldSet {
  const result: Record<string, FieldSet> = { ...set }
  for (const [element, below] of tree) result[element] = below ? whole(set[element]!, below) : leaf
  return result
}
