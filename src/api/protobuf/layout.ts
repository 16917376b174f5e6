import type { Field, ObjectSchema } from '../schema/schema.ts'

/** Fields by their number; those of embedded messages (inlined in JSON) stand below the embedding field's number. */
export type Layout = Map<number, Field | Layout>

const layouts = new WeakMap<ObjectSchema, Layout>()

export function layoutOf(schema: ObjectSchema): Layout {
  let layout = layouts.get(schema)
  if (layout) return layout
  layouts.set(schema, (layout = new Map()))
  for (const field of schema.fields.values()) {
    if (field.number === 0) continue
    let level = layout
    for (const number of field.within) {
      const inner = level.get(number)
      const next: Layout = inner instanceof Map ? inner : new Map()
      level.set(number, next)
      level = next
    }
    level.set(field.number, field)
  }
  return layout
}
