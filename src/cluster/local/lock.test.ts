import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { exclusively } from './lock.ts'

test('what runs under one name runs one after another, also when it fails; other names do not wait', async () => {
  const name = `lock-test-${process.pid}`
  const log: string[] = []
  const step = (id: string) => async () => {
    log.push(`${id} starts`)
    await new Promise(setImmediate)
    await exclusively(`${name}-other`, async () => {})
    log.push(`${id} ends`)
    if (id === 'a') throw new Error('failed')
  }
  const [a, b] = await Promise.allSettled([exclusively(name, step('a')), exclusively(name, step('b'))])
  assert.deepEqual([a!.status, b!.status], ['rejected', 'fulfilled'])
  assert.equal(log.length, 4)
  for (const i of [0, 2]) assert.equal(log[i]!.split(' ')[0], log[i + 1]!.split(' ')[0], log.join())
})

test('a process that is killed gives the lock back', async () => {
  const name = `lock-test-killed-${process.pid}`
  const script = `import { exclusively } from ${JSON.stringify(import.meta.resolve('./lock.ts'))}
    await exclusively(${JSON.stringify(name)}, () => new Promise(() => { process.stdout.write('held'); setInterval(() => {}, 1000) }))`
  const holder = execFile(process.execPath, ['--input-type=module', '-e', script])
  await new Promise((resolve) => holder.stdout!.once('data', resolve))
  let held = true
  const waiting = exclusively(name, async () => held)
  held = false
  holder.kill('SIGKILL')
  assert.equal(await waiting, false)
})
