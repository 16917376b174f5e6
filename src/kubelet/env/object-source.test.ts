import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manualClock, silentLogger } from '#base'
import type { Client, WatchEvent, WatchQuery } from '#client'
import type { core } from '#api'
import { errors } from '#api'
import { objectSource, referencesOf } from './object-source.ts'

type Stored = core.ConfigMap

/** An API with config maps in `shop`, whose watches are pulled by hand. */
function fakeApi() {
  const stored = new Map<string, Stored>()
  const watches: { name: string; send(event: WatchEvent<Stored>): void; end(): void; signal: AbortSignal }[] = []
  let gets = 0
  const client = {
    resource: () => ({
      async get(name: string) {
        gets++
        const object = stored.get(name)
        if (!object) throw errors.notFound({ group: '', resource: 'configmaps' }, name)
        return object
      },
      async *watch({ fieldSelector, namespace, signal }: WatchQuery): AsyncGenerator<WatchEvent<Stored>> {
        assert.equal(namespace, 'shop')
        const events: (WatchEvent<Stored> | undefined)[] = []
        let wake = () => {}
        const push = (event: WatchEvent<Stored> | undefined) => {
          events.push(event)
          wake()
        }
        watches.push({ name: fieldSelector!.replace('metadata.name=', ''), send: push, end: () => push(undefined), signal: signal! })
        signal!.addEventListener('abort', () => push(undefined))
        for (;;) {
          while (events.length === 0) await new Promise<void>((resolve) => (wake = resolve))
          const event = events.shift()
          if (!event) return
          yield event
        }
      },
    }),
  } as unknown as Client
  const clock = manualClock()
  const source = objectSource({ client, clock, log: silentLogger })
  const changes: string[][] = []
  source.onChange(({ name, podUids }) => changes.push([name, ...podUids]))
  return { stored, watches, source, clock, changes, gets: () => gets }
}
const object = (name: string, version: string, extra: Partial<Stored> = {}): Stored => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'shop', resourceVersion: version },
  ...extra,
})
const pod = (uid: string, ...names: string[]): core.Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: uid, namespace: 'shop', uid },
  spec: { containers: [], volumes: names.map((name) => ({ name, configMap: { name } })) },
})
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('objects that pods refer to', () => {
  it('are asked for until their watch speaks, then known', async () => {
    const { stored, source, watches, gets } = fakeApi()
    stored.set('a', object('a', '1'))
    source.retain(pod('p', 'a'))
    await Promise.all([source.get('ConfigMap', 'shop', 'a'), source.get('ConfigMap', 'shop', 'a')])
    assert.equal(gets(), 1, 'two readers at the same time ask once')
    watches[0]!.send({ type: 'ADDED', object: object('a', '2') })
    await turn()
    assert.equal((await source.get('ConfigMap', 'shop', 'a')).metadata.resourceVersion, '2')
    assert.equal(gets(), 1)
    await source[Symbol.asyncDispose]()
  })
  it('tell the pods that retain them of every change, once', async () => {
    const { source, watches, changes, clock } = fakeApi()
    source.retain(pod('p', 'a'))
    source.retain(pod('q', 'a', 'b'))
    await turn()
    assert.deepEqual(
      watches.map((w) => w.name),
      ['a', 'b'],
    )
    watches[0]!.send({ type: 'ADDED', object: object('a', '1') })
    await turn()
    // the watch breaks; the next one repeats what is known
    watches[0]!.end()
    await turn()
    await clock.advance(1000)
    watches[2]!.send({ type: 'ADDED', object: object('a', '1') })
    watches[2]!.send({ type: 'MODIFIED', object: object('a', '2') })
    watches[2]!.send({ type: 'DELETED', object: object('a', '3') })
    await turn()
    assert.deepEqual(changes, [
      ['a', 'p', 'q'],
      ['a', 'p', 'q'],
      ['a', 'p', 'q'],
    ])
    await assert.rejects(source.get('ConfigMap', 'shop', 'a'), { message: 'configmap "a" not found' })
    await source[Symbol.asyncDispose]()
  })
  it('are watched until the last pod lets go', async () => {
    const { source, watches } = fakeApi()
    source.retain(pod('p', 'a'))
    source.retain(pod('q', 'a'))
    await turn()
    source.release('p')
    assert.equal(watches[0]!.signal.aborted, false)
    // a pod that changed may refer to less
    source.retain(pod('q'))
    assert.equal(watches[0]!.signal.aborted, true)
    await source[Symbol.asyncDispose]()
  })
  it('are read once when they are immutable', async () => {
    const { source, watches, gets, clock } = fakeApi()
    source.retain(pod('p', 'a'))
    await turn()
    watches[0]!.send({ type: 'ADDED', object: object('a', '1', { immutable: true }) })
    await turn()
    await clock.advance(60_000)
    assert.equal((await source.get('ConfigMap', 'shop', 'a')).immutable, true)
    assert.deepEqual([watches.length, gets()], [1, 0])
    await source[Symbol.asyncDispose]()
  })
})

describe('references of a pod', () => {
  it('are found in volumes, environments and pull secrets, each once', () => {
    const subject: core.Pod = {
      ...pod('p', 'v'),
      spec: {
        volumes: [
          { name: 'x', projected: { sources: [{ secret: { name: 's1' } }, { configMap: { name: 'c1' } }] } },
          { name: 'y', secret: { secretName: 's1' } },
        ],
        initContainers: [{ name: 'i', envFrom: [{ secretRef: { name: 's2' } }] }],
        containers: [{ name: 'c', env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'c2', key: 'k' } } }] }],
        imagePullSecrets: [{ name: 's3' }],
      },
    }
    assert.deepEqual(
      referencesOf(subject).map((r) => `${r.kind}/${r.namespace}/${r.name}`),
      ['Secret/shop/s1', 'ConfigMap/shop/c1', 'ConfigMap/shop/c2', 'Secret/shop/s2', 'Secret/shop/s3'],
    )
  })
})
