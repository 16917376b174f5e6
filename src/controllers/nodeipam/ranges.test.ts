import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blocks, firstFree } from './ranges.ts'

test('a range is cut into blocks in order', () => {
  assert.deepEqual([...blocks({ cidr: '10.244.0.0/22', blockBits: 24 })], ['10.244.0.0/24', '10.244.1.0/24', '10.244.2.0/24', '10.244.3.0/24'])
  assert.deepEqual([...blocks({ cidr: 'fd00:10:244::/63', blockBits: 64 })], ['fd00:10:244::/64', 'fd00:10:244:1::/64'])
  assert.deepEqual([...blocks({ cidr: 'fd00::/127', blockBits: 128 })], ['fd00::/128', 'fd00::1/128'])
  assert.throws(() => [...blocks({ cidr: '10.0.0.0/24', blockBits: 16 })], RangeError)
})

test('the first block that nobody overlaps is given out', () => {
  const range = { cidr: '10.244.0.0/16', blockBits: 24 }
  assert.equal(firstFree(range, []), '10.244.0.0/24')
  assert.equal(firstFree(range, ['10.244.0.0/24', '10.244.2.0/24']), '10.244.1.0/24')
  assert.equal(firstFree(range, ['10.244.0.0/23']), '10.244.2.0/24')
  assert.equal(firstFree({ cidr: '10.0.0.0/24', blockBits: 25 }, ['10.0.0.0/25', '10.0.0.128/25']), undefined)
})
