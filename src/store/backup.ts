import { createHash } from 'node:crypto'
import type { KeyValue, Store, StoreReader } from './store.ts'

/**
 * A backup is a stream of bytes: a line of JSON that says what it is, then a record for each key, all from one revision, and at its end what proves that it is whole:
 *
 *     {"format":"k8ts-backup","version":1,"revision":42,"time":"…"}\n
 *     length of key (4 bytes) · key · length of value (4 bytes) · value        … for each key, in key order
 *     ff ff ff ff · number of keys (8 bytes) · SHA-256 of everything before it (32 bytes)
 */
export interface BackupHeader {
  format: 'k8ts-backup'
  version: 1
  /** The revision that all values are from. */
  revision: number
  /** RFC 3339. */
  time: string
  /** What its maker wants to know of it when it is restored. */
  about: Record<string, string>
}

export interface BackupSummary extends BackupHeader {
  keys: number
  /** Of keys and values. */
  bytes: number
}

/** What a backup that cannot be used says of itself. */
export class BackupError extends Error {
  override name = 'BackupError'
}

const pageSize = 500
const endMark = 0xffffffff
/** No key and no value is longer: a length beyond it is no length. */
const longest = 64 * 1024 * 1024

/** Reads a store that goes on being written to; what comes out is of one revision. */
export async function* exportStore(store: StoreReader, now: Date, about: Record<string, string> = {}): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  const part = (bytes: Buffer) => {
    hash.update(bytes)
    return bytes
  }
  let keys = 0
  let after: string | undefined
  let revision: number | undefined
  for (;;) {
    const page = await store.list('/', {
      limit: pageSize,
      ...(revision === undefined ? {} : { revision }),
      ...(after === undefined ? {} : { after }),
    })
    if (revision === undefined) {
      revision = page.revision
      const header: BackupHeader = { format: 'k8ts-backup', version: 1, revision, time: now.toISOString(), about }
      yield part(Buffer.from(`${JSON.stringify(header)}\n`))
    }
    if (page.items.length > 0) yield part(Buffer.concat(page.items.flatMap(record)))
    keys += page.items.length
    after = page.items.at(-1)?.key
    if (!page.more || after === undefined) break
  }
  const end = Buffer.alloc(12)
  end.writeUInt32BE(endMark)
  end.writeBigUInt64BE(BigInt(keys), 4)
  yield part(end)
  yield hash.digest()
}

function record({ key, value }: KeyValue): Buffer[] {
  const name = Buffer.from(key)
  return [uint32(name.length), name, uint32(value.length), Buffer.from(value.buffer, value.byteOffset, value.byteLength)]
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Reads a backup, hands over each key, and answers what it was once it has proven to be whole. Throws BackupError when it is not. */
export async function readBackup(
  chunks: AsyncIterable<Uint8Array>,
  take: (key: string, value: Buffer) => Promise<void> | void = () => {},
): Promise<BackupSummary> {
  const hash = createHash('sha256')
  const source = chunks[Symbol.asyncIterator]()
  let buffered: Buffer = Buffer.alloc(0)

  async function more(): Promise<void> {
    const { done, value } = await source.next()
    if (done) throw new BackupError('the backup ends too early: it was cut off')
    buffered = Buffer.concat([buffered, value])
  }
  async function bytes(count: number, hashed = true): Promise<Buffer> {
    while (buffered.length < count) await more()
    const taken = buffered.subarray(0, count)
    buffered = buffered.subarray(count)
    if (hashed) hash.update(taken)
    return taken
  }
  async function length(): Promise<number> {
    return (await bytes(4)).readUInt32BE()
  }

  const header = parseHeader(await headLine())
  let keys = 0
  let size = 0
  for (;;) {
    const keyLength = await length()
    if (keyLength === endMark) break
    if (keyLength > longest) throw new BackupError('the backup is damaged')
    const key = (await bytes(keyLength)).toString()
    const valueLength = await length()
    if (valueLength > longest) throw new BackupError('the backup is damaged')
    const value = Buffer.from(await bytes(valueLength))
    keys++
    size += keyLength + valueLength
    await take(key, value)
  }
  const expected = Number((await bytes(8)).readBigUInt64BE())
  const digest = await bytes(32, false)
  if (expected !== keys || !digest.equals(hash.digest())) throw new BackupError('the backup is damaged: its checksum is another one')
  return { ...header, keys, bytes: size }

  async function headLine(): Promise<string> {
    for (;;) {
      const at = buffered.indexOf(0x0a)
      if (at >= 0) return (await bytes(at + 1)).toString()
      if (buffered.length > 4096) throw new BackupError('this is no backup of k8ts')
      await more()
    }
  }
}

function parseHeader(line: string): BackupHeader {
  let header: BackupHeader
  try {
    header = JSON.parse(line) as BackupHeader
  } catch {
    throw new BackupError('this is no backup of k8ts')
  }
  if (header?.format !== 'k8ts-backup') throw new BackupError('this is no backup of k8ts')
  if (header.version !== 1) throw new BackupError(`the backup has version ${String(header.version)}, this program reads version 1`)
  return header
}

/** Makes a store hold what a backup holds, and nothing else. A second run completes what a first one began. */
export async function importBackup(store: Store, chunks: AsyncIterable<Uint8Array>): Promise<BackupSummary> {
  const present = new Map<string, number>()
  for (let after: string | undefined; ;) {
    const page = await store.list('/', { limit: pageSize, ...(after === undefined ? {} : { after }) })
    for (const { key, modRevision } of page.items) present.set(key, modRevision)
    after = page.items.at(-1)?.key
    if (!page.more || after === undefined) break
  }
  let writes: Promise<void>[] = []
  const settle = async () => {
    await Promise.all(writes)
    writes = []
  }
  const summary = await readBackup(chunks, async (key, value) => {
    const revision = present.get(key)
    present.delete(key)
    writes.push(written(key, revision === undefined ? store.create(key, value) : store.update(key, value, revision)))
    // many share a commit
    if (writes.length >= pageSize) await settle()
  })
  await settle()
  for (const [key, revision] of present) writes.push(written(key, store.delete(key, revision)))
  await settle()
  return summary
}

async function written(key: string, operation: ReturnType<Store['create']>): Promise<void> {
  const result = await operation
  if (!result.ok) throw new BackupError(`${key} was changed by somebody else while the backup was restored: stop every server that uses this store`)
}
