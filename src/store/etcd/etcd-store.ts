import type { Clock, Logger } from '#base'
import { describeError, realClock, silentLogger } from '#base'
import type { KeyValue, Store, WriteResult } from '../store.ts'
import { StoreError } from '../store.ts'
import { closedError, Watchers } from '../watchers.ts'
import { Follower } from './follower.ts'
import { keySpace } from './keys.ts'
import { leases } from './leases.ts'
import { spaceRecovery } from './space.ts'
import type { EtcdEndpoints, Message } from './rpc.ts'
import type { EtcdAddress } from './url.ts'

export interface EtcdStoreOptions extends EtcdEndpoints {
  /** In front of every key; nothing when absent. */
  prefix?: string
  /** Undelivered events after which a watcher is cut off as `slow`; 10,000 when absent. */
  watchQueue?: number
  /**
   * Milliseconds of history that readers of the past are left; 5 minutes when absent, 0 to leave compaction to others. One of the servers that share an etcd
   * compacts. Where compaction is ours, so is making room in an etcd that has exceeded its quota (`space.ts`).
   */
  history?: number
  clock?: Clock
  log?: Logger
}

/** Loaded with the first use: a server on another store does not pay for it. */
const grpc = () => import('./rpc.ts')

/**
 * A store in an etcd cluster (3.4 or later), which several API servers may share. One watch follows all keys; a write is answered when that watch has shown it,
 * so that readers in this process never lag behind what was acknowledged. Reads and writes are linearizable.
 */
export async function openEtcdStore(options: EtcdStoreOptions): Promise<Store> {
  const { clock = realClock, log = silentLogger, history = 5 * 60_000 } = options
  const { etcdRpc } = await grpc()
  const rpc = etcdRpc(options)
  const keys = keySpace(options.prefix ?? '')
  let start: Message
  let version: string
  try {
    start = await rpc.call('KV', 'Range', { key: keys.sync, keys_only: true }, { retry: true })
    version = (await rpc.call('Maintenance', 'Status', {}, { retry: true }))['version'] as string
  } catch (error) {
    rpc.close()
    throw error
  }
  /** The newest revision at which this server knows of a compaction. */
  let floor = 0
  let closed = false

  const watchers = new Watchers(
    {
      get revision() {
        return follower.revision
      },
      async since(prefix, after) {
        if (after < floor) throw new StoreError('compacted', `revision ${after} has been compacted, the oldest is ${floor}`)
        if (after > follower.revision) {
          const newest = await revisionOf()
          if (after > newest) throw new StoreError('future', `revision ${after} is in the future, the newest is ${newest}`)
          await follower.reaches(after)
        }
        return follower.since(prefix, after)
      },
    },
    options.watchQueue ?? 10_000,
  )
  const follower = new Follower({
    rpc,
    keys,
    revision: start['header'].revision,
    clock,
    log,
    progressRequests: trustsProgress(version),
    publish: (events, revision) => watchers.publish(events, revision),
    lost: () => watchers.endAll(new StoreError('compacted', 'events were lost while etcd could not be reached')),
  })
  const leased = leases(rpc, clock)

  const item = (kv: Message): KeyValue => ({ key: keys.decode(kv['key'])!, value: kv['value'], modRevision: kv['mod_revision'] })

  async function range(request: Message): Promise<Message> {
    if (closed) throw closedError()
    return rpc.call('KV', 'Range', request, { retry: true })
  }

  async function revisionOf(): Promise<number> {
    return (await range({ key: keys.sync, keys_only: true }))['header'].revision
  }

  /** Writes of one key go one after the other: calls that run side by side may overtake one another. */
  const last = new Map<string, Promise<unknown>>()
  async function inOrder<T>(key: string, write: () => Promise<T>): Promise<T> {
    const before = last.get(key)
    const mine = before ? before.then(write, write) : write()
    last.set(key, mine)
    try {
      return await mine
    } finally {
      if (last.get(key) === mine) last.delete(key)
    }
  }

  /** Writes where the key's value is of `revision`; 0: where there is none. */
  function write(key: string, revision: number, operation: (key: Buffer) => Message | Promise<Message>): Promise<WriteResult> {
    if (!key.isWellFormed()) return Promise.reject(new TypeError('a key must be a well-formed string'))
    if (!key.startsWith('/')) return Promise.reject(new TypeError('a key starts with a slash'))
    return inOrder(key, async () => {
      if (closed) throw closedError()
      const name = keys.encode(key)
      const { succeeded, header, responses } = await sent(async () =>
        rpc.call('KV', 'Txn', {
          compare: [{ key: name, target: 2, result: 0, mod_revision: revision }],
          success: [await operation(name)],
          failure: [{ request_range: { key: name } }],
        }),
      )
      if (!succeeded) {
        const [found] = responses[0].response_range.kvs as Message[]
        return { ok: false, current: found && item(found) }
      }
      await follower.reaches(header.revision)
      return { ok: true, revision: header.revision }
    })
  }

  /** A call that needs room. */
  async function sent(call: () => Promise<Message>): Promise<Message> {
    try {
      return await call()
    } catch (error) {
      if (error instanceof StoreError && error.kind === 'full') space?.full()
      throw error
    }
  }

  const put = (value: Uint8Array, ttl: number | undefined) => async (key: Buffer) => ({
    request_put: { key, value, ...(ttl ? { lease: await leased(ttl) } : {}) },
  })

  async function compact(revision: number, physical = false): Promise<void> {
    if (closed) throw closedError()
    try {
      await rpc.call('KV', 'Compact', { revision, physical }, { retry: true })
    } catch (error) {
      // somebody has been there before
      if (!(error instanceof StoreError && error.kind === 'compacted')) throw error
    }
    floor = Math.max(floor, revision)
  }

  /** Compacts what is older than `history`; of the servers that share an etcd, the one that moves the mark first. */
  function keepCompacting(): () => void {
    let mark = { version: 0, revision: follower.revision }
    let cancel = () => {}
    const again = () => {
      cancel = clock.schedule(history, () => void round().finally(() => closed || again()))
    }
    const round = async () => {
      try {
        const { succeeded, responses, header } = await sent(() =>
          rpc.call('KV', 'Txn', {
            compare: [{ key: keys.compaction, target: 0, result: 0, version: mark.version }],
            success: [{ request_put: { key: keys.compaction, value: Buffer.from(String(mark.revision)) } }],
            failure: [{ request_range: { key: keys.compaction } }],
          }),
        )
        if (succeeded) {
          await compact(mark.revision)
          mark = { version: mark.version + 1, revision: header.revision }
        } else mark = { version: responses[0].response_range.kvs[0]?.version ?? 0, revision: header.revision }
      } catch (error) {
        if (!closed) log.warn('etcd was not compacted', { error: describeError(error) })
      }
    }
    again()
    return () => cancel()
  }
  const stopCompacting = history > 0 ? keepCompacting() : () => {}
  const space =
    history > 0
      ? spaceRecovery({
          rpc,
          forget: async () => compact(await revisionOf(), true),
          probe: async () => void (await rpc.call('KV', 'Put', { key: keys.sync, value: Buffer.alloc(0) })),
          clock,
          log,
        })
      : undefined

  return {
    async get(key, { revision } = {}) {
      const { kvs } = await range({ key: keys.encode(key), ...(revision === undefined ? {} : { revision }) })
      return kvs[0] && item(kvs[0])
    },
    async list(prefix, { revision, limit = 0, after } = {}) {
      const { key, range_end } = keys.range(prefix)
      // the smallest key that is greater than `after`
      const next = after === undefined ? key : Buffer.concat([keys.encode(after), Buffer.from([0])])
      const request = { key: Buffer.compare(next, key) > 0 ? next : key, range_end, limit, ...(revision === undefined ? {} : { revision }) }
      const isEmpty = range_end[0] !== 0 && Buffer.compare(request.key, range_end) >= 0
      const { kvs, more, count, header } = isEmpty ? { ...(await range({ key: keys.sync })), kvs: [], more: false, count: 0 } : await range(request)
      const items = (kvs as Message[]).filter((kv) => keys.decode(kv['key']) !== undefined).map(item)
      return { items, revision: revision ?? header.revision, more, remaining: count - kvs.length }
    },
    currentRevision: revisionOf,
    create: (key, value, { ttl } = {}) => write(key, 0, put(value, ttl)),
    update: (key, value, revision, { ttl } = {}) => write(key, present(revision), put(value, ttl)),
    delete: (key, revision) => write(key, present(revision), (name) => ({ request_delete_range: { key: name } })),
    watch: (prefix, watchOptions) => watchers.watch(prefix, watchOptions),
    compact: (revision) => compact(revision),
    leases: true,
    size: async () => Number((await rpc.call('Maintenance', 'Status', {}, { retry: true }))['dbSize']),
    shared: true,
    async [Symbol.asyncDispose]() {
      if (closed) return
      closed = true
      stopCompacting()
      await space?.[Symbol.asyncDispose]()
      // writes that are under way get their answer
      await Promise.allSettled(last.values())
      watchers.close()
      await follower.close()
      rpc.close()
    },
  }
}

/** No value has the revision 0 or less; to etcd, 0 stands for a key that is not there. */
const present = (revision: number) => (revision > 0 ? revision : -1)

/** Deletes everything under a prefix. */
export async function clearEtcd({ prefix, ...endpoints }: EtcdAddress): Promise<void> {
  if (!prefix) throw new TypeError('a prefix is needed: etcd may hold what belongs to others')
  const { etcdRpc } = await grpc()
  const rpc = etcdRpc(endpoints)
  try {
    await rpc.call('KV', 'DeleteRange', keySpace(prefix).all, { retry: true })
  } finally {
    rpc.close()
  }
}

function trustsProgress(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  if (major !== 3) return major > 3
  return minor > 5 || (minor === 5 ? patch >= 8 : minor === 4 && patch >= 25)
}
