/**
 * A set of field paths in the form that objects carry it (FieldsV1, https://kubernetes.io/docs/reference/using-api/server-side-apply/):
 * a tree whose keys are path elements (`f:name` a field, `k:{"name":"x"}` a list item by its keys, `v:"x"` an item of a set, `i:0` an
 * index). A path is a member when its node is empty or has the key `.`. The root is no member: an empty root is the empty set.
 *
 * Sets are never changed: operations share what stays and answer their first argument when nothing changes, so `===` tells.
 */
export interface FieldSet {
  readonly [element: string]: FieldSet
}

/** The node of a member without children; also the empty set. */
export const leaf: FieldSet = Object.freeze({})

/** Whether a node has no keys: as a root, the empty set; elsewhere, a member alone. */
export function isLeaf(node: FieldSet): boolean {
  for (const _ in node) return false
  return true
}

export const isMember = (node: FieldSet): boolean => '.' in node || isLeaf(node)

/** The members of either set. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  return isLeaf(a) ? b : isLeaf(b) ? a : unionNodes(a, b)
}

function unionNodes(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a
  let result: Record<string, FieldSet> | undefined
  for (const key in b) {
    const own = a[key]
    const merged = own === undefined || key === '.' ? (own ?? b[key]!) : unionMembers(own, b[key]!)
    if (merged !== own) (result ??= { ...a })[key] = merged
  }
  return result ?? a
}

function unionMembers(a: FieldSet, b: FieldSet): FieldSet {
  if (isLeaf(a)) return isMember(b) ? (isLeaf(b) ? a : b) : { '.': leaf, ...b }
  if (isLeaf(b)) return '.' in a ? a : { '.': leaf, ...a }
  return unionNodes(a, b)
}

/** The members of `a` that are not in `b`; a parent in `b` does not take its children away. */
export const difference = (a: FieldSet, b: FieldSet): FieldSet => children(a, b, minus) ?? leaf

/** As `difference`, but a member of `b` takes everything below it away too. */
export const recursiveDifference = (a: FieldSet, b: FieldSet): FieldSet => children(a, b, minusAll) ?? leaf

/** The members of both sets. */
export const intersection = (a: FieldSet, b: FieldSet): FieldSet => children(a, b, both, true) ?? leaf

type Combine = (a: FieldSet, b: FieldSet) => FieldSet | undefined

const minus: Combine = (a, b) => node(a, isMember(a) && !isMember(b), children(a, b, minus))
const minusAll: Combine = (a, b) => (isMember(b) ? undefined : node(a, isMember(a), children(a, b, minusAll)))
const both: Combine = (a, b) => node(a, isMember(a) && isMember(b), children(a, b, both, true))

/** Combines the children of two nodes; undefined when none is left, `a` when nothing changed (its `.` does not count). */
function children(a: FieldSet, b: FieldSet, combine: Combine, onlyShared = false): FieldSet | undefined {
  if (a === b && !onlyShared) {
    // only nodes that are no members anywhere would stay, and there are none: every path ends in a member
    return undefined
  }
  const result: Record<string, FieldSet> = {}
  let some = false
  let changed = false
  for (const key in a) {
    if (key === '.') continue
    const own = a[key]!
    const other = b[key]
    const combined = other === undefined ? (onlyShared ? undefined : own) : combine(own, other)
    if (combined !== own) changed = true
    if (combined === undefined) continue
    result[key] = combined
    some = true
  }
  return changed ? (some ? result : undefined) : some ? a : undefined
}

/** A node like `a`, with the given membership and children. */
function node(a: FieldSet, member: boolean, below: FieldSet | undefined): FieldSet | undefined {
  if (below === undefined) return member ? leaf : undefined
  if (below === a && member === '.' in a) return a
  if (!member) {
    if (!('.' in below)) return below
    const { '.': _, ...rest } = below
    return rest
  }
  return '.' in below ? below : { '.': leaf, ...below }
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true
  let keys = 0
  for (const key in a) {
    const other = b[key]
    if (other === undefined || !equalSets(a[key]!, other)) return false
    keys++
  }
  for (const _ in b) keys--
  return keys === 0
}

/** The node below `set` at one element, as a set of its own. */
export const below = (set: FieldSet, element: string): FieldSet => set[element] ?? leaf

/** Whether the child at `element` is a member. */
export function has(set: FieldSet, element: string): boolean {
  const child = set[element]
  return child !== undefined && isMember(child)
}

/** The paths of all members: at each level first the members in order, then what is below each child. */
export function paths(set: FieldSet, prefix: readonly string[] = []): string[][] {
  const keys = Object.keys(set)
    .filter((key) => key !== '.')
    .sort(compareElements)
  return [...keys.filter((key) => isMember(set[key]!)).map((key) => [...prefix, key]), ...keys.flatMap((key) => paths(set[key]!, [...prefix, key]))]
}

// Sets in order, so that those that nothing changed are not looked at again.
const ordered = new WeakSet<FieldSet>()

/** The set with its keys as upstream writes them: first the member itself, then the elements in order. Answers the set itself when it is so. */
export function inOrder(set: FieldSet): FieldSet {
  if (ordered.has(set)) return set
  const result = sorted(set)
  // what is below is not remembered: remembering thousands of small sets costs more than to look at them again
  ordered.add(result)
  return result
}

function sorted(set: FieldSet): FieldSet {
  let inPlace = true
  let changed: Map<string, FieldSet> | undefined
  let last: string | undefined
  for (const key in set) {
    if (last !== undefined && inPlace && (key === '.' || (last !== '.' && compareElements(last, key) > 0))) inPlace = false
    last = key
    const below = key === '.' ? set[key]! : sorted(set[key]!)
    if (below !== set[key]) (changed ??= new Map()).set(key, below)
  }
  if (inPlace && !changed) return set
  const keys = Object.keys(set)
  if (!inPlace) keys.sort((a, b) => (a === '.' ? -1 : b === '.' ? 1 : compareElements(a, b)))
  return Object.fromEntries(keys.map((key) => [key, key === '.' ? leaf : (changed?.get(key) ?? set[key]!)]))
}

// upstream's order of the kinds of path elements
const ranks = 'fkvi'

function compareElements(a: string, b: string): number {
  const kind = ranks.indexOf(a[0]!) - ranks.indexOf(b[0]!)
  if (kind !== 0) return kind
  if (a[0] === 'i') return Number(a.slice(2)) - Number(b.slice(2))
  return a < b ? -1 : a > b ? 1 : 0
}

/** A path as messages show it: `.spec.containers[name="app"].image`. */
export function printPath(path: readonly string[]): string {
  return path.map(printElement).join('')
}

export function printElement(element: string): string {
  const content = element.slice(2)
  switch (element[0]) {
    case 'f':
      return `.${content}`
    case 'k':
      return `[${Object.entries(JSON.parse(content) as object)
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join(',')}]`
    case 'v':
      return `[=${content}]`
    default:
      return `[${content}]`
  }
}

/** The element of a list item with these keys; names must come in order. */
export const keyElement = (keys: Record<string, unknown>): string => `k:${JSON.stringify(keys)}`

/**
 * Reads a set that a client sent: checks its elements and brings them to the form that is written here. Elements of a kind that is not
 * known are dropped. Undefined when it is no set.
 */
export function parseFieldSet(value: unknown): FieldSet | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const result: Record<string, FieldSet> = {}
  for (const [key, child] of Object.entries(value)) {
    if (key === '.') {
      result['.'] = leaf
      continue
    }
    const element = parseElement(key)
    if (element === undefined) return undefined
    if (element === '') continue
    const parsed = parseFieldSet(child)
    if (!parsed) return undefined
    const known = result[element]
    result[element] = known ? unionMembers(known, parsed) : parsed
  }
  return result
}

/** The canonical element; empty for an unknown kind, undefined for what is no element. */
function parseElement(key: string): string | undefined {
  if (key.length < 2 || key[1] !== ':') return undefined
  const content = key.slice(2)
  try {
    switch (key[0]) {
      case 'f':
        return key
      case 'v':
        return `v:${JSON.stringify(JSON.parse(content))}`
      case 'i':
        return /^-?\d+$/.test(content) ? `i:${Number(content)}` : undefined
      case 'k': {
        const keys = JSON.parse(content) as unknown
        if (typeof keys !== 'object' || keys === null || Array.isArray(keys)) return undefined
        return keyElement(Object.fromEntries(Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1))))
      }
      default:
        return ''
    }
  } catch {
    return undefined
  }
}
