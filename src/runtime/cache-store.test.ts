import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '#api'
import { createCache, isNewer } from './cache-store.ts'
import { createExpectations } from './expectations.ts'

const pod = (name: string, resourceVersion: string, extra: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion, ...extra },
})

function recorded(cache: ReturnType<typeof createCache>['cache']) {
  const seen: string[] = []
  cache.subscribe((e) => seen.push(`${e.type} ${e.object.metadata.name}@${e.object.metadata.resourceVersion}`))
  return seen
}

test('a replaced state tells only the differences', () => {
  const { cache, writer } = createCache()
  writer.replace([pod('a', '1'), pod('b', '2'), pod('c', '3')], '3')
  const seen = recorded(cache)
  seen.length = 0
  writer.replace([pod('a', '1'), pod('b', '5'), pod('d', '6')], '6')
  assert.deepEqual(seen, ['deleted c@3', 'updated b@5', 'added d@6'])
  assert.equal(cache.resourceVersion, '6')
})

test('an object that was replaced by another of the same name is deleted and added', () => {
  const { cache, writer } = createCache()
  writer.put(pod('a', '1'))
  const seen = recorded(cache)
  writer.put(pod('a', '9', { uid: 'other' }))
  assert.deepEqual(seen, ['added a@1', 'deleted a@1', 'added a@9'])
})

test('an index follows changes, and one that is added late knows what is there', () => {
  const { cache, writer } = createCache()
  const byApp = { app: (o: { metadata: { labels?: { readonly [k: string]: string } } }) => (o.metadata.labels?.app ? [o.metadata.labels.app] : []) }
  writer.put(pod('a', '1', { labels: { app: 'web' } }))
  writer.index(byApp)
  assert.equal(cache.byIndex('app', 'web').length, 1)
  writer.put(pod('a', '2', { labels: { app: 'db' } }))
  assert.equal(cache.byIndex('app', 'web').length, 0)
  assert.equal(cache.byIndex('app', 'db')[0]!.metadata.resourceVersion, '2')
  writer.remove(pod('a', '3'))
  assert.equal(cache.byIndex('app', 'db').length, 0)
  assert.throws(() => cache.byIndex('nope', ''), RangeError)
})

test('a listener that throws keeps no other from the truth', () => {
  const failures: unknown[] = []
  const { cache, writer } = createCache((error) => failures.push(error))
  cache.subscribe(() => {
    throw new Error('bad listener')
  })
  const seen = recorded(cache)
  writer.put(pod('a', '1'))
  assert.deepEqual(seen, ['added a@1'])
  assert.equal(failures.length, 1)
})

test('ready waits for the first list and ends with its signal', async () => {
  const { cache, writer } = createCache()
  const stop = new AbortController()
  const aborted = cache.ready(stop.signal)
  const ready = cache.ready()
  stop.abort()
  await assert.rejects(aborted)
  writer.replace([], '1')
  await ready
  assert.ok(cache.synced)
})

test('versions are compared as numbers of any length', () => {
  assert.ok(isNewer('10', '9'))
  assert.ok(!isNewer('9', '10'))
  assert.ok(!isNewer('10', '10'))
  assert.ok(isNewer('1', ''))
})

test('expectations hold until the cache has seen the creations', () => {
  const { cache, writer } = createCache()
  const expectations = createExpectations(cache)
  writer.replace([], '10')
  assert.ok(expectations.satisfied('rs'))
  expectations.created('rs', pod('a', '12'))
  expectations.created('rs', pod('b', '11'))
  assert.ok(!expectations.satisfied('rs'))
  writer.put(pod('b', '11'))
  assert.ok(!expectations.satisfied('rs'))
  writer.put(pod('a', '12'))
  assert.ok(expectations.satisfied('rs'))
})

test('expectations that came true before they were told hold nobody up', () => {
  const { cache, writer } = createCache()
  const expectations = createExpectations(cache)
  writer.put(pod('a', '12'))
  writer.remove(pod('a', '13'))
  expectations.created('rs', pod('a', '12'))
  assert.ok(expectations.satisfied('rs'))
})

test('a deletion is seen once the object is terminating, gone, or another one', () => {
  const { cache, writer } = createCache()
  const expectations = createExpectations(cache)
  const known = pod('a', '1')
  for (const change of [
    () => writer.put(pod('a', '2', { deletionTimestamp: '2026-01-01T00:00:00Z' })),
    () => writer.remove(pod('a', '2')),
    () => writer.put(pod('a', '2', { uid: 'other' })),
  ]) {
    writer.put(known)
    expectations.deleted('rs', known)
    assert.ok(!expectations.satisfied('rs'))
    change()
    assert.ok(expectations.satisfied('rs'))
  }
})
