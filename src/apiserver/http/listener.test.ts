import assert from 'node:assert/strict'
import { connect } from 'node:http2'
import { Agent, request } from 'node:https'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { resources } from '#api'
import type { Authorizer } from '../authz/authorizer.ts'
import type { TestServer } from '../test-server.ts'
import { startTestServer, testTls } from '../test-server.ts'

interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer
  json(): any
}

const maps = '/api/v1/namespaces/default/configmaps'

function call(
  t: TestServer,
  method: string,
  path: string,
  options: { body?: string | Buffer; headers?: Record<string, string | string[]>; cert?: boolean } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = options.headers ?? { authorization: 'Bearer admintoken' }
    const tls = options.cert ? { cert: testTls.cert, key: testTls.key } : {}
    const sent = request(t.url + path, { method, rejectUnauthorized: false, agent: new Agent({ keepAlive: false }), headers, ...tls }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const body = Buffer.concat(chunks)
        resolve({ status: response.statusCode!, headers: response.headers, body, json: () => JSON.parse(body.toString()) })
      })
    })
    sent.on('error', reject)
    sent.end(options.body)
  })
}

test('who presents nothing valid is answered 401', async () => {
  await using t = await startTestServer()
  const { status, json } = await call(t, 'GET', maps, { headers: {} })
  assert.equal(status, 401)
  assert.deepEqual(json(), {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'Unauthorized',
    reason: 'Unauthorized',
    code: 401,
  })
})

test('a client certificate of the authority names its user', async () => {
  const seen: unknown[] = []
  await using t = await startTestServer({
    authenticators: [
      {
        authenticate: (credentials) => {
          seen.push(credentials.certificate)
          return Promise.resolve({ username: 'x', groups: [] })
        },
      },
    ],
  })
  await call(t, 'GET', maps, { headers: {}, cert: true })
  await call(t, 'GET', maps, { headers: {} })
  assert.deepEqual(seen, [{ commonName: 'k8ts test', organizations: [] }, undefined])
})

test('who may not is told what was asked', async (context) => {
  await using t = await startTestServer({ authorizers: [{ authorize: () => ({ decision: 'noOpinion', reason: '' }) }] })
  const rows: [string, string, string][] = [
    [
      'GET',
      '/api/v1/namespaces/default/pods',
      'pods is forbidden: User "admin" cannot list resource "pods" in API group "" in the namespace "default"',
    ],
    [
      'GET',
      '/apis/apps/v1/deployments',
      'deployments.apps is forbidden: User "admin" cannot list resource "deployments" in API group "apps" at the cluster scope',
    ],
    [
      'GET',
      '/api/v1/namespaces/default/pods/p/log',
      'pods "p" is forbidden: User "admin" cannot get resource "pods/log" in API group "" in the namespace "default"',
    ],
    ['GET', '/metrics', 'forbidden: User "admin" cannot get path "/metrics"'],
  ]
  for (const [method, path, message] of rows)
    await context.test(path, async () => {
      const { status, json } = await call(t, method, path)
      assert.equal(status, 403)
      assert.equal(json().message, message)
    })
})

test('impersonation takes on another user where that is allowed', async () => {
  const asked: string[] = []
  await using t = await startTestServer({
    authorizers: [
      {
        authorize: ({ user, verb, resource }) => {
          asked.push(`${user.username}/${user.groups.join('+')} ${verb} ${resource?.resource} ${resource?.name}`)
          return { decision: resource?.name === 'root' ? 'deny' : 'allow', reason: '' }
        },
      },
    ],
  })
  await call(t, 'GET', maps, { headers: { authorization: 'Bearer admintoken', 'impersonate-user': 'bob', 'impersonate-group': 'dev' } })
  assert.deepEqual(asked, [
    'admin/system:masters+system:authenticated impersonate users bob',
    'admin/system:masters+system:authenticated impersonate groups dev',
    'bob/dev+system:authenticated list configmaps ',
  ])
  const denied = await call(t, 'GET', maps, { headers: { authorization: 'Bearer admintoken', 'impersonate-user': 'root' } })
  assert.equal(denied.status, 403)
  assert.match(denied.json().message, /cannot impersonate resource "users" in API group ""/)
})

test('each header of a group names one, commas and all, over HTTP/1.1 and HTTP/2', async () => {
  const users: unknown[] = []
  const authorizer: Authorizer = {
    authorize({ user, verb }) {
      if (verb === 'list') users.push(user)
      return { decision: 'allow', reason: '' }
    },
  }
  await using t = await startTestServer({ authorizers: [authorizer] })
  const { authorization, ...asked } = {
    authorization: 'Bearer admintoken',
    'impersonate-user': 'bob',
    'impersonate-group': ['dev', ',,,chameleon'],
    'impersonate-extra-acme.com%2fteam': ['a, b', 'c'],
  }
  await call(t, 'GET', maps, { headers: { authorization, ...asked } })
  const session = connect(t.url, { rejectUnauthorized: false })
  for await (const _ of session.request({ ':path': maps, authorization, ...asked }));
  session.close()
  const bob = { username: 'bob', groups: ['dev', ',,,chameleon', 'system:authenticated'], extra: { 'acme.com/team': ['a, b', 'c'] } }
  assert.deepEqual(users, [bob, bob])
  const nobody = await call(t, 'GET', maps, { headers: { authorization, 'impersonate-extra-team': 'a' } })
  const text = '&user.DefaultInfo{Name:"", UID:"", Groups:[]string(nil), Extra:map[string][]string{"team":[]string{"a"}}}'
  assert.equal(nobody.json().message, `requested ${text} without impersonating a user name`)
})

test('HTTP/2 serves objects and watches on one connection', async () => {
  await using t = await startTestServer()
  const session = connect(t.url, { rejectUnauthorized: false })
  const open = (path: string) => session.request({ ':path': path, authorization: 'Bearer admintoken' })
  const watch = open(`${maps}?watch=1`)
  const status = await new Promise((resolve) => watch.on('response', (headers) => resolve(headers[':status'])))
  assert.equal(status, 200)
  const frame = new Promise<string>((resolve) => watch.on('data', (chunk: Buffer) => resolve(chunk.toString())))
  const post = session.request({ ':method': 'POST', ':path': maps, authorization: 'Bearer admintoken' })
  post.end(JSON.stringify({ metadata: { name: 'a' } }))
  let created = ''
  for await (const chunk of post) created += String(chunk)
  const event = JSON.parse(await frame)
  assert.equal(event.type, 'ADDED')
  assert.deepEqual(event.object, JSON.parse(created))
  session.destroy()
})

test('large answers are compressed where the client takes it', async () => {
  await using t = await startTestServer()
  for (const name of ['a', 'b'])
    await t.client
      .resource(resources.configMaps)
      .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data: { k: 'x'.repeat(100_000) } })
  const headers = { authorization: 'Bearer admintoken', 'accept-encoding': 'gzip' }
  const list = await call(t, 'GET', maps, { headers })
  assert.equal(list.headers['content-encoding'], 'gzip')
  assert.equal(JSON.parse(gunzipSync(list.body).toString()).items.length, 2)
  assert.equal((await call(t, 'GET', `${maps}/a`, { headers })).headers['content-encoding'], undefined)
})

test('what is kept compressed is sent as it is', async () => {
  const packed = gzipSync(
    Buffer.alloc(200_000, 'x').map((_, i) => (i * i) % 251),
    { level: 0 },
  )
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip', vary: 'Accept, Accept-Encoding' }
  await using t = await startTestServer({
    documents: [(path) => (path === '/kept' ? { status: 200, headers: { ...headers }, bytes: packed } : undefined)],
  })
  for (const accept of ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']) {
    const kept = await call(t, 'GET', '/kept', { headers: { authorization: 'Bearer admintoken', 'accept-encoding': 'gzip', accept } })
    assert.deepEqual(kept.body, packed)
    assert.equal(kept.headers.vary, 'Accept, Accept-Encoding')
  }
})

test('documents learn what the client has, takes and asks for', async () => {
  let seen: object | undefined
  await using t = await startTestServer({
    documents: [
      (path, accept, _extensions, options) => {
        if (path !== '/asked') return undefined
        const { serverAddress: _, now: __, ...asked } = options
        seen = { accept, ...asked }
        return { status: 200, headers: {}, bytes: Buffer.from('{}') }
      },
    ],
  })
  await call(t, 'GET', '/asked?hash=ABC', {
    headers: { authorization: 'Bearer admintoken', accept: 'a/b', 'accept-encoding': 'gzip', 'if-none-match': '"E"' },
  })
  assert.deepEqual(seen, { accept: 'a/b', acceptEncoding: 'gzip', hash: 'ABC', ifNoneMatch: '"E"' })
})

test('a body that is too large is refused', async () => {
  await using t = await startTestServer()
  const { status, json } = await call(t, 'POST', maps, { body: Buffer.alloc(3 * 1024 * 1024 + 1, 'x') })
  assert.equal(status, 413)
  assert.equal(json().reason, 'RequestEntityTooLarge')
})

test('YAML comes in and goes out', async () => {
  await using t = await startTestServer()
  const headers = { authorization: 'Bearer admintoken', 'content-type': 'application/yaml', accept: 'application/yaml' }
  const { status, body, headers: answered } = await call(t, 'POST', maps, { body: 'metadata:\n  name: a\ndata:\n  k: "0644"\n', headers })
  assert.equal(status, 201)
  assert.equal(answered['content-type'], 'application/yaml')
  assert.match(body.toString(), /^apiVersion: v1\ndata:\n {2}k: "0644"\nkind: ConfigMap\n/)
})

test('people get indented JSON, programs do not', async () => {
  await using t = await startTestServer()
  const authorization = 'Bearer admintoken'
  assert.doesNotMatch((await call(t, 'GET', maps)).body.toString(), /\n/)
  assert.match((await call(t, 'GET', `${maps}?pretty=true`)).body.toString(), /^\{\n {2}"kind"/)
  assert.match((await call(t, 'GET', maps, { headers: { authorization, 'user-agent': 'curl/8' } })).body.toString(), /^\{\n/)
  assert.doesNotMatch((await call(t, 'GET', `${maps}?pretty=false`, { headers: { authorization, 'user-agent': 'curl/8' } })).body.toString(), /\n/)
})

test('health, version, metrics and the index of paths', async () => {
  await using t = await startTestServer({ readiness: [{ name: 'later', check: () => Promise.reject(new Error('not yet')) }] })
  const get = async (path: string) => {
    const { status, body } = await call(t, 'GET', path)
    return `${status} ${body.toString().slice(0, 200)}`
  }
  assert.equal(await get('/healthz'), '200 ok')
  assert.equal(await get('/livez?verbose'), '200 [+]ping ok\n[+]log ok\n[+]etcd ok\nlivez check passed\n')
  const failing =
    '[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]etcd-readiness ok\n[+]informer-sync ok\n[-]later failed: reason withheld\n[+]shutdown ok\nreadyz check failed\n'
  assert.equal(await get('/readyz'), `500 ${failing}`)
  assert.equal(await get('/readyz?exclude=later'), '200 ok')
  assert.equal(await get('/readyz/ping'), '200 ok')
  assert.match(await get('/readyz/other'), /^404 \{"paths":/)
  assert.match(await get('/version'), /"gitVersion":"v1\.36\.0-k8ts"/)
  assert.match(await get('/'), /^200 \{"paths":\["\/api"/)
  const { body } = await call(t, 'GET', '/metrics')
  assert.match(body.toString(), /apiserver_request_total\{code="200",component="apiserver".*verb="GET"/)
})

test('stopping ends watches and lets requests finish', async () => {
  const t = await startTestServer()
  const agent = new Agent({ keepAlive: true })
  const ended = new Promise<void>((resolve, reject) => {
    const sent = request(
      `${t.url}${maps}?watch=1`,
      { rejectUnauthorized: false, agent, headers: { authorization: 'Bearer admintoken' } },
      (response) => {
        response.resume()
        response.on('end', resolve)
        void t[Symbol.asyncDispose]()
      },
    )
    sent.on('error', reject)
    sent.end()
  })
  await ended
  await t[Symbol.asyncDispose]()
  agent.destroy()
})

test('over HTTP/2 a response without a body is no error: HEAD, and 304 for a document that the client has', async () => {
  await using t = await startTestServer()
  const session = connect(t.url, { rejectUnauthorized: false })
  const ask = (headers: Record<string, string>) =>
    new Promise<{ status: number; etag: string; code: number }>((resolve, reject) => {
      const stream = session.request({ authorization: 'Bearer admintoken', ...headers })
      let [status, etag] = [0, '']
      stream.on('response', (response) => {
        status = response[':status']!
        etag = String(response.etag)
      })
      stream.on('error', reject)
      stream.on('close', () => resolve({ status, etag, code: stream.rstCode ?? -1 }))
      stream.resume()
    })
  try {
    const path = '/apis'
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
    const first = await ask({ ':path': path, accept })
    assert.equal(first.status, 200)
    assert.deepEqual(await ask({ ':path': path, accept, 'if-none-match': first.etag }), { status: 304, etag: first.etag, code: 0 })
    assert.equal((await ask({ ':path': '/healthz', ':method': 'HEAD' })).status, 200)
    assert.equal((await ask({ ':path': '/version', ':method': 'HEAD' })).status, 405)
    assert.equal((await ask({ ':path': path, accept })).status, 200)
  } finally {
    session.close()
  }
})
