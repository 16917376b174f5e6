import type { Field, ObjectSchema, Schema } from './schema.ts'

/** Makes the value of a struct that has no fields set. */
export type EmptyObject = (schema: ObjectSchema) => unknown

const never = () => false

/** Go's omitempty leaves out the zero value of what is neither a pointer nor a struct. */
export function omission({ omitempty, pointer, schema }: Field): (value: unknown) => boolean {
  if (!omitempty || (pointer && schema.type !== 'list' && schema.type !== 'map')) return never
  switch (schema.type) {
    case 'string':
    case 'bytes':
      return (value) => value === ''
    case 'integer':
    case 'number':
      return (value) => value === 0
    case 'boolean':
      return (value) => value === false
    case 'list':
      return (value) => (value as unknown[]).length === 0
    case 'map':
      return isEmptyObject
    default:
      return never
  }
}

function isEmptyObject(value: unknown): boolean {
  for (const _ in value as object) return false
  return true
}

/** What Go writes for a field that is not there; undefined where it writes nothing (or null, which is left out). */
export function zeroOf(field: Field, emptyObject: EmptyObject): (() => unknown) | undefined {
  const { schema, pointer, omitempty } = field
  if (pointer) return undefined
  switch (schema.type) {
    case 'object':
    case 'quantity':
      return zeroOfSchema(schema, emptyObject)
    case 'time':
    case 'microTime':
    case 'any':
    case 'bytes':
      return undefined
    default:
      return omitempty ? undefined : zeroOfSchema(schema, emptyObject)
  }
}

export function zeroOfSchema(schema: Schema, emptyObject: EmptyObject): () => unknown {
  switch (schema.type) {
    case 'object':
      return () => emptyObject(schema)
    case 'list':
      return () => []
    case 'map':
      return () => ({})
    case 'string':
    case 'bytes':
      return () => ''
    case 'integer':
    case 'number':
    case 'intOrString':
      return () => 0
    case 'boolean':
      return () => false
    case 'quantity':
      return () => '0'
    case 'duration':
      return () => '0s'
    default:
      return () => null
  }
}
