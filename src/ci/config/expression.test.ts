import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evaluate, parseExpression, truthy } from './expression.ts'
import type { Scalar } from './tree.ts'

const values: Record<string, Scalar> = { foo: true, bar: false, 'pipeline.git.branch': 'main', 'pipeline.number': 7, 'pipeline.git.tag': '' }

function result(text: string): Scalar | string {
  const parsed = parseExpression(text)
  if (!parsed.ok) return `error: ${parsed.message}`
  const outcome = evaluate(parsed.value, (name) => values[name] ?? null)
  return outcome.ok ? outcome.value : `error: ${outcome.message}`
}

const rows: [text: string, expected: Scalar | RegExp][] = [
  ['pipeline.git.branch == "main"', true],
  ["pipeline.git.branch == 'main'", true],
  ['pipeline.git.branch != "main"', false],
  ['pipeline.number == 7', true],
  ['pipeline.number == "7"', false],
  ['pipeline.number != "7"', true],
  ['pipeline.number >= 7 and pipeline.number < 8', true],
  ['pipeline.number > -1.5', true],
  ['"hello world" starts-with "hello"', true],
  ['not foo and bar', false],
  ['not (foo and bar)', true],
  ['not not foo', true],
  ['foo or bar and bar', true],
  ['(foo or bar) and bar', false],
  ['true and not false', true],
  ['pipeline.git.tag', ''],
  ['pipeline.git.tag or bar', false],
  ['bar and 1 starts-with "x"', false],
  ['"a\\"b" == \'a"b\'', true],
  ['foo\n  and\n  foo', true],
  ['1 starts-with "x"', /"starts-with" compares texts/],
  ['foo < 1', /"<" compares numbers/],
  ['foo and', /ends too early/],
  ['', /ends too early/],
  ['foo = bar', /"=" is no operator/],
  ['foo && bar', /"&" is no operator/],
  ['(foo', /"\)" is missing/],
  ['foo bar', /"bar" is not expected here/],
  ['foo == "main', /has no end/],
  ['1 < 2 < 3', /"<" is not expected here/],
  ['not '.repeat(60) + 'foo', /may nest 50 levels/],
  [' '.repeat(5000), /may have 4096 characters/],
]

for (const [text, expected] of rows) {
  test(`${text.trim().slice(0, 60) || 'nothing'} is ${expected}`, () => {
    if (expected instanceof RegExp) assert.match(String(result(text)), expected)
    else assert.equal(result(text), expected)
  })
}

test('false, null, zero, not-a-number and the empty text are falsy', () => {
  for (const value of [false, null, 0, Number.NaN, '']) assert.equal(truthy(value), false)
  for (const value of [true, 1, -1, 'false', '0', ' ']) assert.equal(truthy(value), true)
})
