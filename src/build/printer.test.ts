import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import type { BuildEvent } from './events.ts'
import { buildPrinter, seconds } from './printer.ts'

const total = 2
const long = `RUN ${'x'.repeat(100)}`
const events: BuildEvent[] = [
  { type: 'note', text: 'making debian' },
  { type: 'step', index: 1, total, text: 'FROM debian' },
  { type: 'stepDone', index: 1, total, text: 'FROM debian', cached: true, milliseconds: 3 },
  { type: 'step', index: 2, total, text: long },
  { type: 'output', line: 'hello' },
  { type: 'stepDone', index: 2, total, text: long, cached: false, milliseconds: 12_345 },
]

const printed = (terminal: boolean): string => {
  let text = ''
  const report = buildPrinter({ write: (more) => (text += more), terminal, columns: 40 })
  for (const event of events) report(event)
  return text
}

test('without a terminal every line stays, whole', () => {
  assert.equal(printed(false), `making debian\n[1/2] FROM debian\n  cached\n[2/2] ${long}\n  hello\n  done in 12 s\n`)
})

test('a terminal keeps one ticked line for each step, no longer than it is wide', () => {
  const plain = stripVTControlCharacters(printed(true))
  const lines = plain.split('\n').map((line) => line.split('\r').at(-1)!)
  assert.deepEqual(lines, ['making debian', '✔ [1/2] FROM debian [cached]', `✔ [2/2] RUN ${'x'.repeat(20)}… [12 s]`, ''])
  for (const part of plain.split(/[\n\r]/)) assert.ok(part.length <= 40, part)
})

test('times are as exact as they matter', () => {
  assert.deepEqual([seconds(40), seconds(1260), seconds(61_234)], ['0.0 s', '1.3 s', '61 s'])
})
