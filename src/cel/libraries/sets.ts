import type { Library, Overload } from '../library.ts'
import { types } from '../types.ts'
import type { List, Value } from '../values.ts'
import { equal } from '../values/equality.ts'
import { sizeOf } from '../values/size.ts'
import { add, exactly, multiply, scale } from './costs.ts'

const list = types.list(types.parameter('T'))

function has(values: List, wanted: Value): boolean {
  for (let i = 0; i < values.length; i++) if (equal(values.at(i), wanted)) return true
  return false
}

const each = (values: List, holds: (value: Value) => boolean): boolean => {
  for (let i = 0; i < values.length; i++) if (!holds(values.at(i))) return false
  return true
}

const contains = (all: List, some: List): boolean => each(some, (value) => has(all, value))

/** Compares each element with each; `times` says in how many ways. */
const comparison = (id: string, times: number, holds: (a: List, b: List) => boolean): Overload[] => [
  {
    id,
    parameters: [list, list],
    result: types.bool,
    call: (a, b) => holds(a as List, b as List),
    cost: ([a, b]) => 1 + sizeOf(a!) * sizeOf(b!) * times,
    foreseen: true,
    estimate: ([a, b]) => ({ cost: add(scale(multiply(a!.size, b!.size), times), exactly(1)) }),
  },
]

/** `cel.lib.ext.sets`: lists as sets. */
export const sets: Library = {
  name: 'cel.lib.ext.sets',
  functions: {
    'sets.contains': comparison('list_sets_contains_list', 1, contains),
    'sets.intersects': comparison('list_sets_intersects_list', 1, (a, b) => !each(a, (value) => !has(b, value))),
    'sets.equivalent': comparison('list_sets_equivalent_list', 2, (a, b) => contains(a, b) && contains(b, a)),
  },
}
