import assert from 'node:assert/strict'
import { test } from 'node:test'
import { taskLimit } from './task-limit.ts'

/** Tasks that end when told to; `started` has their names in the order of their start. */
function tasks(limit: ReturnType<typeof taskLimit>) {
  const started: string[] = []
  const ends = new Map<string, () => void>()
  const run = (name: string, urgent?: boolean) =>
    limit(() => {
      started.push(name)
      return new Promise<void>((resolve) => ends.set(name, resolve))
    }, urgent)
  const end = async (name: string) => {
    ends.get(name)!()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { started, run, end }
}

test('no more than the limit run, and the others follow in order', async () => {
  const { started, run, end } = tasks(taskLimit(2))
  for (const name of ['a', 'b', 'c', 'd']) void run(name)
  assert.deepEqual(started, ['a', 'b'])
  await end('b')
  assert.deepEqual(started, ['a', 'b', 'c'])
  await end('a')
  assert.deepEqual(started, ['a', 'b', 'c', 'd'])
})

test('what finishes something that was begun goes first, so that pods become ready one after the other', async () => {
  const { started, run, end } = tasks(taskLimit(1))
  for (const name of ['sandbox a', 'sandbox b', 'sandbox c']) void run(name)
  void run('container a', true)
  await end('sandbox a')
  await end('container a')
  assert.deepEqual(started, ['sandbox a', 'container a', 'sandbox b'])
})

test('a task that fails gives its place back', async () => {
  const limit = taskLimit(1)
  await assert.rejects(
    limit(() => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.equal(await limit(() => Promise.resolve(1)), 1)
})
