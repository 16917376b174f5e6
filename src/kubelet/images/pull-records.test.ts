import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { pullRecords } from './pull-records.ts'
import type { PullRecords } from './pull-records.ts'

const joe = { username: 'joe', password: 'secret', identityToken: '' }
const eve = { username: 'eve', password: 'guess', identityToken: '' }

async function withRecords(work: (records: PullRecords, again: () => PullRecords, file: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'pulled-'))
  const file = join(dir, 'pulled-images.json')
  try {
    await work(pullRecords(file), () => pullRecords(file), file)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

describe('an image that is on the node', () => {
  test('is everybody’s when it came some other way', () => withRecords(async (r) => assert.equal(await r.mayUse('r.io/a:1', 'id', []), true)))
  test('is everybody’s when it was pulled without credentials, or with the node’s', () =>
    withRecords(async (r) => {
      await r.pulled('r.io/a:1', 'id', undefined)
      assert.equal(await r.mayUse('r.io/a:1', 'id', []), true)
    }))
  test('is for those whose credentials it was pulled with', () =>
    withRecords(async (r) => {
      await r.pulled('r.io/a:1', 'id', joe)
      assert.deepEqual(
        [await r.mayUse('r.io/a:1', 'id', [eve, joe]), await r.mayUse('r.io/a:1', 'id', [eve]), await r.mayUse('r.io/a:1', 'id', [])],
        [true, false, false],
      )
    }))
  test('is for all who have pulled it since', () =>
    withRecords(async (r) => {
      await r.pulled('r.io/a:1', 'id', joe)
      await r.pulled('r.io/a:2', 'id', eve)
      assert.equal(await r.mayUse('r.io/a:2', 'id', [eve]), true)
    }))
  test('is no more for somebody by another name', () =>
    withRecords(async (r) => {
      await r.pulled('r.io/a:1', 'id', joe)
      assert.equal(await r.mayUse('localhost:5000/a:1', 'id', [joe]), false)
    }))
  test('is remembered over a restart, and nothing of the credentials is written', () =>
    withRecords(async (r, again, file) => {
      await r.pulled('r.io/a:1', 'id', joe)
      assert.deepEqual([await again().mayUse('r.io/a:1', 'id', [joe]), await again().mayUse('r.io/a:1', 'id', [eve])], [true, false])
      assert.doesNotMatch(await readFile(file, 'utf8'), /joe|secret/)
      assert.equal((await stat(file)).mode & 0o777, 0o600)
    }))
})
