import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LevelDemand } from './borrowing.ts'
import { divide, lendSeats, smoothed } from './borrowing.ts'
import { SeatDemand } from './demand.ts'
import { RetryAfter } from './retry-after.ts'

test('what is wanted is integrated over time', () => {
  const demand = new SeatDemand(1000)
  demand.add(4, 1000)
  demand.add(-4, 1500)
  demand.add(2, 1500)
  assert.deepEqual(demand.take(2000), { duration: 1000, average: 3, deviation: 1, highest: 4 })
  // what still goes on counts from the beginning of the next stretch
  assert.deepEqual(demand.take(2500), { duration: 500, average: 2, deviation: 0, highest: 2 })
  assert.deepEqual(demand.take(2500), { duration: 0, average: 0, deviation: 0, highest: 2 })
})

test('a demand rises at once and falls slowly', () => {
  assert.equal(smoothed(10, 30, 5), 35)
  assert.ok(Math.abs(smoothed(100, 0, 0) - 97.7) < 1e-9)
})

test('a sum is divided by targets within bounds', async (context) => {
  const rows: [string, number, [target: number, least: number, most: number][], number[] | undefined][] = [
    [
      'by targets alone',
      12,
      [
        [1, 0, 20],
        [3, 0, 20],
      ],
      [3, 9],
    ],
    [
      'somebody has enough',
      10,
      [
        [2, 0, 20],
        [6, 0, 5],
      ],
      [5, 5],
    ],
    [
      'somebody must have more',
      10,
      [
        [9, 0, 20],
        [1, 4, 20],
      ],
      [6, 4],
    ],
    [
      'nobody wants anything',
      10,
      [
        [0, 0, 20],
        [0, 0, 20],
      ],
      [5, 5],
    ],
    [
      'all have the least',
      9,
      [
        [5, 5, 20],
        [4, 4, 20],
      ],
      [5, 4],
    ],
    [
      'all have the most',
      25,
      [
        [1, 0, 20],
        [1, 0, 5],
      ],
      [20, 5],
    ],
    [
      'too little',
      8,
      [
        [5, 5, 20],
        [4, 4, 20],
      ],
      undefined,
    ],
    [
      'too much',
      26,
      [
        [1, 0, 20],
        [1, 0, 5],
      ],
      undefined,
    ],
  ]
  for (const [name, sum, shares, expected] of rows)
    await context.test(name, () => {
      const divided = divide(
        sum,
        shares.map(([target, least, most]) => ({ target, least, most })),
      )
      assert.deepEqual(
        divided?.shares.map((n) => Math.round(n * 1e6) / 1e6),
        expected,
      )
    })
})

test('seats are lent as the documentation has it', async (context) => {
  const level = (nominal: number, min: number, highest: number, smoothed: number, exempt = false): LevelDemand => ({
    exempt,
    limits: { nominal, min, max: nominal + 100 },
    highest,
    smoothed,
    current: nominal,
  })
  const rows: [string, LevelDemand[], number[]][] = [
    ['who wants nothing lends what he may', [level(50, 10, 0, 0), level(50, 50, 90, 90)], [10, 90]],
    ['what was used of the own share is kept', [level(50, 10, 30, 20), level(50, 50, 90, 90)], [30, 70]],
    ['nobody keeps more than his share against his will', [level(50, 10, 80, 80), level(50, 50, 90, 90)], [50, 50]],
    ['exempt levels take what they used', [level(0, 0, 70, 0, true), level(50, 10, 50, 50), level(50, 10, 0, 0)], [70, 20, 10]],
    ['and leave the least to others', [level(0, 0, 200, 0, true), level(50, 10, 50, 50), level(50, 10, 0, 0)], [200, 10, 10]],
  ]
  for (const [name, levels, expected] of rows) await context.test(name, () => assert.deepEqual(lendSeats(levels).current, expected))
})

test('clients are told to stay away for longer while many are sent away', () => {
  const retry = new RetryAfter()
  const during = (second: number, count: number) => {
    for (let i = 0; i < count; i++) retry.record(second * 1000 + i)
  }
  assert.equal(retry.seconds, 1)
  const seen: number[] = []
  for (let second = 100; second < 120; second++) {
    during(second, 10)
    seen.push(retry.seconds)
  }
  assert.deepEqual(seen.slice(0, 8), [1, 2, 2, 4, 4, 4, 4, 8])
  for (let second = 200; second < 260; second += 40) during(second, 1)
  assert.ok(retry.seconds < seen.at(-1)!)
})
