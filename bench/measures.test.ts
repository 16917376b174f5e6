import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge, median, percentile } from './measures.ts'

const rate = { id: 'get', title: 'GET', unit: '/s', target: { times: 10 }, recorded: 100 } as const
const time = { id: 'ready', title: 'start', unit: 'ms', target: { atMost: 1000 }, recorded: 6500 } as const

const rows = [
  {
    name: 'a rate is compared with the reference of the same run',
    row: judge(rate, [200, 100, 300], [2500]),
    ratio: 12.5,
    from: 'measured',
    met: true,
  },
  { name: 'a rate that is below its multiple misses the target', row: judge(rate, [200], [1999]), ratio: 9.995, from: 'measured', met: false },
  { name: 'without a reference the recorded number stands for it', row: judge(rate, [], [1000]), ratio: 10, from: 'recorded', met: true },
  {
    name: 'a duration is judged by itself; its ratio says how many times shorter it is',
    row: judge(time, [6000], [600]),
    ratio: 10,
    from: 'measured',
    met: true,
  },
  { name: 'a duration above its limit misses the target', row: judge(time, [], [1001]), ratio: 6500 / 1001, from: 'recorded', met: false },
  { name: 'what was not measured is not judged', row: judge(time, [6000], []), ratio: null, from: 'measured', met: null },
]

for (const { name, row, ratio, from, met } of rows)
  test(name, () => {
    assert.deepEqual([row.ratio, row.referenceFrom, row.met], [ratio, from, met])
  })

test('a median of an even number of runs lies between the middle two', () => {
  assert.equal(median([4, 1, 3, 2]), 2.5)
  assert.equal(median([]), null)
})

test('a percentile is a value that was measured', () => {
  const values = Array.from({ length: 100 }, (_, i) => i + 1)
  assert.equal(percentile(values, 0.5), 50)
  assert.equal(percentile(values, 0.99), 99)
  assert.equal(percentile([7], 0.99), 7)
})
