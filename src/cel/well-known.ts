import { printType } from './type-text.ts'
import { type CelType, type TypeProvider, types } from './types.ts'
import { CelError, Duration, List, MapValue, Timestamp, Uint, type Value } from './values.ts'
import { ObjectValue, listOf, mapOf } from './values/collections.ts'
import { intOverflow, timestampOverflow, toText, uintOverflow } from './values/conversions.ts'
import { typeName, typeOf } from './values/names.ts'
import { isInt64 } from './values/numbers.ts'

/** A message of protocol buffers that every environment of cel-go has, though hardly an expression names it. */
interface Message {
  fields: Readonly<Record<string, CelType>>
  create(fields: ReadonlyMap<string, Value>): Value
}

const wrapper = (type: CelType, nothing: Value, convert: (value: Value) => Value = (value) => value): Message => ({
  fields: { value: type },
  create: (fields) => convert(fields.get('value') ?? nothing),
})

const moment: Message['fields'] = { seconds: types.int, nanos: types.int }
const inMoment = (message: string, make: (nanoseconds: bigint) => Value): Message => ({
  fields: moment,
  create: (fields) =>
    BigInt.asIntN(32, (fields.get('nanos') ?? 0n) as bigint) === (fields.get('nanos') ?? 0n)
      ? make(nanoseconds(fields))
      : tooLarge(`${message}.nanos`, intOverflow),
})
const nanoseconds = (fields: ReadonlyMap<string, Value>): bigint =>
  ((fields.get('seconds') ?? 0n) as bigint) * 1_000_000_000n + ((fields.get('nanos') ?? 0n) as bigint)

const tooLarge = (name: string, error: CelError): CelError =>
  new CelError(`field type conversion error for google.protobuf.${name} value type: ${error.message}`)

const messages: Readonly<Record<string, Message>> = {
  BoolValue: wrapper(types.bool, false),
  BytesValue: wrapper(types.bytes, new Uint8Array()),
  DoubleValue: wrapper(types.double, 0),
  FloatValue: wrapper(types.double, 0, (value) => Math.fround(value as number)),
  Int64Value: wrapper(types.int, 0n),
  Int32Value: wrapper(types.int, 0n, (value) => (BigInt.asIntN(32, value as bigint) === value ? value : tooLarge('Int32Value.value', intOverflow))),
  UInt64Value: wrapper(types.uint, new Uint(0n)),
  UInt32Value: wrapper(types.uint, new Uint(0n), (value) =>
    BigInt.asUintN(32, (value as Uint).value) === (value as Uint).value ? value : tooLarge('UInt32Value.value', uintOverflow),
  ),
  StringValue: wrapper(types.string, ''),
  Timestamp: inMoment('Timestamp', (value) => (isInt64(value / 1_000_000_000n) ? new Timestamp(value) : timestampOverflow)),
  Duration: inMoment('Duration', (value) => (isInt64(value) ? new Duration(value) : intOverflow)),
  ListValue: { fields: { values: types.list(types.dyn) }, create: (fields) => asJson(fields.get('values') ?? listOf([])) },
  Struct: { fields: { fields: types.map(types.string, types.dyn) }, create: (fields) => asJson(fields.get('fields') ?? mapOf([])) },
  Value: {
    fields: {
      null_value: types.int,
      number_value: types.double,
      string_value: types.string,
      bool_value: types.bool,
      struct_value: types.map(types.string, types.dyn),
      list_value: types.list(types.dyn),
    },
    create(fields) {
      // they exclude one another, the last stays
      const [name, value] = [...fields].at(-1) ?? ['null_value', null]
      return name === 'null_value' ? null : asJson(value)
    },
  },
  Any: {
    fields: { type_url: types.string, value: types.bytes },
    create: () => new CelError('unsupported conversion to ref.Val: (*dynamicpb.Message)'),
  },
  Empty: { fields: {}, create: (fields) => new ObjectValue('google.protobuf.Empty', fields) },
}

/** A value as JSON has it: all numbers are doubles, what JSON does not know is text. */
const asJson = (value: Value): Value => {
  if (value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string') return value
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
  if (value instanceof Uint) return asJson(value.value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof List)
    return collect(
      Array.from({ length: value.length }, (_, index) => asJson(value.at(index))),
      listOf,
    )
  if (value instanceof MapValue) {
    const keys = [...value.keys()]
    return collect(
      keys.map((key) => asJson(value.get(key)!)),
      (values) => mapOf(keys.map((key, index) => [toText(key), values[index]!])),
    )
  }
  return value instanceof Timestamp || value instanceof Duration ? toText(value) : new CelError('unsupported type conversion')
}

const collect = (values: Value[], make: (values: Value[]) => Value): Value => values.find((value) => value instanceof CelError) ?? make(values)

/** A field of another type than it is declared with, which only values show that are `dyn` to the checker; in the words of cel-go. */
const misfit = (message: string, field: string, type: CelType, value: Value): CelError | undefined => {
  if (fits(type, value)) return undefined
  if (message.endsWith('.Struct') || message.endsWith('.ListValue')) {
    return new CelError(`unsupported field type for ${message}.${field}: ${printType(typeOf(value))}`)
  }
  return new CelError(`field type conversion error for ${message}.${field} value type: ${noConversion(value, goTypes[type.kind] ?? type.kind)}`)
}

const goTypes: Partial<Record<CelType['kind'], string>> = {
  int: 'int64',
  uint: 'uint64',
  double: 'float64',
  bytes: '[]uint8',
  map: '*structpb.Struct',
  list: '*structpb.ListValue',
}

const noConversion = (value: Value, to: string): string => {
  if (typeof value === 'string') return `unsupported native conversion from string to '${to}'`
  if (typeof value === 'bigint' || value instanceof Uint) return `unsupported type conversion from '${typeName(typeOf(value))}' to ${to}`
  if (typeof value === 'number') return `type conversion error from Double to '${to}'`
  if (value === null) return `type conversion error from 'null_type' to '${to}'`
  return `type conversion error from ${typeName(typeOf(value))} to '${to}'`
}

const fits = (type: CelType, value: Value): boolean => {
  switch (type.kind) {
    case 'int':
      return typeof value === 'bigint'
    case 'uint':
      return value instanceof Uint
    case 'double':
      return typeof value === 'number'
    case 'bool':
      return typeof value === 'boolean'
    case 'string':
      return typeof value === 'string'
    case 'bytes':
      return value instanceof Uint8Array
    case 'list':
      return value instanceof List
    default:
      return value instanceof MapValue
  }
}

const prefix = 'google.protobuf.'
const messageOf = (name: string): Message | undefined => {
  const short = name.startsWith(prefix) ? name.slice(prefix.length) : ''
  return Object.hasOwn(messages, short) ? messages[short] : undefined
}

/** The types of a provider and those that each environment has. */
export const withWellKnown = (provider: TypeProvider | undefined): TypeProvider => ({
  has: (name) => messageOf(name) !== undefined || (provider?.has(name) ?? false),
  field(type, field) {
    const message = messageOf(type)
    if (message) return Object.hasOwn(message.fields, field) ? message.fields[field] : undefined
    return provider?.field(type, field)
  },
  fields: (type) => Object.keys(messageOf(type)?.fields ?? {}).concat(provider?.fields(type) ?? []),
  create(type, fields) {
    const message = messageOf(type)
    if (message) {
      for (const [field, value] of fields) {
        const wrong = misfit(type, field, message.fields[field]!, value)
        if (wrong) return wrong
      }
      return message.create(fields)
    }
    return provider?.create ? provider.create(type, fields) : new ObjectValue(type, fields)
  },
})

/** The names in their enumerations. */
export const wellKnownConstants: Readonly<Record<string, { type: CelType; value: Value }>> = {
  'google.protobuf.NullValue.NULL_VALUE': { type: types.int, value: 0n },
}
