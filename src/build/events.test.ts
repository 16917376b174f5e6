import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BuildEvent } from './events.ts'
import { stepReader } from './events.ts'

const step = (text: string, line: number, hidden = false) => ({ text, line, hidden })

test('steps are numbered over all stages, without those that were put in, with their output and time', () => {
  const events: BuildEvent[] = []
  let time = 0
  const reader = stepReader(
    [
      [step('FROM a', 1), step('ARG X', 2), step('LABEL x', 2, true), step('RUN x', 3)],
      [step('FROM b', 4), step('CMD y', 5)],
    ],
    (event) => events.push(event),
    () => (time += 10),
  )
  for (const line of `[1/2] STEP 1/4: FROM a
[1/2] STEP 2/4: ARG X
--> Using cache 0123456789abcdef
--> 0123456789a
[1/2] STEP 3/4: LABEL x
--> 0123456789a
[1/2] STEP 4/4: RUN x
(Reading database ... 5%\r(Reading database ... 9%\rhello
--> 0123456789a
[2/2] STEP 1/2: FROM b
[2/2] STEP 2/2: CMD y
COMMIT localhost/x
--> 0123456789a
Successfully tagged localhost/x:1`.split('\n'))
    reader.line(line)
  reader.end()
  const total = 5
  assert.deepEqual(events, [
    { type: 'step', index: 1, total, text: 'FROM a' },
    { type: 'stepDone', index: 1, total, text: 'FROM a', cached: false, milliseconds: 10 },
    { type: 'step', index: 2, total, text: 'ARG X' },
    { type: 'stepDone', index: 2, total, text: 'ARG X', cached: true, milliseconds: 10 },
    { type: 'step', index: 3, total, text: 'RUN x' },
    { type: 'output', line: 'hello' },
    { type: 'stepDone', index: 3, total, text: 'RUN x', cached: false, milliseconds: 10 },
    { type: 'step', index: 4, total, text: 'FROM b' },
    { type: 'stepDone', index: 4, total, text: 'FROM b', cached: false, milliseconds: 10 },
    { type: 'step', index: 5, total, text: 'CMD y' },
    { type: 'stepDone', index: 5, total, text: 'CMD y', cached: false, milliseconds: 10 },
  ])
})

test('what failed is the step that was begun last, with what it printed', () => {
  const reader = stepReader(
    [[step('FROM a', 1), step('RUN false', 2)]],
    () => {},
    () => 0,
  )
  for (const line of [
    'STEP 1/2: FROM a',
    'STEP 2/2: RUN false',
    'Error: no',
    'subprocess exited with status 100',
    'Error: building at STEP "RUN /bin/sh -c a',
    'b": exit status 100',
  ])
    reader.line(line)
  assert.deepEqual(reader.current(), { step: step('RUN false', 2), output: ['Error: no'] })
})
