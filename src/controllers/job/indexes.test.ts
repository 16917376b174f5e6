import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatIndexes, parseIndexes } from './indexes.ts'

for (const [indexes, text] of [
  [[], ''],
  [[3], '3'],
  [[0, 1], '0,1'],
  [[0, 1, 2, 5, 7, 8, 9], '0-2,5,7-9'],
] as const)
  test(`indexes [${indexes.join()}] are written "${text}"`, () => {
    assert.equal(formatIndexes(indexes), text)
    assert.deepEqual(parseIndexes(text), indexes)
  })
