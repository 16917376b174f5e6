import { CelError, Duration, Timestamp, TypeValue, Uint, type Value } from '../values.ts'
import { typeName, typeOf } from './names.ts'
import { formatDouble, isInt64, isUint64, parseDouble, parseInt64, parseUint64 } from './numbers.ts'
import { formatDuration, formatTimestamp, inRange, parseDuration, parseTimestamp, SECOND, secondsOf } from './time.ts'

export const intOverflow = new CelError('integer overflow')
export const uintOverflow = new CelError('unsigned integer overflow')
export const timestampOverflow = new CelError('timestamp overflow')

const noConversion = (value: Value, to: string) => new CelError(`type conversion error from '${typeName(typeOf(value))}' to '${to}'`)

export function toInt(value: Value): Value {
  switch (typeof value) {
    case 'bigint':
      return value
    case 'number':
      return Number.isFinite(value) && value > -(2 ** 63) && value < 2 ** 63 ? BigInt(Math.trunc(value)) : intOverflow
    case 'string':
      return parseInt64(value) ?? noConversion(value, 'int')
  }
  if (value instanceof Uint) return isInt64(value.value) ? value.value : intOverflow
  if (value instanceof Timestamp) return secondsOf(value.nanoseconds)
  if (value instanceof Duration) return value.nanoseconds
  return noConversion(value, 'int')
}

export function toUint(value: Value): Value {
  switch (typeof value) {
    case 'bigint':
      return isUint64(value) ? new Uint(value) : uintOverflow
    case 'number':
      return Number.isFinite(value) && value >= 0 && value < 2 ** 64 ? new Uint(BigInt(Math.trunc(value))) : uintOverflow
    case 'string': {
      const parsed = parseUint64(value)
      return parsed === undefined ? noConversion(value, 'uint') : new Uint(parsed)
    }
  }
  return value instanceof Uint ? value : noConversion(value, 'uint')
}

export function toDouble(value: Value): Value {
  switch (typeof value) {
    case 'number':
      return value
    case 'bigint':
      return Number(value)
    case 'string':
      return parseDouble(value) ?? noConversion(value, 'double')
  }
  return value instanceof Uint ? Number(value.value) : noConversion(value, 'double')
}

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False'])

export function toBool(value: Value): Value {
  if (typeof value === 'boolean') return value
  if (typeof value !== 'string') return noConversion(value, 'bool')
  if (TRUE.has(value)) return true
  return FALSE.has(value) ? false : noConversion(value, 'bool')
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function toBytes(value: Value): Value {
  if (typeof value === 'string') return encoder.encode(value)
  return value instanceof Uint8Array ? value : noConversion(value, 'bytes')
}

export function toText(value: Value): Value {
  switch (typeof value) {
    case 'string':
      return value
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'number':
      return formatDouble(value)
  }
  if (value === null) return 'null'
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatDuration(value.nanoseconds)
  if (value instanceof TypeValue) return typeName(value.of)
  if (!(value instanceof Uint8Array)) return noConversion(value, 'string')
  try {
    return decoder.decode(value)
  } catch {
    return new CelError('invalid UTF-8 in bytes, cannot convert to string')
  }
}

export function toTimestamp(value: Value): Value {
  if (value instanceof Timestamp) return value
  if (typeof value === 'bigint') return inRange(value * SECOND) ? new Timestamp(value * SECOND) : timestampOverflow
  if (typeof value !== 'string') return noConversion(value, 'google.protobuf.Timestamp')
  const parsed = parseTimestamp(value)
  if (parsed === 'malformed') return new CelError(`invalid RFC 3339 timestamp ${JSON.stringify(value)}`)
  if (parsed === 'overflow') return timestampOverflow
  return parsed === 'invalid' ? noConversion(value, 'google.protobuf.Timestamp') : parsed
}

export function toDuration(value: Value): Value {
  if (value instanceof Duration) return value
  if (typeof value !== 'string') return noConversion(value, 'google.protobuf.Duration')
  const parsed = parseDuration(value)
  return parsed === undefined ? noConversion(value, 'google.protobuf.Duration') : new Duration(parsed)
}
