import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  addQuantity,
  approximateValue,
  canonicalQuantity,
  compareQuantity,
  formatQuantity,
  milliValue,
  parseQuantity,
  quantityOf,
  quantityValue,
  subQuantity,
} from './quantity.ts'

// As upstream answers them.
const canonical: [string | number, string][] = [
  ['0', '0'],
  ['0Mi', '0'],
  ['-0', '0'],
  ['1', '1'],
  [2, '2'],
  [0.5, '500m'],
  ['0.5', '500m'],
  ['1.5', '1500m'],
  ['1000m', '1'],
  ['1500m', '1500m'],
  ['100m', '100m'],
  ['1024Mi', '1Gi'],
  ['1536Mi', '1536Mi'],
  ['1.5Gi', '1536Mi'],
  ['0.5Ki', '512'],
  ['0.1Gi', '107374182400m'],
  ['1000k', '1M'],
  ['1000000', '1M'],
  ['128974848', '128974848'],
  ['129e6', '129e6'],
  ['1e3', '1e3'],
  ['1E3', '1E3'],
  ['100e1', '1e3'],
  ['1e2', '100'],
  ['12E', '12E'],
  ['123.456m', '123.456m'],
  ['0.456m', '456u'],
  ['0.0000000001', '1n'],
  ['-1.5', '-1500m'],
  ['.5', '500m'],
  ['5.', '5.'],
  ['1.500', '1.500'],
  ['8Ei', '9223372036854775807'],
]
test('quantities are written in canonical form', () => {
  for (const [text, want] of canonical) assert.equal(canonicalQuantity(text), want, String(text))
})

test('bad quantities are refused in upstream words', () => {
  for (const text of ['', 'abc', '1 Gi', '1Gi ', '1.2.3', '0x10'])
    assert.throws(() => parseQuantity(text), { message: /^quantities must match the regular expression/ }, text)
  for (const text of ['1GM', '1mi', '1ki', '1K', '1ee5', '1E+', '--1'])
    assert.throws(() => parseQuantity(text), { message: "unable to parse quantity's suffix" }, text)
  assert.throws(() => parseQuantity('1e99999999'), { message: 'unable to parse numeric part of quantity' })
})

test('values round away from zero', () => {
  assert.equal(quantityValue('1500m'), 2)
  assert.equal(quantityValue('1Ki'), 1024)
  assert.equal(quantityValue('-1500m'), -2)
  assert.equal(milliValue('0.1'), 100)
  assert.equal(milliValue('100u'), 1)
  assert.equal(milliValue('2'), 2000)
  assert.equal(approximateValue('250m'), 0.25)
})

test('arithmetic keeps the format of what it starts from', () => {
  assert.equal(formatQuantity(addQuantity('1Gi', '512Mi')), '1536Mi')
  assert.equal(formatQuantity(addQuantity('0', '512Mi')), '512Mi')
  assert.equal(formatQuantity(subQuantity('1', '250m')), '750m')
  assert.equal(formatQuantity(addQuantity(quantityOf(0), '1Gi')), '1Gi')
  assert.ok(compareQuantity('1Gi', '1G') > 0)
  assert.equal(compareQuantity('1000m', '1'), 0)
  assert.ok(compareQuantity('999m', '1') < 0)
})

test('a canonical quantity reads back as the same value and stays as it is', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1e9, max: 1e9 }),
      fc.constantFrom('n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'Ki', 'Mi', 'Gi', 'e3', 'e-3', 'e6'),
      (n, suffix) => {
        const once = canonicalQuantity(`${n}${suffix}`)
        assert.equal(canonicalQuantity(once), once)
        assert.equal(compareQuantity(once, `${n}${suffix}`), 0)
      },
    ),
  )
})
