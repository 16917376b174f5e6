import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '#base'
import type { Ledger } from './ledger.ts'
import { Pool } from './pool.ts'
import { portRange } from './ranges.ts'

const owner = { uid: 'u', namespace: 'default', name: 'n', at: 0 }

/** A ledger over `taken`, of which this server knows what is in `known`. */
function ledger(taken: Set<string>, known: Set<string>, looked: (text: string) => void = () => {}): Ledger {
  return {
    async create(text) {
      if (taken.has(text)) return false
      taken.add(text)
      return true
    },
    async has(text) {
      looked(text)
      return taken.has(text)
    },
    knows: (text) => known.has(text),
    async release(text) {
      taken.delete(text)
    },
  }
}

const numbers = ['1', '2', '3', '4', '5', '6', '7', '8']
const range = portRange(1, 8)
const pool = (of: Ledger, seed: number) => new Pool({ ledger: of, ranges: () => [range], text: String, random: seededRandom(seed) })

for (const seed of [1, 2, 3, 4])
  test(`a number that another server gave back is found, whenever that becomes known (from place ${seed} on)`, async () => {
    for (const free of numbers)
      for (const when of numbers) {
        const [taken, known] = [new Set(numbers), new Set(numbers)]
        taken.delete(free)
        const of = ledger(taken, known, (text) => text === when && known.delete(free))
        assert.equal(await pool(of, seed).takeAny(owner), free)
      }
  })

test('what is taken is not given away, known or not', async () => {
  const of = ledger(new Set(numbers), new Set(['1', '2']))
  assert.equal(await pool(of, 1).takeAny(owner), undefined)
})

test('a dry run answers with what is not known to be taken', () => {
  const of = ledger(new Set(numbers), new Set(numbers.filter((number) => number !== '6')))
  assert.equal(pool(of, 1).peek(), '6')
  assert.equal(pool(ledger(new Set(), new Set(numbers)), 1).peek(), undefined)
})
