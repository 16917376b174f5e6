import { lines } from './lines.ts'

const lists = ['[]', '[1]', '[3, 1, 2]', '[1, 1, 2]', "['b', 'a']", '[2.5, 1.5]', '[1u, 2u]', '[true, false]', 'l', 'll', 'ls', 'ld', "[dyn(1), dyn('a')]", '[dyn(1), dyn(1.0), dyn(1u)]', '[null]', "[duration('2s'), duration('1s')]", '[timestamp(2), timestamp(1)]', "[b'b', b'a']", '[o]', '[q]', 'm', 's', 'params.list', 'object.metadata.finalizers', '[[2], [1]]', '[{}]'] // prettier-ignore
const listCalls = ['isSorted()', 'sum()', 'min()', 'max()', 'indexOf(1)', 'lastIndexOf(1)', "indexOf('a')", 'lastIndexOf(dyn(1u))', 'slice(0, 1)', 'slice(1, 0)', 'slice(-1, 1)', 'slice(0, 100)', "slice('a', 1)", 'flatten()', 'flatten(0)', 'flatten(2)', 'flatten(-1)', 'distinct()', 'reverse()', 'sort()', 'sortBy(x, x)', 'sortBy(x, -x)', 'sortBy(x, string(x))', 'sortBy(x, 1)', 'first()', 'last()', 'size()', 'contains(1)', 'isEmpty()'] // prettier-ignore
const sets = ['[]', '[1]', '[1, 1]', '[1, 2]', '[2, 1, 1]', '[1.0, 2.0]', '[1u]', "['a']", 'l', 'ld', '[[1]]', '[dyn(1u), dyn("a")]', 'm', 'dyn(m)', 'dyn(1)', 'object.spec.replicas', 'params.list', "[double('NaN')]"] // prettier-ignore

export const collections = [
  ...lists.flatMap((list) => listCalls.map((call) => `${list}.${call}`)),
  ...sets.flatMap((x) => sets.flatMap((y) => [`sets.contains(${x}, ${y})`, `sets.equivalent(${x}, ${y})`, `sets.intersects(${x}, ${y})`])),
  ...lines('collections'),
]
