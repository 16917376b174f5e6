import { CelError, Duration, List, MapValue, Opaque, Timestamp, TypeValue, Uint, type Value } from '../values.ts'
import { sameJson } from '../json-values.ts'
import { Optional } from '../optional.ts'
import { typeName } from './names.ts'

const noSuchOverload = new CelError('no such overload')
const notOrdered = new CelError('NaN values cannot be ordered')

/** Whether two values are equal: numbers whatever their types, null only with null, all else only within its type. An error equals nothing. */
export function equal(a: Value, b: Value): boolean {
  switch (typeof a) {
    case 'string':
    case 'boolean':
      return a === b
    case 'bigint':
      if (typeof b === 'bigint') return a === b
      return isNumber(b) && compareNumbers(a, b) === 0
    case 'number':
      if (typeof b === 'number') return a === b
      return isNumber(b) && !Number.isNaN(a) && compareNumbers(a, b) === 0
  }
  if (a === null || b === null) return a === b
  if (a instanceof Uint) return isNumber(b) && compareNumbers(a, b) === 0
  return composed(a, b)
}

/** Lists and maps are compared by a list of pairs rather than by recursion: values can be nested deeper than the stack is. */
function composed(first: Value, second: Value): boolean {
  const same = sameJson(first, second)
  if (same !== undefined) return same
  const pairs: [Value, Value][] = []
  let pair: [Value, Value] | undefined = [first, second]
  for (; pair !== undefined; pair = pairs.pop()) {
    const [a, b] = pair
    if (a instanceof List) {
      if (!(b instanceof List) || a.length !== b.length) return false
      if (a.pairs) {
        const more = a.pairs(b)
        if (!more?.every(([left, right]) => push(pairs, left, right))) return false
        continue
      }
      for (let index = a.length - 1; index >= 0; index--) {
        if (!push(pairs, a.at(index), b.at(index))) return false
      }
    } else if (a instanceof MapValue) {
      if (!(b instanceof MapValue) || a.size !== b.size) return false
      for (const key of a.keys()) {
        const left = a.get(key)
        const right = b.get(key)
        // a field that is null is a key that is not there
        if (left === undefined && right === undefined) continue
        if (left === undefined || right === undefined || !push(pairs, left, right)) return false
      }
    } else if (a instanceof Optional) {
      if (!(b instanceof Optional)) return false
      if (a.value === undefined || b.value === undefined) {
        if (a.value !== b.value) return false
      } else if (!push(pairs, a.value, b.value)) return false
    } else if (!simple(a, b)) return false
  }
  return true
}

const nested = (value: Value) => value instanceof List || value instanceof MapValue || value instanceof Optional

function push(pairs: [Value, Value][], a: Value, b: Value): boolean {
  if (!nested(a)) return equal(a, b)
  pairs.push([a, b])
  return true
}

function simple(a: Value, b: Value): boolean {
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanoseconds === b.nanoseconds
  if (a instanceof Duration) return b instanceof Duration && a.nanoseconds === b.nanoseconds
  if (a instanceof Uint8Array) return b instanceof Uint8Array && a.length === b.length && compareBytes(a, b) === 0
  if (a instanceof TypeValue) return b instanceof TypeValue && typeName(a.of) === typeName(b.of)
  if (a instanceof Opaque) return b instanceof Opaque && (a.equals === undefined ? a === b : a.equals(b))
  return false
}

type Numeric = bigint | number | Uint

const isNumber = (value: Value): value is Numeric => typeof value === 'bigint' || typeof value === 'number' || value instanceof Uint

const order = (a: bigint | number, b: bigint | number): number => (a < b ? -1 : a > b ? 1 : 0)

const LARGEST_INT = Number(2n ** 63n - 1n)
const LARGEST_UINT = Number(2n ** 64n - 1n)

/** A double and an integer are compared as doubles, as cel-go does, once the integer's range has decided what it can. */
function compareWithDouble(double: number, integer: bigint | Uint): number {
  if (typeof integer === 'bigint') {
    if (double < -LARGEST_INT) return -1
    return double > LARGEST_INT ? 1 : order(double, Number(integer))
  }
  if (double < 0) return -1
  return double > LARGEST_UINT ? 1 : order(double, Number(integer.value))
}

function compareNumbers(a: Numeric, b: Numeric): number {
  if (typeof a === 'number') {
    if (typeof b === 'number') return order(a, b)
    return compareWithDouble(a, b)
  }
  if (typeof b === 'number') return Number.isNaN(b) ? 1 : -compareWithDouble(b, a)
  return order(typeof a === 'bigint' ? a : a.value, typeof b === 'bigint' ? b : b.value)
}

/** By code points, which is the order of the bytes of UTF-8: code units of surrogates stand above all others. */
function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    let x = a.charCodeAt(index)
    let y = b.charCodeAt(index)
    if (x === y) continue
    if (x >= 0xd800 && y >= 0xd800) {
      x = x >= 0xe000 ? x - 0x800 : x + 0x2000
      y = y >= 0xe000 ? y - 0x800 : y + 0x2000
    }
    return x < y ? -1 : 1
  }
  return order(a.length, b.length)
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) if (a[index] !== b[index]) return a[index]! < b[index]! ? -1 : 1
  return order(a.length, b.length)
}

/** −1, 0 or 1; an error where the two have no order. */
export function compare(a: Value, b: Value): number | CelError {
  if (isNumber(a)) {
    if (!isNumber(b)) return noSuchOverload
    if (Number.isNaN(a) || Number.isNaN(b)) return notOrdered
    return compareNumbers(a, b)
  }
  if (typeof a === 'string') return typeof b === 'string' ? compareStrings(a, b) : noSuchOverload
  if (typeof a === 'boolean') return typeof b === 'boolean' ? Number(a) - Number(b) : noSuchOverload
  if (a instanceof Uint8Array) return b instanceof Uint8Array ? compareBytes(a, b) : noSuchOverload
  if (a instanceof Timestamp) return b instanceof Timestamp ? order(a.nanoseconds, b.nanoseconds) : noSuchOverload
  if (a instanceof Duration) return b instanceof Duration ? order(a.nanoseconds, b.nanoseconds) : noSuchOverload
  return noSuchOverload
}
