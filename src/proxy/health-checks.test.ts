import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { silentLogger } from '#base'
import { healthCheckServers } from './health-checks.ts'

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

test('a load balancer is told how many endpoints a node has, until the service is gone', async () => {
  const port = await freePort()
  await using servers = healthCheckServers({ address: '127.0.0.1', log: silentLogger })
  const check = { port, namespace: 'shop', name: 'web' }
  // a server listens a moment after it was asked to
  const ask = async (): Promise<Response> => {
    for (;;) {
      try {
        return await fetch(`http://127.0.0.1:${port}/`)
      } catch (error) {
        if (((error as Error).cause as NodeJS.ErrnoException)?.code !== 'ECONNREFUSED') throw error
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
  }
  servers.apply([{ ...check, localEndpoints: 2 }])
  const full = await ask()
  assert.deepEqual([full.status, full.headers.get('x-load-balancing-endpoint-weight')], [200, '2'])
  assert.deepEqual(await full.json(), { service: { namespace: 'shop', name: 'web' }, localEndpoints: 2, serviceProxyHealthy: true })
  servers.apply([{ ...check, localEndpoints: 0 }])
  assert.equal((await ask()).status, 503)
  servers.apply([])
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`))
})
