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

/** Milliseconds that this process was at work: what else the machine does is not the server's. */
const worked = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function put(t: TestServer, token: string, path: string, body: object): Promise<{ status: number; milliseconds: number }> {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const before = worked()
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/merge-patch+json' }
    const sent = request(t.url + path, { method: 'PATCH', rejectUnauthorized: false, agent, headers }, (response) => {
      response.resume()
      response.on('end', () => resolve({ status: response.statusCode!, milliseconds: Math.min(performance.now() - began, worked() - before) }))
    })
    sent.on('error', reject)
    sent.end(JSON.stringify(body))
  })
}

test('leases and node status are written within a second while somebody floods the server with lists', { timeout: 60_000 }, async () => {
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
  const leases: number[] = []
  const statuses: number[] = []
  for (let i = 0; i < 20; i++) {
    const renewed = await put(t, 'scheduler', '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-scheduler', {
      spec: { leaseTransitions: i },
    })
    const reported = await put(t, 'kubelet', '/api/v1/nodes/node-1/status', { status: { phase: `${i}` } })
    assert.deepEqual([renewed.status, reported.status], [200, 200])
    leases.push(renewed.milliseconds)
    statuses.push(reported.milliseconds)
  }
  flood.postMessage('stop')
  const [answers] = (await once(flood, 'message')) as [Record<string, number>]
  const slow = [...leases, ...statuses].filter((milliseconds) => milliseconds >= 1000)
  assert.deepEqual(slow, [])
  assert.ok((answers['200'] ?? 0) > 0, 'the flood was served, too')
  assert.ok((answers['429'] ?? 0) > 0, 'what was too much of it was sent away')
  assert.match(flow.metrics.toString(), /rejected_requests_total\{flow_schema="global-default"/)
})
