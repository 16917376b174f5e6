import type { AnySchema, Field, ObjectSchema, Schema } from '../schema/schema.ts'
import { omission } from '../schema/zero.ts'
import { formatNanos } from '../time.ts'
import type { Layout } from './layout.ts'
import { layoutOf } from './layout.ts'
import { Reader, lengthDelimited, wellFormed } from './reader.ts'

/** The JSON form of a message. Throws RangeError where the bytes are none of this schema. */
export function readMessage(bytes: Buffer, schema: ObjectSchema): Record<string, unknown> {
  return wellFormed(() => readObject(new Reader(bytes), schema))
}

function readObject(reader: Reader, schema: ObjectSchema): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  readInto(object, reader, layoutOf(schema))
  return object
}

function readInto(object: Record<string, unknown>, reader: Reader, layout: Layout): void {
  for (let tag = reader.tag(); tag; tag = reader.tag()) {
    const place = layout.get(tag.number)
    if (!place) reader.skip(tag.type)
    else if (place instanceof Map) readInto(object, reader.message(), place)
    else readField(object, reader, place, tag.type)
  }
}

function readField(object: Record<string, unknown>, reader: Reader, field: Field, wireType: number): void {
  const { name, schema } = field
  if (schema.type === 'map') {
    const map = (object[name] ??= {}) as Record<string, unknown>
    const entry = reader.message()
    let key = ''
    let value: unknown
    for (let tag = entry.tag(); tag; tag = entry.tag()) {
      if (tag.number === 1) key = entry.bytes().toString()
      else if (tag.number === 2) value = readValue(entry, schema.values)
      else entry.skip(tag.type)
    }
    map[key] = value === undefined ? emptyOf(schema.values) : value
  } else if (schema.type === 'list' && field.goType.startsWith('[]')) {
    const list = (object[name] ??= []) as unknown[]
    if (wireType === lengthDelimited && isNumeric(schema.items)) {
      const packed = reader.message()
      while (!packed.done) list.push(readValue(packed, schema.items))
    } else list.push(readValue(reader, schema.items))
  } else {
    const value = readValue(reader, schema)
    // the wire has zeros that Go leaves out of its JSON
    if (value !== null && omits(field)(value)) delete object[name]
    else object[name] = value
  }
}

const omissions = new WeakMap<Field, (value: unknown) => boolean>()

function omits(field: Field): (value: unknown) => boolean {
  let omit = omissions.get(field)
  if (!omit) omissions.set(field, (omit = omission(field)))
  return omit
}

const isNumeric = (schema: Schema) => schema.type === 'integer' || schema.type === 'number' || schema.type === 'boolean'

/** A map's value that is not on the wire is its type's zero. */
function emptyOf(schema: Schema): unknown {
  switch (schema.type) {
    case 'object':
    case 'map':
      return {}
    case 'list':
      return []
    case 'boolean':
      return false
    case 'integer':
    case 'number':
      return 0
    case 'quantity':
      return '0'
    case 'time':
    case 'microTime':
    case 'any':
      return null
    default:
      return ''
  }
}

function readValue(reader: Reader, schema: Schema): unknown {
  switch (schema.type) {
    case 'string':
      return reader.bytes().toString()
    case 'bytes':
      return reader.bytes().toString('base64')
    case 'boolean':
      return reader.varint() !== 0n
    case 'integer':
      return Number(BigInt.asIntN(64, reader.varint()))
    case 'number':
      return reader.double()
    case 'object':
      return readObject(reader.message(), schema)
    case 'list':
      return readNamedList(reader.message(), schema.items)
    case 'quantity':
      return members(reader.message()).get(1)?.toString() ?? '0'
    case 'time':
    case 'microTime':
      return readTime(reader.message(), schema.type === 'microTime')
    case 'duration':
      return formatNanos(readNumbers(reader.message()).get(1) ?? 0n)
    case 'intOrString':
      return readIntOrString(reader.message())
    case 'any':
      return readAny(reader.message(), schema)
    case 'map':
      throw new RangeError('a map inside of a list')
    default:
      return schema satisfies never
  }
}

/** A list type with a name of its own is a message with `items`. */
function readNamedList(reader: Reader, items: Schema): unknown[] {
  const list: unknown[] = []
  for (let tag = reader.tag(); tag; tag = reader.tag()) {
    if (tag.number === 1) list.push(readValue(reader, items))
    else reader.skip(tag.type)
  }
  return list
}

/** Length-delimited members of a small message, by number. */
function members(reader: Reader): Map<number, Buffer> {
  const found = new Map<number, Buffer>()
  for (let tag = reader.tag(); tag; tag = reader.tag()) {
    if (tag.type === lengthDelimited) found.set(tag.number, reader.bytes())
    else reader.skip(tag.type)
  }
  return found
}

function readNumbers(reader: Reader): Map<number, bigint> {
  const found = new Map<number, bigint>()
  for (let tag = reader.tag(); tag; tag = reader.tag()) {
    if (tag.type === 0) found.set(tag.number, BigInt.asIntN(64, reader.varint()))
    else reader.skip(tag.type)
  }
  return found
}

/** Seconds and nanoseconds; an empty message is the zero time, null in JSON. */
function readTime(reader: Reader, micro: boolean): string | null {
  if (reader.done) return null
  const numbers = readNumbers(reader)
  const text = new Date(Number(numbers.get(1) ?? 0n) * 1000).toISOString().slice(0, 19)
  if (!micro) return `${text}Z`
  const micros = Math.floor(Number(numbers.get(2) ?? 0n) / 1000)
  return `${text}.${String(micros).padStart(6, '0')}Z`
}

function readIntOrString(reader: Reader): string | number {
  let type = 0n
  let int = 0n
  let string = ''
  for (let tag = reader.tag(); tag; tag = reader.tag()) {
    if (tag.number === 1) type = reader.varint()
    else if (tag.number === 2) int = BigInt.asIntN(64, reader.varint())
    else if (tag.number === 3) string = reader.bytes().toString()
    else reader.skip(tag.type)
  }
  return type === 0n ? Number(int) : string
}

/** Free-form values travel as JSON text in `raw`; the JSON-schema unions are messages of their own. */
function readAny(reader: Reader, schema: AnySchema): unknown {
  if (schema.of) return readSchemaUnion(reader, schema.name, schema.of)
  const raw = members(reader).get(1)
  if (!raw || raw.length === 0) return null
  try {
    return JSON.parse(raw.toString())
  } catch {
    throw new RangeError('an embedded object is not JSON')
  }
}

/** OrBool: allows 1, schema 2. OrArray: schema 1, schemas 2. OrStringArray: schema 1, names 2. */
function readSchemaUnion(reader: Reader, name: string, of: ObjectSchema): unknown {
  let value: unknown
  const list: unknown[] = []
  for (let tag = reader.tag(); tag; tag = reader.tag()) {
    if (tag.type !== lengthDelimited) value ??= reader.varint() !== 0n
    else if (tag.number === 1 || name === 'JSONSchemaPropsOrBool') value = readObject(reader.message(), of)
    else if (name === 'JSONSchemaPropsOrStringArray') list.push(reader.bytes().toString())
    else list.push(readObject(reader.message(), of))
  }
  return value ?? list
}
