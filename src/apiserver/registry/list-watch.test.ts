import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { meta } from '#api'
import { StatusError } from '#api'
import type { Request, Response, WatchFrame } from '#client'
import { manualClock } from '#base'
import { memoryStore } from '#store'
import type { TestServer } from '../test-server.ts'
import { admin, startTestServer } from '../test-server.ts'

const base = '/api/v1/namespaces/default/configmaps'

function send(t: TestServer, method: Request['method'], target: string, body?: object, headers: Record<string, string> = {}): Promise<Response> {
  const [path, search] = target.split('?') as [string, string?]
  return t.server.transport(admin).send({ method, path, query: new URLSearchParams(search), headers, ...(body ? { body } : {}) })
}

async function get(t: TestServer, target: string): Promise<any> {
  const { body } = await send(t, 'GET', target)
  assert.ok('value' in body)
  return body.value
}

const make = (t: TestServer, name: string, labels?: Record<string, string>) =>
  send(t, 'POST', base, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...(labels ? { labels } : {}) } }).then(
    (r) => (r.body as { value: { metadata: meta.ObjectMeta } }).value.metadata,
  )

const names = (list: { items: { metadata: { name: string } }[] }) => list.items.map((item) => item.metadata.name)

async function watch(t: TestServer, query: string, headers: Record<string, string> = {}): Promise<AsyncIterator<WatchFrame>> {
  const { body } = await send(t, 'GET', `${base}?watch=true&${query}`, undefined, headers)
  if ('value' in body) throw new StatusError(body.value as never)
  assert.ok('events' in body)
  return body.events[Symbol.asyncIterator]()
}

async function take(events: AsyncIterator<WatchFrame>, count: number): Promise<string[]> {
  const taken: string[] = []
  while (taken.length < count) {
    const { done, value } = await events.next()
    if (done) break
    taken.push(`${value.type} ${(value.object as { metadata: { name?: string } }).metadata.name ?? ''}`.trim())
  }
  return taken
}

test('lists come in key order, whatever the order of creation', async () => {
  await using t = await startTestServer()
  for (const name of ['b', 'a', 'c.d', 'c']) await make(t, name)
  assert.deepEqual(names(await get(t, base)), ['a', 'b', 'c', 'c.d'])
})

test('namespaces come in key order too', async () => {
  await using t = await startTestServer()
  for (const namespace of ['a', 'a-b', 'aa'])
    await send(t, 'POST', `/api/v1/namespaces/${namespace}/configmaps`, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } })
  const list = await get(t, '/api/v1/configmaps')
  assert.deepEqual(
    list.items.map((i: any) => i.metadata.namespace),
    ['a-b', 'a', 'aa'],
  )
})

test('pages show one moment, though objects come and go in between', async () => {
  await using t = await startTestServer()
  for (const name of ['a', 'b', 'c', 'd', 'e']) await make(t, name)
  const first = await get(t, `${base}?limit=2`)
  assert.deepEqual(names(first), ['a', 'b'])
  assert.equal(first.metadata.remainingItemCount, 3)
  await send(t, 'DELETE', `${base}/d`)
  await make(t, 'bb')
  const second = await get(t, `${base}?limit=2&continue=${first.metadata.continue}`)
  assert.deepEqual(names(second), ['c', 'd'])
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion)
  const third = await get(t, `${base}?limit=2&continue=${second.metadata.continue}`)
  assert.deepEqual(names(third), ['e'])
  assert.equal(third.metadata.continue, undefined)
  assert.equal(third.metadata.remainingItemCount, undefined)
})

test('pages with a selector do not count what remains', async () => {
  await using t = await startTestServer()
  for (const name of ['a', 'b', 'c']) await make(t, name, { x: name === 'b' ? 'no' : 'yes' })
  const first = await get(t, `${base}?limit=1&labelSelector=x%3Dyes`)
  assert.deepEqual(names(first), ['a'])
  assert.equal(first.metadata.remainingItemCount, undefined)
  const second = await get(t, `${base}?limit=1&labelSelector=x%3Dyes&continue=${first.metadata.continue}`)
  assert.deepEqual(names(second), ['c'])
  assert.equal(second.metadata.continue, undefined)
})

test('a continue token whose moment is compacted is answered 410 with a token that goes on inconsistently', async () => {
  await using t = await startTestServer()
  for (const name of ['a', 'b', 'c']) await make(t, name)
  const first = await get(t, `${base}?limit=1`)
  await make(t, 'bb')
  await t.store.compact(await t.store.currentRevision())
  const gone = await get(t, `${base}?limit=1&continue=${first.metadata.continue}`)
  assert.equal(gone.code, 410)
  assert.equal(gone.reason, 'Expired')
  assert.match(gone.message, /^The provided continue parameter is too old to display a consistent list result/)
  const rest = await get(t, `${base}?continue=${gone.metadata.continue}`)
  assert.deepEqual(names(rest), ['b', 'bb', 'c'])
})

test('resourceVersion and resourceVersionMatch choose the moment that a list shows', async (context) => {
  await using t = await startTestServer({ clock: undefined })
  const a = await make(t, 'a')
  await make(t, 'b')
  const rows: { name: string; query: string; shows?: string[]; error?: [number, RegExp] }[] = [
    { name: 'unset is the newest', query: '', shows: ['a', 'b'] },
    { name: '0 is any', query: 'resourceVersion=0', shows: ['a', 'b'] },
    { name: 'a number is not older than', query: `resourceVersion=${a.resourceVersion}`, shows: ['a', 'b'] },
    { name: 'NotOlderThan says so', query: `resourceVersion=${a.resourceVersion}&resourceVersionMatch=NotOlderThan`, shows: ['a', 'b'] },
    { name: 'Exact is the past', query: `resourceVersion=${a.resourceVersion}&resourceVersionMatch=Exact`, shows: ['a'] },
    { name: 'with a limit a number is exact', query: `resourceVersion=${a.resourceVersion}&limit=5`, shows: ['a'] },
    {
      name: 'Exact needs a number',
      query: 'resourceVersion=0&resourceVersionMatch=Exact',
      error: [422, /resourceVersionMatch "exact" is forbidden for resourceVersion "0"/],
    },
    { name: 'a match needs a resourceVersion', query: 'resourceVersionMatch=Exact', error: [422, /forbidden unless resourceVersion is provided/] },
    { name: 'an unknown match is refused', query: 'resourceVersion=1&resourceVersionMatch=Foo', error: [422, /Unsupported value: "Foo"/] },
    { name: 'no number is refused', query: 'resourceVersion=abc', error: [400, /invalid resource version/] },
    { name: 'a malformed token is refused', query: 'continue=abc', error: [400, /continue key is not valid/] },
    { name: 'a bad label selector is refused', query: 'labelSelector=a%3D%3D%3Db', error: [400, /unable to parse requirement/] },
    {
      name: 'an unknown field is refused',
      query: 'fieldSelector=data.x%3D1',
      error: [400, /"data\.x" is not a known field selector: only "metadata\.name", "metadata\.namespace"/],
    },
    { name: 'metadata.name is a field', query: 'fieldSelector=metadata.name%3Db', shows: ['b'] },
    { name: 'fields can be unequal', query: 'fieldSelector=metadata.name!%3Db', shows: ['a'] },
  ]
  for (const { name, query, shows, error } of rows)
    await context.test(name, async () => {
      const answer = await get(t, `${base}?${query}`)
      if (shows) assert.deepEqual(names(answer), shows)
      if (error) {
        assert.equal(answer.code, error[0])
        assert.match(answer.message, error[1])
      }
    })
})

test('a resourceVersion of the future is answered 504 after a while', async () => {
  const clock = manualClock()
  await using t = await startTestServer({ clock, store: memoryStore() })
  // the server has timers of its own
  const before = clock.waiting
  const answer = get(t, `${base}?resourceVersion=1000`)
  while (clock.waiting === before) await new Promise((resolve) => setImmediate(resolve))
  await clock.advance(3000)
  const status = await answer
  assert.equal(status.code, 504)
  assert.match(status.message, /Too large resource version: 1000, current: 0/)
  assert.equal(status.details.causes[0].reason, 'ResourceVersionTooLarge')
})

test('a watch begins with what is there, or after a resourceVersion', async () => {
  await using t = await startTestServer()
  const a = await make(t, 'a')
  await make(t, 'b')
  assert.deepEqual(await take(await watch(t, ''), 2), ['ADDED a', 'ADDED b'])
  assert.deepEqual(await take(await watch(t, 'resourceVersion=0'), 2), ['ADDED a', 'ADDED b'])
  const later = await watch(t, `resourceVersion=${a.resourceVersion}`)
  await send(t, 'DELETE', `${base}/a`)
  assert.deepEqual(await take(later, 2), ['ADDED b', 'DELETED a'])
})

test('the deleted object carries the revision of its deletion', async () => {
  await using t = await startTestServer()
  const a = await make(t, 'a')
  const events = await watch(t, `resourceVersion=${a.resourceVersion}`)
  await send(t, 'DELETE', `${base}/a`)
  const { value } = await events.next()
  assert.ok(Number(value.object.metadata.resourceVersion) > Number(a.resourceVersion))
  assert.equal(JSON.parse(Buffer.from(value.bytes()).toString()).object.metadata.resourceVersion, value.object.metadata.resourceVersion)
})

test('an object that begins or ceases to match a selector is added or deleted for that watch', async () => {
  await using t = await startTestServer()
  await make(t, 'a', { x: 'yes' })
  const events = await watch(t, 'labelSelector=x%3Dyes')
  const patch = (x: string) => send(t, 'PATCH', `${base}/a`, { metadata: { labels: { x } } }, { 'content-type': 'application/merge-patch+json' })
  await patch('no')
  await patch('maybe')
  await patch('yes')
  await send(t, 'PATCH', `${base}/a`, { data: { k: 'v' } }, { 'content-type': 'application/merge-patch+json' })
  assert.deepEqual(await take(events, 4), ['ADDED a', 'DELETED a', 'ADDED a', 'MODIFIED a'])
})

test('one object is watched by name, by field selector or by the old path', async () => {
  await using t = await startTestServer()
  const byField = await watch(t, 'fieldSelector=metadata.name%3Db')
  const { body } = await send(t, 'GET', '/api/v1/watch/namespaces/default/configmaps/b')
  assert.ok('events' in body)
  const byPath = body.events[Symbol.asyncIterator]()
  for (const name of ['a', 'b', 'c']) await make(t, name)
  await send(t, 'DELETE', `${base}/b`)
  assert.deepEqual(await take(byField, 2), ['ADDED b', 'DELETED b'])
  assert.deepEqual(await take(byPath, 2), ['ADDED b', 'DELETED b'])
})

test('sendInitialEvents streams the list and marks its end', async () => {
  await using t = await startTestServer()
  await make(t, 'a')
  const events = await watch(t, 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true')
  const first = await events.next()
  assert.equal(first.value.type, 'ADDED')
  const end = await events.next()
  assert.equal(end.value.type, 'BOOKMARK')
  assert.deepEqual(end.value.object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' })
  await assert.rejects(
    watch(t, 'sendInitialEvents=true'),
    /sendInitialEvents requires setting resourceVersionMatch to NotOlderThan|resourceVersionMatch/,
  )
})

test('bookmarks come every minute and at the end of timeoutSeconds', async () => {
  const clock = manualClock()
  await using t = await startTestServer({ clock })
  await make(t, 'a')
  const events = await watch(t, 'allowWatchBookmarks=true&timeoutSeconds=90&resourceVersion=1')
  await clock.advance(60_000)
  const periodic = await events.next()
  assert.equal(periodic.value.type, 'BOOKMARK')
  assert.deepEqual(periodic.value.object, { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion: '1' } })
  await clock.advance(30_000)
  assert.equal((await events.next()).value.type, 'BOOKMARK')
  assert.equal((await events.next()).done, true)
})

test('a watch from a revision that is forgotten is told 410 by an event', async () => {
  const store = memoryStore()
  {
    const first = await startTestServer({ store })
    await make(first, 'a')
    await make(first, 'b')
    await first.server[Symbol.asyncDispose]()
  }
  // a new server knows only what happens from its start on
  await using t = await startTestServer({ store })
  const events = await watch(t, 'resourceVersion=1')
  const { value } = await events.next()
  assert.equal(value.type, 'ERROR')
  assert.equal(value.object.code, 410)
  assert.equal(value.object.reason, 'Expired')
  assert.match(value.object.message, /^too old resource version: 1 \(2\)$/)
  assert.equal((await events.next()).done, true)
})
