import { lines } from './lines.ts'

const optionals = ['o', 'none', 'optional.of(1)', 'optional.none()', 'optional.of(optional.of(1))', "optional.of('a')", 'optional.ofNonZeroValue(0)', 'object.?spec', 'object.?nope', 'object.?spec.replicas', 'object.?nope.x.y', 'm.?one', 'm.?two', 'm[?"one"]', 'm[?"two"]', 'l[?0]', 'l[?9]', 'l[?-1]', 'params.?list[0]', 'params.?list[?9]', 'params.list[?0]', 'object.spec.?template.?spec.?containers', 'i', 'dyn(i)', 'missing.?x', 'object.spec.replicas.?x', 's.?x', 'w.?x', 'dyn(o)', '{}.?a', 'optional.of({"a": {"b": 1}}).a.b', 'optional.of([1, 2])[0]', 'optional.of([1, 2])[?5]'] // prettier-ignore
const calls = ['hasValue()', 'value()', 'orValue(2)', "orValue('x')", 'or(optional.of(2))', 'or(optional.none())', 'or(2)', 'optMap(x, x)', 'optMap(x, x + 1)', 'optMap(x, [x])', 'optFlatMap(x, optional.of(x))', 'optFlatMap(x, optional.none())', 'optFlatMap(x, x)', 'optMap(1, x)', 'optMap(x.y, x)', 'optMap(x)', 'x', '?x', 'orValue()', 'hasValue(1)', 'value'] // prettier-ignore

export const optionalValues = [
  ...optionals,
  ...optionals.flatMap((one) => calls.map((call) => (call === '?x' ? `${one}.?x.hasValue()` : `${one}.${call}`))),
  ...optionals.flatMap((one) => [
    `type(${one})`,
    `${one} == optional.of(1)`,
    `[?${one}]`,
    `{?'k': ${one}}`,
    `has(${one}.x)`,
    `p ? ${one} : optional.none()`,
  ]),
  ...lines('optionals'),
]
