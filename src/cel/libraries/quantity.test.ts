import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CelError, type Value } from '../values.ts'
import { caller } from './caller.ts'
import { quantity, quantityOf } from './quantity.ts'

const call = caller(quantity)
const q = (text: string): Value => quantityOf(text)
const text = (value: Value) => (value instanceof CelError ? `error: ${value.message}` : String(value))

const wrong = {
  '10,000': "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  Three: "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  '': "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  '200K': "unable to parse quantity's suffix",
}
for (const [given, message] of Object.entries(wrong))
  test(`${JSON.stringify(given)} is no quantity`, () => {
    assert.equal(text(q(given)), `error: ${message}`)
    assert.equal(call('is_quantity_string', given), false)
  })

const integers: [string, bigint | undefined][] = [
  ['50k', 50_000n],
  ['-5', -5n],
  ['1Ki', 1024n],
  ['0', 0n],
  // what is written with a fraction is none, whatever it comes to
  ['1000m', undefined],
  ['1.0', undefined],
  ['1.5Gi', undefined],
  ['9999999999999999999999999999999999999G', undefined],
  ['10E', undefined],
]
for (const [given, expected] of integers)
  test(`${given} ${expected === undefined ? 'is no integer' : `is the integer ${expected}`}`, () => {
    assert.equal(call('quantity_is_integer', q(given)), expected !== undefined)
    const got = call('quantity_get_int', q(given))
    if (expected === undefined) assert.equal(text(got), 'error: cannot convert value to integer')
    else assert.equal(got, expected)
  })

const floats: [string, number][] = [
  ['1.5', 1.5],
  ['50k', 50_000],
  // three times a tenth, as upstream computes it
  ['0.3', 0.30000000000000004],
  ['1.5Gi', 1_610_612_736],
  ['1e400', Infinity],
  ['-1e400', -Infinity],
  ['9223372036854775807', 9_223_372_036_854_776_000],
  // binary units end where 64 bits do
  ['8Ei', 9_223_372_036_854_776_000],
]
for (const [given, expected] of floats) test(`${given} is about ${expected}`, () => assert.equal(call('quantity_get_float', q(given)), expected))

const sums: [string, Value, string, string][] = [
  ['50k', q('20k'), '70k', '30k'],
  ['50k', 20_000n, '70k', '30k'],
  ['0', q('1Gi'), '1Gi', '-1Gi'],
  ['1Ki', q('1.5'), '1025500m', '1022500m'],
  ['9223372036854775807', 1n, '9223372036854775808', '9223372036854775806'],
  ['1e30', q('1'), '1000000000000000000000000000001', '999999999999999999999999999999'],
]
for (const [a, b, sum, difference] of sums)
  test(`${a} and ${String(b)} are ${sum}, and without it ${difference}`, () => {
    const id = typeof b === 'bigint' ? '_int' : ''
    assert.equal(String(call(`quantity_add${id}`, q(a), b)), sum)
    assert.equal(String(call(`quantity_sub${id}`, q(a), b)), difference)
  })

const orders: [string, string, bigint][] = [
  ['200M', '0.2G', 0n],
  ['50M', '50Mi', -1n],
  ['50Mi', '50M', 1n],
  ['-1', '1m', -1n],
  ['1e100', '1e99', 1n],
]
for (const [a, b, order] of orders)
  test(`${a} is ${['less than', 'equal to', 'more than'][Number(order) + 1]} ${b}`, () => {
    assert.equal(call('quantity_compare_to', q(a), q(b)), order)
    assert.equal(call('quantity_is_less_than', q(a), q(b)), order < 0n)
    assert.equal(call('quantity_is_greater_than', q(a), q(b)), order > 0n)
  })

test('what does not fit into 64 bits keeps the precision that it was written with', () => {
  const sum = call('quantity_sub', q('9223372036854775807'), q('-3k'))
  assert.equal(call('quantity_get_float', sum), 9_223_372_036_854_780_000)
})

test('signs are -1, 0 and 1', () =>
  assert.deepEqual(
    ['-5m', '0', '5Gi'].map((given) => call('quantity_sign', q(given))),
    [-1n, 0n, 1n],
  ))

test('parsing costs by the length of the text, all else one', () => {
  assert.equal(call.cost('string_to_quantity', '12345678901'), 2)
  assert.equal(call.cost('quantity_add', q('1'), q('2')), 1)
})
