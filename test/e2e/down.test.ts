import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { core } from '#api'
import { processesIn } from '../../src/cluster/local/cgroup.ts'
import { bridgeName, tableName } from '../../src/cluster/local/interface-names.ts'
import { findProcess, waitUntil } from '../../src/cluster/local/process.ts'
import { failure, kubectlIn } from './clients.ts'
import { background, k8tsProgram, testCluster } from './cluster.ts'
import type { Machine } from './machine.ts'
import { appeared, leftovers, lookAtMachine } from './machine.ts'
import { buildWebImages } from './web-image.ts'

const name = 'test-down'
const empty = lookAtMachine()
const cluster = await testCluster('down')
const kubectl = kubectlIn(cluster, 'default')
after(() => cluster[Symbol.asyncDispose]())

const home = process.env['K8TS_HOME'] ?? '/var/lib/k8ts'
/** Another cluster on the machine comes and goes as it likes: beside one, only what bears our name counts as ours. */
const alone = readdirSync(home).every((entry) => entry === name)
const marks = [name, bridgeName(name), bridgeName(name).replace('k8-', 'k8'), tableName(name)]

/** What came up since the machine was without the cluster, and is the cluster's. */
function madeBy(): Machine {
  const now = lookAtMachine()
  const processes = ownProcesses()
  const known = [...marks, ...containers()]
  return appeared(empty, now, (kind, item) =>
    kind === 'processes' ? processes.has(item.split(' ')[0]!) : alone || known.some((mark) => item.includes(mark)),
  )
}

/** Ids of the containers that run, and the names of their shims' sockets. */
function containers(): string[] {
  const tasks = `/run/k8ts/${name}/node-1/io.containerd.runtime.v2.task/k8s.io`
  if (!existsSync(tasks)) return []
  return readdirSync(tasks).flatMap((id) => {
    const address = join(tasks, id, 'address')
    return existsSync(address) ? [id, basename(readFileSync(address, 'utf8'))] : [id]
  })
}

function ownProcesses(): Set<string> {
  const named = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(name))
  return new Set([...named, ...processesIn(`/k8ts-${name}`).map(String)])
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

const killEverything = () => {
  const pids = processesIn(`/k8ts-${name}`)
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  return pids.length
}

/** Pods with what leaves traces: memory volumes, secrets, host ports, a service with a node port, one with an address of its own, an ingress. */
const workload = [
  { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'mounted' }, stringData: { key: 'value' } },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          containers: [
            {
              name: 'web',
              image: 'localhost/web:1',
              readinessProbe: { httpGet: { path: '/', port: 80 }, periodSeconds: 1 },
              volumeMounts: [
                { name: 'memory', mountPath: '/memory' },
                { name: 'secret', mountPath: '/secret' },
              ],
            },
          ],
          volumes: [
            { name: 'memory', emptyDir: { medium: 'Memory' } },
            { name: 'secret', secret: { secretName: 'mounted' } },
          ],
        },
      },
    },
  },
  { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80 }] } },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'balanced' },
    spec: { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port: 80 }] },
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web' },
    spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'published' },
    spec: { containers: [{ name: 'web', image: 'localhost/web:1', ports: [{ containerPort: 80, hostPort: 8080 }] }] },
  },
]

async function start(): Promise<void> {
  await buildWebImages(cluster)
  await cluster.apply({ apiVersion: 'v1', kind: 'List', items: workload })
  await kubectl('rollout', 'status', 'deployment/web', '--timeout=120s')
  await kubectl('wait', '--for=condition=Ready', 'pod/published', '--timeout=120s')
  await kubectl('wait', '--for=jsonpath={.status.loadBalancer.ingress[0].ip}', 'ingress/web', 'service/balanced', '--timeout=120s')
  await waitUntil(() => findProcess(join(home, name, 'run'), 'ingress') !== undefined, 60_000)
}

describe('k8ts down', () => {
  let made: Machine
  before(async () => {
    await start()
    made = madeBy()
  })

  test('leaves nothing of a cluster with pods, and a second time finds nothing to do', async () => {
    for (const [kind, items] of Object.entries(made)) assert.ok(items.size > 0, `the cluster should have made ${kind}`)
    const programs = [...made.processes].map((item) => item.split(' ')[2])
    assert.ok(
      [...made.files].some((file) => file.startsWith('/run/containerd/s/')),
      'sockets of shims',
    )
    for (const program of ['(containerd)', '(containerd-shim)', '(node-MainThread)', '(haproxy)'])
      assert.ok(programs.includes(program), `${program} in ${programs.join()}`)

    await cluster.k8ts('down', '--name', name)
    assert.deepEqual(leftovers(made, lookAtMachine()), [])
    await kubectl.fails('config', 'get-contexts', 'k8ts-test-down')
    assert.equal(await cluster.k8ts('down', '--name', name), 'there is no cluster test-down\n')
    assert.deepEqual(leftovers(made, lookAtMachine()), [])
  })

  test('after kill -9 of everything, up brings the pods back, and down still leaves nothing', async () => {
    await cluster.k8ts('up', '--name', name)
    await start()
    const again = madeBy()
    const list = async () => (JSON.parse(await kubectl('get', 'pods', '-o', 'json')) as { items: core.Pod[] }).items
    const pods = (await list()).map((pod) => pod.metadata.name).toSorted()

    assert.ok(killEverything() > 10)
    assert.equal((JSON.parse((await failure(cluster.k8ts('status', '--name', name, '-o', 'json'))).stdout) as { state: string }).state, 'stopped')
    await cluster.k8ts('up', '--name', name)
    await kubectl('wait', '--for=jsonpath={.status.containerStatuses[0].restartCount}=1', 'pod', '--all', '--timeout=120s')
    await kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=120s')
    const restarted = await list()
    assert.deepEqual(restarted.map((pod) => pod.metadata.name).toSorted(), pods, 'the same pods')
    assert.match(
      await kubectl(
        'exec',
        pods.find((pod) => pod.startsWith('web'))!,
        '--',
        'cat',
        '/secret/key',
      ),
      /^value$/,
    )
    const both = madeBy()

    assert.ok(killEverything() > 10)
    await cluster.k8ts('down', '--name', name)
    const left = lookAtMachine()
    assert.deepEqual([...leftovers(again, left), ...leftovers(both, left)], [])
  })

  test('after kill -9 of `k8ts up` on its way', async () => {
    await using coming = background(k8tsProgram, ['up', '--name', name], { ...process.env, KUBECONFIG: cluster.kubeconfig })
    await coming.until(/✔ Control plane/)
    coming.kill('SIGKILL')
    const half = madeBy()
    assert.ok(half.processes.size > 0 && half.links.size > 0)
    await cluster.k8ts('down', '--name', name)
    assert.deepEqual(leftovers(half, lookAtMachine()), [])
  })
})
