import assert from 'node:assert/strict'
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { manualClock, silentLogger } from '#base'
import type { LogOptions } from './cri-log.ts'
import { logFormatter } from './cri-log.ts'
import type { ReadLogOptions } from './read-log.ts'
import { readLog } from './read-log.ts'
import { planRotation, rotateLogs } from './rotation.ts'

let dir: string
before(() => (dir = mkdtempSync(join(tmpdir(), 'k8ts-logs-'))))
after(() => rmSync(dir, { recursive: true, force: true }))

const at = (second: number) => `2026-01-01T00:00:0${second}.000000001Z`
const sample = [
  `${at(1)} stdout F one`,
  `${at(2)} stderr F two`,
  `${at(3)} stdout P thr`,
  `${at(3)} stdout F ee`,
  `${at(4)} stdout F `,
  'no log line',
  `${at(5)} stdout F five`,
  '',
].join('\n')

describe('a log in the CRI format', () => {
  const rows: [string, Partial<LogOptions>, string][] = [
    ['is what the container wrote, partial lines joined', {}, 'one\ntwo\nthree\n\nfive\n'],
    ['shows when, once a line', { timestamps: true }, `${at(1)} one\n${at(2)} two\n${at(3)} three\n${at(4)} \n${at(5)} five\n`],
    ['starts at a time', { since: Date.parse(at(3)) }, 'three\n\nfive\n'],
    ['ends at a number of bytes', { limitBytes: 6 }, 'one\ntw'],
    ['may be one of the streams', { stream: 'stderr' }, 'two\n'],
  ]
  for (const [name, options, expected] of rows)
    it(name, () => {
      for (const size of [1, 7, 1000]) {
        const formatter = logFormatter({ timestamps: false, ...options })
        let text = ''
        for (let i = 0; i < sample.length; i += size) text += formatter.push(Buffer.from(sample.slice(i, i + size))).toString()
        assert.equal(text + formatter.flush().toString(), expected)
      }
    })
})

let files = 0
function logFile(content: string): string {
  const path = join(dir, `${++files}.log`)
  writeFileSync(path, content)
  return path
}
const read = (options: Partial<ReadLogOptions> & { path: string }) => readLog({ timestamps: false, signal: new AbortController().signal, ...options })
async function all(output: AsyncIterable<Buffer>): Promise<string> {
  let text = ''
  for await (const chunk of output) text += chunk.toString()
  return text
}

describe('reading a log', () => {
  const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `${at(1)} stdout F ${from + i}\n`).join('')
  const plain = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `${from + i}\n`).join('')
  const tails: [number, string][] = [
    [0, ''],
    [1, plain(9999, 10000)],
    [3, plain(9997, 10000)],
    [9000, plain(1000, 10000)],
    [99999, plain(0, 10000)],
  ]
  for (const [tailLines, expected] of tails)
    it(`starts ${tailLines} lines before the end`, async () => assert.equal(await all(read({ path: logFile(lines(0, 10000)), tailLines })), expected))
  it('counts a last line that is not ended', async () =>
    assert.equal(await all(read({ path: logFile(`${lines(0, 3)}${at(1)} stdout F x`), tailLines: 2 })), '2\nx\n'))

  it('follows what is written, through a rotation, until the container has ended', async () => {
    const path = logFile(lines(0, 2))
    let ended = false
    const listeners = new Set<() => void>()
    const follow = {
      ended: () => ended,
      onChange: (listener: () => void) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    }
    const output = read({ path, follow })
    let seen = ''
    const until = async (text: string) => {
      while (!seen.endsWith(text)) seen += (await output.next()).value!.toString()
    }
    await until('1\n')
    appendFileSync(path, lines(2, 3))
    await until('2\n')
    appendFileSync(path, lines(3, 4))
    renameSync(path, `${path}.old`)
    appendFileSync(`${path}.old`, lines(4, 5))
    writeFileSync(path, lines(5, 6))
    await until('5\n')
    const rest = all(output)
    appendFileSync(path, lines(6, 7))
    ended = true
    for (const listener of listeners) listener()
    assert.equal(seen + (await rest), plain(0, 7))
    assert.equal(listeners.size, 0)
  })
  it('stops when nobody listens any more', async () => {
    const stop = new AbortController()
    const output = all(read({ path: logFile(lines(0, 1)), signal: stop.signal, follow: { ended: () => false, onChange: () => () => {} } }))
    stop.abort()
    await output
  })
})

describe('log rotation', () => {
  it('keeps a number of files and compresses all but the newest', () =>
    assert.deepEqual(planRotation(['0.log', '0.log.1.gz', '0.log.2.gz', '0.log.3', '0.log.x.tmp', '1.log'], '0.log', 2), {
      remove: ['0.log.x.tmp', '0.log.1.gz'],
      compress: ['0.log.3'],
    }))
  it('moves a large log away and has the runtime open a new one', async () => {
    const home = mkdtempSync(join(dir, 'rotate-'))
    const path = join(home, '0.log')
    const clock = manualClock()
    const reopened: string[] = []
    const runtime = {
      reopenContainerLog: async ({ containerId }: { containerId: string }) => void (reopened.push(containerId), writeFileSync(path, '')),
    }
    const options = { runtime, logs: () => [{ containerId: 'c', path }], clock, log: silentLogger, maxSize: 10, maxFiles: 3 }
    for (let round = 0; round < 5; round++) {
      writeFileSync(path, `content of round ${round}`)
      await rotateLogs(options)
      await clock.advance(1000)
    }
    assert.equal(reopened.length, 5)
    assert.deepEqual(readdirSync(home).sort(), ['0.log', '0.log.20260101-000003.gz', '0.log.20260101-000004'])
    assert.equal(gunzipSync(readFileSync(join(home, '0.log.20260101-000003.gz'))).toString(), 'content of round 3')
    await rotateLogs(options)
    assert.equal(reopened.length, 5)
  })
  it('gives the name back when the runtime refuses', async () => {
    const path = logFile('a long log')
    const runtime = { reopenContainerLog: () => Promise.reject(new Error('no')) }
    await rotateLogs({ runtime, logs: () => [{ containerId: 'c', path }], clock: manualClock(), log: silentLogger, maxSize: 1 })
    assert.ok(existsSync(path))
  })
})
