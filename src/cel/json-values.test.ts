import { test } from 'node:test'
import assert from 'node:assert/strict'
import { jsonValue, toJson } from './json-values.ts'
import { equal } from './values/equality.ts'
import { type CelType, types } from './types.ts'
import { CelError, Duration, List, MapValue, Timestamp, Uint } from './values.ts'

test('JSON is looked at where it lies', () => {
  const value = jsonValue({ n: 3, half: 0.5, list: [1, 'a', null], gone: undefined, nothing: null }) as MapValue
  assert.equal(value.get('n'), 3n)
  assert.equal(value.get('half'), 0.5)
  assert.equal(value.get('gone'), undefined)
  assert.equal(value.get('nothing'), null)
  assert.equal(value.get('toString'), undefined)
  assert.equal(value.size, 4)
  assert.deepEqual([...value.keys()], ['n', 'half', 'list', 'nothing'])
  const list = value.get('list') as List
  assert.equal(list.length, 3)
  assert.equal(list.at(1), 'a')
})

test('values have JSON forms', () => {
  const source = { a: [1, { b: true }] }
  assert.deepEqual(toJson(jsonValue(source)), source)
  assert.equal(toJson(5n), 5)
  assert.equal(toJson(9007199254740993n), '9007199254740993')
  assert.equal(toJson(new Uint(7n)), 7)
  assert.equal(toJson(new TextEncoder().encode('hi')), 'aGk=')
  assert.equal(toJson(new Timestamp(1_500_000_000n)), '1970-01-01T00:00:01.5Z')
  assert.equal(toJson(new Duration(-90_000_000_000n)), '-90s')
})

test('a declared type decides what a number or a text is', () => {
  const fields: Record<string, CelType> = { whole: types.int, real: types.double, when: types.timestamp, data: types.bytes, any: types.dyn }
  const provider = { has: () => true, field: (_: string, field: string) => fields[field], fields: () => Object.keys(fields) }
  const source = { whole: 1, real: 1, when: '1970-01-01T00:00:01Z', data: 'aGk=', any: 2, unknown: 3, nothing: null }
  const value = jsonValue(source, types.object('T'), { provider }) as MapValue
  assert.equal(value.get('whole'), 1n)
  assert.equal(value.get('real'), 1)
  assert.deepEqual(value.get('when'), new Timestamp(1_000_000_000n))
  assert.deepEqual(value.get('data'), new TextEncoder().encode('hi'))
  assert.equal(value.get('any'), 2n)
  assert.equal(value.get('unknown'), undefined)
  assert.deepEqual(jsonValue('x', types.int), new CelError('invalid data, expected int, got string'))
})

test('JSON is compared as it lies, what is no JSON by its values', () => {
  const same = (a: unknown, b: unknown) => equal(jsonValue(a), jsonValue(b))
  assert.equal(same({ a: [1, { b: null }] }, { a: [1, { b: null }] }), true)
  assert.equal(same({ a: 1, gone: undefined }, { a: 1 }), true)
  assert.equal(same({ a: 1 }, { a: 1, b: undefined, c: 2 }), false)
  assert.equal(same({ a: null }, {}), false)
  assert.equal(same([1, [2]], [1, [3]]), false)
  assert.equal(same([[]], [{}]), false)
  assert.equal(same({ a: 1 }, { a: 1n }), true)
  assert.equal(same({ a: new Timestamp(1n) }, { a: new Timestamp(1n, 3600) }), true)
  assert.equal(same({ a: new Timestamp(1n) }, { a: 'x' }), false)
})
