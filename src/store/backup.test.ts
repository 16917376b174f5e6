import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { EtcdCluster } from '../../test/etcd.ts'
import { etcdIsInstalled, startEtcd } from '../../test/etcd.ts'
import { BackupError, exportStore, importBackup, readBackup } from './backup.ts'
import { openEtcdStore } from './etcd/etcd-store.ts'
import { memoryStore } from './memory/memory-store.ts'
import { openSqliteStore } from './sqlite/sqlite-store.ts'
import type { Store } from './store.ts'

const now = new Date('2026-01-02T03:04:05Z')
const value = (text: string) => Buffer.from(text)

async function filled(count: number): Promise<Store> {
  const store = memoryStore()
  for (let i = 0; i < count; i++) await store.create(`/k/${String(i).padStart(5, '0')}`, value(`value ${i}`))
  return store
}

async function bytesOf(store: Store): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(exportStore(store, now)))
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const contents = async (store: Store) => (await store.list('/')).items.map(({ key, value: v }) => [key, Buffer.from(v).toString()])

test('another store holds the same afterwards, and nothing else', async () => {
  await using source = await filled(1203)
  await using target = memoryStore()
  await target.create('/k/00007', value('old'))
  await target.create('/z', value('not in the backup'))
  const bytes = await bytesOf(source)
  const summary = await importBackup(target, inPieces(bytes, 7001))
  assert.equal(summary.keys, 1203)
  assert.equal(summary.time, '2026-01-02T03:04:05.000Z')
  assert.deepEqual(await contents(target), await contents(source))
})

test('what is written meanwhile is not in it: all is of one revision', async () => {
  await using source = await filled(1200)
  const before = await contents(source)
  const chunks = exportStore(source, now)
  const parts = [(await chunks.next()).value as Buffer, (await chunks.next()).value as Buffer]
  await source.create('/k/00000-later', value('later'))
  const victim = (await source.get('/k/01100'))!
  await source.delete(victim.key, victim.modRevision)
  for await (const chunk of chunks) parts.push(chunk)
  const found: unknown[] = []
  await readBackup(inPieces(Buffer.concat(parts), 100_000), (key, v) => void found.push([key, v.toString()]))
  assert.deepEqual(found, before)
})

describe('from any store to any other, while it is written to', () => {
  const directory = mkdtempSync(join(tmpdir(), 'k8ts-backup-'))
  let etcd: EtcdCluster | undefined
  before(async () => {
    if (etcdIsInstalled) etcd = await startEtcd()
  })
  after(async () => {
    await etcd?.[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true })
  })
  let count = 0
  const stores: Record<string, () => Promise<Store>> = {
    memory: async () => memoryStore(),
    sqlite: () => openSqliteStore({ path: join(directory, `${++count}.db`) }),
    ...(etcdIsInstalled ? { etcd: () => openEtcdStore({ endpoints: etcd!.endpoints, prefix: `/backup/${++count}`, history: 0 }) } : {}),
  }
  const pairs = Object.keys(stores).flatMap((from) => Object.keys(stores).map((to) => [from, to] as const))
  for (const [from, to] of pairs)
    test(`${from} to ${to}`, { timeout: 240_000 }, async () => {
      await using source = await stores[from]!()
      await using target = await stores[to]!()
      await target.create('/not-in-the-backup', value('x'))
      for (let i = 0; i < 1200; i += 100) await Promise.all(Array.from({ length: 100 }, (_, n) => source.create(`/k/${i + n}`, value('first'))))
      let stop = false
      let round = 0
      // every key is of the same round, or of the one before: what a backup shows of it must be one moment
      const writing = (async () => {
        while (!stop) {
          round++
          // a store in memory would never let go of the thread
          await turn()
          for (const key of ['/k/1', '/k/600', '/k/1199']) {
            const found = (await source.get(key))!
            await source.update(key, value(`round ${round}`), found.modRevision)
          }
          await source.create(`/new/${round}`, value('x'))
        }
      })()
      while (round < 3) await turn()
      const parts: Buffer[] = []
      for await (const chunk of exportStore(source, now)) {
        parts.push(chunk)
        // the rest is read when much more has been written
        const seen = round
        while (round < seen + 2) await turn()
      }
      stop = true
      await writing
      const summary = await importBackup(target, inPieces(Buffer.concat(parts), 10_000))
      assert.equal((await target.get('/not-in-the-backup')) ?? undefined, undefined)
      const there = new Map((await target.list('/')).items.map((item) => [item.key, Buffer.from(item.value).toString()]))
      assert.equal(there.size, summary.keys)
      for (let i = 0; i < 1200; i++) assert.ok(there.has(`/k/${i}`), `/k/${i}`)
      const rounds = ['/k/1', '/k/600', '/k/1199'].map((key) => Number(there.get(key)!.slice('round '.length)))
      const newest = [...there.keys()].filter((key) => key.startsWith('/new/')).length
      // written in this order: none is ahead of the one before it, and none more than a round behind
      assert.ok(
        rounds[0]! >= rounds[1]! && rounds[1]! >= rounds[2]! && rounds[2]! >= newest && newest >= rounds[0]! - 1,
        `${rounds.join(' ')} ${newest}`,
      )
      assert.ok(round > rounds[0]! + 1, 'writes went on after the moment of the backup')
    })
})

test('an empty store has a backup', async () => {
  await using source = memoryStore()
  assert.equal((await readBackup(inPieces(await bytesOf(source), 10))).keys, 0)
})

const damages: [string, (bytes: Buffer) => Buffer, RegExp][] = [
  ['one that was cut off', (bytes) => bytes.subarray(0, bytes.length - 40), /ends too early/],
  ['one with another byte in a value', (bytes) => flipped(bytes, bytes.length - 46), /checksum/],
  ['one whose checksum is another', (bytes) => flipped(bytes, bytes.length - 1), /checksum/],
  ['something else', () => Buffer.from('#!/bin/sh\n'), /no backup of k8ts/],
  ['something else without lines', () => Buffer.alloc(10_000, 'x'), /no backup of k8ts/],
  ['one of a later version', () => Buffer.from('{"format":"k8ts-backup","version":2}\n'), /version 2/],
]
for (const [name, damage, message] of damages)
  test(`${name} is refused`, async () => {
    await using source = await filled(10)
    await assert.rejects(
      readBackup(inPieces(damage(await bytesOf(source)), 64)),
      (error) => error instanceof BackupError && message.test(error.message),
    )
  })

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at]! ^= 1
  return copy
}
