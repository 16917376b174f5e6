import type { FieldSet } from './field-set.ts'
import { inOrder } from './field-set.ts'

// Distinct field sets that are remembered; beyond it all are forgotten and come back as they are used.
const capacity = 1000
// Larger ones are nobody else's, and would be kept twice.
const longest = 20_000
const known = new Map<string, FieldSet>()
const texts = new WeakMap<object, string>()

/**
 * One shared, frozen set for equal ones, in the order in which it is written. Objects of one make have equal field sets: thousands of pods then carry one between them
 * instead of a hundred small objects each.
 */
export function intern(set: FieldSet): FieldSet {
  const text = JSON.stringify(set)
  if (text.length > longest) return set
  const found = known.get(text)
  if (found) return found
  if (known.size >= capacity) known.clear()
  const ordered = inOrder(set)
  known.set(text, ordered)
  texts.set(ordered, JSON.stringify(ordered))
  return ordered
}

/** The JSON of a set that `intern` answered; undefined for any other. Field sets are half of what a small object's JSON is made of. */
export const internedText = (set: object): string | undefined => texts.get(set)
