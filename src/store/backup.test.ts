import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BackupError, exportStore, importBackup, readBackup } from './backup.ts'
import { memoryStore } from './memory/memory-store.ts'
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
