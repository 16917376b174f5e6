import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '#base'
import { kubernetesEnvironment, types } from '#cel'
import { activation, compileExpression, evaluate, policyBudget } from './expressions.ts'

test('an evaluation that takes long ends between the steps of a comprehension, whatever it has cost', () => {
  let now = 0
  const clock = { ...manualClock(), monotonic: () => (now += 100) }
  const environment = kubernetesEnvironment({ variables: { numbers: types.list(types.int) } })
  const compiled = compileExpression(environment, 'lists.range(200).all(x, x >= 0)')
  const found = evaluate(compiled, activation({}, []), { left: policyBudget }, clock)
  assert.ok('error' in found)
  assert.equal(found.error, "expression 'lists.range(200).all(x, x >= 0)' resulted in error: operation interrupted")
})
