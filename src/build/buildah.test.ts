import assert from 'node:assert/strict'
import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { manualClock } from '#base'
import { endOnAbort } from './buildah.ts'

const program = (script: string) => {
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  child.stdout.setEncoding('utf8')
  return child
}

test('a build that is interrupted loses its step, and ends by itself', async () => {
  const stop = new AbortController()
  const child = program('echo begun; sleep 60; echo cleaned; exit 3')
  const release = endOnAbort(child.pid!, manualClock(), stop.signal)
  await once(child.stdout, 'data')
  stop.abort()
  const [[text], [code]] = await Promise.all([once(child.stdout, 'data'), once(child, 'exit')])
  release()
  assert.deepEqual([text, code], ['cleaned\n', 3])
})

test('a build that does not end is ended', async () => {
  const stop = new AbortController()
  const clock = manualClock()
  const child = program('echo begun; while :; do sleep 60; done')
  endOnAbort(child.pid!, clock, stop.signal)
  await once(child.stdout, 'data')
  stop.abort()
  const ended = once(child, 'exit')
  await clock.advance(10_000)
  assert.equal((await ended)[1], 'SIGTERM')
})

test('one that has ended is left alone', () => {
  const stop = new AbortController()
  const clock = manualClock()
  endOnAbort(2 ** 22, clock, stop.signal)()
  stop.abort()
  assert.equal(clock.waiting, 0)
})
