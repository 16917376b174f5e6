import type { TypeMeta } from '../protobuf/envelope.ts'
import type { AnySchema, Field, ObjectSchema, Schema } from '../schema/schema.ts'
import { schemaOf } from '../schema/schema.ts'
import { CborWriter } from './writer.ts'

/** The head of tag 55799, with which every CBOR body begins. */
export const cborMagic = Buffer.of(0xd9, 0xd9, 0xf7)

const cborNull = 0xf6
const base64Later = 22

type Values = Record<string, unknown>
type Write = (writer: CborWriter, value: unknown) => void

/**
 * Any JSON value as a CBOR body, as Kubernetes writes it: text as byte strings, the bytes of `[]byte` fields themselves (tag 22), floats as floats. What has a
 * kind that is known is written by its schema, the rest as it stands.
 */
export function encodeCbor(value: unknown): Buffer {
  const writer = new CborWriter()
  writer.raw(cborMagic)
  writePlain(writer, value)
  return writer.finish()
}

/** The map of an object's fields without its kind and apiVersion, which lists leave out, and without the magic number. Has fewer than 22 entries. */
export function encodeCborFields(object: object, schema: ObjectSchema): Buffer {
  const { kind: _kind, apiVersion: _apiVersion, ...fields } = object as Values
  const writer = new CborWriter(2048)
  objectWriter(schema)(writer, fields)
  return writer.finish()
}

/** A body of the fields that `encodeCborFields` made. */
export function cborBody({ kind, apiVersion }: TypeMeta, fields: Buffer): Buffer {
  const writer = new CborWriter(fields.length + kind.length + apiVersion.length + 64)
  writer.raw(cborMagic)
  writer.byte(fields[0]! + 2)
  writer.raw(typeHead)
  writer.text(kind)
  writer.raw(versionHead)
  writer.text(apiVersion)
  writer.raw(fields.subarray(1))
  return writer.finish()
}

/** The body of a list of `count` items up to where they begin, one after the other as `encodeCborFields` makes them. */
export function cborListHead({ kind, apiVersion, metadata }: TypeMeta & { metadata: object }, count: number): Buffer {
  const writer = new CborWriter(256)
  writer.raw(cborMagic)
  writer.head(5, 4)
  writer.raw(typeHead)
  writer.text(kind)
  writer.raw(versionHead)
  writer.text(apiVersion)
  writer.text('metadata')
  writePlain(writer, metadata)
  writer.text('items')
  writer.head(4, count)
  return writer.finish()
}

/** An event of a watch around the body of its object: one item of a CBOR sequence. */
export function cborEvent(type: string, object: Uint8Array): Buffer {
  const writer = new CborWriter(object.length + 64)
  writer.raw(cborMagic)
  writer.head(5, 2)
  writer.text('type')
  writer.text(type)
  writer.text('object')
  writer.raw(object)
  return writer.finish()
}

const headOf = (text: string) => {
  const writer = new CborWriter()
  writer.text(text)
  return writer.finish()
}
const typeHead = headOf('kind')
const versionHead = headOf('apiVersion')

const compiled = new WeakMap<ObjectSchema, Write>()

function objectWriter(schema: ObjectSchema): Write {
  let write = compiled.get(schema)
  if (!write) {
    // compiled when first used: types may hold themselves
    let fields: Map<string, Slot> | undefined
    write = (writer, value) => writeObject(writer, value as Values, (fields ??= slotsOf(schema)))
    compiled.set(schema, write)
  }
  return write
}

interface Slot {
  key: Buffer
  write: Write
}

const slotsOf = (schema: ObjectSchema): Map<string, Slot> =>
  new Map([...schema.fields.values()].map((field: Field) => [field.name, { key: headOf(field.name), write: valueWriter(field.schema) }]))

function writeObject(writer: CborWriter, object: Values, slots: ReadonlyMap<string, Slot>): void {
  if (object === null) return writer.byte(cborNull)
  let count = 0
  for (const key in object) if (object[key] !== undefined) count++
  writer.head(5, count)
  for (const key in object) {
    const value = object[key]
    if (value === undefined) continue
    const slot = slots.get(key)
    if (slot) writer.raw(slot.key)
    else writer.text(key)
    if (value === null) writer.byte(cborNull)
    else if (slot) slot.write(writer, value)
    else writePlain(writer, value)
  }
}

function valueWriter(schema: Schema): Write {
  switch (schema.type) {
    case 'object':
      return objectWriter(schema)
    case 'list': {
      const write = valueWriter(schema.items)
      return (writer, value) => {
        if (!Array.isArray(value)) return writePlain(writer, value)
        writer.head(4, value.length)
        for (const item of value)
          if (item === null) writer.byte(cborNull)
          else write(writer, item)
      }
    }
    case 'map': {
      const write = valueWriter(schema.values)
      return (writer, value) => {
        const map = value as Values
        const keys = Object.keys(map)
        writer.head(5, keys.length)
        for (const key of keys) {
          writer.text(key)
          if (map[key] === null || map[key] === undefined) writer.byte(cborNull)
          else write(writer, map[key])
        }
      }
    }
    case 'bytes':
      return writeBytes
    case 'number':
      return (writer, value) => (typeof value === 'number' ? writer.float(value) : writePlain(writer, value))
    case 'any':
      return anyWriter(schema)
    default:
      return writePlain
  }
}

/** The bytes themselves, with a tag that says that their text is base64. */
function writeBytes(writer: CborWriter, value: unknown): void {
  if (typeof value !== 'string') return writePlain(writer, value)
  const bytes = Buffer.from(value, 'base64')
  writer.head(6, base64Later)
  writer.head(2, bytes.length)
  writer.raw(bytes)
}

/** Of the JSON-schema unions, objects are schemas. */
function anyWriter({ of }: AnySchema): Write {
  if (!of) return writePlain
  const write = objectWriter(of)
  const one: Write = (writer, value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? write(writer, value) : writePlain(writer, value)
  return (writer, value) => {
    if (!Array.isArray(value)) return one(writer, value)
    writer.head(4, value.length)
    for (const item of value) one(writer, item)
  }
}

/** What stands somewhere in something of which there is no schema (the rows of a table) may have one itself. */
function writeMap(writer: CborWriter, value: object): void {
  const schema = schemaFor(value)
  if (schema) objectWriter(schema)(writer, value)
  else writeObject(writer, value as Values, noSlots)
}

const known = new Map<string, ObjectSchema | undefined>()
const knownLimit = 1000

function schemaFor(object: Partial<TypeMeta>): ObjectSchema | undefined {
  const { apiVersion, kind } = object
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return undefined
  const id = `${apiVersion} ${kind}`
  if (!known.has(id)) {
    // what clients embed may say anything
    if (known.size >= knownLimit) known.clear()
    known.set(id, schemaOf(apiVersion, kind))
  }
  return known.get(id)
}

/** A value of which nothing is known but its JSON form; an embedded object is written as what it says that it is. */
function writePlain(writer: CborWriter, value: unknown): void {
  switch (typeof value) {
    case 'string':
      return writer.text(value)
    case 'number':
      return Number.isInteger(value) && Math.abs(value) <= 2 ** 63 ? writer.integer(value) : writer.float(value)
    case 'boolean':
      return writer.byte(value ? 0xf5 : 0xf4)
    case 'object':
      if (value === null) return writer.byte(cborNull)
      if (Array.isArray(value)) {
        writer.head(4, value.length)
        for (const item of value) writePlain(writer, item)
        return
      }
      return writeMap(writer, value)
    default:
      return writer.byte(cborNull)
  }
}

const noSlots: ReadonlyMap<string, Slot> = new Map()
