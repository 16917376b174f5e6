import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Histories } from './history.ts'
import { violations } from './history.ts'
import { run } from './run.ts'

// `npm run linearizability` does the same for a thousand kills

test('a server that is killed again and again loses nothing, and shows nothing twice or too late', { timeout: 240_000 }, async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  const result = await run({ kills: 10, seed })
  t.diagnostic(`seed ${seed}: ${JSON.stringify({ ...result, violations: result.violations.length })}`)
  assert.deepEqual(result.violations.slice(0, 5), [])
  assert.ok(result.writes > 10 && result.reads > 10 && result.watchEvents > 10, JSON.stringify(result))
})

test('a store that acknowledges before it is durable is found out', { timeout: 240_000 }, async () => {
  const { violations: found } = await run({ kills: 60, seed: 1, bug: 'acknowledges-early' })
  assert.match(found.join('\n'), /is lost|was acknowledged for/)
})

test('a watch that loses an event is found out', { timeout: 240_000 }, async () => {
  const { violations: found } = await run({ kills: 60, seed: 1, bug: 'resumes-with-gap' })
  assert.match(found.join('\n'), /misses revision|shows|is told|was based on/)
})

const durable = [
  { key: 'a', revision: 1, value: 'v1' },
  { key: 'a', revision: 2, value: 'v2' },
  { key: 'b', revision: 3, value: 'v3' },
  { key: 'a', revision: 4, value: undefined },
]
const write = (revision: number, value: string, key: string, start: number, basedOn = 0) =>
  ({ type: 'write', outcome: 'acknowledged', key, revision, value, basedOn, start, end: start + 1 }) as const
const cases: [string, Partial<Histories>, RegExp | undefined][] = [
  [
    'nothing is wrong with what happened',
    { operations: [write(1, 'v1', 'a', 1), write(2, 'v2', 'a', 3, 1), write(3, 'v3', 'b', 5)], watches: [{ from: 1, events: durable.slice(1) }] },
    undefined,
  ],
  ['a lost write', { operations: [write(9, 'v9', 'a', 1)] }, /acknowledged write of a at revision 9 is lost/],
  ['a lost deletion', { operations: [{ ...write(0, 'v', 'b', 1, 3), value: undefined }] }, /acknowledged deletion of b/],
  ['writes out of real time', { operations: [write(2, 'v2', 'a', 1, 1), write(1, 'v1', 'a', 5)] }, /a write shows revision 1 after 2/],
  ['an update of what was not current', { operations: [write(2, 'v2', 'a', 1, 0)] }, /based on 0, though 1 was current/],
  [
    'a stale read',
    { operations: [write(1, 'v1', 'a', 1), write(2, 'v2', 'a', 3, 1), { type: 'read', key: 'a', start: 5, end: 6, revision: 1, value: 'v1' }] },
    /shows revision 1, though 2 was acknowledged/,
  ],
  [
    'a read of nothing',
    { operations: [write(3, 'v3', 'b', 1), { type: 'read', key: 'b', start: 5, end: 6, revision: 0, value: undefined }] },
    /finds nothing/,
  ],
  [
    'a list of two moments',
    { operations: [{ type: 'list', start: 1, end: 2, revision: 3, items: [{ key: 'a', revision: 1, value: 'v1' }] }] },
    /shows a at 1, not at 2/,
  ],
  ['a gap in a watch', { watches: [{ from: 0, events: [durable[0]!, durable[2]!] }] }, /misses revision 2/],
  ['a repetition in a watch', { watches: [{ from: 0, events: [durable[0]!, durable[1]!, durable[1]!] }] }, /is told 2 after 2/],
]
for (const [name, histories, expected] of cases)
  test(`the checker: ${name}`, () => {
    const found = violations({ operations: [], watches: [], durable, ...histories })
    if (expected) assert.match(found.join('\n'), expected)
    else assert.deepEqual(found, [])
  })
