import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { tunnel } from './tunnel.ts'

/** A client and a backend, joined by a tunnel in the middle. */
async function joined() {
  const server = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connect = async (allowHalfOpen: boolean): Promise<[Socket, Socket]> => {
    const outgoing = net.connect({ port: (server.address() as AddressInfo).port, allowHalfOpen })
    const [incoming] = (await once(server, 'connection')) as [Socket]
    return [outgoing, incoming]
  }
  const [client, fromClient] = await connect(true)
  // as a socket of an HTTP server: it ends when its peer ends
  fromClient.allowHalfOpen = false
  const [toBackend, backend] = await connect(false)
  server.close()
  return { client, backend, fromClient, toBackend }
}

describe('a tunnel', () => {
  it('carries bytes both ways, those first that were read before', async () => {
    const { client, backend, fromClient, toBackend } = await joined()
    const done = tunnel(fromClient, toBackend, { fromA: Buffer.from('early '), fromB: Buffer.from('first ') })
    client.write('late')
    const [seen] = await once(backend, 'data')
    let all = (seen as Buffer).toString()
    while (all.length < 10) all += ((await once(backend, 'data')) as [Buffer])[0].toString()
    assert.equal(all, 'early late')
    backend.end('second')
    assert.equal(await text(client), 'first second')
    client.end()
    await done
  })
  it('closes a backend that does not answer the end of its client', async () => {
    const { client, backend, fromClient, toBackend } = await joined()
    const done = tunnel(fromClient, toBackend)
    client.end('last words')
    assert.equal(await text(backend), 'last words')
    // the backend keeps its side open; the tunnel does not wait for it
    await done
    assert.ok(toBackend.destroyed)
    backend.destroy()
  })
  it('closes the backend when the client is lost', async () => {
    const { client, backend, fromClient, toBackend } = await joined()
    backend.on('error', () => {})
    const done = tunnel(fromClient, toBackend)
    client.resetAndDestroy()
    await done
    assert.ok(toBackend.destroyed)
    backend.destroy()
  })
})
