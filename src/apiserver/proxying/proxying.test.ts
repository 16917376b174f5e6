import assert from 'node:assert/strict'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { core, DeepReadonly, KubeObject } from '#api'
import type { Request } from '#client'
import type { SubresourceContext } from '../options.ts'
import { memoryReader } from '../memory-reader.ts'
import { dialTcp } from './backend.ts'
import { rewriteHtml, rewriteUrl } from './html-links.ts'
import { proxiedPath } from './http-proxy.ts'
import { chooseContainer } from './pod-container.ts'
import { logQuery } from './pod-log.ts'
import { streamQuery } from './pod-stream.ts'
import { podLocation, serviceLocation, splitProxyName } from './proxy-location.ts'
import { proxyingHandlers } from './proxying.ts'

const pod = (spec: Partial<core.PodSpec> = {}, status: core.PodStatus = {}): core.Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { containers: [{ name: 'a' }], ...spec },
  status,
})

const admitConnect = () => Promise.resolve()

const put = (reader: ReturnType<typeof memoryReader>, object: KubeObject) =>
  reader.set('', object.kind === 'Endpoints' ? 'endpoints' : `${object.kind.toLowerCase()}s`, object)

describe('the container of a request', () => {
  it('is the only one when none is named', () => assert.equal(chooseContainer(pod(), null), 'a'))
  it('may be an init container', () => assert.equal(chooseContainer(pod({ initContainers: [{ name: 'i' }] }), 'i'), 'i'))
  const wrong: [string, core.Pod, string | null, string][] = [
    ['must exist', pod(), 'x', 'container x is not valid for pod web'],
    [
      'must be named among several',
      pod({ containers: [{ name: 'a' }, { name: 'b' }] }),
      null,
      'a container name must be specified for pod web, choose one of: [a b]',
    ],
    [
      'must be named, with the init containers',
      pod({ containers: [{ name: 'a' }, { name: 'b' }], initContainers: [{ name: 'i' }] }),
      null,
      'a container name must be specified for pod web, choose one of: [a b] or one of the init containers: [i]',
    ],
  ]
  for (const [name, object, wanted, message] of wrong) it(name, () => assert.throws(() => chooseContainer(object, wanted), { message, code: 400 }))
})

describe('log options', () => {
  it('go to the kubelet', () =>
    assert.equal(
      logQuery(new URLSearchParams('container=a&follow=true&tailLines=5&sinceSeconds=3&previous=false&pretty=1'), 'web').toString(),
      'follow=true&tailLines=5&sinceSeconds=3',
    ))
  const wrong: [string, number, string][] = [
    ['tailLines=x', 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
    ['tailLines=-1', 422, 'PodLogOptions "web" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0'],
    ['limitBytes=0', 422, 'PodLogOptions "web" is invalid: limitBytes: Invalid value: 0: must be greater than 0'],
  ]
  for (const [query, code, message] of wrong)
    it(`are refused: ${query}`, () => assert.throws(() => logQuery(new URLSearchParams(query), 'web'), { code, message }))
})

describe('exec options', () => {
  it('have other names at the kubelet', () =>
    assert.equal(
      streamQuery('exec', new URLSearchParams('stdin=true&stdout=true&tty=false&command=sh&command=-c')).toString(),
      'input=1&output=1&command=sh&command=-c',
    ))
})

describe('names of proxied things', () => {
  const rows: [string, object | undefined][] = [
    ['web', { scheme: '', name: 'web', port: '' }],
    ['web:80', { scheme: '', name: 'web', port: '80' }],
    ['https:web:', { scheme: 'https', name: 'web', port: '' }],
    ['http:web:http', { scheme: 'http', name: 'web', port: 'http' }],
    ['ftp:web:21', undefined],
    ['a:b:c:d', undefined],
    ['', undefined],
  ]
  for (const [id, expected] of rows) it(JSON.stringify(id), () => assert.deepEqual(splitProxyName(id), expected))
})

describe('where a proxied request goes', () => {
  const objects: KubeObject[] = [
    pod({ containers: [{ name: 'a', ports: [{ containerPort: 3000 }] }] }, { podIP: '10.1.0.7' }),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'svc', namespace: 'shop' },
      spec: {
        ports: [
          { name: 'web', port: 80 },
          { name: 'adm', port: 81 },
        ],
      },
    } as KubeObject,
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'none', namespace: 'shop' }, spec: { ports: [{ port: 80 }] } } as KubeObject,
    {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'svc', namespace: 'shop' },
      subsets: [
        {
          addresses: [{ ip: '10.1.0.7' }],
          ports: [
            { name: 'web', port: 3000 },
            { name: 'adm', port: 3001 },
          ],
        },
      ],
    } as KubeObject,
    pod({}, { podIP: '127.0.0.1' }),
  ]
  const reader = memoryReader()
  for (const object of objects.slice(0, 4)) put(reader, object)
  it('to the first port of a pod', () => assert.deepEqual(podLocation(reader, 'shop', 'web'), { scheme: 'http', address: '10.1.0.7', port: 3000 }))
  it('to the port that is named', () =>
    assert.deepEqual(podLocation(reader, 'shop', 'https:web:99'), { scheme: 'https', address: '10.1.0.7', port: 99 }))
  it('to an endpoint of the service port', () => {
    for (const id of ['svc:adm', 'svc:81'])
      assert.deepEqual(
        serviceLocation(reader, 'shop', id, () => 0),
        { scheme: 'http', address: '10.1.0.7', port: 3001 },
      )
  })
  it('nowhere without endpoints', () => {
    assert.throws(() => serviceLocation(reader, 'shop', 'none', () => 0), { message: 'no endpoints available for service "none"', code: 503 })
    assert.throws(() => serviceLocation(reader, 'shop', 'svc:9', () => 0), { message: 'no service port 9 found for service "svc"', code: 503 })
    assert.throws(() => podLocation(reader, 'shop', 'gone'), { message: 'pods "gone" not found' })
  })
  it('never to the API server itself', () => {
    const local = memoryReader()
    put(local, objects[4]!)
    assert.throws(() => podLocation(local, 'shop', 'web'), { message: 'address not allowed', code: 400 })
  })
})

describe('links of a proxied page', () => {
  const prefix = '/api/v1/namespaces/ns/pods/web/proxy'
  const rewriter = { prefix, hosts: ['10.0.0.1:80'] }
  const rows: [string, string][] = [
    ['/x', `${prefix}/x`],
    ['x/y', 'x/y'],
    ['http://10.0.0.1:80/x?y=1', `${prefix}/x?y=1`],
    ['http://example.org/x', 'http://example.org/x'],
    ['//example.org/x', '//example.org/x'],
    [`${prefix}/x`, `${prefix}/x`],
    ['#top', '#top'],
  ]
  for (const [url, expected] of rows) it(`${url} becomes ${expected}`, () => assert.equal(rewriteUrl(url, rewriter), expected))
  it('are found in their attributes only', () =>
    assert.equal(
      rewriteHtml('<a class="/x" href="/y">/z</a><IMG SRC=/i><p href="/n">', rewriter),
      `<a class="/x" href="${prefix}/y">/z</a><IMG SRC=${prefix}/i><p href="/n">`,
    ))
  it('paths are split as they were sent', () => {
    assert.deepEqual(proxiedPath('/api/v1/namespaces/ns/pods/web/proxy/a%2Fb/'), { prefix: '/api/v1/namespaces/ns/pods/web/proxy', path: '/a%2Fb/' })
    assert.deepEqual(proxiedPath('/api/v1/nodes/n1/proxy'), { prefix: '/api/v1/nodes/n1/proxy', path: '' })
  })
})

describe('proxying HTTP to a pod', () => {
  const start = async (listener: http.RequestListener) => {
    const server = http.createServer(listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const reader = memoryReader()
    put(reader, pod({ containers: [{ name: 'a', ports: [{ containerPort: port }] }] }, { podIP: '10.9.9.9' }))
    const handler = proxyingHandlers({ kubelet: {}, dial: (_address, p) => dialTcp('127.0.0.1', p) })['pods/proxy']!
    const call = (path: string, request: Partial<Request> = {}) => {
      const full: Request = {
        method: 'GET',
        path: `/api/v1/namespaces/shop/pods/web/proxy${path}`,
        query: new URLSearchParams(),
        headers: { host: 'api' },
        ...request,
      }
      const info = {
        user: { username: 'u', groups: [] },
        verb: 'get',
        path: full.path,
        resource: { group: '', version: 'v1', resource: 'pods', subresource: 'proxy', namespace: 'shop', name: 'web', rest: '' },
      }
      return handler.handle!(full, info, { reader, admitConnect } as unknown as SubresourceContext)
    }
    return { server, call, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())) }
  }
  const bodyOf = async (response: Awaited<ReturnType<Awaited<ReturnType<typeof start>>['call']>>) =>
    'stream' in response.body ? text(response.body.stream as any) : ''

  it('sends method, query, headers and body, but no credentials', async () => {
    await using backend = await start((request, response) => {
      void text(request).then((body) => response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body })))
    })
    const answer = await backend.call('/x%20y', {
      method: 'POST',
      query: new URLSearchParams('a=1'),
      headers: { host: 'api', authorization: 'Bearer secret', 'x-mine': '1' },
      body: Buffer.from('payload'),
    })
    const seen = JSON.parse(await bodyOf(answer))
    assert.equal(seen.method, 'POST')
    assert.equal(seen.url, '/x%20y?a=1')
    assert.equal(seen.body, 'payload')
    assert.equal(seen.headers['x-mine'], '1')
    assert.equal(seen.headers.authorization, undefined)
    assert.equal(seen.headers['x-forwarded-uri'], '/api/v1/namespaces/shop/pods/web/proxy/x%20y')
  })
  it('rewrites links and redirects', async () => {
    await using backend = await start((request, response) => {
      if (request.url === '/redirect') return response.writeHead(302, { location: '/there' }).end()
      response
        .writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-encoding': 'gzip' })
        .end(gzipSync('<a href="/rewriteme">test</a>'))
    })
    assert.equal(await bodyOf(await backend.call('/')), '<a href="/api/v1/namespaces/shop/pods/web/proxy/rewriteme">test</a>')
    assert.equal((await backend.call('/redirect')).headers.location, '/api/v1/namespaces/shop/pods/web/proxy/there')
  })
  it('leads to the slash at the end of its own path', async () => {
    await using backend = await start((_request, response) => response.end())
    const answer = await backend.call('', { query: new URLSearchParams('a=1') })
    assert.deepEqual([answer.status, answer.headers.location], [301, '/api/v1/namespaces/shop/pods/web/proxy/?a=1'])
  })
  it('answers 503 when nobody listens', async () => {
    const backend = await start((_request, response) => response.end())
    await backend[Symbol.asyncDispose]()
    await assert.rejects(backend.call('/'), {
      code: 503,
      message: /^error trying to reach service: dial tcp 10\.9\.9\.9:\d+: connect: connection refused$/,
    })
  })
})

describe('requests that are no upgrade', () => {
  it('are told so by exec', async () => {
    const context = { parent: () => pod({ nodeName: 'n1' }) as DeepReadonly<KubeObject>, admitConnect } as unknown as SubresourceContext
    const request: Request = { method: 'POST', path: '/', query: new URLSearchParams('command=x&stdout=1'), headers: {} }
    const handler = proxyingHandlers({ kubelet: {} })['pods/exec']!
    await assert.rejects(handler.handle!(request, {} as any, context), { message: 'Upgrade request required', code: 400 })
    const unbound = { parent: () => pod() as DeepReadonly<KubeObject>, admitConnect } as unknown as SubresourceContext
    await assert.rejects(handler.handle!(request, {} as any, unbound), { message: 'pod web does not have a host assigned', code: 400 })
  })
})
