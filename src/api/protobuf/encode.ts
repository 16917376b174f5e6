import type { AnySchema, Field, ObjectSchema, Schema } from '../schema/schema.ts'
import { parseMicros, parseNanos } from '../time.ts'
import type { Layout } from './layout.ts'
import { layoutOf } from './layout.ts'
import { Writer } from './writer.ts'

type Values = Record<string, unknown>

/** Writes the fields of an object's JSON form, the last one first. */
type WriteFields = (writer: Writer, object: Values) => void

/** Writes one value, with its tag. */
type WriteValue = (writer: Writer, value: unknown) => void

/**
 * Writes the protobuf form of an object, byte for byte as Kubernetes' generated code does: fields by number, maps by key; what is no pointer in Go is written
 * also when it is zero or not there.
 */
export function writeFields(writer: Writer, object: Values, schema: ObjectSchema): void {
  fieldsWriter(schema)(writer, object)
}

/** The protobuf message of an object, without an envelope. */
export function encodeMessage(object: object, schema: ObjectSchema): Buffer {
  const writer = new Writer()
  writeFields(writer, object as Values, schema)
  return writer.finish()
}

const compiled = new WeakMap<ObjectSchema, WriteFields>()

function fieldsWriter(schema: ObjectSchema): WriteFields {
  let write = compiled.get(schema)
  if (!write) {
    // compiled when first used: types may hold themselves
    let steps: WriteFields | undefined
    write = (writer, object) => (steps ??= layoutWriter(layoutOf(schema)))(writer, object)
    compiled.set(schema, write)
  }
  return write
}

function layoutWriter(layout: Layout): WriteFields {
  const steps = [...layout]
    .sort(([a], [b]) => b - a)
    .map(([number, place]): WriteFields => {
      if (!(place instanceof Map)) return fieldWriter(place)
      // what is inlined in JSON is a message that is always there
      const inner = layoutWriter(place)
      return (writer, object) => {
        const end = writer.length
        inner(writer, object)
        writer.enclose(number, end)
      }
    })
  return (writer, object) => {
    for (const step of steps) step(writer, object)
  }
}

const isNothing = (value: unknown): value is null | undefined => value === null || value === undefined

function fieldWriter(field: Field): WriteFields {
  const { name, number, schema, pointer } = field
  if (schema.type === 'map') {
    const write = valueWriter(schema.values, 2)
    return (writer, object) => {
      const map = object[name] as Values | null | undefined
      if (isNothing(map)) return
      for (const each of sortedKeys(map).reverse()) {
        const end = writer.length
        if (!isNothing(map[each])) write(writer, map[each])
        else if (schema.values.type !== 'bytes') write(writer, zero(schema.values))
        writer.string(1, each)
        writer.enclose(number, end)
      }
    }
  }
  if (schema.type === 'list' && field.goType.startsWith('[]')) {
    const write = valueWriter(schema.items, number)
    return (writer, object) => {
      const list = object[name] as unknown[] | null | undefined
      if (isNothing(list)) return
      for (let i = list.length - 1; i >= 0; i--) write(writer, list[i] ?? zero(schema.items))
    }
  }
  const write = valueWriter(schema, number)
  // bytes and named lists are there or not; everything else that is no pointer is always there
  const always = !pointer && schema.type !== 'bytes' && schema.type !== 'list'
  return (writer, object) => {
    const value = object[name]
    if (!isNothing(value)) write(writer, value)
    else if (always) write(writer, zero(schema))
  }
}

/** Go sorts strings by their bytes. */
function sortedKeys(map: Values): string[] {
  const keys = Object.keys(map)
  return keys.length < 2 ? keys : keys.sort((a, b) => (a < b ? -1 : 1))
}

/** What is written for a value that is not there, and null for messages, which are then empty. */
function zero(schema: Schema): unknown {
  switch (schema.type) {
    case 'string':
    case 'bytes':
      return ''
    case 'boolean':
      return false
    case 'integer':
    case 'number':
      return 0
    case 'object':
    case 'map':
      return {}
    case 'list':
      return []
    case 'quantity':
      return '0'
    case 'duration':
      return '0s'
    case 'intOrString':
      return 0
    case 'time':
    case 'microTime':
    case 'any':
      return null
    default:
      return schema satisfies never
  }
}

function valueWriter(schema: Schema, number: number): WriteValue {
  switch (schema.type) {
    case 'string':
      return (writer, value) => writer.string(number, value as string)
    case 'bytes':
      return (writer, value) => writer.bytes(number, Buffer.from(value as string, 'base64'))
    case 'boolean':
      return (writer, value) => writer.boolean(number, value as boolean)
    case 'integer':
      return (writer, value) => writer.integer(number, value as number)
    case 'number':
      return (writer, value) => writer.double(number, value as number)
    case 'object': {
      const fields = fieldsWriter(schema)
      return message(number, (writer, value) => fields(writer, value as Values))
    }
    case 'list': {
      const item = valueWriter(schema.items, 1)
      return message(number, (writer, value) => {
        for (const each of (value as unknown[]).toReversed()) item(writer, each)
      })
    }
    case 'quantity':
      return message(number, (writer, value) => writer.string(1, String(value)))
    case 'time':
    case 'microTime':
      return message(number, (writer, value) => writeTime(writer, value as string | null, schema.type === 'microTime'))
    case 'duration':
      return message(number, (writer, value) => writer.bigInteger(1, parseNanos(value as string)))
    case 'intOrString':
      return message(number, (writer, value) => {
        writer.string(3, typeof value === 'string' ? value : '')
        writer.integer(2, typeof value === 'number' ? value : 0)
        writer.integer(1, typeof value === 'string' ? 1 : 0)
      })
    case 'any':
      return message(number, (writer, value) => writeAny(writer, value, schema))
    case 'map':
      throw new TypeError('protobuf has no maps inside of lists')
    default:
      return schema satisfies never
  }
}

function message(number: number, inner: WriteValue): WriteValue {
  return (writer, value) => {
    const end = writer.length
    inner(writer, value)
    writer.enclose(number, end)
  }
}

/** Seconds and nanoseconds; the zero time is an empty message. */
function writeTime(writer: Writer, text: string | null, micro: boolean): void {
  if (text === null) return
  const micros = parseMicros(text)
  const seconds = Math.floor(micros / 1e6)
  writer.integer(2, micro ? (micros - seconds * 1e6) * 1000 : 0)
  writer.integer(1, seconds)
}

/** Free-form values travel as JSON text in `raw`; the JSON-schema unions are messages of their own. */
function writeAny(writer: Writer, value: unknown, schema: AnySchema): void {
  if (schema.of) return writeSchemaUnion(writer, value, schema.name, fieldsWriter(schema.of))
  if (!isNothing(value)) writer.bytes(1, Buffer.from(JSON.stringify(value)))
}

/** OrBool: allows 1, schema 2. OrArray: schema 1, schemas 2. OrStringArray: schema 1, names 2. */
function writeSchemaUnion(writer: Writer, value: unknown, name: string, fields: WriteFields): void {
  const object = (number: number, each: unknown) => message(number, (w, v) => fields(w, v as Values))(writer, each)
  if (name === 'JSONSchemaPropsOrBool') {
    if (typeof value === 'object' && value !== null) object(2, value)
    writer.boolean(1, value !== false && !isNothing(value))
  } else if (Array.isArray(value)) {
    for (const each of value.toReversed()) {
      if (typeof each === 'string') writer.string(2, each)
      else object(2, each)
    }
  } else if (!isNothing(value)) object(1, value)
}
