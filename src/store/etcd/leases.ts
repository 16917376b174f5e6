import { randomBytes } from 'node:crypto'
import type { Clock } from '#base'
import type { EtcdRpc } from './rpc.ts'

/** Keys that share a lease end within this much of one another, as a part of their time: a lease a key would cost etcd as much as the key. */
const spread = 0.05
const mostKeys = 1000

/** Answers the id of a lease of at least `ttl` seconds; keys of about the same time share one. */
export function leases(rpc: EtcdRpc, clock: Clock): (ttl: number) => Promise<number> {
  /** Under an id of our own: etcd's have more digits than a number keeps. */
  async function grant(seconds: number): Promise<number> {
    const id = randomBytes(6).readUIntBE(0, 6) + 1
    await rpc.call('Lease', 'LeaseGrant', { ID: id, TTL: seconds })
    return id
  }

  const current = new Map<number, { id: Promise<number>; until: number; keys: number }>()
  return (ttl) => {
    const now = clock.monotonic()
    let lease = current.get(ttl)
    if (!lease || now > lease.until || lease.keys >= mostKeys) {
      const shared = Math.max(1, Math.ceil(ttl * spread))
      const id = grant(ttl + shared)
      id.catch(() => current.delete(ttl))
      current.set(ttl, (lease = { id, until: now + shared * 1000, keys: 0 }))
    }
    lease.keys++
    return lease.id
  }
}
