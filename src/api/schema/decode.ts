import { canonicalQuantity } from '../quantity.ts'
import { canonicalDurationOf, canonicalMicroTimeOf, canonicalTimeOf } from '../time.ts'
import { mostFieldProblems } from './json.ts'
import type { AnySchema, ListSchema, MapSchema, ObjectSchema, Schema } from './schema.ts'
import { omission, zeroOf, zeroOfSchema } from './zero.ts'

export interface Decoded<T = unknown> {
  object: T
  /** Paths of fields that the schema does not know, e.g. `spec.containers[0].foo`, the first 100; they are not in `object`. */
  unknownFields: string[]
}

/** A value that does not fit its type, in the words of Go's JSON decoder; the API server answers it with 400. */
export class DecodeError extends Error {
  override name = 'DecodeError'
  /** The value and the type that it does not fit; absent where a type has words of its own, as times and quantities have. */
  readonly mismatch?: TypeMismatch
  constructor(message: string, options: ErrorOptions & { mismatch?: TypeMismatch } = {}) {
    super(message, options)
    if (options.mismatch) this.mismatch = options.mismatch
  }
}

export interface TypeMismatch {
  value: unknown
  type: Schema['type']
  /** The name of the Go type, such as `[]v1.Container` or `int32`. */
  goType: string
}

/**
 * Reads a parsed JSON value as a Go server would read and write it again: wrong types are refused (DecodeError), unknown
 * and null fields dropped, empty values left out where `omitempty` says so, structs written even when empty, times,
 * durations and quantities brought to their stored form, fields put in upstream's order. The input is not changed; free-form parts
 * of it (RawExtension, JSON) are shared with the result.
 */
export function decodeObject<T = unknown>(value: unknown, schema: ObjectSchema): Decoded<T> {
  const state: State = { path: [], depth: 0, unknown: undefined }
  const object = decoderOf(schema)(value, state) as T
  return { object, unknownFields: state.unknown ?? [] }
}

/** The message with which upstream wraps a decode error. */
export function cannotBeHandled(kind: string, version: string, error: DecodeError): string {
  return `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${error.message}`
}

interface State {
  /** Field names, list indexes and map keys down to the value at hand; entries from `depth` on are stale. */
  readonly path: (string | number)[]
  depth: number
  unknown: string[] | undefined
}

// Go's errors name the fields on the way but no keys of maps: those carry a mark in the path.
const mapKeyMark = '\0'

/** Answers undefined for null: the field is left out, or gets its zero value. */
type Decoder = (value: unknown, state: State) => unknown

/** Names a decoder's Go type in errors. */
interface Place {
  /** The struct that holds the field, e.g. `PodSpec`; empty at the root. */
  struct: string
  goType: string
  type: Schema['type']
}

// Compiled decoders: one per object type, kept for as long as the schema is.
const compiled = new WeakMap<ObjectSchema, Decoder>()

function decoderOf(schema: ObjectSchema): Decoder {
  const known = compiled.get(schema)
  if (known) return known
  // A type may contain itself: until it is compiled, its decoder is looked up when called.
  compiled.set(schema, (value, state) => compiled.get(schema)!(value, state))
  const decoder = compileObject(schema)
  compiled.set(schema, decoder)
  return decoder
}

/** A struct that nobody filled: its own zero fields are written too. */
const emptyObject = (schema: ObjectSchema) => decoderOf(schema)({}, { path: [], depth: 0, unknown: undefined })

interface Slot {
  name: string
  index: number
  decode: Decoder
  /** The value to leave out, as Go's omitempty would. */
  omits: (value: unknown) => boolean
}

/** Values that a missing field gets, because Go writes them: zeros without omitempty, and structs always. */
interface Always {
  index: number
  make: () => unknown
}

function compileObject(schema: ObjectSchema): Decoder {
  const struct = lastPart(schema.goName)
  const names = [...schema.fields.keys()]
  const slots = new Map<string, Slot>()
  const always: Always[] = []
  let index = 0
  for (const field of schema.fields.values()) {
    slots.set(field.name, {
      name: field.name,
      index,
      decode: compile(field.schema, { struct, goType: field.goType, type: field.schema.type }),
      omits: omission(field),
    })
    const make = zeroOf(field, emptyObject)
    if (make) always.push({ index, make })
    index++
  }
  const place: Place = { struct: '', goType: schema.goName, type: 'object' }

  return (value, state) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      if (value === null || value === undefined) return undefined
      throw mismatch(value, place, state)
    }
    const indexes: number[] = []
    const values: unknown[] = []
    const source = value as Record<string, unknown>
    for (const key in source) {
      // a value that never was JSON text may say so of what it has not
      if (source[key] === undefined) continue
      const slot = slots.get(key)
      if (slot === undefined) {
        unknownField(state, key)
        continue
      }
      const given = source[key]
      if (given === null) continue
      state.path[state.depth++] = key
      const decoded = slot.decode(given, state)
      state.depth--
      if (decoded === undefined || slot.omits(decoded)) continue
      insert(indexes, values, slot.index, decoded)
    }
    for (const { index, make } of always) if (!indexes.includes(index)) insert(indexes, values, index, make())
    const result: Record<string, unknown> = {}
    for (let i = 0; i < indexes.length; i++) result[names[indexes[i]!]!] = values[i]
    return result
  }
}

/** Keeps `indexes` ascending: objects have few fields, and mostly come in order. */
function insert(indexes: number[], values: unknown[], index: number, value: unknown): void {
  let at = indexes.length
  while (at > 0 && indexes[at - 1]! > index) at--
  if (at === indexes.length) {
    indexes.push(index)
    values.push(value)
  } else {
    indexes.splice(at, 0, index)
    values.splice(at, 0, value)
  }
}

function compile(schema: Schema, place: Place): Decoder {
  switch (schema.type) {
    case 'object':
      return objectAt(decoderOf(schema), place)
    case 'list':
      return compileList(schema, place)
    case 'map':
      return compileMap(schema, place)
    case 'any':
      return schema.of ? compileUnion(schema, schema.of) : (value) => value
    case 'string':
      return (value, state) => (typeof value === 'string' ? value : fail(value, place, state))
    case 'boolean':
      return (value, state) => (typeof value === 'boolean' ? value : fail(value, place, state))
    case 'integer':
      return compileInteger(schema.format === 'int32' ? 2 ** 31 : 2 ** 63, place)
    case 'number':
      return (value, state) => (typeof value === 'number' ? value : fail(value, place, state))
    case 'bytes':
      return (value, state) => (typeof value === 'string' ? checkedBase64(value) : fail(value, place, state))
    case 'quantity':
      return (value) =>
        typeof value === 'string' || typeof value === 'number' ? worded(canonicalQuantity, value) : worded(canonicalQuantity, JSON.stringify(value))
    case 'time':
      return text(canonicalTimeOf)
    case 'microTime':
      return text(canonicalMicroTimeOf)
    case 'duration':
      return text(canonicalDurationOf)
    case 'intOrString':
      return intOrString
    default:
      return schema satisfies never
  }
}

// The struct's own decoder does not know the field that holds it; Go names that one when the type is wrong.
function objectAt(decode: Decoder, place: Place): Decoder {
  return (value, state) => {
    if (typeof value === 'object' && !Array.isArray(value)) return decode(value, state)
    throw mismatch(value, place, state)
  }
}

function compileInteger(limit: number, place: Place): Decoder {
  return (value, state) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= -limit && value < limit) return value
    throw mismatch(value, place, state, typeof value === 'number' ? `number ${value}` : describe(value))
  }
}

function compileList(schema: ListSchema, place: Place): Decoder {
  const decode = compile(schema.items, { struct: place.struct, goType: place.goType.replace(/^\[\]/, ''), type: schema.items.type })
  const zero = zeroOfSchema(schema.items, emptyObject)
  return (value, state) => {
    if (!Array.isArray(value)) throw mismatch(value, place, state)
    const result: unknown[] = []
    for (let i = 0; i < value.length; i++) {
      state.path[state.depth++] = i
      const given = value[i]
      // A null element is the zero value of its type.
      result.push(given === null ? zero() : decode(given, state))
      state.depth--
    }
    return result
  }
}

function compileMap(schema: MapSchema, place: Place): Decoder {
  const decode = compile(schema.values, { struct: place.struct, goType: place.goType.replace(/^map\[\w+\]/, ''), type: schema.values.type })
  const zero = zeroOfSchema(schema.values, emptyObject)
  return (value, state) => {
    if (typeof value !== 'object' || Array.isArray(value)) throw mismatch(value, place, state)
    const result: Record<string, unknown> = {}
    const source = value as Record<string, unknown>
    for (const key in source) {
      state.path[state.depth++] = mapKeyMark + key
      const given = source[key]
      const decoded = given === null ? zero() : decode(given, state)
      if (key === '__proto__') Object.defineProperty(result, key, { value: decoded, enumerable: true, writable: true, configurable: true })
      else result[key] = decoded
      state.depth--
    }
    return result
  }
}

/** JSONSchemaPropsOrBool, …OrArray, …OrStringArray: objects are schemas, in arrays too; the rest stays as it is. */
function compileUnion(union: AnySchema, of: ObjectSchema): Decoder {
  return (value, state) => {
    if (Array.isArray(value) && union.name === 'JSONSchemaPropsOrArray')
      return value.map((item, i) => {
        state.path[state.depth++] = i
        const decoded = decoderOf(of)(item, state)
        state.depth--
        return decoded
      })
    return typeof value === 'object' && !Array.isArray(value) ? decoderOf(of)(value, state) : value
  }
}

const intOrString: Decoder = (value) => {
  if (typeof value === 'string') return value
  if (typeof value === 'number' && Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31) return value
  throw new DecodeError(`json: cannot unmarshal ${typeof value === 'number' ? `number ${value}` : describe(value)} into Go value of type int32`)
}

function text(canonical: (text: string) => string): Decoder {
  return (value) => {
    if (typeof value !== 'string') throw new DecodeError(`json: cannot unmarshal ${describe(value)} into Go value of type string`)
    return worded(canonical, value)
  }
}

function worded<V>(canonical: (value: V) => string, value: V): string {
  try {
    return canonical(value)
  } catch (error) {
    throw new DecodeError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

function checkedBase64(value: string): string {
  if (base64.test(value)) return value
  // Go skips line breaks inside base64, and writes it again without them.
  const joined = value.replace(/[\r\n]/g, '')
  if (joined.length < value.length && base64.test(joined)) return joined
  const bad = /[^A-Za-z0-9+/]/.exec(value)
  throw new DecodeError(`illegal base64 data at input byte ${bad?.index ?? value.length - (value.length % 4)}`)
}

function unknownField(state: State, key: string): void {
  state.unknown ??= []
  if (state.unknown.length >= mostFieldProblems) return
  state.unknown.push(pathText([...state.path.slice(0, state.depth), key]))
}

function pathText(path: readonly (string | number)[]): string {
  let out = ''
  for (const step of path) {
    const name = typeof step === 'string' && step.startsWith(mapKeyMark) ? step.slice(1) : step
    out += typeof name === 'number' ? `[${name}]` : out === '' ? name : `.${name}`
  }
  return out
}

function fail(value: unknown, place: Place, state: State): never {
  throw mismatch(value, place, state)
}

function mismatch(value: unknown, { struct, goType, type }: Place, state: State, what = describe(value)): DecodeError {
  const fields = state.path.slice(0, state.depth).filter((step) => typeof step === 'string' && !step.startsWith(mapKeyMark))
  const where = struct === '' ? 'value' : `struct field ${struct}.${fields.join('.')}`
  return new DecodeError(`json: cannot unmarshal ${what} into Go ${where} of type ${goType}`, { mismatch: { value, type, goType } })
}

function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
    case 'number':
      return 'number'
    default:
      return Array.isArray(value) ? 'array' : 'object'
  }
}

function lastPart(dotted: string): string {
  return dotted.slice(dotted.lastIndexOf('.') + 1)
}
