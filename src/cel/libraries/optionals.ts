import type { Library, Overload } from '../library.ts'
import { optionalMacros } from '../macros.ts'
import { type CelType, types } from '../types.ts'
import { CelError, Duration, List, MapValue, Timestamp, TypeValue, Uint, type Value } from '../values.ts'
import { listOf } from '../values/collections.ts'
import { show } from '../values/names.ts'
import { Optional, none } from '../optional.ts'

const v = types.parameter('V')
const k = types.parameter('K')
const optional = types.optional(v)
const listOfV = types.list(v)
const mapOfV = types.map(k, v)
const optionalType = types.optional(types.dyn)

// seconds from year 1, which is the zero of Go's times, to 1970
const zeroTime = -62_135_596_800_000_000_000n

/** Whether a value is the zero of its type; types of libraries have none. */
export function isZero(value: Value): boolean {
  if (value === null || value === false || value === 0 || value === 0n || value === '') return true
  if (value instanceof Uint) return value.value === 0n
  if (value instanceof Uint8Array || value instanceof List) return value.length === 0
  if (value instanceof MapValue) return value.size === 0
  if (value instanceof Duration) return value.nanoseconds === 0n
  return value instanceof Timestamp && value.nanoseconds === zeroTime
}

function unwrap(list: Value): Value {
  const values: Value[] = []
  for (let i = 0; i < (list as List).length; i++) {
    const value = (list as List).at(i)
    if (value instanceof CelError) return value
    if (!(value instanceof Optional)) return new CelError(`value ${show(value)} is not optional`)
    if (value.value !== undefined) values.push(value.value)
  }
  return listOf(values)
}

const at = (list: Value, index: (length: number) => number): Value => {
  const { length } = list as List
  if (length === 0) return none
  const value = (list as List).at(index(length))
  return value instanceof CelError ? value : new Optional(value)
}

/** What the plan does itself: the right side is evaluated only when it is needed, and indexes look where the operand's type says. */
const planned = (id: string, parameters: CelType[], result: CelType, member?: true): Overload => ({
  id,
  parameters,
  result,
  ...(member && { member }),
  call: () => new CelError('no such overload'),
})

/** `cel.lib.optional`: values that may be none. */
export const optionals: Library = {
  name: 'cel.lib.optional',
  macros: [...optionalMacros],
  constants: { optional_type: { type: types.type(optionalType), value: new TypeValue(optionalType) } },
  functions: {
    'optional.of': [{ id: 'optional_of', parameters: [v], result: optional, call: (value) => new Optional(value) }],
    'optional.ofNonZeroValue': [
      {
        id: 'optional_ofNonZeroValue',
        parameters: [v],
        result: optional,
        call: (value) => (isZero(value) ? none : new Optional(value)),
      },
    ],
    'optional.none': [{ id: 'optional_none', parameters: [], result: optional, call: () => none }],
    value: [
      {
        id: 'optional_value',
        parameters: [optional],
        result: v,
        member: true,
        call: (value) => (value as Optional).get(),
      },
    ],
    hasValue: [
      {
        id: 'optional_hasValue',
        parameters: [optional],
        result: types.bool,
        member: true,
        call: (value) => (value as Optional).value !== undefined,
      },
    ],
    or: [planned('optional_or_optional', [optional, optional], optional, true)],
    orValue: [planned('optional_orValue_value', [optional, v], v, true)],
    '_?._': [planned('select_optional_field', [types.dyn, types.string], optional)],
    '_[?_]': [
      planned('list_optindex_optional_int', [listOfV, types.int], optional),
      planned('optional_list_optindex_optional_int', [types.optional(listOfV), types.int], optional),
      planned('map_optindex_optional_value', [mapOfV, k], optional),
      planned('optional_map_optindex_optional_value', [types.optional(mapOfV), k], optional),
    ],
    '_[_]': [
      planned('optional_list_index_int', [types.optional(listOfV), types.int], optional),
      planned('optional_map_index_value', [types.optional(mapOfV), k], optional),
    ],
    first: [{ id: 'list_first', parameters: [listOfV], result: optional, member: true, call: (list) => at(list, () => 0) }],
    last: [{ id: 'list_last', parameters: [listOfV], result: optional, member: true, call: (list) => at(list, (length) => length - 1) }],
    'optional.unwrap': [{ id: 'optional_unwrap', parameters: [types.list(optional)], result: listOfV, call: unwrap }],
    unwrapOpt: [{ id: 'optional_unwrapOpt', parameters: [types.list(optional)], result: listOfV, member: true, call: unwrap }],
  },
}
