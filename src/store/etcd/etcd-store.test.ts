import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { bytes, collect, revisionOf, storeContract, text } from '../../../test/contract/store.ts'
import type { Store } from '../store.ts'
import { StoreError } from '../store.ts'
import type { EtcdCluster } from '../../../test/etcd.ts'
import { etcdIsInstalled, startEtcd } from '../../../test/etcd.ts'
import { openEtcdStore } from './etcd-store.ts'
import { parseEtcdUrl } from './url.ts'

const own = () => `/test/${randomUUID()}`

/** Members that do not answer are waited for no longer than this. */
const patience = 3000

describe('etcd', { skip: etcdIsInstalled ? false : 'etcd is not installed' }, () => {
  let etcd: EtcdCluster
  before(async () => {
    etcd = await startEtcd()
    await using store = await eventually(() => openEtcdStore({ endpoints: etcd.endpoints }))
    await store.currentRevision()
  })
  after(() => etcd[Symbol.asyncDispose]())

  storeContract('etcd', ({ watchQueue }) => openEtcdStore({ endpoints: etcd.endpoints, prefix: own(), watchQueue, history: 0 }))

  test('it tells how much etcd takes up', async () => {
    await using store = await openEtcdStore({ endpoints: etcd.endpoints, prefix: own() })
    assert.ok((await store.size!()) > 0)
  })

  test('two stores on one etcd see each other’s writes at once', async () => {
    const prefix = own()
    await using one = await openEtcdStore({ endpoints: etcd.endpoints, prefix })
    await using two = await openEtcdStore({ endpoints: etcd.endpoints, prefix })
    const watch = collect(two, '/', await two.currentRevision())
    const revision = revisionOf(await one.create('/a', bytes('1')))
    assert.equal(text((await two.get('/a'))!.value), '1')
    await watch.until(revision)
    assert.deepEqual(
      watch.events.map((e) => [e.key, e.revision]),
      [['/a', revision]],
    )
    const result = await two.update('/a', bytes('2'), revision)
    assert.equal((await one.update('/a', bytes('3'), revision)).ok, false)
    assert.equal((await one.get('/a'))!.modRevision, revisionOf(result))
    await watch.stop()
  })

  test('progress reaches a watch also when others write elsewhere in etcd', async () => {
    await using one = await openEtcdStore({ endpoints: etcd.endpoints, prefix: own() })
    await using other = await openEtcdStore({ endpoints: etcd.endpoints, prefix: own() })
    const watch = collect(one, '/', await one.currentRevision())
    await other.create('/a', bytes('elsewhere'))
    await one.create('/b', bytes('here'))
    const target = await one.currentRevision()
    await watch.until(target)
    await watch.stop()
  })

  test('a watch that begins before this store was opened replays history', async () => {
    const prefix = own()
    const revisions: number[] = []
    {
      await using first = await openEtcdStore({ endpoints: etcd.endpoints, prefix })
      for (let i = 0; i < 5; i++) revisions.push(revisionOf(await first.create(`/${i}`, bytes(String(i)))))
    }
    await using store = await openEtcdStore({ endpoints: etcd.endpoints, prefix })
    const watch = collect(store, '/', revisions[1]!)
    const last = revisionOf(await store.create('/last', bytes('x')))
    await watch.until(last)
    await watch.stop()
    assert.deepEqual(
      watch.events.map((e) => e.revision),
      [...revisions.slice(2), last],
    )
  })

  test('what is written with a time to live goes by itself', async () => {
    await using store = await openEtcdStore({ endpoints: etcd.endpoints, prefix: own() })
    const watch = collect(store, '/', await store.currentRevision())
    const created = revisionOf(await store.create('/event', bytes('x'), { ttl: 1 }))
    await eventually(async () => assert.equal(watch.events.at(-1)?.type, 'delete'))
    assert.deepEqual(watch.events.at(-1)!.previous?.modRevision, created)
    await watch.stop()
  })

  test('history is compacted by the server that comes first', async () => {
    const prefix = own()
    await using one = await openEtcdStore({ endpoints: etcd.endpoints, prefix, history: 50 })
    await using two = await openEtcdStore({ endpoints: etcd.endpoints, prefix, history: 50 })
    const revision = revisionOf(await one.create('/a', bytes('1')))
    await one.update('/a', bytes('2'), revision)
    await eventually(async () => {
      await one.create(`/${randomUUID()}`, bytes('goes on'))
      await assert.rejects(two.get('/a', { revision }), (error) => error instanceof StoreError && error.kind === 'compacted')
    })
    assert.equal(text((await two.get('/a'))!.value), '2')
  })
})

test(
  'a cluster of three goes on when a member is killed, and takes it back',
  { skip: etcdIsInstalled ? false : 'etcd is not installed', timeout: 240_000 },
  async () => {
    await using etcd = await startEtcd(3)
    await using store: Store = await eventually(() => openEtcdStore({ endpoints: etcd.endpoints, patience }))
    const watch = collect(store, '/', await store.currentRevision())
    const acknowledged = new Map<string, number>()
    let stop = false
    const writing = (async () => {
      for (let i = 0; !stop; i++) {
        try {
          const result = await store.create(`/${i}`, bytes(String(i)))
          if (result.ok) acknowledged.set(`/${i}`, result.revision)
        } catch (error) {
          // which outcome it had is not known
          assert.ok(error instanceof StoreError && error.kind === 'unavailable', String(error))
        }
      }
    })()
    const more = (count: number) => eventually(async () => assert.ok(acknowledged.size >= count, `${acknowledged.size} writes`))
    await more(20)
    for (const member of etcd.members) {
      const before = acknowledged.size
      await member.kill()
      await more(before + 20)
      member.start()
      await more(before + 40)
    }
    stop = true
    await writing
    const last = await written(store, '/last', 'x')
    await watch.until(last)
    await watch.stop()
    const listed = new Map((await store.list('/')).items.map((i) => [i.key, i.modRevision]))
    for (const [key, revision] of acknowledged) assert.equal(listed.get(key), revision, `${key} was acknowledged and is lost`)
    // every key was seen once, and in order
    const seen = watch.events.map((e) => e.revision)
    assert.deepEqual(
      seen,
      [...new Set(seen)].sort((a, b) => a - b),
    )
    assert.deepEqual(new Set(watch.events.map((e) => e.key)), new Set(listed.keys()))
  },
)

test(
  'etcd beyond its quota refuses what needs room, takes deletions, and comes back by itself when there is room',
  { skip: etcdIsInstalled ? false : 'etcd is not installed', timeout: 240_000 },
  async () => {
    await using etcd = await startEtcd(1, { flags: ['--quota-backend-bytes', String(8 * 1024 * 1024)] })
    await using store = await eventually(() => openEtcdStore({ endpoints: etcd.endpoints, prefix: own() }))
    const value = new Uint8Array(100_000)
    const written: [key: string, revision: number][] = []
    const isFull = (error: unknown) => error instanceof StoreError && error.kind === 'full'
    await assert.rejects(async () => {
      for (let i = 0; i < 200; i++) {
        const key = `/${String(i).padStart(3, '0')}`
        written.push([key, revisionOf(await store.create(key, value))])
      }
    }, isFull)
    assert.ok(written.length > 20, `${written.length} writes`)
    // nothing is lost: what was acknowledged is there, and is read; etcd may have done the write that reached the quota before it refused it
    const stored = (await store.list('/')).items
    assert.deepEqual(
      stored.slice(0, written.length).map(({ modRevision }) => modRevision),
      written.map(([, revision]) => revision),
    )
    assert.ok(stored.length <= written.length + 1, `${stored.length} are stored, ${written.length} were acknowledged`)
    for (const { key, modRevision } of stored) assert.equal((await store.delete(key, modRevision)).ok, true)
    await eventually(() => store.create('/again', value))
    assert.deepEqual(
      (await store.list('/')).items.map((found) => found.key),
      ['/again'],
    )
  },
)

test(
  'a member that stands still, or is cut off from the others, holds up neither writes nor reads nor watches',
  { skip: etcdIsInstalled ? false : 'etcd is not installed', timeout: 240_000 },
  async () => {
    await using etcd = await startEtcd(3)
    // each member is the one that this store talks to first, in turn
    for (const [n, member] of etcd.members.entries()) {
      const endpoints = [...etcd.endpoints.slice(n), ...etcd.endpoints.slice(0, n)]
      await using store: Store = await eventually(() => openEtcdStore({ endpoints, prefix: own(), patience }))
      const first = await written(store, '/before', '1')
      const watch = collect(store, '/', first)
      member.pause()
      try {
        const second = await written(store, '/meanwhile', '2')
        // consistent: no older than what was acknowledged
        assert.equal((await eventually(() => store.get('/meanwhile')))!.modRevision, second)
        await watch.until(second)
        assert.ok((await eventually(() => store.currentRevision())) >= second)
      } finally {
        member.resume()
      }
      await watch.stop()
    }
  },
)

test(
  'a member that has lost the others answers nothing from what it remembers, and all goes on when they are back',
  { skip: etcdIsInstalled ? false : 'etcd is not installed', timeout: 240_000 },
  async () => {
    await using etcd = await startEtcd(3)
    const prefix = own()
    const [alone, ...others] = etcd.members
    await using store: Store = await eventually(() => openEtcdStore({ endpoints: [alone!.endpoint], prefix, patience }))
    const first = await written(store, '/a', '1')
    const watch = collect(store, '/', first)
    for (const other of others) other.pause()
    try {
      const isUnavailable = (error: unknown) => error instanceof StoreError && error.kind === 'unavailable'
      await Promise.all([assert.rejects(store.get('/a'), isUnavailable), assert.rejects(store.create('/b', bytes('2')), isUnavailable)])
      assert.equal(watch.events.length, 0)
    } finally {
      for (const other of others) other.resume()
    }
    const second = await written(store, '/a', '3')
    await watch.until(second)
    await watch.stop()
    assert.ok(watch.events.some((event) => event.revision === second))
  },
)

test(
  'over TLS, with a certificate of its own; without one it is refused',
  { skip: etcdIsInstalled ? false : 'etcd is not installed', timeout: 240_000 },
  async () => {
    await using etcd = await startEtcd(1, { secure: true })
    const { ca, cert, key } = etcd.tls!
    const url = (query: string) => parseEtcdUrl(`etcd://${etcd.endpoints[0]}/secure?${query}`)
    await using store = await eventually(() => openEtcdStore(url(`ca=${ca}&cert=${cert}&key=${key}`)))
    const revision = revisionOf(await store.create('/a', bytes('1')))
    assert.equal((await store.get('/a'))!.modRevision, revision)
    for (const query of [`ca=${ca}`, ''])
      await assert.rejects(openEtcdStore(url(query)), (error) => error instanceof StoreError && error.kind === 'unavailable')
  },
)

const addresses: [string, object | RegExp][] = [
  ['etcd://127.0.0.1:2379', { endpoints: ['127.0.0.1:2379'], prefix: '' }],
  ['etcd://a:1,b:2/one/', { endpoints: ['a:1', 'b:2'], prefix: '/one' }],
  ['etcd://a', /no HOST:PORT/],
  ['http://a:1', /no address of etcd/],
  ['etcd://a:1?cert=x', /both cert and key/],
  ['etcd://a:1?password=x', /unknown parameter "password"/],
]
for (const [url, expected] of addresses)
  test(`the address ${url}`, () => {
    if (expected instanceof RegExp) assert.throws(() => parseEtcdUrl(url), expected)
    else assert.deepEqual(parseEtcdUrl(url), expected)
  })

/** The revision of a write that is done once, however often it is tried: one whose outcome is not known may have been done. */
function written(store: Store, key: string, value: string): Promise<number> {
  return eventually(async () => {
    const found = await store.get(key)
    if (found && text(found.value) === value) return found.modRevision
    return revisionOf(await (found ? store.update(key, bytes(value), found.modRevision) : store.create(key, bytes(value))))
  })
}

/** Tries until it goes well. */
async function eventually<T>(attempt: () => Promise<T>, limit = 60_000): Promise<T> {
  for (const start = performance.now(); ;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() - start > limit) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
