import assert from 'node:assert/strict'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { manualClock, realClock, silentLogger } from '#base'
import { resources } from '#api'
import type { Request, Transport } from '#client'
import { TransportError } from '#client'
import { parseRequest } from '../parse-request.ts'
import { startTestServer } from '../test-server.ts'
import { logBackend } from './log-backend.ts'
import { parseAuditPolicy } from './policy.ts'
import type { AuditBackend } from './trail.ts'
import { auditor } from './trail.ts'
import { webhookBackend } from './webhook-backend.ts'

const policyOf = (rules: string, more = '') => parseAuditPolicy(`apiVersion: audit.k8s.io/v1\nkind: Policy\n${more}rules:\n${rules}`)
const user = { username: 'alice', groups: ['dev', 'system:authenticated'] }

test('a policy decides by its first rule that matches', async (context) => {
  const policy = policyOf(`
- {level: None, users: [bob]}
- {level: None, nonResourceURLs: ["/healthz*", "/version"]}
- {level: Metadata, resources: [{group: "", resources: [secrets, "*/token"]}]}
- {level: Request, verbs: [delete], namespaces: [""]}
- {level: RequestResponse, resources: [{group: "", resources: [configmaps], resourceNames: [watched]}], omitStages: [ResponseStarted]}
- {level: Request, resources: [{group: apps}]}
- {level: RequestResponse, userGroups: [ops]}
- {level: Metadata, resources: [{group: "", resources: ["pods/*"]}]}
`)
  const rows: [string, string, string, string][] = [
    ['by path', 'GET', '/version', 'None'],
    ['by the beginning of a path', 'GET', '/healthz/etcd', 'None'],
    ['a path that no rule is about', 'GET', '/metrics', 'None'],
    ['by resource', 'GET', '/api/v1/secrets', 'Metadata'],
    ['by subresource of any resource', 'POST', '/api/v1/namespaces/a/serviceaccounts/b/token', 'Metadata'],
    ['by verb, in no namespace', 'DELETE', '/api/v1/nodes/n', 'Request'],
    ['by name', 'PUT', '/api/v1/namespaces/a/configmaps/watched', 'RequestResponse'],
    ['by group alone', 'GET', '/apis/apps/v1/deployments', 'Request'],
    ['by any subresource', 'POST', '/api/v1/namespaces/a/pods/b/exec', 'Metadata'],
    ['what no rule is about', 'GET', '/api/v1/namespaces/a/configmaps/other', 'None'],
  ]
  for (const [name, method, path, level] of rows)
    await context.test(name, () => assert.equal(policy.of(parseRequest(method, path, undefined, user)).level, level))
  await context.test('by user', () =>
    assert.equal(policy.of(parseRequest('GET', '/api/v1/secrets', undefined, { ...user, username: 'bob' })).level, 'None'),
  )
  await context.test('by group of users', () =>
    assert.equal(policy.of(parseRequest('GET', '/metrics', undefined, { username: 'x', groups: ['ops'] })).level, 'RequestResponse'),
  )
})

test('a policy that means nothing is refused with the field that is wrong', async (context) => {
  const head = 'apiVersion: audit.k8s.io/v1\nkind: Policy\n'
  const rows: [string, string, RegExp][] = [
    ['another kind', 'kind: Pod', /a Policy of audit\.k8s\.io\/v1 is expected/],
    ['no rules', head, /rules: at least one rule/],
    ['an unknown level', `${head}rules: [{level: All}]`, /rules\[0\]\.level: "All" is none of None, Metadata/],
    ['an unknown field', `${head}rules: [{level: None, user: [x]}]`, /rules\[0\]\.user: there is no such field/],
    ['an unknown stage', `${head}omitStages: [Started]\nrules: [{level: None}]`, /omitStages: "Started"/],
    ['paths and resources', `${head}rules: [{level: None, namespaces: [a], nonResourceURLs: [/a]}]`, /cannot apply to both/],
    ['a wildcard inside', `${head}rules: [{level: None, nonResourceURLs: ["/a*b"]}]`, /must be the final character/],
    ['names of no resource', `${head}rules: [{level: None, resources: [{group: "", resourceNames: [a]}]}]`, /requires at least one resource/],
  ]
  for (const [name, text, error] of rows) await context.test(name, () => assert.throws(() => parseAuditPolicy(text), error))
})

function collecting(): AuditBackend & { events: any[] } {
  const events: any[] = []
  return { name: 'test', lost: 0, events, write: (event) => void events.push(JSON.parse(event)), [Symbol.asyncDispose]: () => Promise.resolve() }
}

test('events tell of requests what the reference tells', async (context) => {
  const backend = collecting()
  const policy = policyOf(
    '- {level: None, users: ["nobody"]}\n- {level: Metadata, resources: [{group: "", resources: [secrets]}]}\n- {level: RequestResponse}\n',
    'omitManagedFields: true\n',
  )
  await using t = await startTestServer({ audit: auditor({ policy, backends: [backend], clock: realClock }) })
  const headers = { 'user-agent': 'test/1', authorization: 'Bearer admintoken' }
  const send = async (method: Request['method'], path: string, body?: object, more: Record<string, string> = {}) => {
    backend.events.length = 0
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const options = { method, headers: { ...headers, 'content-type': type, ...more }, rejectUnauthorized: false }
    const { request } = await import('node:https')
    await new Promise<void>((resolve, reject) => {
      const sent = request(t.url + path, options, (response) => response.resume().on('end', () => resolve()))
      sent.on('error', reject)
      sent.end(body && JSON.stringify(body))
    })
    return backend.events
  }
  const maps = '/api/v1/namespaces/default/configmaps'

  await context.test('a create, with both objects', async () => {
    const [received, complete] = await send(
      'POST',
      `${maps}?x=1`,
      { metadata: { name: 'a' }, data: { k: 'v' } },
      { 'audit-id': 'my-id', 'x-forwarded-for': '10.1.1.1' },
    )
    const { requestReceivedTimestamp, stageTimestamp, ...first } = received
    assert.match(requestReceivedTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
    assert.equal(stageTimestamp, requestReceivedTimestamp)
    assert.deepEqual(first, {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: 'RequestResponse',
      auditID: 'my-id',
      stage: 'RequestReceived',
      requestURI: `${maps}?x=1`,
      verb: 'create',
      user: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
      sourceIPs: ['10.1.1.1', '127.0.0.1'],
      userAgent: 'test/1',
      objectRef: { resource: 'configmaps', namespace: 'default', apiVersion: 'v1' },
    })
    assert.equal(complete.stage, 'ResponseComplete')
    assert.deepEqual(complete.objectRef, { resource: 'configmaps', namespace: 'default', name: 'a', apiVersion: 'v1' })
    assert.deepEqual(complete.responseStatus, { metadata: {}, code: 201 })
    assert.equal(complete.requestObject.data.k, 'v')
    assert.equal(complete.requestObject.metadata.uid, undefined)
    assert.ok(complete.responseObject.metadata.uid)
    assert.equal(complete.responseObject.metadata.managedFields, undefined)
    assert.deepEqual(complete.annotations, { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' })
    assert.deepEqual(Object.keys(complete), [
      'kind',
      'apiVersion',
      'level',
      'auditID',
      'stage',
      'requestURI',
      'verb',
      'user',
      'sourceIPs',
      'userAgent',
      'objectRef',
      'responseStatus',
      'requestObject',
      'responseObject',
      'requestReceivedTimestamp',
      'stageTimestamp',
      'annotations',
    ])
  })
  await context.test('a failure, with its status', async () => {
    const [, complete] = await send('GET', `${maps}/nope`)
    assert.deepEqual(complete.responseStatus, {
      metadata: {},
      status: 'Failure',
      message: 'configmaps "nope" not found',
      reason: 'NotFound',
      details: { name: 'nope', kind: 'configmaps' },
      code: 404,
    })
    assert.equal(complete.responseObject.kind, 'Status')
  })
  await context.test('a patch, as it came', async () => {
    const [, complete] = await send('PATCH', `${maps}/a`, { data: { k: 'w' } })
    assert.deepEqual(complete.requestObject, { data: { k: 'w' } })
    assert.equal(complete.responseObject.data.k, 'w')
  })
  await context.test('answers in any format', async () => {
    for (const accept of ['application/cbor', 'application/vnd.kubernetes.protobuf']) {
      const [, complete] = await send('GET', `${maps}/a`, undefined, { accept })
      assert.equal(complete.responseObject.data.k, 'w', accept)
    }
  })
  await context.test('who acts as somebody else', async () => {
    const [received, complete] = await send('GET', '/version', undefined, { 'impersonate-user': 'bob' })
    assert.equal(received.impersonatedUser, undefined)
    assert.deepEqual(complete.impersonatedUser, { username: 'bob', groups: ['system:authenticated'] })
    assert.equal(complete.user.username, 'admin')
  })
  await context.test('nothing of a secret but that it was there', async () => {
    const [, complete] = await send('POST', '/api/v1/namespaces/default/secrets', { metadata: { name: 's' }, stringData: { password: 'hunter2' } })
    assert.equal(complete.level, 'Metadata')
    assert.equal(complete.objectRef.name, 's')
    assert.doesNotMatch(JSON.stringify(backend.events), /hunter2|aHVudGVyMg/)
  })
  await context.test('a watch, with its beginning and its end', async () => {
    const events = await send('GET', `${maps}?watch=1&timeoutSeconds=1`)
    assert.deepEqual(
      events.map((event) => event.stage),
      ['RequestReceived', 'ResponseStarted', 'ResponseComplete'],
    )
  })
  await context.test('who could not be authenticated', async () => {
    const [started, ...rest] = await send('GET', '/api/v1/pods', undefined, { authorization: 'Bearer wrong' })
    assert.deepEqual(rest, [])
    assert.equal(started.stage, 'ResponseStarted')
    assert.deepEqual(started.user, {})
    assert.deepEqual(started.responseStatus, {
      metadata: {},
      status: 'Failure',
      message: 'Authentication failed, attempted: bearer',
      reason: 'Unauthorized',
      code: 401,
    })
  })
  await context.test('requests of this process', async () => {
    backend.events.length = 0
    await t.client.resource(resources.configMaps).get('a', 'default')
    assert.deepEqual(
      backend.events.map((event) => [event.verb, event.stage, event.responseObject?.metadata.name]),
      [
        ['get', 'RequestReceived', undefined],
        ['get', 'ResponseComplete', 'a'],
      ],
    )
  })
})

test('a log file is rotated, and as many old ones are kept as asked', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'k8ts-audit-'))
  try {
    const path = join(directory, 'audit.log')
    let now = Date.UTC(2026, 0, 1)
    const clock = { ...manualClock(), now: () => now++ }
    const line = JSON.stringify({ x: 'y'.repeat(300_000) })
    const backend = await logBackend({ path, maxSize: 1, maxBackup: 2, clock, log: silentLogger })
    for (let i = 0; i < 14; i++) backend.write(line)
    await backend[Symbol.asyncDispose]()
    const files = (await readdir(directory)).sort()
    assert.equal(files.length, 3)
    assert.equal(files.at(-1), 'audit.log')
    for (const file of files.slice(0, 2)) assert.match(file, /^audit-2026-01-01T00-00-00\.\d{3}\.log$/)
    for (const file of files) {
      const text = await readFile(join(directory, file), 'utf8')
      assert.ok(text.length <= 1024 * 1024)
      for (const each of text.trimEnd().split('\n')) assert.equal(each, line)
    }
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('old log files are packed where that is asked for, and counted all the same', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'k8ts-audit-'))
  try {
    let now = Date.UTC(2026, 0, 1)
    const clock = { ...manualClock(), now: () => now++ }
    const line = JSON.stringify({ x: 'y'.repeat(300_000) })
    const backend = await logBackend({ path: join(directory, 'audit.log'), maxSize: 1, maxBackup: 2, compress: true, clock, log: silentLogger })
    for (let i = 0; i < 14; i++) backend.write(line)
    await backend[Symbol.asyncDispose]()
    const files = (await readdir(directory)).sort()
    assert.equal(files.length, 3)
    for (const file of files.slice(0, 2)) {
      assert.match(file, /^audit-2026-01-01T00-00-00\.\d{3}\.log\.gz$/)
      const text = gunzipSync(await readFile(join(directory, file))).toString()
      for (const each of text.trimEnd().split('\n')) assert.equal(each, line)
    }
  } finally {
    await rm(directory, { recursive: true })
  }
})

/** A webhook that fails as often as it is told to. */
function webhook(failures: number): Transport & { batches: string[][] } {
  const batches: string[][] = []
  return {
    batches,
    send(request) {
      if (failures-- > 0) return Promise.reject(new TransportError('refused'))
      batches.push((JSON.parse(Buffer.from(request.body as Uint8Array).toString()) as { items: { n: string }[] }).items.map((item) => item.n))
      return Promise.resolve({ status: 200, headers: {}, body: { bytes: Buffer.alloc(0) } })
    },
    upgrade: () => Promise.reject(new Error('not asked for')),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
const events = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i))

test('a webhook gets events in batches: when there are enough, after a while, and the rest at the end', async () => {
  const transport = webhook(0)
  const clock = manualClock()
  const backend = webhookBackend({ transport, path: '/', clock, log: silentLogger, batchSize: 3, batchWait: 1000 })
  for (const n of events(0, 4)) backend.write(JSON.stringify({ n }))
  await clock.advance(0)
  assert.deepEqual(transport.batches, [['0', '1', '2']])
  await clock.advance(1000)
  assert.deepEqual(transport.batches, [['0', '1', '2'], ['3']])
  backend.write(JSON.stringify({ n: '4' }))
  await backend[Symbol.asyncDispose]()
  assert.deepEqual(transport.batches.at(-1), ['4'])
})

test('a webhook gets so many batches at once, and then so many a second', async () => {
  const transport = webhook(0)
  const clock = manualClock()
  const backend = webhookBackend({ transport, path: '/', clock, log: silentLogger, batchSize: 1, burst: 2, rate: 2 })
  for (const n of events(0, 5)) backend.write(JSON.stringify({ n }))
  await clock.advance(0)
  assert.equal(transport.batches.length, 2)
  await clock.advance(500)
  assert.equal(transport.batches.length, 3)
  await clock.advance(1000)
  assert.equal(transport.batches.length, 5)
  await backend[Symbol.asyncDispose]()
})

test('a webhook that fails is tried again, in order, and requests never wait for it', async () => {
  const transport = webhook(2)
  const clock = manualClock()
  const backend = webhookBackend({
    transport,
    path: '/',
    clock,
    log: silentLogger,
    batchSize: 2,
    bufferSize: 5,
    initialBackoff: 1000,
    random: () => 0,
  })
  for (const n of events(0, 20)) backend.write(JSON.stringify({ n }))
  await clock.advance(900)
  assert.deepEqual(transport.batches, [])
  await clock.advance(60_000)
  // one batch was under way, five fitted into the buffer, the others were dropped
  assert.deepEqual(transport.batches.flat(), events(0, 7))
  await backend[Symbol.asyncDispose]()
})
