import type { EstimatedArgument, Library, Overload, CallEstimate } from '../library.ts'
import { type CelType, types } from '../types.ts'
import { CelError, Duration, List, MapValue, Uint, type Value } from '../values.ts'
import { intOverflow, uintOverflow } from '../values/conversions.ts'
import { compare, equal } from '../values/equality.ts'
import { typeOf } from '../values/names.ts'
import { isInt64, isUint64 } from '../values/numbers.ts'
import { add, exactly, multiply, scale, traversalFactor } from './costs.ts'

/** What has an order. */
export const comparable = [
  ['int', types.int],
  ['uint', types.uint],
  ['double', types.double],
  ['bool', types.bool],
  ['duration', types.duration],
  ['timestamp', types.timestamp],
  ['string', types.string],
  ['bytes', types.bytes],
] as const satisfies (readonly [string, CelType])[]

const summable = [
  ['int', types.int, 0n],
  ['uint', types.uint, new Uint(0n)],
  ['double', types.double, 0],
  ['duration', types.duration, new Duration(0n)],
] as const satisfies (readonly [string, CelType, Value])[]

/** What it costs to read a value with all that is in it: bytes of texts by tens, and one for each of the others. */
export function traversalCost(value: Value): number {
  let cost = 0
  const rest: Value[] = [value]
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (typeof next === 'string') cost += Math.trunc(Buffer.byteLength(next) * traversalFactor)
    else if (next instanceof Uint8Array) cost += Math.trunc(next.length * traversalFactor)
    else if (next instanceof List) for (let i = 0; i < next.length; i++) rest.push(next.at(i))
    else if (next instanceof MapValue) for (const key of next.keys()) rest.push(key, next.get(key) ?? null)
    else cost += 1
  }
  return cost
}

const cost: NonNullable<Overload['cost']> = ([target]) => traversalCost(target!)

/** One for each element, and the reading of texts; of a text its reading alone. */
export function traversalEstimate([target]: readonly EstimatedArgument[]): CallEstimate {
  const { type, size } = target!
  if (type.kind !== 'list') return { cost: scale(size, traversalFactor) }
  const isText = type.element.kind === 'string' || type.element.kind === 'bytes'
  const one = isText ? add(exactly(1), scale(target!.element(), traversalFactor)) : exactly(1)
  return { cost: multiply(size, one) }
}

const member = (id: string, parameters: CelType[], result: CelType, call: Overload['call']): Overload => ({
  id,
  parameters,
  result,
  member: true,
  call,
  cost,
  estimate: traversalEstimate,
})

/** Whether a value's type has an order. */
const ordered = (value: Value): boolean => comparable.some(([, type]) => type.kind === typeOf(value).kind)

function isSorted(list: List): Value {
  for (let i = 1; i < list.length; i++) {
    if (!ordered(list.at(i))) return noSuchOverload
    if (compare(list.at(i - 1), list.at(i)) === 1) return false
  }
  return true
}

/** The first of the elements that none precedes, `order` away from them. */
function extreme(name: string, order: -1 | 1): Overload['call'] {
  return (list) => {
    const { length } = list as List
    if (length === 0) return new CelError(`${name} called on empty list`)
    let best = (list as List).at(0)
    for (let i = 1; i < length; i++) {
      const next = (list as List).at(i)
      if (!ordered(next)) return noSuchOverload
      if (compare(best, next) === order) best = next
    }
    return best
  }
}

const noSuchOverload = new CelError('no such overload')

function plus(a: Value, b: Value): Value {
  if (b instanceof CelError) return b
  if (typeof a === 'bigint' && typeof b === 'bigint') return isInt64(a + b) ? a + b : intOverflow
  if (typeof a === 'number' && typeof b === 'number') return a + b
  if (a instanceof Uint && b instanceof Uint) return isUint64(a.value + b.value) ? new Uint(a.value + b.value) : uintOverflow
  if (a instanceof Duration && b instanceof Duration) {
    const nanoseconds = a.nanoseconds + b.nanoseconds
    return isInt64(nanoseconds) ? new Duration(nanoseconds) : intOverflow
  }
  return noSuchOverload
}

function sum(list: List, zero: Value): Value {
  let total = zero
  for (let i = 0; i < list.length && !(total instanceof CelError); i++) total = plus(total, list.at(i))
  return total
}

function indexOf(list: List, item: Value): bigint {
  for (let i = 0; i < list.length; i++) if (equal(list.at(i), item)) return BigInt(i)
  return -1n
}

function lastIndexOf(list: List, item: Value): bigint {
  for (let i = list.length - 1; i >= 0; i--) if (equal(list.at(i), item)) return BigInt(i)
  return -1n
}

const a = types.parameter('A')

/** `kubernetes.lists`: what lists hold. */
export const lists: Library = {
  name: 'kubernetes.lists',
  functions: {
    isSorted: comparable.map(([name, type]) =>
      member(`list_${name}_is_sorted_bool`, [types.list(type)], types.bool, (list) => isSorted(list as List)),
    ),
    sum: summable.map(([name, type, zero]) => member(`list_${name}_sum_${name}`, [types.list(type)], type, (list) => sum(list as List, zero))),
    max: comparable.map(([name, type]) => member(`list_${name}_max_${name}`, [types.list(type)], type, extreme('max', -1))),
    min: comparable.map(([name, type]) => member(`list_${name}_min_${name}`, [types.list(type)], type, extreme('min', 1))),
    indexOf: [member('list_a_index_of_int', [types.list(a), a], types.int, (list, item) => indexOf(list as List, item))],
    lastIndexOf: [member('list_a_last_index_of_int', [types.list(a), a], types.int, (list, item) => lastIndexOf(list as List, item))],
  },
}
