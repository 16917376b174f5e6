import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { core } from '#api'
import { resources } from '#api'
import { realClock, silentLogger } from '#base'
import type { Client } from '#client'
import { createContext } from '#runtime'
import { memoryStore, openSqliteStore } from '#store'
import { startTestServer } from '../apiserver/test-server.ts'
import { runScheduler } from './scheduler.ts'

/**
 * Pods bound per second, API server and scheduler in one process: `tools/run src/scheduler/scheduler.bench.ts [--store sqlite|memory] [--nodes 1000] [--pods 5000]
 * [--workload plain|service|spread|antiaffinity|affinity] [--waiting]`. With `--waiting` all pods are there before the scheduler starts; otherwise they are created while it runs, 64 at a
 * time, and their creation is part of the time.
 */
const { values } = parseArgs({
  options: {
    store: { type: 'string', default: 'sqlite' },
    nodes: { type: 'string', default: '1000' },
    pods: { type: 'string', default: '5000' },
    workload: { type: 'string', default: 'plain' },
    waiting: { type: 'boolean', default: false },
    filled: { type: 'string', default: '0' },
  },
})
const [nodeCount, podCount] = [Number(values.nodes), Number(values.pods)]

const labels = { app: 'bench' }
const specs: Record<string, Partial<core.PodSpec>> = {
  plain: {},
  service: {},
  spread: {
    topologySpreadConstraints: [
      { maxSkew: 5, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: labels } },
    ],
  },
  antiaffinity: {
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: labels } }],
      },
    },
  },
  affinity: {
    affinity: {
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'topology.kubernetes.io/zone', labelSelector: { matchLabels: labels } }],
      },
    },
  },
}

const directory = mkdtempSync(join(tmpdir(), 'k8ts-scheduler-bench-'))
const store = values.store === 'memory' ? memoryStore() : await openSqliteStore({ path: join(directory, 'state.db') })
const server = await startTestServer({ store, freeze: false })
const { client } = server
const stop = new AbortController()
const context = createContext({ client, component: 'default-scheduler', clock: realClock, log: silentLogger })

await inParallel(nodeCount, 32, (i) => createNode(client, i))
if (values.workload === 'service') await createService(client)
await inParallel(Number(values.filled), 64, (i) => createPod(client, `filler-${i}`, `node-${i % nodeCount}`))
let bound = 0
let done = () => {}
const all = new Promise<void>((resolve) => (done = resolve))
const pods = context.cache<core.Pod>(resources.pods)
await pods.ready()
pods.subscribe((event) => {
  if (event.type === 'updated' && event.object.spec.nodeName && !event.previous.spec.nodeName && ++bound === podCount) done()
})

const create = () => inParallel(podCount, 64, (i) => createPod(client, `pod-${i}`))
if (values.waiting) await create()
const started = performance.now()
const cpu = process.cpuUsage()
const running = runScheduler({ context }, stop.signal)
if (!values.waiting) await create()
const created = performance.now()
await all
const seconds = (performance.now() - started) / 1000
const { user, system } = process.cpuUsage(cpu)
console.log(
  JSON.stringify({
    ...values,
    boundPerSecond: Math.round(podCount / seconds),
    seconds: Number(seconds.toFixed(2)),
    creationSeconds: values.waiting ? undefined : Number(((created - started) / 1000).toFixed(2)),
    cpuSeconds: Number(((user + system) / 1e6).toFixed(2)),
  }),
)
stop.abort()
await running
await context[Symbol.asyncDispose]()
await server[Symbol.asyncDispose]()
rmSync(directory, { recursive: true })

async function inParallel(count: number, width: number, once: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: Math.min(width, count) }, async () => {
      while (next < count) await once(next++)
    }),
  )
}

async function createNode(api: Client, i: number): Promise<void> {
  const room = { cpu: '4', memory: '32Gi', pods: '110' }
  const name = `node-${i}`
  const zone = { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': `zone-${i % 3}` }
  await api
    .resource(resources.nodes)
    .create({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels: zone }, spec: {}, status: { allocatable: room, capacity: room } } as never)
  await api.resource(resources.nodes).patch(name, undefined, 'merge', { status: { allocatable: room, capacity: room } }, { subresource: 'status' })
}

async function createService(api: Client): Promise<void> {
  const spec = { selector: labels, ports: [{ port: 80 }], clusterIP: 'None' }
  await api
    .resource(resources.services)
    .create({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'bench', namespace: 'default' }, spec } as never)
}

async function createPod(api: Client, name: string, nodeName?: string): Promise<void> {
  await api.resource(resources.pods).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels },
    spec: {
      containers: [
        {
          name: 'pause',
          image: 'registry.k8s.io/pause:3.9',
          ports: [{ containerPort: 80 }],
          resources: { requests: { cpu: '100m', memory: '500Mi' } },
        },
      ],
      ...(nodeName ? { nodeName } : {}),
      ...specs[values.workload],
    },
  } as never)
}
