import { EntryMap, concat } from '../values/collections.ts'
import {
  intOverflow,
  timestampOverflow,
  toBool,
  toBytes,
  toDouble,
  toDuration,
  toInt,
  toText,
  toTimestamp,
  toUint,
  uintOverflow,
} from '../values/conversions.ts'
import { compare, equal } from '../values/equality.ts'
import { isInt64, isUint64 } from '../values/numbers.ts'
import { show, typeName, typeOf } from '../values/names.ts'
import { characters, sizeOf } from '../values/size.ts'
import { inRange } from '../values/time.ts'
import { UNHASHABLE, end } from '../frame.ts'
import type { Library, Overload } from '../library.ts'
import { Optional } from '../optional.ts'
import { standardMacros } from '../macros.ts'
import { compileRegex } from '../regex.ts'
import { type CelType, types } from '../types.ts'
import { CelError, Duration, List, MapValue, Opaque, Timestamp, TypeValue, Uint, type Value } from '../values.ts'
import { timeFunctions } from './standard-time.ts'

const { bool, bytes, double, dyn, duration, int, string, timestamp, uint } = types
const A = types.parameter('A')
const B = types.parameter('B')
const listOfA = types.list(A)
const mapOfAB = types.map(A, B)

const noSuchOverload = new CelError('no such overload')

/** Values whose class takes part in any call in cel-go and then has no form for it: its message does not name the function. */
const receives = (value: Value) => typeof value === 'string' || value instanceof Timestamp || value instanceof Duration

/** What an operator says of operands it does not know: cel-go names the operator only when the left one takes part in no operation of its kind. */
function refuse(name: string, left: Value, takes: boolean): CelError {
  return takes || receives(left) ? noSuchOverload : new CelError(`no such overload: ${name}`)
}

const isUintValue = (value: Value): value is Uint => value instanceof Uint

const checkedInt = (value: bigint): Value => (isInt64(value) ? value : intOverflow)
const checkedUint = (value: bigint): Value => (isUint64(value) ? new Uint(value) : uintOverflow)
const checkedDuration = (nanoseconds: bigint): Value => (isInt64(nanoseconds) ? new Duration(nanoseconds) : intOverflow)
const checkedTimestamp = (nanoseconds: bigint, offset: number): Value =>
  inRange(nanoseconds) ? new Timestamp(nanoseconds, offset) : timestampOverflow

export function add(a: Value, b: Value): Value {
  switch (typeof a) {
    case 'bigint':
      return typeof b === 'bigint' ? checkedInt(a + b) : noSuchOverload
    case 'string':
      return typeof b === 'string' ? a + b : noSuchOverload
    case 'number':
      return typeof b === 'number' ? a + b : noSuchOverload
  }
  if (a instanceof List) return b instanceof List ? concat(a, b) : noSuchOverload
  if (isUintValue(a)) return isUintValue(b) ? checkedUint(a.value + b.value) : noSuchOverload
  if (a instanceof Uint8Array) return b instanceof Uint8Array ? joined(a, b) : noSuchOverload
  if (a instanceof Timestamp) return b instanceof Duration ? checkedTimestamp(a.nanoseconds + b.nanoseconds, a.offset) : noSuchOverload
  if (a instanceof Duration) {
    if (b instanceof Duration) return checkedDuration(a.nanoseconds + b.nanoseconds)
    return b instanceof Timestamp ? checkedTimestamp(a.nanoseconds + b.nanoseconds, b.offset) : noSuchOverload
  }
  return refuse('_+_', a, false)
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const sum = new Uint8Array(a.length + b.length)
  sum.set(a)
  sum.set(b, a.length)
  return sum
}

function subtract(a: Value, b: Value): Value {
  if (typeof a === 'bigint') return typeof b === 'bigint' ? checkedInt(a - b) : noSuchOverload
  if (typeof a === 'number') return typeof b === 'number' ? a - b : noSuchOverload
  if (isUintValue(a)) return isUintValue(b) ? checkedUint(a.value - b.value) : noSuchOverload
  if (a instanceof Duration) return b instanceof Duration ? checkedDuration(a.nanoseconds - b.nanoseconds) : noSuchOverload
  if (a instanceof Timestamp) {
    if (b instanceof Timestamp) return timeBetween(a.nanoseconds, b.nanoseconds)
    // cel-go adds the negative, which the least duration has not.
    if (b instanceof Duration) return isInt64(-b.nanoseconds) ? checkedTimestamp(a.nanoseconds - b.nanoseconds, a.offset) : intOverflow
    return noSuchOverload
  }
  return refuse('_-_', a, false)
}

const timeBetween = (a: bigint, b: bigint): Value => checkedDuration(a - b)

function multiply(a: Value, b: Value): Value {
  if (typeof a === 'bigint') return typeof b === 'bigint' ? checkedInt(a * b) : noSuchOverload
  if (typeof a === 'number') return typeof b === 'number' ? a * b : noSuchOverload
  if (isUintValue(a)) return isUintValue(b) ? checkedUint(a.value * b.value) : noSuchOverload
  return refuse('_*_', a, false)
}

const divisionByZero = new CelError('division by zero')
const modulusByZero = new CelError('modulus by zero')

function divide(a: Value, b: Value): Value {
  if (typeof a === 'bigint') {
    if (typeof b !== 'bigint') return noSuchOverload
    return b === 0n ? divisionByZero : checkedInt(a / b)
  }
  if (typeof a === 'number') return typeof b === 'number' ? a / b : noSuchOverload
  if (isUintValue(a)) {
    if (!isUintValue(b)) return noSuchOverload
    return b.value === 0n ? divisionByZero : new Uint(a.value / b.value)
  }
  return refuse('_/_', a, false)
}

function modulo(a: Value, b: Value): Value {
  if (typeof a === 'bigint') {
    if (typeof b !== 'bigint') return noSuchOverload
    if (b === 0n) return modulusByZero
    // The quotient overflows, and cel-go with it.
    return b === -1n && !isInt64(-a) ? intOverflow : a % b
  }
  if (isUintValue(a)) {
    if (!isUintValue(b)) return noSuchOverload
    return b.value === 0n ? modulusByZero : new Uint(a.value % b.value)
  }
  return refuse('_%_', a, false)
}

function negate(a: Value): Value {
  if (typeof a === 'bigint') return checkedInt(-a)
  if (typeof a === 'number') return -a
  if (a instanceof Duration) return checkedDuration(-a.nanoseconds)
  return refuse('-_', a, typeof a === 'boolean')
}

/** A value of a library's type refuses one of another type on its right, where all else is just not equal. */
function equality(a: Value, b: Value): Value {
  if (a instanceof Opaque && b !== null && !(a instanceof Optional) && typeName(typeOf(a)) !== typeName(typeOf(b))) return noSuchOverload
  return equal(a, b)
}

const comparable = (value: Value) =>
  typeof value === 'bigint' ||
  typeof value === 'number' ||
  typeof value === 'string' ||
  typeof value === 'boolean' ||
  isUintValue(value) ||
  value instanceof Uint8Array ||
  value instanceof Timestamp ||
  value instanceof Duration

/** NaN is in no order with anything: all comparisons with it are false. */
const comparison = (name: string, holds: (order: number) => boolean) => (a: Value, b: Value) => {
  if (typeof a === 'bigint' && typeof b === 'bigint') return holds(a < b ? -1 : a > b ? 1 : 0)
  if (Number.isNaN(a) || Number.isNaN(b)) return comparable(a) ? false : refuse(name, a, false)
  const order = compare(a, b)
  if (typeof order === 'number') return holds(order)
  return comparable(a) ? order : refuse(name, a, false)
}

const not = (a: Value): Value => (typeof a === 'boolean' ? !a : noSuchOverload)

/** `a in b`: of a list or of the keys of a map. */
function contained(a: Value, b: Value): Value {
  if (b instanceof List) {
    for (let index = 0, { length } = b; index < length; index++) if (equal(a, b.at(index))) return true
    return false
  }
  if (b instanceof MapValue) {
    if (a instanceof Uint8Array && b instanceof EntryMap && b.size > 0) end(UNHASHABLE)
    return b.get(a) !== undefined
  }
  return noSuchOverload
}

/** `a[b]` for what is not planned as a selection. */
export function indexed(a: Value, b: Value): Value {
  if (a instanceof MapValue) return a.get(b) ?? new CelError(`no such key: ${show(b)}`)
  if (a instanceof List) {
    const index = listIndex(b)
    if (index instanceof CelError) return index
    return index >= 0 && index < a.length ? a.at(index) : new CelError(`index out of bounds: ${show(b)}`)
  }
  return refuse('_[_]', a, false)
}

/** The index that a value stands for: an int, or another number that is one. */
export function listIndex(index: Value): number | CelError {
  const whole = typeof index === 'bigint' ? index : typeof index === 'number' || isUintValue(index) ? toInt(index) : undefined
  if (whole === undefined) return new CelError(`unsupported index type '${typeName(typeOf(index))}' in list`)
  if (typeof whole !== 'bigint' || (typeof index === 'number' && Number(whole) !== index))
    return new CelError(`unsupported index value ${show(index)} in list`)
  return Number(whole)
}

function size(a: Value): Value {
  if (typeof a === 'string') return BigInt(characters(a))
  if (a instanceof List || a instanceof Uint8Array) return BigInt(a.length)
  if (a instanceof MapValue) return BigInt(a.size)
  return refuse('size', a, false)
}

const textTest = (test: (text: string, part: string) => boolean) => (a: Value, b: Value) =>
  typeof a === 'string' && typeof b === 'string' ? test(a, b) : noSuchOverload

function matches(a: Value, b: Value): Value {
  if (typeof a !== 'string') return refuse('matches', a, false)
  if (typeof b !== 'string') return noSuchOverload
  const regexp = compileRegex(b)
  return regexp instanceof CelError ? regexp : regexp.matches(a)
}

/** A pattern that is known beforehand is compiled once, and refused where it is none. */
function prepareMatches([, pattern]: readonly (Value | undefined)[]): Overload['call'] | CelError | undefined {
  if (typeof pattern !== 'string') return undefined
  const regexp = compileRegex(pattern)
  if (regexp instanceof CelError) return regexp
  return (text) => {
    if (typeof text === 'string') return regexp.matches(text)
    // cel-go asks for the Go string of a value here, which a type has too: its name
    return text instanceof TypeValue ? regexp.matches(typeName(text.of)) : noSuchOverload
  }
}

const TRAVERSAL = 0.1
const PATTERN = 0.25

const traversal = (value: Value | undefined) => Math.ceil(sizeOf(value!) * TRAVERSAL)
const ofFirst: Overload['cost'] = ([a]) => traversal(a)
const ofSecond: Overload['cost'] = ([, b]) => traversal(b)
const ofShorter: Overload['cost'] = ([a, b]) => Math.ceil(Math.min(sizeOf(a!), sizeOf(b!)) * TRAVERSAL)
/** Kubernetes counts equality of its own types as one step, whatever their size. */
const ofEquality: Overload['cost'] = (args, result) => (args[0] instanceof Opaque && !(args[0] instanceof Optional) ? 1 : ofShorter!(args, result))
const ofBoth: Overload['cost'] = ([a, b]) => Math.ceil((sizeOf(a!) + sizeOf(b!)) * TRAVERSAL)
const ofContains: Overload['cost'] = ([a, b]) => traversal(a) * traversal(b)
const ofMatches: Overload['cost'] = ([text, pattern]) => Math.ceil((1 + sizeOf(text!)) * TRAVERSAL) * Math.ceil(sizeOf(pattern!) * PATTERN)

type Cost = Overload['cost']
type Call = Overload['call']

/** The forms of an operator, which all are one function that looks at its operands itself. */
const operator = (
  call: Call,
  forms: [id: string, parameters: CelType[], result: CelType, cost?: Cost][],
  prepare?: Overload['prepare'],
): Overload[] =>
  forms.map(([id, parameters, result, cost]) => ({
    id,
    parameters,
    result,
    call,
    unguarded: true,
    ...(cost && { cost }),
    ...(prepare && { prepare }),
  }))

const COMPARED: [suffix: string, a: CelType, b: CelType, cost?: Cost][] = [
  ['bool', bool, bool],
  ['int64', int, int],
  ['int64_double', int, double],
  ['int64_uint64', int, uint],
  ['uint64', uint, uint],
  ['uint64_double', uint, double],
  ['uint64_int64', uint, int],
  ['double', double, double],
  ['double_int64', double, int],
  ['double_uint64', double, uint],
  ['string', string, string, ofShorter],
  ['bytes', bytes, bytes, ofShorter],
  ['timestamp', timestamp, timestamp],
  ['duration', duration, duration],
]

const compared = (prefix: string, name: string, holds: (order: number) => boolean) =>
  operator(
    comparison(name, holds),
    COMPARED.map(([suffix, a, b, cost]) => [`${prefix}_${suffix}`, [a, b], bool, cost]),
  )

const conversion = (call: Call, result: CelType, forms: [id: string, from: CelType, cost?: Cost][]): Overload[] =>
  forms.map(([id, from, cost]) => ({ id, parameters: [from], result, call, ...(cost && { cost }) }))

const member = (overloads: Overload[]): Overload[] => overloads.map((overload) => ({ ...overload, member: true }))

/** Operators that the plan evaluates itself, since they do not always need their operands: here are their types. */
const planned = (id: string, parameters: CelType[], result: CelType, cost?: Cost): Overload[] =>
  operator(() => noSuchOverload, [[id, parameters, result, cost]])

const typeConstant = (type: CelType): [string, { type: CelType; value: Value }] => [
  typeName(type),
  { type: types.type(type), value: new TypeValue(type) },
]

/** The standard library of the language definition, with cel-go's overloads, messages and costs. */
export const standardLibrary: Library = {
  name: 'standard',
  macros: [...standardMacros],
  constants: Object.fromEntries(
    [bool, bytes, double, duration, int, listOfDyn(), mapOfDyn(), types.null, string, timestamp, types.type(), uint].map(typeConstant),
  ),
  functions: {
    '_?_:_': planned('conditional', [bool, A, A], A),
    '_&&_': planned('logical_and', [bool, bool], bool),
    '_||_': planned('logical_or', [bool, bool], bool),
    '@not_strictly_false': planned('not_strictly_false', [bool], bool),
    '_==_': operator(equality, [['equals', [A, A], bool, ofEquality]]),
    '_!=_': operator((a, b) => !equal(a!, b!), [['not_equals', [A, A], bool, ofShorter]]),
    '!_': operator(not, [['logical_not', [bool], bool]]),
    '_+_': operator(add, [
      ['add_bytes', [bytes, bytes], bytes, ofBoth],
      ['add_double', [double, double], double],
      ['add_duration_duration', [duration, duration], duration],
      ['add_duration_timestamp', [duration, timestamp], timestamp],
      ['add_timestamp_duration', [timestamp, duration], timestamp],
      ['add_int64', [int, int], int],
      ['add_list', [listOfA, listOfA], listOfA],
      ['add_string', [string, string], string, ofBoth],
      ['add_uint64', [uint, uint], uint],
    ]),
    '_-_': operator(subtract, [
      ['subtract_double', [double, double], double],
      ['subtract_duration_duration', [duration, duration], duration],
      ['subtract_int64', [int, int], int],
      ['subtract_timestamp_duration', [timestamp, duration], timestamp],
      ['subtract_timestamp_timestamp', [timestamp, timestamp], duration],
      ['subtract_uint64', [uint, uint], uint],
    ]),
    '_*_': operator(multiply, [
      ['multiply_double', [double, double], double],
      ['multiply_int64', [int, int], int],
      ['multiply_uint64', [uint, uint], uint],
    ]),
    '_/_': operator(divide, [
      ['divide_double', [double, double], double],
      ['divide_int64', [int, int], int],
      ['divide_uint64', [uint, uint], uint],
    ]),
    '_%_': operator(modulo, [
      ['modulo_int64', [int, int], int],
      ['modulo_uint64', [uint, uint], uint],
    ]),
    '-_': operator(negate, [
      ['negate_double', [double], double],
      ['negate_int64', [int], int],
    ]),
    '_<_': compared('less', '_<_', (order) => order < 0),
    '_<=_': compared('less_equals', '_<=_', (order) => order <= 0),
    '_>_': compared('greater', '_>_', (order) => order > 0),
    '_>=_': compared('greater_equals', '_>=_', (order) => order >= 0),
    '_[_]': operator(indexed, [
      ['index_list', [listOfA, int], A],
      ['index_map', [mapOfAB, A], B],
    ]),
    '@in': operator(contained, [
      ['in_list', [A, listOfA], bool, (args) => sizeOf(args[1]!)],
      ['in_map', [A, mapOfAB], bool],
    ]),
    size: [['bytes', bytes] as const, ['list', listOfA] as const, ['map', mapOfAB] as const, ['string', string] as const].flatMap(([name, of]) => [
      ...operator(size, [[`size_${name}`, [of], int]]),
      ...member(operator(size, [[`${name}_size`, [of], int]])),
    ]),
    type: operator((value) => new TypeValue(typeOf(value!)), [['type', [A], types.type(A)]]),
    dyn: operator((value) => value!, [['to_dyn', [A], dyn]]),
    bool: conversion(toBool, bool, [
      ['bool_to_bool', bool],
      ['string_to_bool', string],
    ]),
    bytes: conversion(toBytes, bytes, [
      ['bytes_to_bytes', bytes],
      ['string_to_bytes', string, ofFirst],
    ]),
    double: conversion(toDouble, double, [
      ['double_to_double', double],
      ['int64_to_double', int],
      ['string_to_double', string],
      ['uint64_to_double', uint],
    ]),
    duration: conversion(toDuration, duration, [
      ['duration_to_duration', duration],
      ['string_to_duration', string],
    ]),
    int: conversion(toInt, int, [
      ['int64_to_int64', int],
      ['double_to_int64', double],
      ['duration_to_int64', duration],
      ['string_to_int64', string],
      ['timestamp_to_int64', timestamp],
      ['uint64_to_int64', uint],
    ]),
    string: conversion(toText, string, [
      ['string_to_string', string],
      ['bool_to_string', bool],
      ['bytes_to_string', bytes, ofFirst],
      ['double_to_string', double],
      ['duration_to_string', duration],
      ['int64_to_string', int],
      ['timestamp_to_string', timestamp],
      ['uint64_to_string', uint],
    ]),
    timestamp: conversion(toTimestamp, timestamp, [
      ['timestamp_to_timestamp', timestamp],
      ['int64_to_timestamp', int],
      ['string_to_timestamp', string],
    ]),
    uint: conversion(toUint, uint, [
      ['uint64_to_uint64', uint],
      ['double_to_uint64', double],
      ['int64_to_uint64', int],
      ['string_to_uint64', string],
    ]),
    contains: member(
      operator(
        textTest((text, part) => text.includes(part)),
        [['contains_string', [string, string], bool, ofContains]],
      ),
    ),
    endsWith: member(
      operator(
        textTest((text, part) => text.endsWith(part)),
        [['ends_with_string', [string, string], bool, ofSecond]],
      ),
    ),
    startsWith: member(
      operator(
        textTest((text, part) => text.startsWith(part)),
        [['starts_with_string', [string, string], bool, ofSecond]],
      ),
    ),
    matches: [
      ...operator(matches, [['matches', [string, string], bool, ofMatches]], prepareMatches),
      ...member(operator(matches, [['matches_string', [string, string], bool, ofMatches]], prepareMatches)),
    ].map((overload): Overload => ({ ...overload, foreseen: true })),
    ...timeFunctions,
  },
}

function listOfDyn(): CelType {
  return types.list(dyn)
}

function mapOfDyn(): CelType {
  return types.map(dyn, dyn)
}
