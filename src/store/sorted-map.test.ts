import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SortedMap } from './sorted-map.ts'

const order = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
const key = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', '/', '-'), maxLength: 4 }),
  fc.string({ unit: fc.constantFrom('a', '\u{1f600}', '\uffee'), maxLength: 3 }),
)

test('a sorted map agrees with a sorted array after any insertions and deletions', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), key), { maxLength: 400 }),
      fc.array(key),
      key,
      fc.option(key, { nil: undefined }),
      (changes, initial, prefix, after) => {
        const model = new Map(initial.map((k) => [k, -1]))
        const map = SortedMap.from(model)
        for (const [i, [put, k]] of changes.entries()) {
          if (put) {
            map.set(k, i)
            model.set(k, i)
          } else assert.equal(map.delete(k), model.delete(k))
        }
        for (const k of [prefix, ...initial]) assert.equal(map.get(k), model.get(k))
        assert.equal(map.size, model.size)
        const expected = [...model]
          .filter(([k]) => k.startsWith(prefix) && (after === undefined || order(k, after) > 0))
          .sort(([a], [b]) => order(a, b))
        const found: [string, number][] = []
        map.walk(prefix, after, (k, v) => found.push([k, v]) > 0)
        assert.deepEqual(found, expected)
        assert.equal(map.count(prefix, after), expected.length)
      },
    ),
    { seed: 7, numRuns: 300 },
  )
})

test('many keys are split over chunks and stay in order', () => {
  const map = new SortedMap<number>()
  for (let i = 0; i < 5000; i++) map.set(String((i * 7919) % 5000).padStart(5, '0'), i)
  const keys: string[] = []
  map.walk('', undefined, (k) => keys.push(k) > 0)
  assert.deepEqual(
    keys,
    Array.from({ length: 5000 }, (_, i) => String(i).padStart(5, '0')),
  )
  assert.equal(map.count('01'), 1000)
  assert.equal(map.count('01', '01499'), 500)
  for (const k of keys) assert.ok(map.delete(k))
  assert.equal(map.size, 0)
  assert.equal(map.count(''), 0)
})
