import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '#base'
import { returnIdleMemory } from './idle-memory.ts'

const MB = 1 << 20

/** A process that takes `work` milliseconds of processor time in each of the next spans of 5 s and then holds `held`; answers after which spans it collected. */
async function spans(steps: { work: number; held: number }[]): Promise<number[]> {
  const clock = manualClock()
  let processorTime = 0
  let held = 0
  let span = 0
  const collected: number[] = []
  using _ = returnIdleMemory({
    clock,
    processorTime: () => processorTime,
    held: () => held,
    collect: () => {
      collected.push(span)
      held = 30 * MB
      processorTime += 80
    },
  })
  for (const step of steps) {
    processorTime += step.work
    held = step.held
    await clock.advance(5000)
    span++
  }
  return collected
}

test('what the start took is given back once, when the process is idle', async () => {
  const idle = { work: 10, held: 31 * MB }
  assert.deepEqual(await spans([{ work: 1500, held: 64 * MB }, { work: 20, held: 64 * MB }, idle, idle]), [1])
})

test('a process that works keeps its memory', async () => {
  assert.deepEqual(await spans(Array.from({ length: 4 }, () => ({ work: 200, held: 64 * MB }))), [])
})

test('the next burst is given back as well, and a heap that is large anyway is left to V8', async () => {
  const idle = (held: number) => ({ work: 10, held: held * MB })
  assert.deepEqual(await spans([idle(64), { work: 4000, held: 90 * MB }, idle(90), { work: 4000, held: 400 * MB }, idle(400)]), [0, 2])
})

test('it ends with what started it', async () => {
  const clock = manualClock()
  const idle = returnIdleMemory({ clock, processorTime: () => 0, held: () => 64 * MB, collect: () => assert.fail('collected after its end') })
  idle[Symbol.dispose]()
  await clock.advance(60_000)
  assert.equal(clock.waiting, 0)
})
