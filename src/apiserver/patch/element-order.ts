import { isObject } from './json-value.ts'
import { noMergeKey } from './patch-errors.ts'

/** What identifies an item of a merged list: its merge key's value, or itself where there is no merge key. */
export function keyOf(item: unknown, mergeKey: string): unknown {
  if (mergeKey === '') return item
  if (!isObject(item) || !Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey)
  return item[mergeKey]
}

/** Splits a list into the items that are in `list` (by key) and the others. */
export function partition(items: unknown[], list: unknown[], mergeKey: string): { inside: unknown[]; outside: unknown[] } {
  const keys = new Set(list.map((item) => keyOf(item, mergeKey)))
  const inside: unknown[] = []
  const outside: unknown[] = []
  for (const item of items) (keys.has(keyOf(item, mergeKey)) ? inside : outside).push(item)
  return { inside, outside }
}

/**
 * One list of the items a patch names, in the order it wants, and those that only the server has, in the order they have there.
 * Both orders are kept; where an item of each could come next, the live order decides if it knows both, else the patch's comes first.
 */
export function enforceOrder(patched: unknown[], serverOnly: unknown[], wanted: unknown[], live: unknown[], mergeKey: string): unknown[] {
  const wantedAt = positions(wanted, mergeKey)
  const liveAt = positions(live, mergeKey)
  const right = sortedBy(patched, wantedAt, mergeKey)
  const left = sortedBy(serverOnly, liveAt, mergeKey)
  const result: unknown[] = []
  let i = 0
  for (const item of right) {
    const at = liveAt.get(keyOf(item, mergeKey))
    while (i < left.length && at !== undefined) {
      const own = liveAt.get(keyOf(left[i], mergeKey))
      if (own === undefined || own > at) break
      result.push(left[i++])
    }
    result.push(item)
  }
  return [...result, ...left.slice(i)]
}

function positions(list: unknown[], mergeKey: string): Map<unknown, number> {
  const at = new Map<unknown, number>()
  for (const [i, item] of list.entries()) {
    const key = keyOf(item, mergeKey)
    if (!at.has(key)) at.set(key, i)
  }
  return at
}

function sortedBy(items: unknown[], order: Map<unknown, number>, mergeKey: string): unknown[] {
  return items.toSorted((a, b) => (order.get(keyOf(a, mergeKey)) ?? Infinity) - (order.get(keyOf(b, mergeKey)) ?? Infinity) || 0)
}
