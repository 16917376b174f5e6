import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createEnvironment } from './compile.ts'
import { CompileError } from './environment.ts'
import { comprehensions } from './libraries/comprehensions.ts'
import { optionals } from './libraries/optionals.ts'
import { standardLibrary } from './libraries/standard.ts'
import { describeType } from './type-text.ts'
import { type CelType, type TypeProvider, types } from './types.ts'

const pod: Record<string, CelType> = { name: types.string, replicas: types.wrapper(types.int), labels: types.map(types.string, types.string) }
const provider: TypeProvider = {
  has: (name) => name === 'Pod',
  fields: () => Object.keys(pod),
  field: (_type, field) => pod[field],
}
const environment = createEnvironment({
  libraries: [
    standardLibrary,
    optionals,
    comprehensions,
    {
      name: 'test',
      functions: {
        'net.of': [{ id: 'net_of', parameters: [types.string], result: types.int, call: () => 1n }],
        both: [
          { id: 'both_int', parameters: [types.int], result: types.int, member: true, call: () => 1n },
          { id: 'both_string', parameters: [types.string], result: types.string, member: true, call: () => '' },
        ],
      },
      constants: { 'net.most': { type: types.int, value: 3n } },
    },
  ],
  variables: {
    x: types.int,
    s: types.string,
    d: types.dyn,
    pod: types.object('Pod'),
    pods: types.list(types.object('Pod')),
    m: types.map(types.string, types.list(types.int)),
    o: types.optional(types.map(types.string, types.int)),
    'a.b': types.string,
    a: types.map(types.string, types.int),
  },
  types: provider,
})

const typeOf = (source: string): string => describeType(environment.compile(source).resultType)
const issues = (source: string): string[] => {
  try {
    environment.compile(source)
    return []
  } catch (error) {
    assert.ok(error instanceof CompileError, String(error))
    return error.issues.map(({ line, column, message }) => `${line}:${column} ${message}`)
  }
}

describe('an expression has a type', () => {
  const rows: [source: string, type: string][] = [
    ['1 + 2', 'int'],
    ['[]', 'list(dyn)'],
    ['[[], [1]]', 'list(list(int))'],
    ['{"a": []}', 'map(string, list(dyn))'],
    ['m.map(k, m[k].size())', 'list(int)'],
    ['m.foo', 'list(int)'],
    ['d.foo[0].bar', 'dyn'],
    ['pod.replicas', 'wrapper(int)'],
    ['pod.replicas == null ? 1 : pod.replicas', 'int'],
    ['pods.filter(p, has(p.name)).map(p, p.labels)', 'list(map(string, string))'],
    ['type(1)', 'type(int)'],
    ['int', 'type(int)'],
    ['Pod{name: "a"}', 'Pod'],
    ['a.b', 'string'],
    ['a.c', 'int'],
    ['a["b"]', 'int'],
    ['net.of("a") + net.most', 'int'],
    ['d.both()', 'dyn'],
    ['s.both()', 'string'],
    ['m[?"a"]', 'optional_type(list(int))'],
    ['m.?a', 'optional_type(list(int))'],
    ['o.?a.orValue(2)', 'int'],
    ['o.a', 'optional_type(int)'],
    ['[?o.a, 1]', 'list(int)'],
    ['{?"a": o.a}', 'map(string, int)'],
    ['m.?a.optMap(v, v.size())', 'optional_type(int)'],
    ['m.transformMap(k, v, v.size())', 'map(string, int)'],
    ['m.transformList(k, v, k)', 'list(string)'],
    ['[s].transformMapEntry(i, v, {v: i})', 'map(string, int)'],
    ['1 < 1.0 && 1u < 2', 'bool'],
    ['timestamp("2020-01-01T00:00:00Z") - duration("1h")', 'timestamp'],
    ['true ? d : 1', 'dyn'],
    ['[1].exists(x, .x == x)', 'bool'],
  ]
  for (const [source, type] of rows) test(`${source} is ${type}`, () => assert.equal(typeOf(source), type))
})

describe('an expression that makes no sense says why, in the words of cel-go', () => {
  const rows: [source: string, ...messages: string[]][] = [
    ['y', "1:0 undeclared reference to 'y' (in container '')"],
    ['y.z.w', "1:0 undeclared reference to 'y' (in container '')"],
    ['f(x)', "1:1 undeclared reference to 'f' (in container '')"],
    ['s.f()', "1:3 undeclared reference to 'f' (in container '')"],
    ['x + "a"', "1:2 found no matching overload for '_+_' applied to '(int, string)'"],
    ['x.both(1)', "1:6 found no matching overload for 'both' applied to 'int.(int)'"],
    ['size()', "1:4 found no matching overload for 'size' applied to '()'"],
    ['x && true', "1:0 expected type 'bool' but found 'int'"],
    ['x ? 1 : 2', "1:2 found no matching overload for '_?_:_' applied to '(int, int, int)'"],
    ['pod.size', "1:3 undefined field 'size'"],
    ['has(pod.size)', "1:3 undefined field 'size'"],
    ['x.y', "1:1 type 'int' does not support field selection"],
    ['x.all(i, true)', "1:0 expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)"],
    ['[1].all(i, i)', "1:11 expected type 'bool' but found 'int'"],
    ['[1, "a"]', "1:4 expected type 'int' but found 'string'"],
    ['{"a": 1, 2: 3}', "1:9 expected type 'string' but found 'int'"],
    ['[1, dyn("a")]', "1:7 expected type 'int' but found 'dyn'"],
    ['Pod{size: 1}', "1:8 undefined field 'size'"],
    ['Pod{name: 1}', "1:8 expected type of field 'name' is 'string' but provided type is 'int'"],
    ['Nod{name: 1}', "1:3 undeclared reference to 'Nod' (in container '')"],
    ['int{}', "1:3 'int' is not a message type"],
    ['[?1]', "1:2 expected type 'optional_type(int)' but found 'int'"],
    ['x == null', "1:2 found no matching overload for '_==_' applied to '(int, null)'"],
    ['q.optMap(v, v)', "1:0 undeclared reference to 'q' (in container '')", "1:0 undeclared reference to 'q' (in container '')"],
    ['duration("x")', '1:9 invalid duration argument'],
    ['timestamp("x")', '1:10 invalid timestamp argument'],
    ['s.matches("(")', '1:10 invalid matches argument'],
  ]
  for (const [source, ...messages] of rows) test(source, () => assert.deepEqual(issues(source), messages))

  test('the message is the text of cel-go', () => {
    assert.throws(() => environment.compile('x +\n  y'), {
      message: "ERROR: <input>:2:3: undeclared reference to 'y' (in container '')\n |   y\n | ..^",
    })
  })
})

test('names of a container are found from within it, the nearest first', () => {
  const within = createEnvironment({
    libraries: [standardLibrary],
    container: 'k8s.io.api',
    variables: { 'k8s.io.api.x': types.int, 'k8s.x': types.string, 'k8s.y': types.string, x: types.bool },
  })
  const type = (source: string) => describeType(within.compile(source).resultType)
  assert.deepEqual([type('x'), type('.x'), type('y'), type('io.api.x')], ['int', 'bool', 'string', 'int'])
  assert.throws(() => within.compile('z'), /undeclared reference to 'z' \(in container 'k8s.io.api'\)/)
})

test('an expression mentions the variables that it names, not those of its own', () => {
  assert.deepEqual([...environment.compile('[1].all(x, x > 0 && s != a.b) || has(m.x)').mentions].sort(), ['a.b', 'm', 's'])
})

test('without strictness lists may mix types', () => {
  const loose = createEnvironment({ libraries: [standardLibrary], variables: {}, strict: false })
  assert.equal(describeType(loose.compile('[1, "a"]').resultType), 'list(dyn)')
})

describe('hostile expressions cost neither the stack nor much time', () => {
  const nest = (times: number, wrap: (inner: string, level: number) => string, base = '1') => {
    let source = base
    for (let level = 0; level < times; level++) source = wrap(source, level)
    return source
  }
  const rows: [name: string, source: string][] = [
    ['99,999 opening brackets', '['.repeat(99_999)],
    ['99,990 exclamation marks', `${'!'.repeat(99_990)}true`],
    ['99,990 minus signs', `${'-'.repeat(99_990)}x`],
    ['49,900 sums', `1${'+1'.repeat(49_900)}`],
    ['49,900 selections', `d${'.a'.repeat(49_900)}`],
    ['12,000 conjunctions', Array(12_000).fill('x > 1').join(' && ').slice(0, 99_990)],
    ['a list of 30,000 lists', `[${Array(30_000).fill('[]').join(',')}]`],
    ['quotes that do not end', "r'''".repeat(24_999)],
    ['strings with a fault', `"a\n`.repeat(30_000)],
    ['120 macros in one another', nest(120, (inner, level) => `[1].map(a${level}, a${level} > 0, ${inner})`)],
    ['240 maps in a row', `[1]${'.map(a,a)'.repeat(240)}`],
    ['types that double in size', nest(80, (inner, level) => `[{a${level + 1}:a${level + 1}}].all(a${level}, ${inner})`, 'true')],
    [
      'types that double in size once they are known',
      nest(60, (inner, level) => `[].all(a${level}, [a${level}] == [{a${level + 1}:a${level + 1}}] && ${inner})`, 'true'),
    ],
    ['a name with 40,000 dots', `A${'.b'.repeat(40_000)}{}`],
    ['calls of a negative number in one another', nest(100, (inner) => `-1.f(${inner})`, Array(40_000).fill('1').join(','))],
  ]
  for (const [name, source] of rows) {
    test(name, () => {
      const start = process.cpuUsage().user
      try {
        environment.compile(source)
      } catch (error) {
        assert.ok(error instanceof CompileError, String(error))
      }
      // Far above what it takes, far below what a step too many for each character would.
      assert.ok(process.cpuUsage().user - start < 10_000_000)
    })
  }
})
