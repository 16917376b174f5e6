import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openExchange } from './exchange.ts'

const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path))
const directory = mkdtempSync(join(tmpdir(), 'exchange-'))
const skip = busybox ? false : 'needs busybox'
const exchange = busybox ? openExchange({ directory, busybox }) : undefined!
const loop = busybox ? spawn(busybox, ['sh', join(directory, 'loop')], { stdio: 'inherit' }) : undefined
after(() => {
  exchange?.quit()
  loop?.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

async function outputOf(script: string, more: object = {}): Promise<{ code: number; text: string }> {
  let text = ''
  const code = await exchange.run({ script, onOutput: (chunk) => (text += chunk), ...more }).ended
  return { code, text }
}

test('the container says who it is', { skip }, async () => {
  const { uid, path } = await exchange.ready(AbortSignal.timeout(60_000))
  assert.equal(uid, process.getuid!())
  assert.equal(path, process.env['PATH'])
})

test('a script’s output and exit code come back', { skip }, async () => {
  assert.deepEqual(await outputOf('echo out; echo err >&2; printf unfinished; exit 3'), { code: 3, text: 'out\nerr\nunfinished' })
})

test('files stand beside the script', { skip }, async () => {
  assert.deepEqual(await outputOf('$B cat "$X/command"', { files: { command: 'it’s “all” there\n' } }), { code: 0, text: 'it’s “all” there\n' })
})

test('data goes in and comes out, byte for byte', { skip }, async () => {
  const bytes = Buffer.alloc(300_000, 'k8ts-end-\0\xff')
  const got: Buffer[] = []
  const { code } = await outputOf('$B cat <$X/in >$X/data', {
    input: async (into: NodeJS.WritableStream) => void into.write(bytes),
    data: async (from: AsyncIterable<Buffer>) => {
      for await (const chunk of from) got.push(chunk)
    },
  })
  assert.equal(code, 0)
  assert.ok(Buffer.concat(got).equals(bytes))
})

test('a script that fails before it reads or writes leaves nobody waiting', { skip }, async () => {
  const result = await outputOf('echo no; exit 5', {
    input: async (into: NodeJS.WritableStream) => void into.write('x'),
    data: async (from: AsyncIterable<Buffer>) => {
      for await (const _ of from);
    },
  })
  assert.deepEqual(result, { code: 5, text: 'no\n' })
})

test('what ignores the request to end is killed, with all that it started', { skip, timeout: 60_000 }, async () => {
  let text = ''
  const execution = exchange.run({ script: 'trap "" TERM; $B sleep 100 & echo started; wait; $B sleep 100', onOutput: (chunk) => (text += chunk) })
  while (!text.includes('started')) await new Promise((resolve) => setImmediate(resolve))
  execution.kill(50)
  assert.equal(await execution.ended, 137)
})

test('what stays behind does not keep a script from ending, and may still speak', { skip, timeout: 60_000 }, async () => {
  let text = ''
  const code = await exchange.run({ script: '($B sleep 0.1; echo later) & echo now', onOutput: (chunk) => (text += chunk) }).ended
  assert.equal(code, 0)
  while (!text.includes('later')) await new Promise((resolve) => setTimeout(resolve, 5))
})

test('a hundred at once keep apart', { skip }, async () => {
  const all = await Promise.all(Array.from({ length: 100 }, (_, i) => outputOf(`echo ${i}; exit ${i}`)))
  all.forEach((result, i) => assert.deepEqual(result, { code: i, text: `${i}\n` }))
})
