import { type CelType, type TypeProvider, types } from './types.ts'
import { CelError, Duration, List, MapValue, Timestamp, Uint, type Value } from './values.ts'
import { ObjectValue, listOf, mapOf } from './values/collections.ts'
import { intOverflow, timestampOverflow, toText, uintOverflow } from './values/conversions.ts'
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
const nanoseconds = (fields: ReadonlyMap<string, Value>): bigint =>
  ((fields.get('seconds') ?? 0n) as bigint) * 1_000_000_000n + ((fields.get('nanos') ?? 0n) as bigint)

const tooLarge = (name: string, error: CelError): CelError =>
  new CelError(`field type conversion error for google.protobuf.${name}.value value type: ${error.message}`)

const messages: Readonly<Record<string, Message>> = {
  BoolValue: wrapper(types.bool, false),
  BytesValue: wrapper(types.bytes, new Uint8Array()),
  DoubleValue: wrapper(types.double, 0),
  FloatValue: wrapper(types.double, 0, (value) => Math.fround(value as number)),
  Int64Value: wrapper(types.int, 0n),
  Int32Value: wrapper(types.int, 0n, (value) => (BigInt.asIntN(32, value as bigint) === value ? value : tooLarge('Int32Value', intOverflow))),
  UInt64Value: wrapper(types.uint, new Uint(0n)),
  UInt32Value: wrapper(types.uint, new Uint(0n), (value) =>
    BigInt.asUintN(32, (value as Uint).value) === (value as Uint).value ? value : tooLarge('UInt32Value', uintOverflow),
  ),
  StringValue: wrapper(types.string, ''),
  Timestamp: { fields: moment, create: (fields) => withinTime(nanoseconds(fields)) },
  Duration: { fields: moment, create: (fields) => (isInt64(nanoseconds(fields)) ? new Duration(nanoseconds(fields)) : intOverflow) },
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
      const [[name, value] = ['null_value', null]] = fields
      return name === 'null_value' ? null : asJson(value)
    },
  },
  Any: {
    fields: { type_url: types.string, value: types.bytes },
    create: () => new CelError('unsupported conversion to ref.Val: (*dynamicpb.Message)'),
  },
  Empty: { fields: {}, create: (fields) => new ObjectValue('google.protobuf.Empty', fields) },
}

const withinTime = (value: bigint): Value => (isInt64(value / 1_000_000_000n) ? new Timestamp(value) : timestampOverflow)

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
    if (message) return message.create(fields)
    return provider?.create ? provider.create(type, fields) : new ObjectValue(type, fields)
  },
})

/** The names in their enumerations. */
export const wellKnownConstants: Readonly<Record<string, { type: CelType; value: Value }>> = {
  'google.protobuf.NullValue.NULL_VALUE': { type: types.int, value: 0n },
}
