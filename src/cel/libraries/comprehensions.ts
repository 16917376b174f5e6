import type { Library, Overload } from '../library.ts'
import { twoVariableMacros } from '../macros.ts'
import { types } from '../types.ts'
import { CelError, MapValue, type Value } from '../values.ts'
import { EntryMap, MutableMap } from '../values/collections.ts'
import { show, typeName, typeOf } from '../values/names.ts'

const mapOfKV = types.map(types.parameter('K'), types.parameter('V'))

/** Only the macros call it, with the map that they collect into: it grows in place. */
function insert(map: Value, key: Value, value: Value): Value {
  if (map instanceof MutableMap) return map.insert(key, value, show(key))
  if (!(map instanceof MapValue)) return new CelError('no such overload')
  if (map.get(key) !== undefined) return new CelError(`insert failed: key ${show(key)} already exists`)
  return new EntryMap([...entriesOf(map), [key, value]])
}

const entriesOf = (map: MapValue): [Value, Value][] => Array.from(map.keys(), (key) => [key, map.get(key)!])

function insertAll(map: Value, more: Value): Value {
  if (!(more instanceof MapValue)) return new CelError(`no such overload: cel.@mapInsert(map, ${typeName(typeOf(more))})`)
  let result = map
  for (const [key, value] of entriesOf(more)) {
    result = insert(result, key, value)
    if (result instanceof CelError) return result
  }
  return result
}

const mapInsert = (id: string, parameters: Overload['parameters']): Overload => ({
  id,
  parameters,
  result: mapOfKV,
  unguarded: true,
  call: (map, ...args) => (args.length === 1 ? insertAll(map!, args[0]!) : insert(map!, args[0]!, args[1]!)),
})

/** `cel.lib.ext.comprehensions`: macros with two variables, the index or key and the value. */
export const comprehensions: Library = {
  name: 'cel.lib.ext.comprehensions',
  macros: [...twoVariableMacros],
  functions: {
    'cel.@mapInsert': [
      mapInsert('@mapInsert_map_key_value', [mapOfKV, types.parameter('K'), types.parameter('V')]),
      mapInsert('@mapInsert_map_map', [mapOfKV, mapOfKV]),
    ],
  },
}
