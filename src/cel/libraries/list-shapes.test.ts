import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kubernetesEnvironment } from '../kubernetes.ts'
import { CelError } from '../values.ts'

const evaluate = (source: string) => kubernetesEnvironment().compile(source).evaluate({}, { cost: 1_000_000 }).value

test('lists are flattened as deep as they are asked to be', () => {
  assert.equal(evaluate('[[1, 2], [3]].flatten() == [1, 2, 3] && [[[1]], [[2]]].flatten(2) == [1, 2]'), true)
})

test('a list that would be flattened into too many elements ends the evaluation', () => {
  const value = evaluate('lists.range(1000).map(x, lists.range(100000)).flatten().size()')
  assert.equal(value instanceof CelError ? value.message : value, 'operation cancelled: actual cost limit exceeded')
})
