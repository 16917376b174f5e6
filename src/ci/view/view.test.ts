import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogRecord } from '../agent/plan.ts'
import { createLogText } from './log-text.ts'

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
