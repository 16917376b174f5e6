import { lines } from './lines.ts'

/** Variables of every type, by the names that variables.ts gives them. */
const typed = ['n', 'p', 'i', 'u', 'd', 's', 'b', 't', 'r', 'l', 'm', 'o', 'q', 'a', 'int']
const binary = ['+', '-', '*', '/', '%', '==', '!=', '<', '>=', 'in', '&&', '||']

const pairs = (make: (left: string, right: string) => string[]) => typed.flatMap((left) => typed.flatMap((right) => make(left, right)))

/** Every operator over every pair of types, as the checker sees it. */
export const operators = [
  ...pairs((left, right) => binary.map((operator) => `${left} ${operator} ${right}`)),
  ...pairs((left, right) => [`${left}[${right}]`, `p ? ${left} : ${right}`]),
  ...typed.flatMap((one) => [
    `!${one}`,
    `-${one}`,
    `${one} ? 1 : 2`,
    `${one}.x`,
    `has(${one}.x)`,
    `${one}.size()`,
    `size(${one})`,
    `${one}.all(x, true)`,
  ]),
]

/** The same where the types are seen when they are evaluated. */
export const dynamicOperators = [
  ...pairs((left, right) => binary.filter((operator) => operator !== '!=').map((operator) => `dyn(${left}) ${operator} dyn(${right})`)),
  ...pairs((left, right) => [`dyn(${left})[dyn(${right})]`]),
  ...typed.flatMap((one) => [
    `!dyn(${one})`,
    `-dyn(${one})`,
    `dyn(${one}) ? 1 : 2`,
    `dyn(${one}).x`,
    `has(dyn(${one}).x)`,
    `dyn(${one}).?x`,
    `dyn(${one})[?dyn(0)]`,
    `size(dyn(${one}))`,
    `dyn(${one}).all(x, true)`,
    `dyn(${one}).exists(x, true)`,
    `dyn(${one}).map(x, x)`,
    `dyn(${one}).filter(x, false)`,
    `dyn(${one}).exists_one(x, true)`,
    `dyn(${one}).all(k, v, true)`,
    `dyn(${one}).transformMap(k, v, v)`,
    `type(dyn(${one}))`,
    `dyn(${one}).matches('e')`,
    `dyn(${one}).contains('e')`,
    `dyn(${one}).getHours()`,
    `[1, 2].exists(x, dyn(${one}))`,
    `[1, 2].all(x, dyn(${one}))`,
    `{dyn(${one}): 1}`,
    `dyn(${one}) == dyn(${one})`,
    `[dyn(${one})] == [dyn(${one})]`,
    `dyn(${one}) in [1, 'seven', 7.5, null]`,
  ]),
]

const ints = ['-9223372036854775808', '-1', '0', '1', '3', '9223372036854775807']
const uints = ['0u', '1u', '3u', '18446744073709551615u']
const doubles = [
  '-1.0',
  '0.0',
  '-0.0',
  '0.1',
  '3.5',
  '1e308',
  "double('NaN')",
  "double('Infinity')",
  "double('-Infinity')",
  '9007199254740992.0',
  '9223372036854775807.0',
  '18446744073709551615.0',
]
const times = ["timestamp('0001-01-01T00:00:00Z')", "timestamp('9999-12-31T23:59:59.999999999Z')", "timestamp('1970-01-01T00:00:00Z')"]
const durations = [
  "duration('-9223372036s')",
  "duration('9223372036s')",
  "duration('1ns')",
  "duration('-1ns')",
  "duration('0s')",
  "duration('9223372036.854775807s')",
]
const within = (values: string[], signs: string[]) => values.flatMap((x) => values.flatMap((y) => signs.map((sign) => `${x} ${sign} ${y}`)))
const between = (left: string[], right: string[], signs: string[]) =>
  left.flatMap((x) => right.flatMap((y) => signs.map((sign) => `${x} ${sign} ${y}`)))

/** Numbers and times at their borders. */
export const borders = [
  ...within(ints, ['+', '-', '*', '/', '%', '<', '==']),
  ...within(uints, ['+', '-', '*', '/', '%', '<', '==']),
  ...within(doubles, ['+', '-', '*', '/', '<', '<=', '==']),
  ...between([...ints, ...uints], doubles, ['<', '>=']),
  ...between(doubles, [...ints, ...uints], ['<=', '>']),
  ...between(ints, uints, ['<', '>=']),
  ...between(uints, ints, ['<=', '>']),
  ...between([...ints, ...uints, ...doubles], ['dyn(1)', 'dyn(3u)', 'dyn(9007199254740993)', 'dyn(1.0)'], ['==']),
  ...within(times, ['-', '<', '==']),
  ...between(times, durations, ['+', '-']),
  ...between(durations, times, ['+']),
  ...within(durations, ['+', '-', '<', '==']),
  ...[...ints, ...doubles].map((x) => `-(${x})`),
  ...lines('operators'),
]
