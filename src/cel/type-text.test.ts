import { test } from 'node:test'
import assert from 'node:assert/strict'
import { printType, sameType } from './type-text.ts'
import { types } from './types.ts'

test('types are printed by their names at run time', () => {
  const rows = [
    [types.bool, 'bool'],
    [types.null, 'null_type'],
    [types.timestamp, 'google.protobuf.Timestamp'],
    [types.map(types.string, types.list(types.dyn)), 'map(string, list(dyn))'],
    [types.optional(types.int), 'optional_type(int)'],
    [types.object('Object.spec'), 'Object.spec'],
  ] as const
  for (const [type, text] of rows) assert.equal(printType(type), text)
})

test('a type is the same as another when all of its parts are', () => {
  assert.ok(sameType(types.list(types.object('JSONPatch')), types.list(types.object('JSONPatch'))))
  assert.ok(!sameType(types.list(types.dyn), types.list(types.object('JSONPatch'))))
  assert.ok(!sameType(types.dyn, types.bool))
})
