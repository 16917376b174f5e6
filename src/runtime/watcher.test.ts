import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type KubeList, type KubeObject, errors, failure } from '#api'
import { manualClock, silentLogger } from '#base'
import type { ListQuery, ResourceClient, WatchEvent, WatchQuery } from '#client'
import { createCache } from './cache-store.ts'
import { type WatcherInput, type WatcherState, initialWatcherState, runWatcher, stepWatcher } from './watcher.ts'

const object = (name: string, resourceVersion: string, uid = name): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default', uid, resourceVersion },
})
const list = (resourceVersion: string, items: KubeObject[], token?: string): KubeList => ({
  apiVersion: 'v1',
  kind: 'ConfigMapList',
  metadata: { resourceVersion, ...(token ? { continue: token } : {}) },
  items,
})
const expired = errors.expired('too old resource version: 1 (9)')

const watching: WatcherState<KubeObject> = { at: 'watching', resourceVersion: '5' }
const rows: { name: string; state: WatcherState<KubeObject>; input: WatcherInput<KubeObject>; expect: unknown }[] = [
  {
    name: 'the last page replaces everything and starts the watch at the list version',
    state: initialWatcherState,
    input: { type: 'listed', list: list('7', [object('a', '3')]) },
    expect: {
      state: { at: 'watching', resourceVersion: '7' },
      output: { type: 'replace', items: [object('a', '3')], resourceVersion: '7' },
    },
  },
  {
    name: 'a page with a token asks for the next page and tells the cache nothing',
    state: initialWatcherState,
    input: { type: 'listed', list: list('7', [object('a', '3')], 'next') },
    expect: { state: { at: 'listing', from: '0', items: [object('a', '3')], page: 'next' } },
  },
  {
    name: 'the pages of one list come out together',
    state: { at: 'listing', from: '0', items: [object('a', '3')], page: 'next' },
    input: { type: 'listed', list: list('7', [object('b', '4')]) },
    expect: {
      state: { at: 'watching', resourceVersion: '7' },
      output: { type: 'replace', items: [object('a', '3'), object('b', '4')], resourceVersion: '7' },
    },
  },
  {
    name: 'an event moves the version to resume from',
    state: watching,
    input: { type: 'event', event: { type: 'MODIFIED', object: object('a', '8') } },
    expect: { state: { at: 'watching', resourceVersion: '8' }, output: { type: 'put', object: object('a', '8') } },
  },
  {
    name: 'a deletion removes at the version of the deletion',
    state: watching,
    input: { type: 'event', event: { type: 'DELETED', object: object('a', '9') } },
    expect: { state: { at: 'watching', resourceVersion: '9' }, output: { type: 'remove', object: object('a', '9') } },
  },
  {
    name: 'a bookmark moves the version without an object',
    state: watching,
    input: { type: 'event', event: { type: 'BOOKMARK', resourceVersion: '20', initialEventsEnd: false } },
    expect: { state: { at: 'watching', resourceVersion: '20' }, output: { type: 'progress', resourceVersion: '20' } },
  },
  { name: 'a watch that ends is resumed where it was', state: watching, input: { type: 'ended' }, expect: { state: watching } },
  {
    name: 'a broken connection is resumed where it was',
    state: watching,
    input: { type: 'failed', error: new Error('reset') },
    expect: { state: watching },
  },
  {
    name: 'an expired version lists again, not older than what is known',
    state: watching,
    input: { type: 'event', event: { type: 'ERROR', status: expired.status } },
    expect: { state: { at: 'listing', from: '5', items: [] }, restart: true },
  },
  {
    name: 'a watch refused with 410 lists again',
    state: watching,
    input: { type: 'failed', error: expired },
    expect: { state: { at: 'listing', from: '5', items: [] } },
  },
  {
    name: 'a list whose version or page token expired asks for the newest state',
    state: { at: 'listing', from: '5', items: [object('a', '3')], page: 'next' },
    input: { type: 'failed', error: expired },
    expect: { state: { at: 'listing', from: '', items: [] } },
  },
  {
    name: 'a server that is behind our version is asked for the newest state it has',
    state: { at: 'listing', from: '500', items: [] },
    input: { type: 'failed', error: failure('Timeout', 504, 'Too large resource version: 500, current: 9') },
    expect: { state: { at: 'listing', from: '', items: [] } },
  },
  {
    name: 'a failed page is asked for again',
    state: { at: 'listing', from: '0', items: [object('a', '3')], page: 'next' },
    input: { type: 'failed', error: errors.unavailable('starting') },
    expect: { state: { at: 'listing', from: '0', items: [object('a', '3')], page: 'next' } },
  },
]
for (const { name, state, input, expect } of rows) test(name, () => assert.deepEqual(stepWatcher(state, input), expect))

/** A resource client that answers from a script and records what it was asked. */
function scripted(answers: { list?: () => KubeList; watch?: (query: WatchQuery) => AsyncIterable<WatchEvent<KubeObject>> }) {
  const asked: string[] = []
  const client: Pick<ResourceClient<KubeObject>, 'list' | 'watch'> = {
    list: async (query: ListQuery = {}) => {
      asked.push(`list ${query.resourceVersion ?? '-'}`)
      return answers.list!() as never
    },
    watch: (query) => {
      asked.push(`watch ${query.resourceVersion}`)
      return answers.watch!(query)
    },
  }
  return { client: client as ResourceClient<KubeObject>, asked }
}

async function* events(...list: WatchEvent<KubeObject>[]): AsyncGenerator<WatchEvent<KubeObject>> {
  yield* list
}
async function* untilAborted(signal: AbortSignal | undefined, ...first: WatchEvent<KubeObject>[]): AsyncGenerator<WatchEvent<KubeObject>> {
  yield* first
  await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
}

function start(client: ResourceClient<KubeObject>) {
  const clock = manualClock()
  const stop = new AbortController()
  const { cache, writer } = createCache<KubeObject>()
  const done = runWatcher({ client, writer, clock, log: silentLogger, random: () => 0, signal: stop.signal })
  return { clock, cache, done, stop: () => (stop.abort(), done) }
}

test('a watch that ends is resumed from the version of its last event', async () => {
  let watches = 0
  const { client, asked } = scripted({
    list: () => list('5', [object('a', '3')]),
    watch: ({ signal }) => (++watches === 1 ? events({ type: 'ADDED', object: object('b', '6') }) : untilAborted(signal)),
  })
  const run = start(client)
  await run.cache.ready()
  await run.clock.advance(0)
  assert.deepEqual(asked, ['list 0', 'watch 5', 'watch 6'])
  await run.stop()
})

test('while the server is away it is asked about once a second, and nothing is listed again when it is back', async () => {
  let away = true
  const { client, asked } = scripted({
    list: () => list('5', []),
    watch: ({ signal }) => {
      if (away) throw new Error('connection refused')
      return untilAborted(signal, { type: 'ADDED', object: object('c', '9') })
    },
  })
  const run = start(client)
  await run.cache.ready()
  await run.clock.advance(60_000)
  assert.ok(asked.length >= 40 && asked.length <= 70, `${asked.length} requests in a minute are neither a hot loop nor a dead one`)
  away = false
  await run.clock.advance(5_000)
  assert.equal(asked.at(-1), 'watch 5')
  assert.equal(asked.filter((a) => a.startsWith('list')).length, 1)
  assert.ok(run.cache.get('default/c'))
  assert.equal(run.cache.resourceVersion, '9')
  await run.stop()
  assert.equal(run.clock.waiting, 0)
})

test('a watch that a hanging server never ends is given up after its time', async () => {
  const { client, asked } = scripted({ list: () => list('5', []), watch: ({ signal }) => untilAborted(signal) })
  const run = start(client)
  await run.clock.advance(0)
  await run.clock.advance(331_000)
  assert.deepEqual(asked, ['list 0', 'watch 5', 'watch 5'])
  await run.stop()
})

test('a version that expires right after every list does not make a hot loop', async () => {
  const { client, asked } = scripted({ list: () => list('5', []), watch: () => events({ type: 'ERROR', status: expired.status }) })
  const run = start(client)
  await run.clock.advance(10_000)
  assert.ok(asked.length < 40, `${asked.length} requests`)
  await run.stop()
})

test('a server that hangs up at once is not asked in a hot loop', async () => {
  const { client, asked } = scripted({ list: () => list('5', []), watch: () => events() })
  const run = start(client)
  await run.clock.advance(10_000)
  assert.ok(asked.length < 12, `${asked.length} requests`)
  assert.equal(asked.filter((a) => a.startsWith('list')).length, 1)
  await run.stop()
})
