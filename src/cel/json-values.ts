import { type CelType, type TypeProvider } from './types.ts'
import { CelError, Duration, List, MapValue, Opaque, Timestamp, TypeValue, Uint, type Value } from './values.ts'
import { Optional } from './optional.ts'
import { formatDuration, formatTimestamp, parseDuration, parseTimestamp } from './values/time.ts'
import { typeName } from './values/names.ts'

/** What `jsonValue` needs to know the types of fields by. */
export interface Typing {
  provider: TypeProvider
  /** Turns the name that a field has in expressions into that of the object (Kubernetes escapes reserved words); undefined: it is no field's name. */
  unescape?(field: string): string | undefined
  escape?(field: string): string | undefined
}

/**
 * Looks at a JSON-shaped value as expressions do, where it lies: nothing is copied, objects and lists are converted as far as they are looked at; they must
 * not change meanwhile. Numbers without a fraction are int, others double, unless a type says otherwise; strings of a type timestamp, duration or bytes
 * are converted, a value of another type than declared is an error. CEL's own values inside stand for themselves.
 *
 * As with objects that Kubernetes hands to expressions: without a type null is a value, as a field of a declared object it is the field's absence.
 */
export function jsonValue(value: unknown, type?: CelType, typing?: Typing): Value {
  const expected = type?.kind === 'wrapper' ? type.of : type
  switch (typeof value) {
    case 'string':
      return expected === undefined ? value : typedString(value, expected)
    case 'boolean':
      return fits(expected, 'bool') ? value : mismatch(expected!, 'bool')
    case 'number':
      return expected === undefined ? untypedNumber(value) : typedNumber(value, expected)
    case 'bigint':
      return value
    case 'object':
      return value === null ? null : fromObject(value, expected, typing)
    default:
      return new CelError(`unsupported conversion to ref.Val: (${typeof value})`)
  }
}

const fits = (expected: CelType | undefined, kind: CelType['kind']) =>
  expected === undefined || expected.kind === kind || expected.kind === 'dyn' || expected.kind === 'any'

const mismatch = (expected: CelType, got: string) => new CelError(`invalid data, expected ${typeName(expected)}, got ${got}`)

const LIMIT = 2 ** 63

const untypedNumber = (value: number): Value => (Number.isInteger(value) && value < LIMIT && value >= -LIMIT ? BigInt(value) : value)

function typedNumber(value: number, expected: CelType): Value {
  switch (expected.kind) {
    case 'double':
      return value
    case 'int':
      return Number.isInteger(value) ? untypedNumber(value) : mismatch(expected, 'float64')
    case 'uint':
      return Number.isInteger(value) && value >= 0 ? new Uint(BigInt(value)) : mismatch(expected, 'float64')
    case 'dyn':
    case 'any':
      return untypedNumber(value)
    default:
      return mismatch(expected, Number.isInteger(value) ? 'int64' : 'float64')
  }
}

function typedString(value: string, expected: CelType): Value {
  switch (expected.kind) {
    case 'string':
    case 'dyn':
    case 'any':
      return value
    case 'bytes': {
      const bytes = Buffer.from(value, 'base64')
      return bytes.toString('base64') === value ? new Uint8Array(bytes) : new CelError(`invalid byte formatted string ${value}`)
    }
    case 'timestamp': {
      const parsed = parseTimestamp(/^\d{4}-\d\d-\d\d$/.test(value) ? `${value}T00:00:00Z` : value)
      return typeof parsed === 'string' ? new CelError(`Invalid date-time formatted string ${value}`) : parsed
    }
    case 'duration': {
      const parsed = parseDuration(value)
      return parsed === undefined ? new CelError(`Invalid duration ${value}`) : new Duration(parsed)
    }
    default:
      return mismatch(expected, 'string')
  }
}

function fromObject(value: object, expected: CelType | undefined, typing: Typing | undefined): Value {
  if (Array.isArray(value)) {
    if (expected?.kind === 'list') return new JsonList(value, expected.element, typing)
    return fits(expected, 'list') ? new JsonList(value, undefined, typing) : mismatch(expected!, 'list')
  }
  if (isValue(value)) return value
  if (expected === undefined || expected.kind === 'dyn' || expected.kind === 'any')
    return new JsonMap(value as Readonly<Record<string, unknown>>, undefined)
  if (expected.kind === 'map') return new JsonMap(value as Readonly<Record<string, unknown>>, expected.value, typing)
  if (expected.kind === 'object' && typing) return new JsonObject(value as Readonly<Record<string, unknown>>, expected.name, typing)
  return mismatch(expected, 'map')
}

/** Objects of JSON are told apart first: there are most of them. */
const isValue = (value: object): value is Value & object => Object.getPrototypeOf(value) !== Object.prototype && isCel(value)

const isCel = (value: object): boolean =>
  value instanceof MapValue ||
  value instanceof List ||
  value instanceof Opaque ||
  value instanceof Uint8Array ||
  value instanceof Uint ||
  value instanceof Timestamp ||
  value instanceof Duration ||
  value instanceof TypeValue ||
  value instanceof CelError

class JsonList extends List {
  readonly source: readonly unknown[]
  readonly #element: CelType | undefined
  readonly #typing: Typing | undefined
  constructor(source: readonly unknown[], element: CelType | undefined, typing: Typing | undefined) {
    super()
    this.source = source
    this.#element = element
    this.#typing = typing
  }
  get length(): number {
    return this.source.length
  }
  /** Whether no type changes what is in it. */
  get plain(): boolean {
    return this.#element === undefined
  }
  at(index: number): Value {
    return jsonValue(this.source[index] ?? null, this.#element, this.#typing)
  }
}

class JsonMap extends MapValue {
  readonly source: Readonly<Record<string, unknown>>
  readonly #value: CelType | undefined
  readonly #typing: Typing | undefined
  #size = -1
  constructor(source: Readonly<Record<string, unknown>>, value: CelType | undefined, typing?: Typing) {
    super()
    this.source = source
    this.#value = value
    this.#typing = typing
  }
  get plain(): boolean {
    return this.#value === undefined
  }
  get size(): number {
    if (this.#size < 0) this.#size = set(this.source).length
    return this.#size
  }
  get(key: Value): Value | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.source, key)) return undefined
    const found = this.source[key]
    return found === undefined ? undefined : jsonValue(found, this.#value, this.#typing)
  }
  keys(): Iterable<Value> {
    return set(this.source)
  }
}

const set = (source: Readonly<Record<string, unknown>>): string[] => Object.keys(source).filter((key) => source[key] !== undefined)

/** An object with a declared type: it has the fields of the type and no others. */
class JsonObject extends MapValue {
  readonly source: Readonly<Record<string, unknown>>
  override readonly type: string
  readonly #typing: Typing
  constructor(source: Readonly<Record<string, unknown>>, type: string, typing: Typing) {
    super()
    this.source = source
    this.type = type
    this.#typing = typing
  }
  get size(): number {
    return Object.keys(this.source).length
  }
  get(key: Value): Value | undefined {
    if (typeof key !== 'string') return undefined
    const name = this.#typing.unescape ? this.#typing.unescape(key) : key
    if (name === undefined || !Object.hasOwn(this.source, name)) return undefined
    const found = this.source[name]
    const type = found === undefined || found === null ? undefined : this.#typing.provider.field(this.type, key)
    return type && jsonValue(found, type, this.#typing)
  }
  *keys(): Iterable<Value> {
    for (const name of Object.keys(this.source)) {
      const key = this.#typing.escape ? this.#typing.escape(name) : name
      if (key !== undefined && this.get(key) !== undefined) yield key
    }
  }
}

/**
 * Whether two values that are JSON, which no type changes, are equal: as their JSON is, which is told without making values of its parts. Undefined where
 * that does not tell it.
 */
export function sameJson(a: Value, b: Value): boolean | undefined {
  if (!(a instanceof JsonMap || a instanceof JsonList) || !(b instanceof JsonMap || b instanceof JsonList)) return undefined
  return a.plain && b.plain ? new JsonComparison(a.source, b.source).result() : undefined
}

type Fields = Readonly<Record<string, unknown>>

/** By a list of pairs rather than by recursion, for what nests deeper than the stack is; parts that two objects share are not looked at. */
class JsonComparison {
  readonly #pairs: [unknown, unknown][]
  /** Something in it is no JSON. */
  #foreign = false
  constructor(a: unknown, b: unknown) {
    this.#pairs = [[a, b]]
  }

  result(): boolean | undefined {
    let alike = true
    for (let pair = this.#pairs.pop(); pair !== undefined && alike; pair = this.#pairs.pop())
      alike = this.#alike(pair[0] as object, pair[1] as object)
    return this.#foreign ? undefined : alike
  }

  #alike(a: object, b: object): boolean {
    if (a === b) return true
    if (Array.isArray(a)) {
      if (!Array.isArray(b) || a.length !== b.length) return false
      for (let index = 0; index < a.length; index++) if (!this.#same(a[index] ?? null, b[index] ?? null)) return false
      return true
    }
    if (isValue(a) || isValue(b)) {
      this.#foreign = true
      return false
    }
    return !Array.isArray(b) && this.#fieldsAlike(a as Fields, b as Fields)
  }

  #fieldsAlike(a: Fields, b: Fields): boolean {
    let count = 0
    for (const key of Object.keys(a)) {
      if (a[key] === undefined) continue
      count++
      if (!Object.hasOwn(b, key) || !this.#same(a[key], b[key])) return false
    }
    for (const key of Object.keys(b)) if (b[key] !== undefined) count--
    return count === 0
  }

  /** Puts off what has parts. */
  #same(a: unknown, b: unknown): boolean {
    if (a === b) return true
    if (typeof a === 'bigint' || typeof b === 'bigint') this.#foreign = true
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
    this.#pairs.push([a, b])
    return true
  }
}

/** The name that Go gives what is looked at in place: it stands in a message of cel-go. */
export function goJsonName(value: Value): string | undefined {
  if (value instanceof JsonList) return '[]interface {}'
  return value instanceof JsonMap || value instanceof JsonObject ? 'map[string]interface {}' : undefined
}

/**
 * The JSON that a value is: timestamps and durations are their text, bytes base64, integers that a double cannot hold their decimal text (as protobuf's JSON
 * has it). What was looked at in place comes back as it is, not copied. Throws a TypeError for what JSON cannot say.
 */
export function toJson(value: Value): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : unsaid(value)
    case 'bigint':
      return integer(value)
  }
  if (value === null) return null
  // what is looked at where it lies, also by a schema
  if ((value instanceof MapValue || value instanceof List || value instanceof Opaque) && 'source' in value) return value.source
  if (value instanceof List) return Array.from({ length: value.length }, (_, index) => toJson(value.at(index)))
  if (value instanceof MapValue) return mapToJson(value)
  if (value instanceof Uint) return integer(value.value)
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatDuration(value.nanoseconds)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Optional && value.value !== undefined) return toJson(value.value)
  if (value instanceof CelError) throw new TypeError(value.message)
  return unsaid(value)
}

function mapToJson(value: MapValue): Record<string, unknown> {
  const entries: [string, unknown][] = []
  for (const key of value.keys()) {
    const name =
      typeof key === 'string' || typeof key === 'bigint' || typeof key === 'boolean'
        ? String(key)
        : key instanceof Uint
          ? String(key.value)
          : undefined
    if (name === undefined) throw new TypeError('a key of a map is not a string: JSON has no other')
    entries.push([name, toJson(value.get(key)!)])
  }
  return Object.fromEntries(entries)
}

const integer = (value: bigint): number | string =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value)

function unsaid(value: Value): never {
  if (typeof value === 'number') throw new TypeError('JSON has no NaN and no infinity')
  throw new TypeError(`JSON has no ${value instanceof Opaque ? typeName(value.type) : 'value of this type'}`)
}
