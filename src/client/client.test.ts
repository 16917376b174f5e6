import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type core, isStatus, resources } from '#api'
import { manualClock } from '#base'
import { createClient } from './client.ts'
import type { WatchEvent } from './resource-client.ts'
import type { Request, Response, Transport } from './transport.ts'

/** A transport that answers from a function and keeps what it was sent. */
function answering(answer: (request: Request, count: number) => Partial<Response> & { body: Response['body'] }) {
  const sent: Request[] = []
  const transport: Transport = {
    send: async (request) => {
      sent.push(request)
      return { status: 200, headers: { 'content-type': 'application/json' }, ...answer(request, sent.length) }
    },
    upgrade: () => Promise.reject(new Error('no upgrades')),
    async [Symbol.asyncDispose]() {},
  }
  return { transport, sent }
}
const json = (value: unknown): Response['body'] => ({ bytes: Buffer.from(JSON.stringify(value)) })
const line = (r: Request) => `${r.method} ${r.path}${r.query.size > 0 ? `?${r.query}` : ''}`
const pod: core.Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace: 'ns' }, spec: { containers: [] } }

test('every verb makes the request that the API documents', async () => {
  const { transport, sent } = answering(() => ({ body: json(pod) }))
  const client = createClient(transport, { userAgent: 'tester/1' })
  const pods = client.resource(resources.pods)
  const deployments = client.resource(resources.deployments)
  const rows: { name: string; call: () => Promise<unknown>; expect: string; type?: string; body?: unknown }[] = [
    { name: 'get', call: () => pods.get('a', 'ns'), expect: 'GET /api/v1/namespaces/ns/pods/a' },
    { name: 'get of a cluster object', call: () => client.resource(resources.nodes).get('n1'), expect: 'GET /api/v1/nodes/n1' },
    { name: 'list everywhere', call: () => pods.list({ labelSelector: 'a=b', limit: 5 }), expect: 'GET /api/v1/pods?labelSelector=a%3Db&limit=5' },
    { name: 'list in a namespace', call: () => deployments.list({ namespace: 'ns' }), expect: 'GET /apis/apps/v1/namespaces/ns/deployments' },
    { name: 'create', call: () => pods.create(pod, { fieldManager: 'm' }), expect: 'POST /api/v1/namespaces/ns/pods?fieldManager=m', body: pod },
    { name: 'update', call: () => pods.update(pod, { dryRun: true }), expect: 'PUT /api/v1/namespaces/ns/pods/a?dryRun=All', body: pod },
    { name: 'status', call: () => pods.updateStatus(pod), expect: 'PUT /api/v1/namespaces/ns/pods/a/status', body: pod },
    {
      name: 'strategic merge patch',
      call: () => pods.patch('a', 'ns', 'strategic', { spec: {} }, { subresource: 'status' }),
      expect: 'PATCH /api/v1/namespaces/ns/pods/a/status',
      type: 'application/strategic-merge-patch+json',
      body: { spec: {} },
    },
    {
      name: 'json patch',
      call: () => pods.patch('a', 'ns', 'json', []),
      expect: 'PATCH /api/v1/namespaces/ns/pods/a',
      type: 'application/json-patch+json',
      body: [],
    },
    {
      name: 'apply',
      call: () => pods.apply(pod, { fieldManager: 'm', force: true }),
      expect: 'PATCH /api/v1/namespaces/ns/pods/a?fieldManager=m&force=true',
      type: 'application/apply-patch+yaml',
      body: pod,
    },
    { name: 'delete', call: () => pods.delete('a', 'ns'), expect: 'DELETE /api/v1/namespaces/ns/pods/a' },
    {
      name: 'delete with options',
      call: () => pods.delete('a', 'ns', { gracePeriodSeconds: 0, propagationPolicy: 'Orphan', preconditions: { uid: 'u' } }),
      expect: 'DELETE /api/v1/namespaces/ns/pods/a',
      body: { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0, propagationPolicy: 'Orphan', preconditions: { uid: 'u' } },
    },
    {
      name: 'delete of a collection',
      call: () => pods.deleteCollection({ namespace: 'ns', labelSelector: 'x' }),
      expect: 'DELETE /api/v1/namespaces/ns/pods?labelSelector=x',
    },
    { name: 'scale', call: () => deployments.getSubresource('d', 'ns', 'scale'), expect: 'GET /apis/apps/v1/namespaces/ns/deployments/d/scale' },
    {
      name: 'binding',
      call: () => pods.createSubresource('a', 'ns', 'binding', { kind: 'Binding' }),
      expect: 'POST /api/v1/namespaces/ns/pods/a/binding',
      body: { kind: 'Binding' },
    },
    { name: 'a raw path', call: () => client.raw('GET', '/version', undefined, { query: { a: 'b' } }), expect: 'GET /version?a=b' },
  ]
  for (const row of rows) {
    await row.call()
    const request = sent.at(-1)!
    assert.equal(line(request), row.expect, row.name)
    assert.deepEqual(request.body, row.body, row.name)
    if (row.type) assert.equal(request.headers['content-type'], row.type, row.name)
    assert.equal(request.headers['user-agent'], 'tester/1')
  }
})

test('a request for one object without its name or namespace is never sent', async () => {
  const { transport, sent } = answering(() => ({ body: json({}) }))
  const pods = createClient(transport).resource(resources.pods)
  await assert.rejects(pods.delete('', 'ns'), RangeError)
  await assert.rejects(pods.delete('a'), RangeError)
  assert.equal(sent.length, 0)
})

test('values of an in-process server come by reference', async () => {
  const list = Object.freeze({ apiVersion: 'v1', kind: 'PodList', metadata: {}, items: [Object.freeze(pod)] })
  const { transport } = answering((request) => ({ body: { value: request.path.endsWith('/a') ? pod : list } }))
  const pods = createClient(transport).resource(resources.pods)
  assert.equal(await pods.get('a', 'ns'), pod)
  assert.equal((await pods.list()).items[0], pod)
})

test('items that come without kind and version get them', async () => {
  const bare = { metadata: { name: 'a', namespace: 'ns' }, spec: { containers: [] } }
  for (const body of [json({ items: [bare] }), { value: Object.freeze({ items: Object.freeze([Object.freeze(bare)]) }) }]) {
    const { transport } = answering(() => ({ body }))
    const { items } = await createClient(transport).resource(resources.pods).list()
    assert.deepEqual(items[0], { ...bare, apiVersion: 'v1', kind: 'Pod' })
  }
  const { transport } = answering(() => ({ body: json({ metadata: {}, items: null }) }))
  assert.deepEqual((await createClient(transport).resource(resources.pods).list()).items, [])
})

test('failures become StatusErrors, also those that do not come from an API server', async () => {
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason: 'Conflict', message: 'no', code: 409 }
  const rows: { code: number; body: Response['body']; reason: string; message: RegExp }[] = [
    { code: 409, body: json(status), reason: 'Conflict', message: /^no$/ },
    { code: 409, body: { value: status }, reason: 'Conflict', message: /^no$/ },
    {
      code: 404,
      body: { bytes: Buffer.from('404 page not found\n') },
      reason: 'NotFound',
      message: /^the server could not find the requested resource: 404 page/,
    },
    { code: 403, body: { bytes: Buffer.from('<html>') }, reason: 'Forbidden', message: /<html>/ },
    { code: 502, body: { bytes: Buffer.from('') }, reason: 'InternalError', message: /^an error on the server/ },
    { code: 418, body: { bytes: Buffer.from('') }, reason: '', message: /status code 418/ },
  ]
  for (const { code, body, reason, message } of rows) {
    const { transport } = answering(() => ({ status: code, body }))
    await assert.rejects(createClient(transport).resource(resources.pods).get('a', 'ns'), (error) => {
      assert.ok(isStatus(error))
      assert.equal(error.reason, reason)
      assert.equal(error.code, code)
      assert.match(error.message, message)
      return true
    })
  }
})

test('a read is sent again when the server asks for it, a write is not', async () => {
  const clock = manualClock()
  const { transport, sent } = answering((_, count) =>
    count < 3 ? { status: 429, headers: { 'retry-after': '1' }, body: json({}) } : { body: json(pod) },
  )
  const pods = createClient(transport, { clock }).resource(resources.pods)
  const read = pods.get('a', 'ns')
  await clock.advance(0)
  await clock.advance(2000)
  assert.equal((await read).metadata.name, 'a')
  assert.equal(sent.length, 3)
  sent.length = 0
  await assert.rejects(pods.create(pod), (error) => isStatus(error, 'TooManyRequests'))
  assert.equal(sent.length, 1)
})

test('a watch of an in-process server hands out the objects themselves; its end by abort is quiet', async () => {
  const stop = new AbortController()
  async function* frames() {
    yield { type: 'ADDED' as const, object: pod, bytes: () => Buffer.alloc(0) }
    yield { type: 'ERROR' as const, object: { kind: 'Status', code: 410, reason: 'Expired' }, bytes: () => Buffer.alloc(0) }
    stop.abort()
    throw new Error('aborted')
  }
  const { transport, sent } = answering(() => ({ body: { events: frames() } }))
  const pods = createClient(transport).resource(resources.pods)
  const seen: WatchEvent<core.Pod>[] = []
  for await (const event of pods.watch({ resourceVersion: '5', allowBookmarks: true, timeoutSeconds: 300, signal: stop.signal })) seen.push(event)
  assert.equal(line(sent[0]!), 'GET /api/v1/pods?resourceVersion=5&watch=true&allowWatchBookmarks=true&timeoutSeconds=300')
  assert.ok(seen[0]!.type === 'ADDED' && seen[0]!.object === pod)
  assert.ok(seen[1]!.type === 'ERROR' && seen[1]!.status.code === 410)
})
