import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import type { KeyValue, Store, StoreErrorKind, StoreEvent, WatchBatch, WriteResult } from '#store'
import { StoreError } from '#store'

/** What the suite may ask of a store that it opens. */
export interface StoreContractOptions {
  /** Undelivered events after which a watcher must be cut off. */
  watchQueue: number
}

/**
 * The guarantees of the Store interface, as tests. `open` answers an empty store that keeps at least 1,000 revisions of history
 * unless it is compacted; the suite closes it.
 */
export function storeContract(name: string, open: (options: StoreContractOptions) => Promise<Store>): void {
  describe(`store contract: ${name}`, () => {
    let store: Store
    // every test works under a prefix of its own, in one store: other keys and revisions must not disturb it
    let prefix: string
    let tests = 0
    before(async () => {
      store = await open({ watchQueue: 100 })
    })
    after(() => store[Symbol.asyncDispose]())
    const it = (title: string, run: () => Promise<void>) =>
      test(title, { timeout: 120_000 }, () => {
        prefix = `/test-${++tests}/`
        return run()
      })
    const create = async (key: string, value = key) => revisionOf(await store.create(prefix + key, bytes(value)))
    const update = async (key: string, value: string, revision: number) => revisionOf(await store.update(prefix + key, bytes(value), revision))
    const remove = async (key: string, revision: number) => revisionOf(await store.delete(prefix + key, revision))
    const names = (items: KeyValue[]) => items.map((item) => item.key.slice(prefix.length))

    describe('writes', () => {
      it('each write makes one new revision, and revisions only grow', async () => {
        const first = await create('a')
        const second = await update('a', 'changed', first)
        const third = await remove('a', second)
        assert.ok(first >= 1 && second > first && third > second)
      })

      it('a write that was acknowledged is seen by the next read', async () => {
        const revision = await create('a', 'value')
        assert.deepEqual(plain(await store.get(`${prefix}a`)), { key: `${prefix}a`, value: 'value', modRevision: revision })
        assert.ok((await store.currentRevision()) >= revision)
      })

      it('a create of a key that exists is a conflict that shows what is there', async () => {
        const revision = await create('a', 'mine')
        assert.deepEqual(conflict(await store.create(`${prefix}a`, bytes('yours'))), { key: `${prefix}a`, value: 'mine', modRevision: revision })
        assert.equal(text((await store.get(`${prefix}a`))!.value), 'mine')
      })

      it('an update or delete at another revision is a conflict that shows what is there', async () => {
        const old = await create('a', 'one')
        const revision = await update('a', 'two', old)
        const current = { key: `${prefix}a`, value: 'two', modRevision: revision }
        assert.deepEqual(conflict(await store.update(`${prefix}a`, bytes('three'), old)), current)
        assert.deepEqual(conflict(await store.delete(`${prefix}a`, old)), current)
        assert.deepEqual(conflict(await store.delete(`${prefix}a`, revision + 1000)), current)
      })

      it('an update or delete of a key that does not exist is a conflict with nothing', async () => {
        assert.equal(conflict(await store.update(`${prefix}a`, bytes('x'), 1)), undefined)
        assert.equal(conflict(await store.delete(`${prefix}a`, 1)), undefined)
        const revision = await remove('b', await create('b'))
        assert.equal(conflict(await store.update(`${prefix}b`, bytes('x'), revision)), undefined)
        assert.equal(await store.get(`${prefix}b`), undefined)
      })

      it('a deleted key can be created again', async () => {
        await remove('a', await create('a', 'one'))
        const revision = await create('a', 'two')
        assert.deepEqual(plain(await store.get(`${prefix}a`)), { key: `${prefix}a`, value: 'two', modRevision: revision })
      })

      it('values are bytes: empty, zero and invalid UTF-8 ones come back as they went', async () => {
        for (const [i, value] of [new Uint8Array(), new Uint8Array([0, 255, 254, 0]), new Uint8Array(300_000).fill(7)].entries()) {
          await store.create(`${prefix}${i}`, value)
          assert.deepEqual(new Uint8Array((await store.get(`${prefix}${i}`))!.value), value)
        }
      })

      it('writes that are issued together are decided in the order they were issued', async () => {
        const key = `${prefix}a`
        const [created, again, deletedAtWrongRevision] = await Promise.all([
          store.create(key, bytes('first')),
          store.create(key, bytes('second')),
          store.delete(key, 1),
        ])
        const revision = revisionOf(created)
        const current = { key, value: 'first', modRevision: revision }
        assert.deepEqual(conflict(again), current)
        assert.deepEqual(conflict(deletedAtWrongRevision), current)
        const next = await Promise.all([store.update(key, bytes('third'), revision), store.update(key, bytes('fourth'), revision)])
        assert.deepEqual(
          next.map((r) => r.ok),
          [true, false],
        )
      })

      it('of concurrent writers of one key, each acknowledged update is based on the one before it', async () => {
        await create('counter', '0')
        const key = `${prefix}counter`
        let acknowledged = 0
        await Promise.all(
          Array.from({ length: 8 }, async () => {
            let current = (await store.get(key))!
            for (let done = 0; done < 25;) {
              const result = await store.update(key, bytes(String(Number(text(current.value)) + 1)), current.modRevision)
              if (result.ok) {
                done++
                acknowledged++
                current = (await store.get(key))!
                assert.ok(current.modRevision >= result.revision)
              } else current = result.current!
            }
          }),
        )
        assert.equal(text((await store.get(key))!.value), String(acknowledged))
        assert.equal(acknowledged, 200)
      })
    })

    describe('reads', () => {
      it('a list has the keys under its prefix alone, ordered by their bytes', async () => {
        // U+1F600 is above U+FFFD in bytes and below it in UTF-16
        const keys = ['b', 'a/b', 'a', 'a-b', 'a.b', 'Z', 'é', '\ufffd', '\u{1f600}', 'aa']
        for (const key of keys) await create(key)
        await store.create(prefix.slice(0, -1), bytes('outside'))
        await store.create(`${prefix.slice(0, -1)}0`, bytes('outside'))
        const expected = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        assert.deepEqual(names((await store.list(prefix)).items), expected)
        assert.deepEqual(
          names((await store.list(`${prefix}a`)).items),
          expected.filter((k) => k.startsWith('a')),
        )
        assert.deepEqual((await store.list(`${prefix}nothing`)).items, [])
      })

      it('a list is read at one revision, and says which', async () => {
        const revision = await create('a')
        const listing = await store.list(prefix)
        assert.ok(listing.revision >= revision)
        assert.equal(listing.more, false)
        assert.equal(listing.items[0]!.modRevision, revision)
      })

      it('get and list at an older revision see the past', async () => {
        const a1 = await create('a', 'a1')
        const b1 = await create('b', 'b1')
        const a2 = await update('a', 'a2', a1)
        const b2 = await remove('b', b1)
        const c1 = await create('c', 'c1')
        const b3 = await create('b', 'b3')
        const at = async (revision: number) => (await store.list(prefix, { revision })).items.map((i) => text(i.value))
        assert.deepEqual(await at(a1 - 1), [])
        assert.deepEqual(await at(a1), ['a1'])
        assert.deepEqual(await at(b1), ['a1', 'b1'])
        assert.deepEqual(await at(a2), ['a2', 'b1'])
        assert.deepEqual(await at(b2), ['a2'])
        assert.deepEqual(await at(c1), ['a2', 'c1'])
        assert.deepEqual(await at(b3), ['a2', 'b3', 'c1'])
        assert.equal((await store.list(prefix, { revision: b1 })).revision, b1)
        assert.equal(text((await store.get(`${prefix}a`, { revision: b1 }))!.value), 'a1')
        assert.equal(await store.get(`${prefix}b`, { revision: c1 }), undefined)
      })

      it('pages at a pinned revision make up one consistent list', async () => {
        for (let i = 0; i < 25; i++) await create(String(i).padStart(2, '0'))
        const found: string[] = []
        let page = await store.list(prefix, { limit: 10 })
        const { revision } = page
        for (let n = 0; ; n++) {
          found.push(...names(page.items))
          if (page.remaining !== undefined) assert.equal(page.remaining, 25 - found.length)
          assert.equal(page.revision, revision)
          if (!page.more) break
          assert.equal(page.items.length, 10)
          // what happens between pages is in none of them
          await create(`new-${n}`)
          await create(`${String(n).padStart(2, '0')}-new`)
          const victim = (await store.get(`${prefix}2${n}`))!
          await store.delete(victim.key, victim.modRevision)
          page = await store.list(prefix, { limit: 10, revision, after: page.items.at(-1)!.key })
        }
        assert.deepEqual(
          found,
          Array.from({ length: 25 }, (_, i) => String(i).padStart(2, '0')),
        )
      })

      it('after may be a key that does not exist, or lie before the prefix', async () => {
        for (const key of ['a', 'c', 'e']) await create(key)
        assert.deepEqual(names((await store.list(prefix, { after: `${prefix}b` })).items), ['c', 'e'])
        assert.deepEqual(names((await store.list(prefix, { after: '/' })).items), ['a', 'c', 'e'])
        assert.deepEqual(names((await store.list(prefix, { after: `${prefix}e` })).items), [])
        const exact = await store.list(prefix, { limit: 3 })
        assert.equal(exact.more, false)
      })

      it('a revision that does not exist yet is an error', async () => {
        const revision = (await store.currentRevision()) + 1000
        await rejects('future', store.get(`${prefix}a`, { revision }))
        await rejects('future', store.list(prefix, { revision }))
        await rejects('future', first(store.watch(prefix, { from: revision })))
      })
    })

    describe('watch', () => {
      it('delivers every event after its start, once and in order, with what was replaced', async () => {
        const from = await create('before')
        const a1 = await create('a', 'a1')
        const watch = collect(store, prefix, from)
        const a2 = await update('a', 'a2', a1)
        const a3 = await remove('a', a2)
        await store.create(`${prefix.slice(0, -1)}-other/x`, bytes('not ours'))
        const a4 = await create('a', 'a4')
        await watch.until(a4)
        await watch.stop()
        const key = `${prefix}a`
        assert.deepEqual(watch.events.map(plainEvent), [
          { type: 'put', key, value: 'a1', previous: undefined, revision: a1 },
          { type: 'put', key, value: 'a2', previous: { value: 'a1', modRevision: a1 }, revision: a2 },
          { type: 'delete', key, value: undefined, previous: { value: 'a2', modRevision: a2 }, revision: a3 },
          { type: 'put', key, value: 'a4', previous: undefined, revision: a4 },
        ])
      })

      it('resumes from any revision without a gap or a repetition', async () => {
        const revisions: number[] = [await store.currentRevision()]
        let a = await create('a')
        revisions.push(a)
        for (let i = 0; i < 20; i++) revisions.push((a = await update('a', String(i), a)))
        for (const [i, from] of revisions.entries()) {
          const watch = collect(store, prefix, from)
          await watch.until(a)
          await watch.stop()
          assert.deepEqual(
            watch.events.map((e) => e.revision),
            revisions.slice(i + 1),
          )
        }
      })

      it('misses nothing while it catches up with a busy store', async () => {
        const from = await store.currentRevision()
        const expected: number[] = []
        const writer = (async () => {
          for (let i = 0; i < 300; i++) expected.push(await create(String(i)))
        })()
        const watches = []
        for (let i = 0; i < 5; i++) {
          watches.push(collect(store, prefix, from))
          await create(`start-of-watch-${i}`)
        }
        await writer
        const last = await create('last')
        const all = (await store.list(prefix)).items.map((i) => i.modRevision).sort((x, y) => x - y)
        for (const watch of watches) {
          await watch.until(last)
          await watch.stop()
          assert.deepEqual(
            watch.events.map((e) => e.revision),
            all,
          )
        }
      })

      it('has delivered a write before the write is acknowledged', async () => {
        const watch = collect(store, prefix, await store.currentRevision())
        await watch.until(await store.currentRevision())
        for (let i = 0; i < 20; i++) {
          const revision = await create(String(i))
          assert.equal(watch.events.at(-1)?.revision, revision)
        }
        await watch.stop()
      })

      it('tells how far it is, also when nothing under its prefix happens', async () => {
        const watch = collect(store, prefix, await store.currentRevision())
        const result = await store.create(`${prefix.slice(0, -1)}-other/x`, bytes('elsewhere'))
        await watch.until(revisionOf(result))
        await watch.stop()
        assert.deepEqual(watch.events, [])
      })

      it('gives nested and equal prefixes each their own view', async () => {
        const from = await store.currentRevision()
        const prefixes = ['', 'a', 'a/', 'a/b', 'a/b', 'b', 'a/c']
        const watches = prefixes.map((p) => collect(store, prefix + p, from))
        for (const watch of watches) await watch.until(from)
        const keys = ['a', 'a/b', 'a/b/c', 'a/d', 'ab', 'b', 'c', 'a/c']
        let last = 0
        for (const key of keys) last = await create(key)
        for (const [i, watch] of watches.entries()) {
          await watch.until(last)
          await watch.stop()
          assert.deepEqual(
            watch.events.map((e) => e.key.slice(prefix.length)),
            keys.filter((key) => key.startsWith(prefixes[i]!)),
            `prefix "${prefixes[i]}"`,
          )
        }
      })

      it('shares one event among its watchers', async () => {
        const from = await store.currentRevision()
        const watches = [collect(store, prefix, from), collect(store, prefix, from)]
        for (const watch of watches) await watch.until(from)
        const revision = await create('a')
        for (const watch of watches) await watch.until(revision)
        assert.equal(watches[0]!.events[0], watches[1]!.events[0])
        for (const watch of watches) await watch.stop()
      })

      it('ends when its signal aborts, and at once when it is aborted already', async () => {
        const from = await store.currentRevision()
        const abort = new AbortController()
        const batches = store.watch(prefix, { from, signal: abort.signal })[Symbol.asyncIterator]()
        assert.equal((await batches.next()).done, false)
        const waiting = batches.next()
        abort.abort()
        assert.equal((await waiting).done, true)
        assert.equal((await batches.next()).done, true)
        assert.equal(await first(store.watch(prefix, { from, signal: AbortSignal.abort() })), undefined)
      })

      it('cuts off a reader that fell too far behind, and it can resume', async () => {
        const from = await store.currentRevision()
        const slow = store.watch(prefix, { from })[Symbol.asyncIterator]()
        await slow.next()
        let last = 0
        for (let i = 0; i < 150; i++) last = await create(String(i))
        await rejects('slow', drain(slow))
        const again = collect(store, prefix, from)
        await again.until(last)
        await again.stop()
        assert.equal(again.events.length, 150)
      })
    })

    describe('compaction', () => {
      it('forgets what was replaced, keeps what is there, and says so to readers and watchers of the past', async () => {
        const a1 = await create('a', 'a1')
        const gone = await remove('gone', await create('gone'))
        const a2 = await update('a', 'a2', a1)
        const a3 = await update('a', 'a3', a2)
        await store.compact(a2)
        await rejects('compacted', store.get(`${prefix}a`, { revision: a1 }))
        await rejects('compacted', store.list(prefix, { revision: gone }))
        await rejects('compacted', first(store.watch(prefix, { from: gone })))
        assert.equal(text((await store.get(`${prefix}a`, { revision: a2 }))!.value), 'a2')
        assert.deepEqual(names((await store.list(prefix, { revision: a2 })).items), ['a'])
        assert.equal(text((await store.get(`${prefix}a`))!.value), 'a3')
        const watch = collect(store, prefix, a2)
        await watch.until(a3)
        await watch.stop()
        assert.deepEqual(watch.events.map(plainEvent), [
          { type: 'put', key: `${prefix}a`, value: 'a3', previous: { value: 'a2', modRevision: a2 }, revision: a3 },
        ])
      })

      it('at the newest revision keeps every key', async () => {
        const a = await create('a', 'a')
        const b = await remove('b', await create('b'))
        await store.compact(b)
        assert.deepEqual((await store.list(prefix)).items.map(plain), [{ key: `${prefix}a`, value: 'a', modRevision: a }])
        assert.equal(await store.currentRevision(), b)
        const again = await create('b', 'again')
        assert.ok(again > b)
        await remove('b', again)
      })

      it('may be asked for twice, and not of the future', async () => {
        const revision = await create('a')
        await store.compact(revision)
        await store.compact(revision)
        await store.compact(revision - 1)
        await rejects('future', store.compact(revision + 1000))
      })

      it('takes nothing away from a live watch', async () => {
        let a = await create('a', '0')
        const batches = store.watch(prefix, { from: a })[Symbol.asyncIterator]()
        await batches.next()
        for (let i = 1; i <= 10; i++) a = await update('a', String(i), a)
        await store.compact(a)
        const { value } = (await batches.next()) as { value: WatchBatch }
        assert.deepEqual(
          value.events.map((e) => [text(e.previous!.value), text(e.value!)]),
          Array.from({ length: 10 }, (_, i) => [String(i), String(i + 1)]),
        )
        await batches.return!()
      })
    })

    describe('closing', () => {
      test('ends watches and refuses everything after it, and may be done twice', async () => {
        const closing = await open({ watchQueue: 100 })
        const from = revisionOf(await closing.create('/a', bytes('a')))
        const live = closing.watch('/', { from })[Symbol.asyncIterator]()
        await live.next()
        const ended = rejects('closed', live.next())
        await closing[Symbol.asyncDispose]()
        await closing[Symbol.asyncDispose]()
        await ended
        await rejects('closed', closing.get('/a'))
        await rejects('closed', closing.list('/'))
        await rejects('closed', closing.create('/b', bytes('b')))
        await rejects('closed', closing.currentRevision())
        await rejects('closed', closing.compact(1))
        await rejects('closed', first(closing.watch('/', { from })))
      })

      test('answers every write that was issued before it', async () => {
        const closing = await open({ watchQueue: 100 })
        const writes = Array.from({ length: 50 }, (_, i) => closing.create(`/${i}`, bytes('x')))
        await closing[Symbol.asyncDispose]()
        for (const result of await Promise.allSettled(writes))
          if (result.status === 'rejected') assert.equal((result.reason as StoreError).kind, 'closed')
      })
    })

    test('behaves as a list of versions does, whatever the order of operations', { timeout: 240_000 }, () => againstModel(open))
  })
}

type Operation =
  | { op: 'create'; key: string; stale: boolean }
  | { op: 'update'; key: string; stale: boolean }
  | { op: 'delete'; key: string; stale: boolean }
  | { op: 'get'; key: string; back: number }
  | { op: 'list'; prefix: string; back: number; limit: number; after: string | undefined }
  | { op: 'watch'; prefix: string; back: number }
  | { op: 'compact'; back: number }

const someKey = fc.constantFrom('/a', '/a/1', '/a/2', '/b', '/b/1', '/ba', '/c/\u{1f600}', '/c/\ufffd')
const somePrefix = fc.constantFrom('/', '/a', '/a/', '/b', '/c/', '/x')
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ op: fc.constantFrom('create', 'update', 'delete'), key: someKey, stale: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('get'), key: someKey, back: fc.nat(6) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('list'),
      prefix: somePrefix,
      back: fc.nat(6),
      limit: fc.nat(4),
      after: fc.option(someKey, { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('watch'), prefix: somePrefix, back: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('compact'), back: fc.nat(6) }) },
) as fc.Arbitrary<Operation>

/** The model: the whole history as a list. Revisions are compared by the order of writes, because a store may start anywhere. */
async function againstModel(open: (options: StoreContractOptions) => Promise<Store>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 60 }), async (operations) => {
      const store = await open({ watchQueue: 100 })
      try {
        const history: { key: string; value: string | undefined; revision: number }[] = []
        const start = await store.currentRevision()
        let floor = start
        const current = () => history.at(-1)?.revision ?? start
        const revisionBack = (back: number) => (back === 0 ? current() : (history.at(-1 - back)?.revision ?? start))
        const at = (key: string, revision: number) => {
          const found = history.findLast((v) => v.key === key && v.revision <= revision)
          return found?.value === undefined ? undefined : { key, value: found.value, modRevision: found.revision }
        }
        const live = collect(store, '/', start)
        for (const [i, o] of operations.entries()) {
          if (o.op === 'create' || o.op === 'update' || o.op === 'delete') {
            const before = at(o.key, current())
            const revision = o.stale ? (before?.modRevision ?? 0) + 1 : (before?.modRevision ?? 0)
            const value = o.op === 'delete' ? undefined : `value ${i}`
            const result =
              o.op === 'create'
                ? await store.create(o.key, bytes(value!))
                : o.op === 'update'
                  ? await store.update(o.key, bytes(value!), revision)
                  : await store.delete(o.key, revision)
            const expected = o.op === 'create' ? !before : before !== undefined && !o.stale
            assert.equal(result.ok, expected)
            if (result.ok) {
              assert.ok(result.revision > current())
              history.push({ key: o.key, value, revision: result.revision })
            } else assert.deepEqual(result.current && plain(result.current), before)
          } else if (o.op === 'compact') {
            floor = Math.max(floor, revisionBack(o.back))
            await store.compact(floor)
          } else if (revisionBack(o.back) < floor) {
            const revision = revisionBack(o.back)
            if (o.op === 'get') await rejects('compacted', store.get(o.key, { revision }))
            else if (o.op === 'list') await rejects('compacted', store.list(o.prefix, { revision }))
            else await rejects('compacted', first(store.watch(o.prefix, { from: revision })))
          } else if (o.op === 'get') {
            const got = await store.get(o.key, { revision: revisionBack(o.back) })
            assert.deepEqual(got && plain(got), at(o.key, revisionBack(o.back)))
          } else if (o.op === 'list') {
            const { prefix, limit, after } = o
            const revision = revisionBack(o.back)
            const matching = [...new Set(history.map((v) => v.key))]
              .filter((key) => key.startsWith(prefix) && (after === undefined || byBytes(key, after) > 0))
              .sort(byBytes)
              .map((key) => at(key, revision))
              .filter((item) => item !== undefined)
            const listing = await store.list(prefix, { revision, limit, after })
            assert.deepEqual(listing.items.map(plain), limit ? matching.slice(0, limit) : matching)
            assert.equal(listing.more, limit > 0 && matching.length > limit)
            if (listing.remaining !== undefined) assert.equal(listing.remaining, matching.length - listing.items.length)
          } else {
            const from = revisionBack(o.back)
            const watch = collect(store, o.prefix, from)
            await watch.until(current())
            await watch.stop()
            const expected = history.filter((v) => v.revision > from && v.key.startsWith(o.prefix))
            assert.deepEqual(
              watch.events.map((e) => ({ key: e.key, value: e.value && text(e.value), revision: e.revision })),
              expected,
            )
          }
        }
        await live.until(current())
        await live.stop()
        assert.deepEqual(
          live.events.map((e) => e.revision),
          history.map((v) => v.revision),
        )
      } finally {
        await store[Symbol.asyncDispose]()
      }
    }),
    { seed: 20260101, numRuns: 150 },
  )
}

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

export const bytes = (value: string): Uint8Array => new TextEncoder().encode(value)
export const text = (value: Uint8Array): string => new TextDecoder().decode(value)

/** The revision of a write that must have succeeded. */
export function revisionOf(result: WriteResult): number {
  assert.ok(result.ok, 'the write conflicts')
  return result.revision
}

function conflict(result: WriteResult): object | undefined {
  assert.ok(!result.ok, 'the write succeeded')
  return result.current && plain(result.current)
}

const plain = (item: KeyValue | undefined) => item && { key: item.key, value: text(item.value), modRevision: item.modRevision }

const plainEvent = (event: StoreEvent) => ({
  type: event.type,
  key: event.key,
  value: event.value && text(event.value),
  previous: event.previous && { value: text(event.previous.value), modRevision: event.previous.modRevision },
  revision: event.revision,
})

export async function rejects(kind: StoreErrorKind, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => error instanceof StoreError && error.kind === kind)
}

async function first(watch: AsyncIterable<WatchBatch>): Promise<WatchBatch | undefined> {
  for await (const batch of watch) return batch
  return undefined
}

async function drain(batches: AsyncIterator<WatchBatch>): Promise<void> {
  for (let i = 0; i < 1000; i++) if ((await batches.next()).done) return
}

/** Reads a watch in the background. */
export function collect(store: Store, prefix: string, from: number) {
  const abort = new AbortController()
  const events: StoreEvent[] = []
  let revision = -1
  let error: unknown
  let waiting: { revision: number; resolve: () => void; reject: (error: unknown) => void } | undefined
  const reading = (async () => {
    try {
      for await (const batch of store.watch(prefix, { from, signal: abort.signal })) {
        events.push(...batch.events)
        for (const event of batch.events) assert.ok(event.revision <= batch.revision)
        assert.ok(batch.revision >= revision, 'progress went backwards')
        revision = batch.revision
        if (waiting && revision >= waiting.revision) waiting.resolve()
      }
    } catch (e) {
      error = e
      waiting?.reject(e)
    }
  })()
  return {
    events,
    /** Resolves when everything up to `target` was delivered. */
    until(target: number): Promise<void> {
      if (error) return Promise.reject(error)
      if (revision >= target) return Promise.resolve()
      return new Promise((resolve, reject) => (waiting = { revision: target, resolve, reject }))
    },
    async stop(): Promise<void> {
      abort.abort()
      await reading
      if (error) throw error
    },
  }
}
