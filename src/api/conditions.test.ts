import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConditionLike } from './conditions.ts'
import { isConditionTrue, withCondition } from './conditions.ts'

test('a condition is added, changed with its time, and left alone when the same', () => {
  const first = withCondition<ConditionLike>(undefined, { type: 'Ready', status: 'False' }, 't1')
  assert.deepEqual(first, [{ type: 'Ready', status: 'False', lastTransitionTime: 't1' }])
  assert.equal(withCondition<ConditionLike>(first, { type: 'Ready', status: 'False' }, 't2'), first)
  const reason = withCondition<ConditionLike>(first, { type: 'Ready', status: 'False', reason: 'Why' }, 't2')
  assert.deepEqual(reason, [{ type: 'Ready', status: 'False', lastTransitionTime: 't1', reason: 'Why' }])
  const changed = withCondition<ConditionLike>(reason, { type: 'Ready', status: 'True', reason: 'Why' }, 't3')
  assert.equal(changed[0]?.lastTransitionTime, 't3')
  assert.equal(isConditionTrue(changed, 'Ready'), true)
  assert.equal(isConditionTrue(changed, 'Other'), false)
})
