import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { manualClock, seededRandom } from '#base'
import { bytes, collect, rejects, revisionOf, storeContract, text } from '../../../test/contract/store.ts'
import type { StoreError } from '../store.ts'
import { openSqliteStore } from './sqlite-store.ts'

const dir = mkdtempSync(join(tmpdir(), 'k8ts-sqlite-'))
after(() => rmSync(dir, { recursive: true, force: true }))
const mountsAllowed = process.getuid?.() === 0

/** Tries until it goes well. */
async function eventually(attempt: () => Promise<void>, limit = 60_000): Promise<void> {
  for (const start = performance.now(); ;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() - start > limit) throw error
      await delay(50)
    }
  }
}

let files = 0
const newPath = () => join(dir, `${++files}`, 'store.db')

storeContract('sqlite', ({ watchQueue }) => openSqliteStore({ path: newPath(), watchQueue }))

describe('sqlite store', () => {
  test('it tells how much it takes up', async () => {
    await using store = await openSqliteStore({ path: newPath() })
    const before = await store.size!()
    for (let i = 0; i < 10; i++) await store.create(`/${i}`, new Uint8Array(100_000))
    assert.ok((await store.size!()) - before >= 1_000_000)
  })

  test('a restart loses nothing: values, revisions, history and compaction', async () => {
    const path = newPath()
    let store = await openSqliteStore({ path })
    const a1 = revisionOf(await store.create('/a', bytes('a1')))
    const b1 = revisionOf(await store.create('/b', bytes('b1')))
    const a2 = revisionOf(await store.update('/a', bytes('a2'), a1))
    const b2 = revisionOf(await store.delete('/b', b1))
    await store.compact(b1)
    await store[Symbol.asyncDispose]()

    store = await openSqliteStore({ path })
    assert.equal(await store.currentRevision(), b2)
    assert.equal(text((await store.get('/a'))!.value), 'a2')
    assert.equal(text((await store.get('/a', { revision: b1 }))!.value), 'a1')
    assert.equal(await store.get('/b'), undefined)
    await rejects('compacted', store.get('/a', { revision: a1 }))
    const watch = collect(store, '/', b1)
    await watch.until(b2)
    await watch.stop()
    assert.deepEqual(
      watch.events.map((e) => [e.type, e.key, e.revision, text(e.previous!.value)]),
      [
        ['put', '/a', a2, 'a1'],
        ['delete', '/b', b2, 'b1'],
      ],
    )
    // nothing but a forgotten deletion is newest: the revision must not go back
    await store.compact(b2)
    await store[Symbol.asyncDispose]()
    store = await openSqliteStore({ path })
    assert.equal(await store.currentRevision(), b2)
    assert.equal(revisionOf(await store.create('/c', bytes('c'))), b2 + 1)
    await store[Symbol.asyncDispose]()
  })

  test('a compaction that was cut off before the log forgot everything is finished by the next start', async () => {
    const path = newPath()
    let store = await openSqliteStore({ path, retention: { revisions: 10 } })
    let revision = revisionOf(await store.create('/a', bytes('0')))
    for (let i = 1; i < 300; i++) revision = revisionOf(await store.update('/a', bytes(String(i)), revision))
    await store[Symbol.asyncDispose]()
    store = await openSqliteStore({ path, retention: { revisions: 10 } })
    assert.equal(text((await store.get('/a'))!.value), '299')
    assert.equal(text((await store.get('/a', { revision: revision - 5 }))!.value), '294')
    await rejects('compacted', store.get('/a', { revision: revision - 50 }))
    await store[Symbol.asyncDispose]()
  })

  test('history older than its retention goes while writes come in, by age and by count', async () => {
    const clock = manualClock()
    const store = await openSqliteStore({ path: newPath(), clock, retention: { age: 60_000, revisions: 1000 } })
    const old = revisionOf(await store.create('/a', bytes('a')))
    await store.create('/b', bytes('b'))
    for (let minute = 0; minute < 3; minute++) {
      await store.get('/a', { revision: old }).catch(() => assert.ok(minute > 1))
      await clock.advance(60_000)
      await store.create(`/minute/${minute}`, bytes('x'))
    }
    await rejects('compacted', store.get('/a', { revision: old }))
    assert.equal(text((await store.get('/a'))!.value), 'a')
    const before = await store.currentRevision()
    await Promise.all(Array.from({ length: 1500 }, (_, i) => store.create(`/many/${i}`, bytes('x'))))
    await store.create('/last', bytes('x'))
    await rejects('compacted', store.list('/', { revision: before }))
    await store[Symbol.asyncDispose]()
  })

  test('a full database refuses the whole commit, keeps what was acknowledged and goes on when there is room', async () => {
    const path = newPath()
    let store = await openSqliteStore({ path, maxBytes: 1024 * 1024 })
    const value = new Uint8Array(50_000).fill(1)
    const acknowledged: string[] = []
    let refused = 0
    for (let i = 0; i < 10; i++) {
      const keys = [`/${i}-a`, `/${i}-b`, `/${i}-c`]
      const results = await Promise.allSettled(keys.map((key) => store.create(key, value)))
      const outcomes = new Set(results.map((r) => r.status))
      assert.equal(outcomes.size, 1, 'a commit succeeds or fails as a whole')
      if (outcomes.has('fulfilled')) acknowledged.push(...keys)
      else {
        refused++
        for (const r of results) assert.equal((r as PromiseRejectedResult).reason.kind, 'full')
        assert.equal(await store.get(keys[0]!), undefined)
      }
    }
    assert.ok(refused > 0 && acknowledged.length > 0)
    const present = async () => (await store.list('/')).items.map((i) => i.key)
    assert.deepEqual(await present(), acknowledged.toSorted())
    const revision = await store.currentRevision()
    assert.equal(revision, acknowledged.length)
    const small = revisionOf(await store.create('/small', bytes('fits')))
    assert.equal(small, revision + 1)
    await store[Symbol.asyncDispose]()
    store = await openSqliteStore({ path })
    assert.deepEqual(await present(), [...acknowledged, '/small'].toSorted())
    await store[Symbol.asyncDispose]()
  })

  test('with a quota that is used up, deletions go on and make room by themselves', async () => {
    await using store = await openSqliteStore({ path: newPath(), maxBytes: 2 << 20 })
    const value = new Uint8Array(20_000).fill(1)
    const revisions: number[] = []
    for (;;) {
      try {
        revisions.push(revisionOf(await store.create(`/${revisions.length}`, value)))
      } catch (error) {
        assert.equal((error as StoreError).kind, 'full')
        break
      }
    }
    for (let i = 0; i < 20; i++) await rejects('full', store.create('/more', value))
    assert.equal((await store.list('/')).items.length, revisions.length, 'reading goes on')
    for (let i = 0; i < 40; i++) revisionOf(await store.delete(`/${i}`, revisions[i]!))
    await eventually(async () => void revisionOf(await store.create('/again', value)))
    assert.equal((await store.list('/')).items.length, revisions.length - 40 + 1)
  })

  test(
    'on a full disk, deletions go on; when there is room again, so does everything',
    { skip: mountsAllowed ? false : 'it needs root' },
    async () => {
      const disk = mkdtempSync(join(tmpdir(), 'k8ts-disk-'))
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'k8ts-test', disk])
      try {
        const path = join(disk, 'state.db')
        await using store = await openSqliteStore({ path, retention: { age: 3_600_000 } })
        const other = join(disk, 'somebody-elses')
        writeFileSync(other, Buffer.alloc(5 << 20))
        const value = new Uint8Array(50_000).fill(1)
        const revisions: number[] = []
        // what a first refusal makes room for by itself goes in as well
        for (let refused = 0; refused < 3;)
          try {
            revisions.push(revisionOf(await store.create(`/${revisions.length}`, value)))
            refused = 0
          } catch (error) {
            assert.equal((error as StoreError).kind, 'full')
            refused++
            await delay(600)
          }
        for (let i = 0; i < 10; i++) revisionOf(await store.delete(`/${i}`, revisions[i]!))
        assert.equal((await store.list('/')).items.length, revisions.length - 10)
        rmSync(other)
        await eventually(async () => void revisionOf(await store.create('/again', value)))
        assert.ok(existsSync(`${path}.reserve`), 'the reserve is there for the next time')
      } finally {
        execFileSync('umount', [disk])
        rmSync(disk, { recursive: true })
      }
    },
  )

  test('a database that another process has open is refused', async () => {
    const path = newPath()
    const store = await openSqliteStore({ path })
    await rejects('unavailable', openSqliteStore({ path }))
    await store[Symbol.asyncDispose]()
    await (await openSqliteStore({ path }))[Symbol.asyncDispose]()
  })

  test('a file that is no database is refused', async () => {
    await rejects('damaged', openSqliteStore({ path: import.meta.filename }))
  })

  describe('a damaged database', () => {
    /** A database of 400 values of 2 KB, with the pages of one of its tables overwritten. */
    async function damaged(table: 'log' | 'bytes'): Promise<string> {
      const path = newPath()
      {
        await using store = await openSqliteStore({ path })
        for (let i = 0; i < 400; i++) await store.create(`/key-${i}`, bytes(`${i} ${'x'.repeat(2000)}`))
      }
      const { DatabaseSync } = await import('node:sqlite')
      const db = new DatabaseSync(path)
      const root = Number(db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(table)!['rootpage'])
      const size = Number(db.prepare('PRAGMA page_size').get()!['page_size'])
      db.close()
      const content = readFileSync(path)
      content.fill(0xa5, (root - 1) * size, root * size)
      writeFileSync(path, content)
      return path
    }

    const isDamaged = (error: StoreError) => {
      assert.equal(error.kind, 'damaged')
      assert.match(error.message, /cannot read .*store\.db: .*malformed.*Restore a backup/)
      return true
    }

    test('in its log is refused, by name, and left as it is', async () => {
      const path = await damaged('log')
      const before = readFileSync(path)
      await assert.rejects(openSqliteStore({ path }), isDamaged)
      assert.ok(readFileSync(path).equals(before))
    })

    test('in its values says so where they are read', async () => {
      await using store = await openSqliteStore({ path: await damaged('bytes') })
      await assert.rejects(store.get('/key-7'), isDamaged)
      await assert.rejects(store.list('/'), isDamaged)
    })

    test('that was cut off is refused', async () => {
      const path = newPath()
      {
        await using store = await openSqliteStore({ path })
        for (let i = 0; i < 400; i++) await store.create(`/key-${i}`, bytes(`${i} ${'x'.repeat(2000)}`))
      }
      writeFileSync(path, readFileSync(path).subarray(0, 200_000))
      await assert.rejects(
        async () => {
          await using store = await openSqliteStore({ path })
          await store.list('/')
        },
        (error: StoreError) => error.kind === 'damaged',
      )
    })
  })

  test('kill -9 in the middle of writes loses no acknowledged write, and revisions never go back', { timeout: 240_000 }, async (t) => {
    const seed = Date.now() >>> 0
    t.diagnostic(`seed ${seed}`)
    const random = seededRandom(seed)
    const path = newPath()
    const expected = new Map<string, { revision: number; value: string } | undefined>()
    let newest = 0
    for (let round = 0; round < 6; round++) {
      const lines = await writeUntilKilled(path, round, 30 + random() * 200)
      for (const line of lines) {
        const [revision, key, value] = line.split(' ')
        assert.ok(Number(revision) > newest, `revision ${revision} after ${newest}`)
        newest = Number(revision)
        expected.set(key!, value === 'deleted' ? undefined : { revision: newest, value: value! })
      }
      assert.ok(lines.length > 0, 'nothing was written before the kill')
      const store = await openSqliteStore({ path })
      newest = Math.max(newest, await checkAll(store, expected, newest))
      await store[Symbol.asyncDispose]()
    }
    t.diagnostic(`${expected.size} keys, newest revision ${newest}`)
  })
})

/** Every acknowledged state is there, unless a later write of the same key, in flight at the kill, is. Answers the store's revision. */
async function checkAll(
  store: Awaited<ReturnType<typeof openSqliteStore>>,
  expected: Map<string, { revision: number; value: string } | undefined>,
  acknowledged: number,
): Promise<number> {
  const revision = await store.currentRevision()
  assert.ok(revision >= acknowledged, `the store is at ${revision}, ${acknowledged} was acknowledged`)
  const present = new Map((await store.list('/')).items.map((item) => [item.key, item]))
  for (const [key, want] of expected) {
    const found = present.get(key)
    if (found && found.modRevision > acknowledged) expected.set(key, { revision: found.modRevision, value: text(found.value) })
    else if (want && !found) {
      // only a deletion that was in flight explains this
      const watch = collect(store, key, acknowledged)
      await watch.until(revision)
      await watch.stop()
      assert.equal(watch.events.at(-1)?.type, 'delete', `${key} is lost`)
      expected.set(key, undefined)
    } else assert.deepEqual(found && { revision: found.modRevision, value: text(found.value) }, want, key)
  }
  return revision
}

/** Runs the writer as a process of its own, kills it `ms` after its first acknowledged write, answers its acknowledged writes. */
async function writeUntilKilled(path: string, round: number, ms: number): Promise<string[]> {
  const writer = join(import.meta.dirname, 'kill-writer.ts')
  const output = join(dir, `acknowledged-${round}`)
  const child = spawn(process.execPath, [writer, path, String(round), output], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`the writer ended with ${code}`)))
  })
  await delay(ms)
  child.kill('SIGKILL')
  await exited
  // the last line may be cut
  return readFileSync(output, 'utf8').split('\n').slice(0, -1)
}
