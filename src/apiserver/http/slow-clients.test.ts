import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { ClientHttp2Session } from 'node:http2'
import { connect as connectHttp2 } from 'node:http2'
import { request } from 'node:https'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { manualClock } from '#base'
import { resources } from '#api'
import { startTestServer } from '../test-server.ts'

const authorization = 'Bearer admintoken'
const maps = '/api/v1/namespaces/default/configmaps'

/** A connection of HTTP/1.1 that sends what it is told, and what it was answered until the server closed it. */
async function raw(url: string, sent: string) {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
  await once(socket, 'secureConnect')
  const answer = socket.setEncoding('latin1').toArray()
  const answered = once(socket, 'data')
  if (sent) socket.write(sent)
  return { socket, answered, answer: answer.then((chunks) => chunks.join('')) }
}

/** Waits for what is on its way to be read by the server in the same process. */
async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
}

test('who does not end the head of his request is told so, and goes', async () => {
  const clock = manualClock()
  await using t = await startTestServer({ clock })
  const slow = await raw(t.url, 'GET /readyz HTTP/1.1\r\nHost: x\r\nX-Slow: ')
  await settled()
  await clock.advance(20_000)
  slow.socket.write('a')
  await clock.advance(20_000)
  assert.match(await slow.answer, /^HTTP\/1\.1 408 /)
})

test('a connection that is opened for nothing is closed, one that is kept for more is not', async () => {
  const clock = manualClock()
  await using t = await startTestServer({ clock })
  const silent = await raw(t.url, '')
  const used = await raw(t.url, 'GET /livez HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admintoken\r\n\r\n')
  await used.answered
  await settled()
  await clock.advance(40_000)
  assert.match(await silent.answer, /^HTTP\/1\.1 408 /)
  used.socket.write('GET /livez HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admintoken\r\nConnection: close\r\n\r\n')
  const answers = await used.answer
  assert.equal(answers.match(/HTTP\/1\.1 200 OK/g)?.length, 2, answers)
})

test('a body that does not come to its end is not waited for', async () => {
  const clock = manualClock()
  await using t = await startTestServer({ clock })
  const sent = request(t.url + maps, {
    method: 'POST',
    rejectUnauthorized: false,
    headers: { authorization, 'content-type': 'application/json', 'content-length': '1000' },
  })
  sent.write('{"kind":')
  const answered = once(sent, 'response')
  await once(sent, 'socket')
  await settled()
  await settled()
  while (clock.waiting < 2) await settled()
  for (let seconds = 0; seconds < 70; seconds += 10) {
    await settled()
    await clock.advance(10_000)
  }
  const [response] = (await answered) as [IncomingMessage]
  assert.equal(response.statusCode, 504)
  assert.equal(response.headers.connection, 'close')
  const { message, reason } = JSON.parse((await response.setEncoding('utf8').toArray()).join('')) as { message: string; reason: string }
  assert.deepEqual([reason, message], ['Timeout', 'Timeout: request did not complete within the allotted timeout'])
})

async function status(session: ClientHttp2Session, headers: Record<string, string>): Promise<unknown> {
  const stream = session.request({ ':path': '/readyz', ...headers })
  const [answer] = (await once(stream, 'response')) as [Record<string, unknown>]
  stream.resume()
  await once(stream, 'close')
  return answer[':status']
}

test('over HTTP/2, who does not say who he is has a connection for one request', async () => {
  await using t = await startTestServer()
  const stranger = connectHttp2(t.url, { rejectUnauthorized: false })
  const closed = once(stranger, 'close')
  assert.equal(await status(stranger, {}), 401)
  await closed
  const known = connectHttp2(t.url, { rejectUnauthorized: false })
  for (let i = 0; i < 3; i++) assert.equal(await status(known, { authorization }), 200)
  assert.equal(known.closed, false)
  known.close()
})

test('over HTTP/2, who begins and takes back thousands of requests loses his connection', { timeout: 120_000 }, async () => {
  await using t = await startTestServer()
  const session = connectHttp2(t.url, { rejectUnauthorized: false })
  session.on('error', () => {})
  await once(session, 'connect')
  const closed = new Promise((resolve) => session.once('close', resolve))
  for (let i = 0; i < 5000 && !session.destroyed; i++) {
    const stream = session.request({ ':path': '/readyz', authorization })
    stream.on('error', () => {})
    stream.close(8)
    if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await closed
})

test('over HTTP/2, who asks for many large lists at once gets them', { timeout: 120_000 }, async () => {
  await using t = await startTestServer()
  const data = { text: 'x'.repeat(100_000) }
  const kept = t.client.resource(resources.configMaps)
  for (let i = 0; i < 5; i++) await kept.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `m-${i}`, namespace: 'default' }, data })
  const session = connectHttp2(t.url, { rejectUnauthorized: false, maxSessionMemory: 1000 })
  const errors: unknown[] = []
  session.on('error', (error) => errors.push(error))
  const get = async () => {
    const stream = session.request({ ':path': maps, authorization })
    stream.on('error', (error) => errors.push(error))
    let size = 0
    stream.on('data', (chunk: Buffer) => (size += chunk.length))
    await new Promise((resolve) => stream.once('close', resolve))
    return size
  }
  // one after the other on each of many lanes, as informers that all begin anew
  const lane = async () => [await get(), await get()]
  const sizes = (await Promise.all(Array.from({ length: 110 }, lane))).flat()
  assert.deepEqual(errors, [])
  assert.ok(sizes.every((size) => size > 500_000))
  session.close()
})
