// The same expressions to Kubernetes' environment of CEL (reference-1.36/cel/main.go) and to ours: recorded/cel/ has what it answered.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CelDeviation } from './deviations.ts'
import { deviations } from './deviations.ts'
import { topics } from './expressions/index.ts'
import { judge } from './judge.ts'
import { ours } from './ours.ts'
import { readRecorded } from './recorded.ts'

const needed = new Set<CelDeviation>()

for (const name of Object.keys(topics))
  test(`${name}: expressions compile, evaluate and cost as in 1.36, apart from deviations with a reason`, () => {
    const unexplained: Record<string, string[]> = {}
    for (const [expression, theirs] of readRecorded(name)) {
      const verdict = judge(expression, ours(expression), theirs)
      for (const deviation of verdict.needed) needed.add(deviation)
      if (verdict.unexplained.length > 0) unexplained[expression] = verdict.unexplained
    }
    assert.deepEqual(unexplained, {})
  })

test('every listed deviation is still one', () => {
  assert.deepEqual(
    deviations.filter((deviation) => !needed.has(deviation)),
    [],
  )
})
