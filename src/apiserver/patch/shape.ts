import type { ObjectSchema, Schema } from '#api'
import { schemaOf } from '#api'
import { isObject } from './json-value.ts'

/**
 * What a schema means to ownership of fields: `leaf` is owned as a whole (scalars and everything atomic), a `struct` and a `map` by
 * their members, a `keyed` list by items that their keys identify, a `set` by its values. `deduced` has no schema: objects are
 * granular, everything else is a leaf.
 */
export type Shape = Leaf | StructShape | MapShape | KeyedShape | SetShape | Deduced

export interface Leaf {
  kind: 'leaf'
}
export interface StructShape {
  kind: 'struct'
  fields: Map<string, FieldShape>
  /** The value of the Go type's zero: fields that Go always writes exist in an object that is not there yet. */
  zero: Record<string, unknown>
}
export interface FieldShape {
  /** `f:name`. */
  element: string
  shape: Shape
  /** False for what nobody owns: the identity of the object and what the server alone writes. */
  tracked: boolean
}
export interface MapShape {
  kind: 'map'
  values: Shape
}
export interface KeyedShape {
  kind: 'keyed'
  items: Shape
  /** In order of name, with the value that an absent key stands for. */
  keys: readonly { name: string; default: unknown }[]
}
export interface SetShape {
  kind: 'set'
}
export interface Deduced {
  kind: 'deduced'
}

export const leafShape: Leaf = { kind: 'leaf' }
export const deduced: Deduced = { kind: 'deduced' }
const setShape: SetShape = { kind: 'set' }

const shapes = new WeakMap<Schema, Shape>()
const roots = new WeakMap<ObjectSchema, StructShape>()
let custom: StructShape | undefined

const untrackedMetadata = [
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'clusterName',
  'generation',
  'managedFields',
  'resourceVersion',
]

/** The shape of a whole object; compiled once per schema. Without a schema (a custom resource) only metadata has one. */
export function rootShape(schema: ObjectSchema | undefined): StructShape {
  if (!schema) return (custom ??= customShape())
  let root = roots.get(schema)
  if (!root) {
    const plain = shapeOf(schema) as StructShape
    const fields = new Map(plain.fields)
    for (const name of ['apiVersion', 'kind']) fields.set(name, { element: `f:${name}`, shape: leafShape, tracked: false })
    fields.set('metadata', metadataField(schema))
    root = { kind: 'struct', fields, zero: { ...plain.zero, metadata: {} } }
    roots.set(schema, root)
  }
  return root
}

function customShape(): StructShape {
  const fields = new Map<string, FieldShape>()
  for (const name of ['apiVersion', 'kind']) fields.set(name, { element: `f:${name}`, shape: leafShape, tracked: false })
  fields.set('metadata', metadataField(schemaOf('v1', 'ConfigMap')!))
  return { kind: 'struct', fields, zero: { metadata: {} } }
}

function metadataField(schema: ObjectSchema): FieldShape {
  const metadata = shapeOf(schema.fields.get('metadata')!.schema) as StructShape
  const fields = new Map(metadata.fields)
  for (const name of untrackedMetadata) fields.set(name, { element: `f:${name}`, shape: leafShape, tracked: false })
  return { element: 'f:metadata', shape: { kind: 'struct', fields, zero: {} }, tracked: true }
}

export function shapeOf(schema: Schema): Shape {
  const known = shapes.get(schema)
  if (known) return known
  const shape = compile(schema)
  shapes.set(schema, shape)
  return shape
}

function compile(schema: Schema): Shape {
  switch (schema.type) {
    case 'object': {
      if (schema.mapType === 'atomic') return leafShape
      const struct: StructShape = { kind: 'struct', fields: new Map(), zero: {} }
      // before its fields: a type may contain itself
      shapes.set(schema, struct)
      for (const field of schema.fields.values()) {
        struct.fields.set(field.name, { element: `f:${field.name}`, shape: shapeOf(field.schema), tracked: true })
        if (field.schema.type === 'object' && !field.pointer) struct.zero[field.name] = zeroOf(field.schema)
        else if (!field.omitempty) struct.zero[field.name] = field.pointer ? null : zeroOf(field.schema)
      }
      return struct
    }
    case 'map':
      return schema.mapType === 'atomic' ? leafShape : { kind: 'map', values: shapeOf(schema.values) }
    case 'list':
      if (schema.listType === 'set') return setShape
      if (schema.listType === 'map' && schema.items.type === 'object') return keyedShape(schema.items, schema.listMapKeys ?? [])
      return leafShape
    case 'any':
      return deduced
    default:
      return leafShape
  }
}

function keyedShape(items: ObjectSchema, names: readonly string[]): KeyedShape {
  const keys = names.toSorted().map((name) => {
    const field = items.fields.get(name)
    // what Go writes though it is empty counts as there
    return { name, default: field?.default ?? (field && !field.omitempty && !field.pointer ? zeroOf(field.schema) : undefined) }
  })
  return { kind: 'keyed', items: shapeOf(items), keys }
}

/** Go's zero value as JSON, for a field that is written whatever it holds. */
function zeroOf(schema: Schema): unknown {
  switch (schema.type) {
    case 'object': {
      const shape = shapeOf(schema)
      return shape.kind === 'struct' ? shape.zero : {}
    }
    case 'string':
    case 'duration':
      return ''
    case 'integer':
    case 'number':
    case 'intOrString':
      return 0
    case 'boolean':
      return false
    case 'quantity':
      return '0'
    default:
      return null
  }
}

/** The element that identifies an item of a keyed list. */
export function itemElement(shape: KeyedShape, item: unknown): string {
  let keys = ''
  if (isObject(item))
    for (const { name, default: value } of shape.keys) {
      const own = item[name] ?? value
      if (own !== undefined) keys += `${keys === '' ? '' : ','}"${name}":${quoted(own)}`
    }
  return `k:{${keys}}`
}

// most keys are names and numbers, which need no escapes: several times faster than JSON.stringify, on every item of every write
const quoted = (value: unknown) => (typeof value === 'string' && plain.test(value) ? `"${value}"` : JSON.stringify(value))
const plain = /^[\w\-./: ]*$/

/** Whether two items of a keyed list are the same item. */
export function sameItem(shape: KeyedShape, a: unknown, b: unknown): boolean {
  if (!isObject(a) || !isObject(b)) return false
  for (const { name, default: value } of shape.keys) if ((a[name] ?? value) !== (b[name] ?? value)) return false
  return true
}

export const valueElement = (value: unknown): string => `v:${quoted(value)}`
