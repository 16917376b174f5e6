import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatFieldSelector, parseFieldSelector, parseLabelSelector, selectorFromLabelSelector, selectorFromLabels } from './selectors.ts'

const matching: [string, Record<string, string> | undefined, boolean][] = [
  ['', { a: 'b' }, true],
  ['', undefined, true],
  ['a=b', { a: 'b' }, true],
  ['a=b', { a: 'c' }, false],
  ['a=b', undefined, false],
  ['a==b, c!=d', { a: 'b' }, true],
  ['a!=b', undefined, true],
  ['a!=b', { a: 'b' }, false],
  ['a in (b,c)', { a: 'c' }, true],
  ['a in (b,c)', {}, false],
  ['a notin (b)', {}, true],
  ['a notin (b)', { a: 'b' }, false],
  ['a', { a: '' }, true],
  ['!a', { a: '' }, false],
  ['!a', { b: '' }, true],
  ['a=', { a: '' }, true],
  ['a=', {}, false],
  ['a in ()', { a: '' }, true],
  ['a in (,b)', { a: '' }, true],
  ['in in (in,notin)', { in: 'notin' }, true],
  ['a>5', { a: '10' }, true],
  ['a<5', { a: '10' }, false],
  ['a>5', { a: 'x' }, false],
  ['constructor', {}, false],
]
test('a label selector decides which labels match', () => {
  for (const [text, labels, want] of matching) assert.equal(parseLabelSelector(text).matches(labels), want, `${text} ${JSON.stringify(labels)}`)
})

test('a label selector is written in canonical form', () => {
  const forms: [string, string][] = [
    ['x in (foo,,baz),y,z notin ()', 'x in (,baz,foo),y,z notin ()'],
    ['b=1,a=2', 'a=2,b=1'],
    [' a == b , !c ', 'a==b,!c'],
    ['', ''],
  ]
  for (const [text, want] of forms) assert.equal(String(parseLabelSelector(text)), want)
})

test('a bad label selector is refused in upstream words', () => {
  const bad: [string, RegExp][] = [
    ['a=b,', /^found '', expected: identifier after ','$/],
    [',a', /^found ',', expected: !, identifier, or 'end of string'$/],
    ['a=(b)', /^unable to parse requirement: found '\(', expected: identifier$/],
    ['a in b', /^unable to parse requirement: found 'b' expected: '\('$/],
    ['a in (b', /^unable to parse requirement: found '', expected: ',' or '\)'$/],
    ['a b', /^unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt$/],
    ['-a=b', /^unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of/],
    ['a=-b', /^unable to parse requirement: values\[0\]\[a\]: Invalid value: "-b": a valid label must be an empty string or/],
  ]
  for (const [text, message] of bad) assert.throws(() => parseLabelSelector(text), { message }, text)
})

test('an absent LabelSelector selects nothing, an empty one everything', () => {
  assert.equal(selectorFromLabelSelector(undefined).matches({ a: 'b' }), false)
  assert.equal(selectorFromLabelSelector(null).empty, false)
  assert.equal(selectorFromLabelSelector({}).matches({ a: 'b' }), true)
  const both = selectorFromLabelSelector({ matchLabels: { a: 'b' }, matchExpressions: [{ key: 'c', operator: 'Exists' }] })
  assert.equal(both.matches({ a: 'b' }), false)
  assert.equal(both.matches({ a: 'b', c: '' }), true)
  assert.equal(String(both), 'a=b,c')
  assert.throws(() => selectorFromLabelSelector({ matchExpressions: [{ key: 'c', operator: 'Is' }] }), {
    message: '"Is" is not a valid label selector operator',
  })
  assert.equal(String(selectorFromLabels({ b: '1', a: '2' })), 'a=2,b=1')
})

test('a field selector becomes requirements', () => {
  assert.deepEqual(parseFieldSelector('metadata.name=a,status.phase!=Running,x==y'), [
    { field: 'metadata.name', operator: '=', value: 'a' },
    { field: 'status.phase', operator: '!=', value: 'Running' },
    { field: 'x', operator: '=', value: 'y' },
  ])
  assert.deepEqual(parseFieldSelector(''), [])
  assert.deepEqual(parseFieldSelector('a=b\\,c\\=d\\\\,e='), [
    { field: 'a', operator: '=', value: 'b,c=d\\' },
    { field: 'e', operator: '=', value: '' },
  ])
  assert.throws(() => parseFieldSelector('a'), { message: "invalid selector: 'a'; can't understand 'a'" })
  assert.throws(() => parseFieldSelector('a=b=c'), { message: 'invalid field selector: unescaped character in value: 61' })
  const text = 'a=b\\,c,d!=e'
  assert.equal(formatFieldSelector(parseFieldSelector(text)), text)
})
