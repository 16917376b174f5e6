import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommandError, manualClock } from '#base'
import { aptGet } from './apt-get.ts'

const locked = 'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7 (apt-get)\nE: Unable to acquire the dpkg frontend lock'

/** An apt-get that fails with these texts, one after the other, and then goes well. */
function program(...failures: string[]) {
  const calls: string[] = []
  return {
    calls,
    async run(name: string, args: readonly string[]) {
      calls.push([name, ...args].join(' '))
      const stderr = failures.shift()
      if (stderr !== undefined) throw new CommandError(name, args, 100, stderr)
      return 'done'
    },
  }
}

/** Lets the time pass until it is settled. */
async function settled<T>(clock: ReturnType<typeof manualClock>, promise: Promise<T>): Promise<T> {
  let open = true
  const done = promise.finally(() => (open = false))
  done.catch(() => {})
  while (open) await clock.advance(1000)
  return done
}

test('while somebody else has its locks it waits, and then does what it was asked', async () => {
  const clock = manualClock()
  const apt = program(locked, 'E: Unable to lock directory /var/lib/apt/lists/')
  assert.equal(await settled(clock, aptGet(['install', 'x'], { clock, run: apt.run })), 'done')
  assert.deepEqual(apt.calls, Array(3).fill('apt-get install x'))
})

test('it does not wait for ever', async () => {
  const clock = manualClock()
  const apt = program(...Array<string>(100).fill(locked))
  await assert.rejects(settled(clock, aptGet(['update'], { clock, run: apt.run, patience: 10_000 })), /Could not get lock/)
  assert.ok(apt.calls.length > 1 && apt.calls.length < 100, `${apt.calls.length} calls`)
})

test('other failures are failures at once', async () => {
  const apt = program('E: Unable to locate package x')
  await assert.rejects(aptGet(['install', 'x'], { clock: manualClock(), run: apt.run }), /Unable to locate package x/)
  assert.equal(apt.calls.length, 1)
})
