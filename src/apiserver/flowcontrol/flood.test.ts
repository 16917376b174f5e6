import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request } from 'node:https'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { realClock } from '#base'
import { resources } from '#api'
import type { TestServer } from '../test-server.ts'
import { admin, startTestServer } from '../test-server.ts'
import { defaultLevels, defaultSchemas } from './defaults.ts'
import { flowControl } from './flow-control.ts'

const users: Record<string, { username: string; groups: string[] }> = {
  admintoken: admin,
  flood: { username: 'mallory', groups: ['system:authenticated'] },
  scheduler: { username: 'system:kube-scheduler', groups: ['system:authenticated'] },
  kubelet: { username: 'system:node:node-1', groups: ['system:nodes', 'system:authenticated'] },
}

const agent = new Agent({ keepAlive: true })

function put(t: TestServer, token: string, path: string, body: object): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/merge-patch+json' }
    const sent = request(t.url + path, { method: 'PATCH', rejectUnauthorized: false, agent, headers }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode!))
    })
    sent.on('error', reject)
    sent.end(JSON.stringify(body))
  })
}

/** As many lists wait as the flood's queues hold; who had to wait for all of them would see more than these. */
const floodAtMost = 250

test('leases and node status are written before most of a flood of lists that came earlier', { timeout: 120_000 }, async () => {
  const flow = flowControl({ clock: realClock })
  flow.configure(defaultLevels, defaultSchemas)
  await using t = await startTestServer({
    flow,
    freeze: false,
    authenticators: [{ authenticate: ({ bearerToken }) => Promise.resolve(users[bearerToken ?? ''] ?? 'invalid') }],
  })
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'kube-scheduler', namespace: 'kube-system' }, spec: {} }
  await t.client.resource(resources.leases).create(lease as never)
  await t.client.resource(resources.nodes).create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } } as never)
  const pods = t.client.resource(resources.pods)
  const pod = (i: number) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `p-${i}`, namespace: 'a' },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  })
  await Promise.all(Array.from({ length: 200 }, (_, i) => pods.create(pod(i) as never)))

  const flood = new Worker(new URL('./flood-client.ts', import.meta.url), {
    workerData: { url: t.url, token: 'flood', path: '/api/v1/pods', sessions: 10, streams: 100 },
  })
  await using _ = { [Symbol.asyncDispose]: async () => void (await flood.terminate()) }
  await once(flood, 'message')
  // how many requests of the flood were begun while one of these was under way: how long that took depends on the machine, this does not
  const begun = () => flow.metrics.ofLevel('global-default').reduce((sum, { dispatched }) => sum + dispatched, 0)
  const overtaken: number[] = []
  for (let i = 0; i < 20; i++) {
    const before = begun()
    const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases'
    assert.equal(await put(t, 'scheduler', `${leases}/kube-scheduler`, { spec: { leaseTransitions: i } }), 200)
    const between = begun()
    assert.equal(await put(t, 'kubelet', '/api/v1/nodes/node-1/status', { status: { phase: `${i}` } }), 200)
    overtaken.push(between - before, begun() - between)
  }
  flood.postMessage('stop')
  const [answers] = (await once(flood, 'message')) as [Record<string, number>]
  assert.deepEqual(
    overtaken.filter((count) => count > floodAtMost),
    [],
    overtaken.join(),
  )
  assert.ok((answers['200'] ?? 0) > 0, 'the flood was served, too')
  assert.ok((answers['429'] ?? 0) > 0, 'what was too much of it was sent away')
  assert.match(flow.metrics.toString(), /rejected_requests_total\{flow_schema="global-default"/)
})
