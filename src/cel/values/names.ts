import { type CelType, types } from '../types.ts'
import { CelError, Duration, List, MapValue, Opaque, Timestamp, TypeValue, Uint, type Value } from '../values.ts'
import { formatDouble } from './numbers.ts'
import { goDuration, goTime } from './time.ts'

const list = types.list(types.dyn)
const map = types.map(types.dyn, types.dyn)
const type = types.type()

/** The type of a value at run time: lists and maps do not know what they hold. */
export function typeOf(value: Value): CelType {
  switch (typeof value) {
    case 'string':
      return types.string
    case 'boolean':
      return types.bool
    case 'bigint':
      return types.int
    case 'number':
      return types.double
  }
  if (value === null) return types.null
  if (value instanceof List) return list
  if (value instanceof MapValue) return value.type === undefined ? map : types.object(value.type)
  if (value instanceof Uint) return types.uint
  if (value instanceof Uint8Array) return types.bytes
  if (value instanceof Timestamp) return types.timestamp
  if (value instanceof Duration) return types.duration
  if (value instanceof TypeValue) return type
  if (value instanceof Opaque) return value.type
  return types.error
}

/** A type's name without its parameters, as `type(x)` and messages have it. */
export function typeName(of: CelType): string {
  switch (of.kind) {
    case 'null':
      return 'null_type'
    case 'timestamp':
      return 'google.protobuf.Timestamp'
    case 'duration':
      return 'google.protobuf.Duration'
    case 'any':
      return 'google.protobuf.Any'
    case 'object':
    case 'opaque':
    case 'parameter':
      return of.name
    case 'wrapper':
      return typeName(of.of)
    default:
      return of.kind
  }
}

/** The name that Go gives a value's representation in cel-go: it stands in some of its messages. */
export function goTypeName(value: Value): string {
  switch (typeof value) {
    case 'string':
      return 'types.String'
    case 'boolean':
      return 'types.Bool'
    case 'bigint':
      return 'types.Int'
    case 'number':
      return 'types.Double'
  }
  if (value === null) return 'types.Null'
  if (value instanceof List) return '*types.baseList'
  if (value instanceof MapValue) return '*types.baseMap'
  if (value instanceof Uint) return 'types.Uint'
  if (value instanceof Uint8Array) return 'types.Bytes'
  if (value instanceof Timestamp) return 'types.Timestamp'
  if (value instanceof Duration) return 'types.Duration'
  if (value instanceof TypeValue) return '*types.Type'
  if (value instanceof CelError) return '*types.Err'
  const name = typeName(value.type)
  return Object.hasOwn(GO_NAMES, name) ? GO_NAMES[name]! : `*${name}`
}

const GO_NAMES: Readonly<Record<string, string>> = {
  optional_type: '*types.Optional',
  'kubernetes.Quantity': 'cel.Quantity',
  'kubernetes.Semver': 'cel.Semver',
  'kubernetes.URL': 'cel.URL',
  'kubernetes.NamedFormat': '*cel.Format',
  'net.IP': 'cel.IP',
  'net.CIDR': 'cel.CIDR',
}

/** How deep `show` looks into lists and maps. */
const DEPTH = 20

/** A value as messages show it: Go's `%v`. */
export function show(value: Value, depth = 0): string {
  switch (typeof value) {
    case 'string':
      return value
    case 'boolean':
    case 'bigint':
      return String(value)
    case 'number':
      return formatDouble(value)
  }
  if (value === null) return 'null'
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Uint8Array) return `[${value.join(' ')}]`
  if (value instanceof Timestamp) return goTime(value)
  if (value instanceof Duration) return goDuration(value.nanoseconds)
  if (value instanceof TypeValue) return typeName(value.of)
  if (value instanceof CelError) return value.message
  if (depth > DEPTH) return '…'
  if (value instanceof List) return `[${Array.from({ length: value.length }, (_, index) => show(value.at(index), depth + 1)).join(', ')}]`
  if (value instanceof MapValue) {
    return `{${Array.from(value.keys(), (key) => `${show(key, depth + 1)}: ${show(value.get(key) ?? null, depth + 1)}`).join(', ')}}`
  }
  return typeName(value.type)
}
