import { lines } from './lines.ts'

const ranges = ['[]', '[1, 2, 3]', '{}', "{'a': 1}", 'l', 'll', 'm', 'mi', 's', 'i', 'object.spec.template.spec.containers', 'params.list', 'object.metadata.labels', 'object.spec.replicas', 'missing', 'o', 'hundred'] // prettier-ignore
const singles = ['all(x, true)', 'all(x, x == x)', 'exists(x, false)', 'exists(x, x == 2)', 'exists_one(x, x == 2)', 'existsOne(x, x == 2)', 'map(x, 1)', 'map(x, x)', 'map(x, x != 2, [x])', 'filter(x, x != 2)', 'all(x, 1)', 'all(x, dyn(1))', 'exists(x, dyn("a"))', 'exists_one(x, dyn(1))', 'filter(x, dyn(1))', 'map(x, dyn(1), x)', 'all(x, x > 1)', 'exists(x, x > 2)', 'map(x, x + 1)', 'all(x, 1 / zero == 1)', 'exists(x, y)', 'map(x, x, x)'] // prettier-ignore
const doubles = ['all(k, v, true)', 'all(k, v, v == v)', 'exists(k, v, v == 2)', 'existsOne(k, v, v == 2)', 'exists_one(k, v, v == 2)', 'transformList(k, v, v)', 'transformList(k, v, k != 1, [k])', 'transformMap(k, v, v)', 'transformMap(k, v, v != 2, [v])', 'transformMapEntry(k, v, {v: k})', 'transformMapEntry(k, v, k != 1, {k: v})', 'transformMapEntry(k, v, v)', 'transformMapEntry(k, v, {})', 'all(k, v, k)', 'transformList(k, v, 1 / zero)', 'map(k, v, v)', 'filter(k, v, true)', 'all(k, k, true)'] // prettier-ignore

/** Errors that `||`, `&&` and `? :` may do without. */
const faults = ['1 / zero == 1', 'dyn(1)', "dyn('a') == 1 + dyn('b')", 'missing', 'missing.x', 'object.nope', "m['two'] == 1", 'l[9] == 1', 'absent == 1', "int('x') == 1", "s.matches('[' + '')"] // prettier-ignore
const absorbed = faults.flatMap((fault) => [
  ...['true', 'false', 'p', '!p', fault].flatMap((other) => [`${fault} || ${other}`, `${other} || ${fault}`, `${fault} && ${other}`, `${other} && ${fault}`]), // prettier-ignore
  `p ? 1 == 1 : ${fault}`,
  `!p ? true : ${fault}`,
  `(${fault}) ? 1 : 2`,
  `!(${fault})`,
  `[true, false].exists(x, x || ${fault})`,
  `[true, false].all(x, x && ${fault})`,
  `[1, 2].exists(x, ${fault})`,
  `[1, 2].all(x, ${fault})`,
  `[1, 2].exists_one(x, x == 1 || ${fault})`,
  `[1, 2, 3].exists(x, x == 3 || ${fault})`,
  `[1, 2, 3].all(x, x != 3 && ${fault})`,
  `[${fault}].size() == 1`,
  `{'a': ${fault}}.size() == 1`,
  `${fault} || true || false`,
  `false || ${fault} || true`,
  `true && ${fault} && false`,
  `(${fault} || false) && false`,
  `type(${fault}) == bool`,
])

export const macros = [...ranges.flatMap((range) => [...singles, ...doubles].map((call) => `${range}.${call}`)), ...absorbed, ...lines('macros')]
