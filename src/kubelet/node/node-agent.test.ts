import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core } from '#api'
import { resources } from '#api'
import { manualClock, silentLogger } from '#base'
import { startTestServer } from '../../apiserver/test-server.ts'
import { createFakeRuntime } from '../cri/index.ts'
import { createNodeAgent } from './node-agent.ts'
import type { NodeFacts } from './node-status.ts'

const facts: NodeFacts = {
  name: 'n1',
  ips: ['10.0.0.1'],
  machine: {
    capacity: { cpu: 2, memoryBytes: 2 ** 32, storageBytes: 2 ** 36 },
    info: { machineID: 'm', systemUUID: 's', bootID: 'b', kernelVersion: '6', osImage: 'o', operatingSystem: 'linux', architecture: 'amd64' },
  },
  maxPods: 110,
  reserved: { cpuMillis: 0, memoryBytes: 0, storageBytes: 0 },
  labels: {},
  runtimeVersion: 'fake://1',
  version: 'v1.36.0',
  kubeletPort: 10250,
}

test('it ends at once, also when it is stopped while it asks the runtime how it is', { timeout: 60_000 }, async () => {
  await using server = await startTestServer()
  const { client } = server
  await client.resource(resources.namespaces).create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-node-lease' }, spec: {} })
  await using runtime = createFakeRuntime()
  const stop = new AbortController()
  let asked = 0
  const clock = manualClock()
  const agent = createNodeAgent({
    client,
    runtime: {
      ...runtime,
      // after the two of its registration and that of its first report nothing changes any more
      status(...args) {
        if (++asked === 4) stop.abort()
        return runtime.status(...args)
      },
    },
    facts,
    clock,
    log: silentLogger,
    events: { event: () => {} } as never,
    problems: () => [],
    pressure: () => ({ memory: false, disk: false, pids: false }) as never,
  })
  await agent.register(stop.signal)
  const ended = agent.run(stop.signal)
  while (asked < 3 || clock.waiting < 2) await clock.advance(0)
  await clock.advance(10_000)
  // from here on nobody lets the time pass: what waits for that waits for ever
  await ended
  const node = await client.resource<core.Node>(resources.nodes).get('n1')
  assert.equal(node.status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True')
})
