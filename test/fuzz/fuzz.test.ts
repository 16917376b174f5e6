import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzExpressions } from './expressions.ts'
import { targets } from './requests.ts'
import { fuzz } from './run.ts'

// a little of what `npm run fuzz` does for as long as it is given; what a request costs depends on what else the machine does, and is for it to judge
for (const target of Object.keys(targets))
  test(`random ${target} are answered`, async (t) => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    const result = await fuzz({ target, seed, requests: 300 })
    t.diagnostic(`seed ${seed}: ${JSON.stringify(result.statuses)}, slowest ${result.slowest.toFixed(0)} ms`)
    assert.deepEqual(
      result.problems.filter((problem) => !/^\d+ (ms|MB)/.test(problem)),
      [],
    )
  })

test('random expressions have an outcome', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  const result = await fuzzExpressions({ seed, requests: 500 })
  t.diagnostic(`seed ${seed}: ${JSON.stringify(result.statuses)}, slowest ${result.slowest.toFixed(0)} ms`)
  assert.deepEqual(
    result.problems.filter((problem) => !/^\d+ (ms|MB)/.test(problem)),
    [],
  )
})
