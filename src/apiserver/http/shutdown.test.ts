import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request } from 'node:https'
import { test } from 'node:test'
import { manualClock } from '#base'
import { memoryStore } from '#store'
import type { TestServer } from '../test-server.ts'
import { startTestServer } from '../test-server.ts'

interface Answer {
  status: number
  body: string
  closes: boolean
}

function call(url: string, agent: Agent, method: string, path: string, body?: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url + path, { method, rejectUnauthorized: false, agent, headers: { authorization: 'Bearer admintoken' } }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode!, body: Buffer.concat(chunks).toString(), closes: response.headers.connection === 'close' }),
      )
    })
    sent.on('error', reject)
    sent.end(body && JSON.stringify(body))
  })
}

const maps = '/api/v1/namespaces/default/configmaps'
const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })

test('a server that stops says so at once and goes on serving for its delay', async () => {
  const clock = manualClock()
  await using t = await startTestServer({ clock, shutdownDelay: 400 })
  const agent = new Agent({ keepAlive: true })
  assert.equal((await call(t.url, agent, 'GET', '/readyz')).status, 200)
  const stopped = t.server[Symbol.asyncDispose]()
  const ready = await call(t.url, agent, 'GET', '/readyz?verbose')
  assert.equal(ready.status, 500)
  assert.match(ready.body, /\[-\]shutdown failed: reason withheld\nreadyz check failed\n$/)
  assert.equal((await call(t.url, agent, 'GET', '/livez')).status, 200)
  assert.equal((await call(t.url, agent, 'POST', maps, map('late'))).status, 201)
  agent.destroy()
  await clock.advance(400)
  await stopped
  await assert.rejects(call(t.url, new Agent(), 'GET', '/readyz'), { code: 'ECONNREFUSED' })
})

test('a watch ends cleanly when the server stops', async () => {
  // its time stands still: nothing is cut off because it took long
  const t = await startTestServer({ clock: manualClock() })
  const sent = request(`${t.url}${maps}?watch=1`, { rejectUnauthorized: false, headers: { authorization: 'Bearer admintoken' } })
  sent.end()
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage]
  response.resume()
  const ended = once(response, 'end')
  await t[Symbol.asyncDispose]()
  await ended
  assert.equal(response.complete, true)
})

test('a connection that a request has taken over ends with the server', async () => {
  const clock = manualClock()
  const t = await startTestServer({
    clock,
    subresources: {
      'pods/exec': {
        upgrade(_request, _info, socket) {
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
          socket.resume()
          return Promise.resolve()
        },
      },
    },
  })
  const headers = { authorization: 'Bearer admintoken', connection: 'Upgrade', upgrade: 'websocket' }
  const sent = request(`${t.url}/api/v1/namespaces/default/pods/p/exec`, { rejectUnauthorized: false, headers })
  sent.end()
  const [, socket] = (await once(sent, 'upgrade')) as [unknown, import('node:net').Socket]
  // idle for longer than others may be, it is left alone
  await clock.advance(20 * 60_000)
  assert.equal(socket.readyState, 'open')
  let ended = false
  socket.once('end', () => (ended = true))
  socket.resume()
  const stopped = t[Symbol.asyncDispose]()
  // well before everything is cut off
  for (let passed = 0; passed < 2000 && !ended; passed += 100) {
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(100)
  }
  for (let turns = 0; turns < 1000 && !ended; turns++) await new Promise((resolve) => setImmediate(resolve))
  assert.ok(ended)
  socket.destroy()
  await stopped
})

test('clients that write all the time lose no acknowledged write and see no broken connection but a refused one', async () => {
  const store = memoryStore()
  const clock = manualClock()
  const t = await startTestServer({ store, clock, shutdownDelay: 50 })
  const acknowledged: string[] = []
  const failures: string[] = []
  const writers = Array.from({ length: 8 }, (_, w) => write(t, w, acknowledged, failures))
  while (acknowledged.length < 200) await new Promise((resolve) => setImmediate(resolve))
  const stopped = t.server[Symbol.asyncDispose]()
  const written = acknowledged.length
  while (acknowledged.length < written + 50) await new Promise((resolve) => setImmediate(resolve))
  await clock.advance(50)
  await Promise.all(writers)
  await stopped
  assert.deepEqual([...new Set(failures)], ['ECONNREFUSED'])
  const kept = new Set((await store.list('/')).items.map(({ key }) => key.split('/').at(-1)))
  assert.deepEqual(
    acknowledged.filter((name) => !kept.has(name)),
    [],
  )
  await t[Symbol.asyncDispose]()
})

/** Creates one object after the other over one connection, until there is no server. */
async function write({ url }: TestServer, writer: number, acknowledged: string[], failures: string[]): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (let n = 0; ; n++) {
    const name = `m-${writer}-${n}`
    try {
      const { status } = await call(url, agent, 'POST', maps, map(name))
      assert.equal(status, 201)
      acknowledged.push(name)
    } catch (error) {
      failures.push((error as { code?: string }).code ?? String(error))
      return
    }
  }
}
