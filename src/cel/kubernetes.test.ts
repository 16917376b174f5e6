import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CompileError } from './environment.ts'
import { jsonValue } from './json-values.ts'
import { kubernetesEnvironment } from './kubernetes.ts'
import { type AuthorizationQuestion, AuthorizerValue, ResourceCheckValue, authorizerType, resourceCheckType } from './libraries/authz.ts'
import { jsonPatch } from './libraries/jsonpatch.ts'
import { types } from './types.ts'
import { CelError, type Value } from './values.ts'

const asked: AuthorizationQuestion[] = []
const authorizer = new AuthorizerValue({ name: 'anna', groups: ['g'] }, (question) => {
  asked.push(question)
  return question.verb === 'fail'
    ? { allowed: false, reason: '', error: 'no answer' }
    : { allowed: question.verb === 'get', reason: `asked ${question.verb}` }
})
const environment = kubernetesEnvironment({
  libraries: [jsonPatch],
  variables: { x: types.dyn, s: types.string, authorizer: authorizerType, 'authorizer.requestResource': resourceCheckType },
})
const variables = {
  x: jsonValue({ list: [3, 1, 2], text: 'a' }),
  s: 'héllo 😀',
  authorizer,
  'authorizer.requestResource': new ResourceCheckValue(authorizer, {
    group: 'apps',
    resource: 'deployments',
    subresource: '',
    namespace: 'n',
    name: 'd',
  }),
}
const evaluate = (source: string): Value => environment.compile(source).evaluate(variables).value

/** Each says something that is true. */
const holds = [
  // texts
  '"tacocat".charAt(3) == "o" && "tacocat".charAt(7) == ""',
  's.indexOf("😀") == 6 && s.lastIndexOf("l") == 3 && s.indexOf("l", 3) == 3 && s.indexOf("") == 0 && s.lastIndexOf("") == 7',
  's.substring(6) == "😀" && s.substring(1, 3) == "él"',
  '"TacoCÆt".lowerAscii() == "tacocÆt" && "tacoCæt".upperAscii() == "TACOCæT"',
  '"hello hello".replace("he", "we", 1) == "wello hello" && "ab".replace("", "_") == "_a_b_" && "aXa".replace("a", "") == "X"',
  '"a,b,c".split(",", 2) == ["a", "b,c"] && "😀a".split("") == ["😀", "a"] && "".split("") == [] && "a".split(",", 0) == []',
  '" \\u2003\\u0085x\\u00a0\\n".trim() == "x"',
  '["a", "b"].join() == "ab" && ["a", "b"].join("-") == "a-b" && [].join("-") == ""',
  'strings.quote("a\\"\\n\\u200b") == "\\"a\\\\\\"\\\\n\\u200b\\""',
  // formats
  '"%s %d %.2f %x %X %b %o%%".format([dyn("a"), 5, 1234567.125, "hi", 255, true, 8]) == "a 5 1,234,567.12 6869 FF 1 10%"',
  '"%e|%.20e".format([1052.032911275, -0.001]) == "1.052033×10⁰³|     -1.000000×10⁻⁰³"',
  '"%f %f %e".format(["NaN", "-Infinity", "Infinity"]) == "NaN -∞      ∞"',
  `"%s".format([{"b": [1.5, 2.0], "a": []}]) == '{"a":[], "b":[1.500000, 2.000000]}'`,
  '"%s %s".format([duration("90m"), b"x"]) == "5400s x"',
  // lists
  '[1, 3, 3].isSorted() && ![3, 1].isSorted() && [].isSorted() && [1, 3].sum() == 4 && [1.5, 2.0].sum() == 3.5 && [3u, 1u].min() == 1u',
  '["b", "a"].max() == "b" && [1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && [1].indexOf(3) == -1',
  '[3, 1, 2].sort() == [1, 2, 3] && [3, 1].reverse() == [1, 3] && [1, 2, 2].distinct() == [1, 2] && lists.range(3) == [0, 1, 2]',
  '[1, 2, 3, 4].slice(1, 3) == [2, 3] && [[1], [2, 3]].flatten() == [1, 2, 3] && [dyn(1), dyn([[2], [3]])].flatten(2) == [1, 2, 3]',
  '[{"n": 2}, {"n": 1}].sortBy(e, e.n).map(e, e.n) == [1, 2]',
  'sets.contains([1, 2], [2]) && !sets.contains([1], [2]) && sets.intersects([1, 2], [2, 3]) && sets.equivalent([1, 2, 2], [2, 1])',
  // optionals
  'optional.of(1).value() == 1 && !optional.none().hasValue() && optional.ofNonZeroValue("").or(optional.of("x")).value() == "x"',
  '[1, 2].first().value() == 1 && [].last() == optional.none() && optional.unwrap([optional.of(1), optional.none()]) == [1]',
  'x.?missing.orValue("d") == "d" && x.?text.optMap(t, t + "!").value() == "a!" && [optional.of(2)].unwrapOpt() == [2]',
  // two variables
  '{"a": 1}.transformMap(k, v, v + 1) == {"a": 2} && [5, 6].transformList(i, v, i + v) == [5, 7] && {"a": "b"}.transformMapEntry(k, v, {v: k}) == {"b": "a"}',
  // regular expressions
  '"abc 123".find("[0-9]+") == "123" && "abc".find("x") == "" && "1 22 333".findAll("[0-9]+", 2) == ["1", "22"] && "ab".findAll("x*") == ["", "", ""]',
  // the rest of Kubernetes'
  'type(ip("::1")) == net.IP && ip("10.0.0.1") == ip("10.0.0.1") && cidr("10.0.0.0/8").containsIP("10.1.2.3")',
  'url("https://a:80/b?c=d").getQuery() == {"c": ["d"]} && isURL("/x") && !isURL("x")',
  'quantity("1.5Gi").isGreaterThan(quantity("1G")) && sign(quantity("-1")) == -1',
  'semver("1.2.3").minor() == 2 && isSemver("v1", true) && !isSemver("v1")',
  'format.named("uuid").value() == format.uuid() && !format.named("x").hasValue() && !format.dns1123Label().validate("ok").hasValue()',
  'jsonpatch.escapeKey("a/b~c") == "a~1b~0c"',
]
for (const source of holds) test(`it holds that ${source}`, () => assert.equal(evaluate(source), true))

const fails: [string, string][] = [
  ['"a".charAt(2)', 'index out of range: 2'],
  ['"abc".substring(2, 1)', 'invalid substring range. start: 2, end: 1'],
  ['"abc".substring(4)', 'index out of range: 4'],
  ['"abc".indexOf("a", -1)', 'index out of range: -1'],
  ['[dyn("a"), dyn(1)].join()', 'join: invalid input: 1'],
  ['"%d".format([dyn("x")])', 'error during formatting: decimal clause can only be used on integers, was given string'],
  ['s.format([])', ''],
  ['"%z".format(x.list)', 'could not parse formatting clause: unrecognized formatting clause "z"'],
  ['"%.".format(x.list)', 'could not parse formatting clause: error while parsing precision: could not find end of precision specifier'],
  ['"%s %s".format(["a"].map(e, e))', 'index 1 out of range'],
  [
    '"%s".format([dyn(ip("::1"))])',
    'error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given net.IP',
  ],
  ['[].max() == 1', 'max called on empty list'],
  ['[9223372036854775807, 1].sum()', 'integer overflow'],
  ['[1, 2].slice(1, 3)', 'cannot slice(1, 3), list is length 2'],
  ['[1].slice(-1, 0)', 'cannot slice(-1, 0), negative indexes not supported'],
  ['[[1]].flatten(-1)', 'level must be non-negative'],
  ['lists.range(-1)', 'lists.range: size must be non-negative, got -1'],
  ['lists.range(1000001)', 'lists.range: size 1000001 exceeds maximum allowed (1000000)'],
  ['[dyn(1), dyn("a")].sort()', 'list elements must have the same type'],
  ['optional.none().value()', 'optional.none() dereference'],
  ['[dyn(optional.of(1)), dyn(1)].unwrapOpt()', 'value 1 is not optional'],
  ['"a".find(s + "(")', 'Illegal regex: error parsing regexp: missing closing ): `héllo 😀(`'],
  ['authorizer.path(" ")', 'path must not be empty'],
  ['authorizer.group("").resource("")', 'resource must not be empty'],
  ['authorizer.serviceAccount("a.b", "c")', 'Invalid service account namespace'],
  ['authorizer.serviceAccount("a", "C")', 'Invalid service account name'],
]
for (const [source, message] of fails)
  test(`${source} ${message === '' ? 'does not fail' : `fails: ${message}`}`, () => {
    const value = evaluate(source)
    assert.equal(value instanceof CelError ? value.message : '', message)
  })

const refused: [string, RegExp][] = [
  ['"%d".format(["x"])', /1:14: error during formatting: decimal clause can only be used on integers, was given string/],
  ['"%s".format(["a", "b"])', /1:12: too many arguments supplied to string.format \(expected 1, got 2\)/],
  ['"%s".format([])', /1:12: index 0 out of range/],
  ['"%".format([])', /unexpected end of string/],
  ['"%s".format([[ip("::1")]])', /1:17: error during formatting: string clause .*, was given net.IP/],
  ['"a".find("(")', /error parsing regexp: missing closing \): `\(`/],
  ['1.sortBy(e, e)', /sortBy can only be applied to a list, identifier, comprehension, call or select expression/],
  ['[1].sortBy(e.f, e)', /argument is not an identifier/],
]
for (const [source, message] of refused)
  test(`${source} does not compile`, () =>
    assert.throws(
      () => environment.compile(source),
      (error) => error instanceof CompileError && message.test(error.message),
    ))

test('checks ask the authorizer with all that was said', () => {
  asked.length = 0
  const source =
    'authorizer.group("").resource("pods").subresource("log").namespace("ns").name("p").fieldSelector("a=b").labelSelector("c in (").check("get").allowed()'
  assert.equal(evaluate(source), true)
  const user = { name: 'anna', groups: ['g'] }
  assert.deepEqual(asked, [
    {
      user,
      verb: 'get',
      group: '',
      resource: 'pods',
      subresource: 'log',
      namespace: 'ns',
      name: 'p',
      fieldSelector: { requirements: [{ field: 'a', operator: '=', value: 'b' }] },
      labelSelector: { error: "unable to parse requirement: found '', expected: ',', ')' or identifier" },
    },
  ])
})

test('decisions say why, and what went wrong', () => {
  assert.equal(evaluate('authorizer.path("/healthz").check("put").reason()'), 'asked put')
  assert.equal(evaluate('authorizer.path("/healthz").check("put").allowed()'), false)
  assert.equal(evaluate('authorizer.requestResource.check("fail").errored()'), true)
  assert.equal(evaluate('authorizer.requestResource.check("fail").error()'), 'no answer')
  assert.equal(evaluate('authorizer.requestResource.check("get").error()'), '')
})

test('service accounts are asked for by their own name', () => {
  asked.length = 0
  evaluate('authorizer.serviceAccount("ns", "sa").path("/x").check("get")')
  assert.deepEqual(asked, [
    { user: { name: 'system:serviceaccount:ns:sa', groups: ['system:serviceaccounts', 'system:serviceaccounts:ns'] }, verb: 'get', path: '/x' },
  ])
})

test('an expression may do two checks within the limit of Kubernetes, not three', () => {
  const program = environment.compile('["a", "b", "c"].all(v, !authorizer.path("/x").check(v).allowed())')
  const value = program.evaluate(variables, { cost: 1_000_000 }).value
  assert.equal(value instanceof CelError && value.message, 'operation cancelled: actual cost limit exceeded')
})

const costs: [string, number][] = [
  ['cidr("2001:db8::/32").containsCIDR("2001:db8::/48")', 7],
  // of a value of any type it is not known before whether it needs to be parsed
  ['cidr("10.0.0.0/16").containsCIDR(dyn("10.0.0.0/24"))', 5],
  ['"abc".find("[a-z]")', 2],
  ['["b", "a"].sort()', 19],
  ['authorizer.group("").resource("pods").fieldSelector("a=b,c=d")', 1 + 1 + 1 + 211],
]
for (const [source, cost] of costs) test(`${source} costs ${cost}`, () => assert.equal(environment.compile(source).evaluate(variables).cost, cost))

test('what grows beyond all limits ends before it fills the memory', () => {
  const long = 'x'.repeat(20_000)
  const { value } = kubernetesEnvironment({ variables: { s: types.string } })
    .compile('s.replace("", s).size()')
    .evaluate({ s: long })
  assert.equal(value instanceof CelError && value.message, 'operation cancelled: actual cost limit exceeded')
})

test('patterns that would be matched for minutes are not compiled', () => {
  const program = kubernetesEnvironment({ variables: { s: types.string } }).compile('s.matches(s) || s.find(s) == "" || true')
  const { value } = program.evaluate({ s: 'a'.repeat(100_000) }, { cost: 1_000_000 })
  assert.equal(value instanceof CelError && value.message, 'operation cancelled: actual cost limit exceeded')
})

test('lists that would be compared for minutes are not compared at all', () => {
  const program = kubernetesEnvironment().compile('lists.range(900000).distinct().size()')
  const { value } = program.evaluate({}, { cost: 1_000_000 })
  assert.equal(value instanceof CelError && value.message, 'operation cancelled: actual cost limit exceeded')
})
