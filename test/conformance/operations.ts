import assert from 'node:assert/strict'
import type { DeepReadonly, KubeObject } from '#api'
import { isStatus } from '#api'
import type { ResourceRef, WatchEvent } from '#client'
import type { TestCluster } from '../controllers/cluster.ts'
import { namespace } from '../controllers/cluster.ts'

/** Objects without the types of their kinds: these tests ask for what any client could. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Loose = any

export interface Operations {
  ref: ResourceRef<Loose>
  /** What is created, without name and namespace. */
  object: object
  /** A merge patch of the object, and what it must come to. */
  patch?: object
  /** What an update does to the object that was read. */
  change?(object: Loose): void
  /** A status that is patched in by its subresource, where there is one. */
  status?: object
  /** Names that the kind demands; `lifecycle-a` and `lifecycle-b` when absent. */
  names?: [string, string]
  /** The main resource writes the status as well, as upstream's does for this kind. */
  open?: true
}

const label = { 'example.com/lifecycle': 'yes' }
const selector = 'example.com/lifecycle=yes'

/**
 * What a client may do with objects of one kind: create, get, list (in a namespace and in all), watch, patch, update, the status' own get, patch and update, delete, and
 * delete by selection. Every change must come by the watch that began before it.
 */
export async function supportsOperations(c: TestCluster, { ref, object, patch, change, status, open, names }: Operations): Promise<void> {
  const client = c.client.resource(ref)
  const [first, second] = names ?? ['lifecycle-a', 'lifecycle-b']
  const scope = ref.namespaced ? { namespace } : {}
  const own = ref.namespaced ? namespace : undefined
  const make = (name: string) => {
    const { metadata, ...rest } = structuredClone(object) as { metadata?: { labels?: object } }
    return c.create(ref, { metadata: { ...metadata, name, labels: { ...metadata?.labels, ...label } }, ...rest } as Loose)
  }
  const stop = new AbortController()
  const before = await client.list({ ...scope, labelSelector: selector })
  assert.equal(before.items.length, 0)
  const events = client.watch({
    ...scope,
    labelSelector: selector,
    resourceVersion: before.metadata.resourceVersion!,
    allowBookmarks: false,
    signal: AbortSignal.any([stop.signal, AbortSignal.timeout(60_000)]),
  })
  const seen = eventsOf(events[Symbol.asyncIterator]())
  try {
    const created = await make(first)
    await seen('ADDED', first)
    await make(second)
    await seen('ADDED', second)
    assert.ok(created.metadata.uid && created.metadata.creationTimestamp && created.metadata.resourceVersion)
    assert.equal((await client.get(first, own)).metadata.uid, created.metadata.uid)
    for (const where of [scope, {}]) assert.equal((await client.list({ ...where, labelSelector: selector })).items.length, 2)

    const patched = await client.patch(first, own, 'merge', { metadata: { annotations: { patched: 'yes' } }, ...patch })
    assert.equal(patched.metadata.annotations?.['patched'], 'yes')
    if (patch) assert.partialDeepStrictEqual(patched, patch)
    await seen('MODIFIED', first, (o) => o.metadata.annotations?.['patched'] === 'yes')

    const next = structuredClone(await client.get(first, own)) as Loose
    next.metadata.annotations.updated = 'yes'
    change?.(next)
    const updated = await client.update(next)
    assert.equal(updated.metadata.annotations?.['updated'], 'yes')
    await seen('MODIFIED', first, (o) => o.metadata.annotations?.['updated'] === 'yes')
    // a write that knows an older state is refused
    await assert.rejects(client.update(next), (error) => isStatus(error, 'Conflict'))

    if (status) {
      const read = await client.getSubresource<KubeObject>(first, own, 'status')
      assert.equal(read.metadata.uid, created.metadata.uid)
      const changed = await client.patch(first, own, 'merge', { metadata: { annotations: { status: 'yes' } }, status }, { subresource: 'status' })
      assert.partialDeepStrictEqual(changed, { status })
      await seen('MODIFIED', first, (o) => o.metadata.annotations?.['status'] === 'yes')
      const again = structuredClone(changed) as Loose
      again.metadata.annotations.again = 'yes'
      assert.partialDeepStrictEqual(await client.updateStatus(again), { status })
      // the main resource leaves the status alone
      const kept = await client.patch(first, own, 'merge', { metadata: { annotations: { kept: 'yes' } }, status: null })
      if (!open) assert.partialDeepStrictEqual(kept, { status })
    }

    // jobs would leave their pods behind, which is the garbage collector's work
    await client.delete(first, own, { propagationPolicy: 'Background' })
    await seen('DELETED', first)
    await assert.rejects(client.get(first, own), (error) => isStatus(error, 'NotFound'))
    await client.deleteCollection({ ...scope, labelSelector: selector }, { propagationPolicy: 'Background' })
    await seen('DELETED', second)
    assert.equal((await client.list({ labelSelector: selector })).items.length, 0)
  } finally {
    stop.abort()
  }
}

/** Waits for an event of this type about this object, and skips those before it. */
function eventsOf(events: AsyncIterator<WatchEvent<KubeObject>>) {
  return async (type: 'ADDED' | 'MODIFIED' | 'DELETED', name: string, condition: (object: DeepReadonly<KubeObject>) => boolean = () => true) => {
    for (;;) {
      const { value, done } = await events.next()
      if (done) assert.fail(`the watch ended before ${type} ${name}`)
      if (value.type === 'BOOKMARK') continue
      if (value.type === 'ERROR') assert.fail(value.status.message)
      if (value.type === type && value.object.metadata.name === name && condition(value.object)) return
    }
  }
}
