import { escapeName, unescapeName } from './escape.ts'
import { jsonValue, toJson } from './json-values.ts'
import type { OpenApiSchema } from './open-api-types.ts'
import { types } from './types.ts'
import { CelError, Duration, List, MapValue, Opaque, type Value } from './values.ts'
import { equal } from './values/equality.ts'
import { parseDuration, parseTimestamp } from './values/time.ts'

/** What of a structural schema says how expressions see a value. */
export interface ValueSchema extends OpenApiSchema {
  nullable?: boolean
  items?: ValueSchema
  properties?: Readonly<Record<string, ValueSchema>>
  additionalProperties?: ValueSchema | boolean
  'x-kubernetes-list-type'?: string
  'x-kubernetes-list-map-keys'?: readonly string[]
  'x-kubernetes-preserve-unknown-fields'?: boolean
}

/**
 * Looks at a value of a custom resource as rules in its schema do (upstream's UnstructuredToVal): properties have their escaped names, those that are null
 * are not there, unknown ones cannot be named; formats are values of their types; order means nothing in lists that are sets or have keys. Nothing is copied.
 * A value that does not fit its schema is an error where it is looked at.
 */
export function schemaValue(value: unknown, schema: ValueSchema): Value {
  if (value === null || value === undefined) return schema.nullable ? null : invalid('got null for schema with nullable=false')
  if (schema['x-kubernetes-int-or-string']) {
    return typeof value === 'string' || isWhole(value) ? jsonValue(value) : invalid('expected XIntOrString value to be either a string or integer')
  }
  switch (schema.type) {
    case 'object':
      if (typeof value !== 'object' || Array.isArray(value)) return invalid('expected a map for the provided schema with type=object')
      return objectValue(value as Fields, schema)
    case 'array':
      return Array.isArray(value) ? listValue(value, schema) : invalid('expected an array for the provided schema with type=array')
    case 'string':
      return typeof value === 'string' ? textValue(value, schema.format) : invalid(`expected string, got ${goType(value)}`)
    case 'number':
      return typeof value === 'number' ? value : invalid(`expected float, got ${goType(value)}`)
    case 'integer':
      return isWhole(value) ? BigInt(value) : invalid(`expected int, got ${goType(value)}`)
    case 'boolean':
      return typeof value === 'boolean' ? value : invalid(`expected bool, got ${goType(value)}`)
  }
  if (schema['x-kubernetes-preserve-unknown-fields']) return new Preserved(value)
  return new CelError(
    `invalid type, expected object, array, number, integer, boolean or string, or no type with x-kubernetes-int-or-string or x-kubernetes-preserve-unknown-fields is true, got ${schema.type ?? ''}`,
  )
}

type Fields = Readonly<Record<string, unknown>>

const invalid = (what: string) => new CelError(`invalid data, ${what}`)

const isWhole = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value)

function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'object') return 'map[string]interface {}'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : 'string'
}

function textValue(text: string, format: string | undefined): Value {
  switch (format) {
    case 'duration': {
      const parsed = parseDuration(text) ?? parseUnits(text)
      return parsed === undefined ? new CelError(`Invalid duration ${text}: unable to parse ${text} as duration`) : new Duration(parsed)
    }
    case 'date':
      return timeValue(`${text}T00:00:00Z`, `Invalid date formatted string ${text}`)
    case 'date-time':
      return timeValue(/T[\d:]+(\.\d+)?$/.test(text) ? `${text}Z` : text || '1970-01-01T00:00:00Z', `Invalid date-time formatted string ${text}`)
    case 'byte': {
      const bytes = Buffer.from(text, 'base64')
      return bytes.toString('base64') === text ? new Uint8Array(bytes) : new CelError(`Invalid byte formatted string ${text}: illegal base64 data`)
    }
    default:
      return text
  }
}

function timeValue(text: string, wrong: string): Value {
  const parsed = parseTimestamp(text)
  return typeof parsed === 'string' ? new CelError(wrong) : parsed
}

const SECOND = 1_000_000_000n
const MINUTE = 60n * SECOND
const HOUR = 60n * MINUTE

/** Units by the words that name them; the last word of each may go on, as in `weeks`. */
const UNITS: readonly [bigint, ...string[]][] = [
  [1n, 'ns', 'nano'],
  [1000n, 'us', 'µs', 'micro'],
  [1_000_000n, 'ms', 'milli'],
  [SECOND, 's', 'sec'],
  [MINUTE, 'm', 'min'],
  [HOUR, 'h', 'hr', 'hour'],
  [24n * HOUR, 'd', 'day'],
  [168n * HOUR, 'w', 'wk', 'week'],
]

/** `3 days 2 hours`, which the format duration takes beside Go's syntax (kube-openapi's strfmt). */
function parseUnits(text: string): bigint | undefined {
  let total: bigint | undefined
  for (const [, count, word] of text.matchAll(/(\d{1,18})\s*([A-Za-zµ]+)/g)) {
    const unit = word!.toLowerCase()
    const found = UNITS.find(([, ...words]) => words.includes(unit) || unit.startsWith(words.at(-1)!))
    if (found) total = (total ?? 0n) + BigInt(count!) * found[0]
  }
  return total
}

const metadata: ValueSchema = { type: 'object', properties: { name: { type: 'string' }, generateName: { type: 'string' } } }
const embedded: Readonly<Record<string, ValueSchema>> = { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata }

function objectValue(value: Fields, schema: ValueSchema): Value {
  if (schema['x-kubernetes-embedded-resource']) return new PropertiesValue(value, { ...embedded, ...schema.properties })
  if (schema.properties) return new PropertiesValue(value, schema.properties)
  return new EntriesValue(value, typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined)
}

class PropertiesValue extends MapValue {
  readonly source: Fields
  readonly #properties: Readonly<Record<string, ValueSchema>>
  constructor(source: Fields, properties: Readonly<Record<string, ValueSchema>>) {
    super()
    this.source = source
    this.#properties = properties
  }
  get size(): number {
    return Object.keys(this.source).length
  }
  get(key: Value): Value | undefined {
    if (typeof key !== 'string') return new CelError('no such overload')
    const name = unescapeName(key)
    if (name === undefined || !Object.hasOwn(this.source, name) || !Object.hasOwn(this.#properties, name)) return undefined
    const value = this.source[name]
    return value === null || value === undefined ? undefined : schemaValue(value, this.#properties[name]!)
  }
  *keys(): Iterable<Value> {
    for (const name of Object.keys(this.source)) if (Object.hasOwn(this.#properties, name)) yield escapeName(name) ?? name
  }
}

class EntriesValue extends MapValue {
  readonly source: Fields
  readonly #schema: ValueSchema | undefined
  constructor(source: Fields, schema: ValueSchema | undefined) {
    super()
    this.source = source
    this.#schema = schema
  }
  get size(): number {
    return Object.keys(this.source).length
  }
  get(key: Value): Value | undefined {
    if (typeof key !== 'string') return new CelError('no such overload')
    return this.#schema && Object.hasOwn(this.source, key) ? schemaValue(this.source[key], this.#schema) : undefined
  }
  keys(): Iterable<Value> {
    return this.#schema ? Object.keys(this.source) : []
  }
}

function listValue(value: readonly unknown[], schema: ValueSchema): Value {
  const { items } = schema
  if (!items) return new CelError('invalid array type, expected Items with a non-empty Schema')
  const type = schema['x-kubernetes-list-type'] ?? 'atomic'
  switch (type) {
    case 'atomic':
      return new SequenceValue(value, items)
    case 'set':
      return new SetValue(value, items)
    case 'map':
      return new KeyedValue(value, items, schema['x-kubernetes-list-map-keys'] ?? [])
    default:
      return new CelError(`invalid x-kubernetes-list-type, expected 'map', 'set' or 'atomic' but got ${type}`)
  }
}

class SequenceValue extends List {
  readonly source: readonly unknown[]
  readonly items: ValueSchema
  constructor(source: readonly unknown[], items: ValueSchema) {
    super()
    this.source = source
    this.items = items
  }
  get length(): number {
    return this.source.length
  }
  at(index: number): Value {
    return schemaValue(this.source[index], this.items)
  }
}

const elements = (list: List): unknown[] =>
  list instanceof SequenceValue ? [...list.source] : Array.from({ length: list.length }, (_, index) => toJson(list.at(index)))

/** Elements are scalars, told apart by their JSON. */
class SetValue extends SequenceValue {
  override pairs(other: List): [Value, Value][] | undefined {
    const own = new Set(this.source)
    return elements(other).every((element) => own.has(element)) ? [] : undefined
  }
  /** What the other one has and this has not comes at the end. */
  override joined(other: List): List {
    return new SetValue([...new Set([...this.source, ...elements(other)])], this.items)
  }
}

class KeyedValue extends SequenceValue {
  readonly #keys: readonly string[]
  constructor(source: readonly unknown[], items: ValueSchema, keys: readonly string[]) {
    super(source, items)
    this.#keys = keys
  }
  #key(element: unknown): string {
    const fields = typeof element === 'object' && element !== null ? (element as Fields) : {}
    return JSON.stringify(this.#keys.map((key) => (Object.hasOwn(fields, key) ? fields[key] : null)))
  }
  override pairs(other: List): [Value, Value][] | undefined {
    const own = new Map(this.source.map((element, index) => [this.#key(element), index]))
    const pairs: [Value, Value][] = []
    for (const [index, element] of elements(other).entries()) {
      const at = own.get(this.#key(element))
      if (at === undefined) return undefined
      pairs.push([this.at(at), other.at(index)])
    }
    return pairs
  }
  /** Elements of the other one take the place of those with their keys, or come at the end. */
  override joined(other: List): List {
    const merged = new Map(this.source.map((element) => [this.#key(element), element]))
    for (const element of elements(other)) merged.set(this.#key(element), element)
    return new KeyedValue([...merged.values()], this.items, this.#keys)
  }
}

const preserved = types.opaque('unknown')

/** What a schema keeps without knowing it: it can be compared and nothing else. */
class Preserved extends Opaque {
  readonly type = preserved
  readonly source: unknown
  constructor(source: unknown) {
    super()
    this.source = source
  }
  override equals(other: Opaque): boolean {
    return other instanceof Preserved && equal(jsonValue(this.source), jsonValue(other.source))
  }
}
