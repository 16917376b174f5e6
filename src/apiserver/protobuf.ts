import type { AnySchema, Field, ObjectSchema, Schema } from '#api'
import { errors, parseApiVersion, schemaOf } from '#api'

/** What a protobuf body starts with: Kubernetes' envelope of a runtime.Unknown follows. */
const magic = Buffer.from('k8s\0')

/**
 * Reads a request body in `application/vnd.kubernetes.protobuf` into the JSON form of its object, with kind and apiVersion. Throws BadRequest for bytes that
 * are no such body and for kinds that are not known.
 */
export function parseProtobuf(body: Uint8Array): unknown {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (!bytes.subarray(0, magic.length).equals(magic))
    throw errors.badRequest('the provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]')
  try {
    let apiVersion = ''
    let kind = ''
    let raw: Buffer = Buffer.alloc(0)
    const envelope = new Reader(bytes.subarray(magic.length))
    for (let tag = envelope.tag(); tag; tag = envelope.tag()) {
      if (tag.number === 1) ({ apiVersion, kind } = typeMeta(envelope.message()))
      else if (tag.number === 2) raw = envelope.bytes()
      else envelope.skip(tag.type)
    }
    const schema = schemaOf(apiVersion, kind)
    if (!schema)
      throw errors.badRequest(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(parseApiVersion(apiVersion).version)}`)
    return { kind, apiVersion, ...readObject(new Reader(raw), schema) }
  } catch (error) {
    if (error instanceof RangeError) throw errors.badRequest(`the protobuf body is malformed: ${error.message}`)
    throw error
  }
}

function typeMeta(reader: Reader): { apiVersion: string; kind: string } {
  const meta = { apiVersion: '', kind: '' }
  for (let tag = reader.tag(); tag; tag = reader.tag()) {
    if (tag.number === 1) meta.apiVersion = reader.bytes().toString()
    else if (tag.number === 2) meta.kind = reader.bytes().toString()
    else reader.skip(tag.type)
  }
  return meta
}

/** Fields by their number; those of embedded messages (inlined in JSON) stand below the embedding field's number. */
type Layout = Map<number, Field | Layout>

const layouts = new WeakMap<ObjectSchema, Layout>()

function layoutOf(schema: ObjectSchema): Layout {
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
    map[key] = value ?? emptyOf(schema.values)
  } else if (schema.type === 'list' && field.goType.startsWith('[]')) {
    const list = (object[name] ??= []) as unknown[]
    if (wireType === lengthDelimited && isNumeric(schema.items)) {
      const packed = reader.message()
      while (!packed.done) list.push(readValue(packed, schema.items))
    } else list.push(readValue(reader, schema.items))
  } else object[name] = readValue(reader, schema)
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
      return `${readNumbers(reader.message()).get(1) ?? 0n}ns`
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

const lengthDelimited = 2

/** Reads protobuf's wire format; throws RangeError where the bytes end too early or make no sense. */
class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  tag(): { number: number; type: number } | undefined {
    if (this.done) return undefined
    const tag = Number(this.varint())
    return { number: tag >>> 3, type: tag & 7 }
  }

  varint(): bigint {
    // most numbers are short: no big integers on the way
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte()
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) return BigInt(low)
    }
    let value = BigInt(low)
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw new RangeError('a number is too long')
  }

  double(): number {
    const at = this.#at
    this.#advance(8)
    return this.#bytes.readDoubleLE(at)
  }

  bytes(): Buffer {
    const length = Number(this.varint())
    const at = this.#at
    this.#advance(length)
    return this.#bytes.subarray(at, this.#at)
  }

  message(): Reader {
    return new Reader(this.bytes())
  }

  skip(type: number): void {
    if (type === 0) this.varint()
    else if (type === 1) this.#advance(8)
    else if (type === lengthDelimited) this.bytes()
    else if (type === 5) this.#advance(4)
    else throw new RangeError(`unknown wire type ${type}`)
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new RangeError('unexpected end')
    return byte
  }

  #advance(count: number): void {
    this.#at += count
    if (this.#at > this.#bytes.length) throw new RangeError('unexpected end')
  }
}
