import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '#base'
import { TransportError } from '#client'
import type { LogRecord } from '../agent/plan.ts'
import { createLogText } from './log-text.ts'
import { patiently, resuming } from './resume.ts'

const records: LogRecord[] = [
  { t: 0, s: 0, e: 'start', name: 'Checkout' },
  { t: 1, s: 0, e: 'end', phase: 'Succeeded' },
  { t: 2, s: 1, e: 'start', name: 'Run tests', file: '.circleci/config.yml', line: 14, command: 'make test' },
  { t: 3, s: 1, d: 'one\ntw' },
  { t: 4, s: 1, d: 'o\n10%\r50%\r100%\nlast' },
  { t: 5, s: 1, e: 'end', phase: 'Failed', code: 2 },
  { t: 6, s: 2, e: 'start', name: 'Deploy' },
  { t: 6, s: 2, e: 'end', phase: 'Skipped' },
]
const bytes = Buffer.from(records.map((r) => `${JSON.stringify(r)}\n`).join(''))

test('a log is shown step by step, with its place, its lines, and why it failed', () => {
  const expected = [
    'test | ==> Checkout',
    'test | ==> Run tests  (.circleci/config.yml:14)',
    'test | one',
    'test | two',
    'test | 100%',
    'test | last',
    'test | <== Failed: exit code 2',
    'test | ==> Deploy',
    '',
  ].join('\n')
  for (const size of [1, 3, 1000]) {
    const text = createLogText({ prefix: 'test | ' })
    let shown = ''
    for (let at = 0; at < bytes.length; at += size) shown += text.push(bytes.subarray(at, at + size))
    assert.equal(shown + text.end(), expected)
  }
})

test('one step alone can be shown', () => {
  const text = createLogText({ only: (step) => step === 1 })
  assert.match(text.push(bytes), /^==> Run tests.*\n(.*\n)*<== Failed: exit code 2\n$/)
})

test('letters that come in two pieces stay whole', () => {
  const line = Buffer.from(`${JSON.stringify({ t: 0, s: 0, d: 'grün\n' })}\n`)
  const text = createLogText()
  const at = line.indexOf(0xc3) + 1
  assert.equal(text.push(line.subarray(0, at)) + text.push(line.subarray(at)), 'grün\n')
})

test('a log that broke off goes on where it did', async () => {
  const all = Buffer.from('abcdefghij')
  const asked: number[] = []
  let tries = 0
  const read = (offset: number) => {
    asked.push(offset)
    tries++
    if (tries === 2) return Promise.reject(new TransportError('away'))
    return Promise.resolve(
      (async function* () {
        yield all.subarray(offset, offset + 3)
        if (tries < 4) throw new TransportError('cut')
        yield all.subarray(offset + 3)
      })(),
    )
  }
  const clock = { ...manualClock(), sleep: () => Promise.resolve() }
  let text = ''
  for await (const chunk of resuming(read, { clock })) text += Buffer.from(chunk).toString()
  assert.equal(text, 'abcdefghij')
  assert.deepEqual(asked, [0, 3, 3, 6])
})

test('patience has an end, and an answer is an answer', async () => {
  const base = manualClock()
  let elapsed = 0
  const clock = { ...base, monotonic: () => elapsed, sleep: (ms: number) => ((elapsed += ms), Promise.resolve()) }
  await assert.rejects(
    patiently(() => Promise.reject(new TransportError('away')), { clock, patience: 5000 }),
    /away/,
  )
  assert.ok(elapsed > 2000 && elapsed <= 5000)
  let tries = 0
  await assert.rejects(
    patiently(() => (tries++, Promise.reject(new Error('no'))), { clock }),
    /no/,
  )
  assert.equal(tries, 1)
})
