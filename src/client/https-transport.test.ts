import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Server, createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { isStatus } from '#api'
import { manualClock } from '#base'
import { createClient } from './client.ts'
import { type HttpsTransportOptions, httpsTransport } from './https-transport.ts'
import { type Transport, TransportError } from './transport.ts'

// for 127.0.0.1, signed by itself, valid for a hundred years; its key protects nothing
const certificate = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBhzCCASygAwIBAgIUZgSu2aEOF1AUH1pRbdLDmIiOyycwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjMwNTAzMzFaGA8yMTI2MTAzMDA1MDMz
MVowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGcy
lSi1yBEB4WHt7YE28FjVSK9/wk9Htgc2fU4YQf7JqLfU/IB9ZphwE5NOg4xZkE1V
K7lSVwNLoqNZpKKJRjKjZDBiMB0GA1UdDgQWBBT+dE8FUgt4s3RtBgI2iBz3aCSB
+jAfBgNVHSMEGDAWgBT+dE8FUgt4s3RtBgI2iBz3aCSB+jAPBgNVHRMBAf8EBTAD
AQH/MA8GA1UdEQQIMAaHBH8AAAEwCgYIKoZIzj0EAwIDSQAwRgIhAPDW4MPwnKIt
2n9t4vCDzsDtFvQfl0BfJ0cwO1hGteAcAiEAqfVU0iyGfVskvTK3P+mGGOsx/QQ2
vv1TL866EOJUoxo=
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgnNpE1jL9yuION+LB
DsVDQExwYedwmsgT25VCO9qeSJmhRANCAARnMpUotcgRAeFh7e2BNvBY1Uivf8JP
R7YHNn1OGEH+yai31PyAfWaYcBOTToOMWZBNVSu5UlcDS6KjWaSiiUYy
-----END PRIVATE KEY-----
`,
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

async function serve(handler: Handler, options: Partial<HttpsTransportOptions> = {}) {
  const server: Server = createServer(certificate, handler)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const transport = httpsTransport({ server: address, ca: certificate.cert, ...options })
  return {
    server,
    transport,
    async [Symbol.asyncDispose]() {
      await transport[Symbol.asyncDispose]()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const get = (transport: Transport, path: string, query: Record<string, string> = {}, signal?: AbortSignal) =>
  transport.send({ method: 'GET', path, query: new URLSearchParams(query), headers: {}, signal })
const text = async (response: Awaited<ReturnType<Transport['send']>>) =>
  'bytes' in response.body ? Buffer.concat([response.body.bytes].flat()).toString() : assert.fail('no bytes')

test('a value is sent as JSON with the bearer token and the answer comes back whole', async () => {
  await using it = await serve(
    async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const { authorization, 'content-type': type } = request.headers
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ authorization, type, url: request.url, body: JSON.parse(Buffer.concat(chunks).toString()) }))
    },
    { token: 'secret' },
  )
  const response = await it.transport.send({
    method: 'POST',
    path: '/api/v1/pods',
    query: new URLSearchParams({ fieldManager: 'a b' }),
    headers: {},
    body: { hello: 'ü' },
  })
  assert.equal(response.status, 200)
  assert.deepEqual(JSON.parse(await text(response)), {
    authorization: 'Bearer secret',
    type: 'application/json',
    url: '/api/v1/pods?fieldManager=a+b',
    body: { hello: 'ü' },
  })
})

test('a certificate that nobody vouches for is refused, unless verification is off', async () => {
  await using it = await serve((_, response) => response.end('ok'), { ca: undefined })
  await assert.rejects(get(it.transport, '/'), TransportError)
  await using lax = httpsTransport({ server: `https://127.0.0.1:${(it.server.address() as AddressInfo).port}`, insecureSkipVerify: true })
  assert.equal(await text(await get(lax, '/')), 'ok')
})

test('200 watches at once do not keep a short request waiting', async () => {
  await using it = await serve((request, response) => {
    if (request.url === '/short') return response.end('done')
    response.flushHeaders()
  })
  const stop = new AbortController()
  const watches = await Promise.all(Array.from({ length: 200 }, () => get(it.transport, '/w', { watch: 'true' }, stop.signal)))
  assert.equal(await text(await get(it.transport, '/short')), 'done')
  stop.abort()
  for (const { body } of watches) if ('stream' in body) await assert.rejects(async () => void (await body.stream[Symbol.asyncIterator]().next()))
})

test('a kept connection that the server closed is replaced for a read, unnoticed', async () => {
  let served = 0
  await using it = await serve((request, response) => {
    served++
    // the second request on a connection meets a server that hangs up without a word
    if ((request.socket as { used?: boolean }).used) return void request.socket.destroy()
    ;(request.socket as { used?: boolean }).used = true
    response.end('ok')
  })
  assert.equal(await text(await get(it.transport, '/')), 'ok')
  assert.equal(await text(await get(it.transport, '/')), 'ok')
  assert.equal(served, 3)
  await assert.rejects(it.transport.send({ method: 'POST', path: '/', query: new URLSearchParams(), headers: {}, body: {} }), TransportError)
})

test('a stream that breaks in the middle rejects with a TransportError', async () => {
  await using it = await serve((_, response) => {
    response.write('half', () => response.socket!.destroy())
  })
  await assert.rejects(async () => {
    const { body } = await get(it.transport, '/', { watch: '1' })
    if ('stream' in body) for await (const chunk of body.stream) assert.equal(Buffer.from(chunk).toString(), 'half')
  }, TransportError)
  await assert.rejects(get(it.transport, '/'), TransportError)
})

test('a server that does not answer in time rejects with a TransportError', async () => {
  await using it = await serve(() => {}, { timeout: 50 })
  await assert.rejects(get(it.transport, '/'), /no answer within 0.05 s/)
})

test('a token file is read again when it changes, at the latest when its token is refused', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'k8ts-client-'))
  const tokenFile = join(directory, 'token')
  let accepted = 'one'
  try {
    await writeFile(tokenFile, 'one\n')
    const clock = manualClock()
    await using it = await serve(
      (request, response) => {
        if (request.headers.authorization !== `Bearer ${accepted}`) response.statusCode = 401
        response.end(request.headers.authorization)
      },
      { tokenFile, clock },
    )
    assert.equal(await text(await get(it.transport, '/')), 'Bearer one')
    await writeFile(tokenFile, 'two\n')
    await utimes(tokenFile, 1, 1)
    assert.equal(await text(await get(it.transport, '/')), 'Bearer one')
    await clock.advance(10_000)
    accepted = 'two'
    assert.equal(await text(await get(it.transport, '/')), 'Bearer two')
    accepted = 'three'
    await writeFile(tokenFile, 'three\n')
    assert.equal((await get(it.transport, '/')).status, 200)
    accepted = 'none'
    assert.equal((await get(it.transport, '/')).status, 401)
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('an upgrade hands over the socket, and a refused one rejects with the Status that was answered', async () => {
  await using it = await serve((_, response) => {
    response.statusCode = 404
    response.end(
      JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', message: 'pods "x" not found', code: 404 }),
    )
  })
  it.server.on('upgrade', (request, socket) => {
    if (request.url !== '/ok?command=sh') {
      const body = '{"kind":"Status","status":"Failure","reason":"NotFound","message":"pods \\"x\\" not found","code":404}'
      return socket.end(`HTTP/1.1 404 Not Found\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`)
    }
    socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: SPDY/3.1\r\nconnection: Upgrade\r\n\r\n')
    socket.pipe(socket)
  })
  const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1' }
  const { socket, protocol } = await it.transport.upgrade({ method: 'POST', path: '/ok', query: new URLSearchParams({ command: 'sh' }), headers })
  assert.equal(protocol, 'SPDY/3.1')
  socket.write('ping')
  const [echo] = (await once(socket, 'data')) as [Buffer]
  assert.equal(echo.toString(), 'ping')
  socket.destroy()
  await assert.rejects(
    it.transport.upgrade({ method: 'POST', path: '/missing', query: new URLSearchParams(), headers }),
    (error) => isStatus(error, 'NotFound') && error.message === 'pods "x" not found',
  )
})

test('a watch over HTTPS delivers events that are cut at any byte', async () => {
  const frames = [
    '{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"ä"}}}\n',
    '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}\n',
  ]
  const bytes = Buffer.from(frames.join(''))
  await using it = await serve((_, response) => {
    response.setHeader('content-type', 'application/json')
    void (async () => {
      for (let i = 0; i < bytes.length; i += 7) {
        response.write(bytes.subarray(i, i + 7))
        await new Promise((resolve) => setImmediate(resolve))
      }
      response.end()
    })()
  })
  const pods = createClient(it.transport).resource({ group: '', version: 'v1', resource: 'pods', kind: 'Pod', namespaced: true })
  const seen: string[] = []
  for await (const event of pods.watch({}))
    seen.push(event.type === 'BOOKMARK' ? event.resourceVersion : event.type === 'ADDED' ? event.object.metadata.name : '')
  assert.deepEqual(seen, ['ä', '9'])
})

test('a closed transport refuses requests, and closing twice is fine', async () => {
  await using it = await serve((_, response) => response.end('ok'))
  await it.transport[Symbol.asyncDispose]()
  await it.transport[Symbol.asyncDispose]()
  await assert.rejects(get(it.transport, '/'), TransportError)
})
