import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { DeepReadonly, core } from '#api'
import { resources } from '#api'
import { Teardown } from '#base'
import type { Client } from '#client'
import { startTestServer } from '../apiserver/test-server.ts'
import type { FakeRuntime, FakeRuntimeOptions } from './cri/index.ts'
import { createFakeRuntime } from './cri/index.ts'
import type { Kubelet, KubeletOptions } from './kubelet.ts'
import { createKubelet } from './kubelet.ts'

/** The kubelet against our own API server over the memory store, with the fake runtime under it. */
interface Setup extends AsyncDisposable {
  client: Client
  runtime: FakeRuntime
  kubelet: Kubelet
  rootDir: string
  start(): Promise<Kubelet>
  create(name: string, spec?: Partial<core.PodSpec>): Promise<void>
  until(name: string, condition: (pod: DeepReadonly<core.Pod>) => boolean): Promise<DeepReadonly<core.Pod>>
  gone(name: string): Promise<void>
  events(name: string): Promise<string[]>
}

async function setup(runtimeOptions: FakeRuntimeOptions = {}, options: Partial<KubeletOptions> = {}): Promise<Setup> {
  const teardown = new Teardown()
  const server = teardown.use(await startTestServer())
  const { client } = server
  for (const name of ['kube-node-lease', 'ns'])
    await client.resource(resources.namespaces).create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: {} })
  const rootDir = await mkdtemp(join(tmpdir(), 'kubelet-'))
  teardown.defer(() => rm(rootDir, { recursive: true, force: true }))
  const runtime = teardown.use(createFakeRuntime(runtimeOptions))
  const pods = client.resource(resources.pods)
  async function start(): Promise<Kubelet> {
    const kubelet = teardown.use(createKubelet({ nodeName: 'n1', nodeIPs: ['192.168.0.1'], client, runtime, rootDir, cgroupRoot: false, ...options }))
    await kubelet.start()
    return kubelet
  }
  async function follow(name: string, condition: (pod: DeepReadonly<core.Pod> | undefined) => boolean): Promise<DeepReadonly<core.Pod> | undefined> {
    const signal = AbortSignal.timeout(60_000)
    for await (const event of pods.watch({ namespace: 'ns', fieldSelector: `metadata.name=${name}`, signal })) {
      if (event.type === 'BOOKMARK' || event.type === 'ERROR') continue
      const pod = event.type === 'DELETED' ? undefined : event.object
      if (condition(pod)) return pod
    }
    throw new Error(`pod ${name} did not get there: ${JSON.stringify((await pods.get(name, 'ns')).status)}`)
  }
  return {
    client,
    runtime,
    kubelet: await start(),
    rootDir,
    start,
    async create(name, spec = {}) {
      await pods.create({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'ns' },
        spec: {
          nodeName: 'n1',
          containers: [{ name: 'app', image: 'app:1' }],
          terminationGracePeriodSeconds: 1,
          automountServiceAccountToken: false,
          ...spec,
        },
      })
    },
    until: async (name, condition) => (await follow(name, (pod) => pod !== undefined && condition(pod)))!,
    async gone(name) {
      const there = await pods.get(name, 'ns').catch(() => undefined)
      if (there) await follow(name, (pod) => pod === undefined)
    },
    async events(name) {
      const { items } = await client.resource(resources.events).list({ namespace: 'ns' })
      return items.filter((e) => e.involvedObject.name === name).map((e) => `${e.reason}: ${e.message}`)
    },
    [Symbol.asyncDispose]: () => teardown[Symbol.asyncDispose](),
  }
}

const isReady = (pod: DeepReadonly<core.Pod>) => pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false
const app = (pod: DeepReadonly<core.Pod>) => pod.status?.containerStatuses?.[0]
const waitingFor = (reason: string) => (pod: DeepReadonly<core.Pod>) => app(pod)?.state?.waiting?.reason === reason

/** Waits for something that no watch tells of. */
async function eventually(check: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const start = performance.now(); performance.now() - start < 60_000;) {
    if (await check()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.fail(`not within a minute: ${what}`)
}

test('the node registers itself, is ready and holds its lease', async () => {
  await using t = await setup({}, { labels: { zone: 'a' } })
  const node = await t.client.resource(resources.nodes).get('n1')
  assert.equal(node.metadata.labels?.['kubernetes.io/hostname'], 'n1')
  assert.equal(node.metadata.labels?.zone, 'a')
  assert.equal(node.status?.conditions?.find((c) => c.type === 'Ready')?.status, 'True')
  assert.equal(node.status?.capacity?.pods, '110')
  assert.deepEqual(node.status?.addresses, [
    { type: 'InternalIP', address: '192.168.0.1' },
    { type: 'Hostname', address: 'n1' },
  ])
  const lease = () => t.client.resource(resources.leases).get('n1', 'kube-node-lease')
  await eventually(async () => (await lease().catch(() => undefined))?.spec?.holderIdentity === 'n1', 'the lease')
})

test('a pod runs, tells so, and leaves nothing behind when it is deleted', async () => {
  await using t = await setup()
  await t.create('p', {
    hostname: 'h',
    volumes: [{ name: 'v', emptyDir: {} }],
    containers: [{ name: 'app', image: 'app:1', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
  })
  const pod = await t.until('p', isReady)
  assert.equal(pod.status?.phase, 'Running')
  assert.equal(pod.status?.podIP, '10.88.0.2')
  assert.equal(pod.status?.hostIP, '192.168.0.1')
  assert.match(app(pod)?.containerID ?? '', /^containerd:\/\/[0-9a-f]{64}$/)
  await eventually(async () => (await t.events('p')).length === 3, 'three events')
  assert.deepEqual(await t.events('p'), [
    'Pulled: Container image "app:1" already present on machine',
    'Created: Created container app',
    'Started: Started container app',
  ])
  const dir = join(t.rootDir, 'pods', pod.metadata.uid!)
  assert.match(await readFile(join(dir, 'etc-hosts'), 'utf8'), /10\.88\.0\.2\th\n/)
  await t.client.resource(resources.pods).delete('p', 'ns')
  await t.gone('p')
  await eventually(async () => (await t.runtime.listPodSandbox()).items.length === 0 && !existsSync(dir), 'an empty node')
  assert.deepEqual(await readdir(join(t.rootDir, 'logs', 'pods')), [])
  assert.deepEqual(t.runtime.calls, [
    'runPodSandbox ns/p',
    'createContainer app',
    'startContainer app',
    'stopContainer app 2',
    'stopPodSandbox ns/p',
    'removePodSandbox ns/p',
  ])
})

test('a container that crashes is restarted at once, and then waits', async () => {
  await using t = await setup({ script: () => ({ exitAfterMs: 1, exitCode: 3 }) })
  await t.create('p')
  const pod = await t.until('p', waitingFor('CrashLoopBackOff'))
  assert.equal(app(pod)?.restartCount, 1)
  assert.equal(app(pod)?.lastState?.terminated?.exitCode, 3)
  assert.equal(app(pod)?.state?.waiting?.message, `back-off 10s restarting failed container=app pod=p_ns(${pod.metadata.uid})`)
  assert.equal(pod.status?.phase, 'Running')
})

test('a pod that is done succeeds, and its sandbox stops', async () => {
  await using t = await setup({ script: () => ({ exitAfterMs: 1 }) })
  await t.create('p', { restartPolicy: 'Never' })
  const pod = await t.until('p', (p) => p.status?.phase === 'Succeeded')
  assert.equal(app(pod)?.state?.terminated?.reason, 'Completed')
  await eventually(() => t.runtime.calls.includes('stopPodSandbox ns/p'), 'a stopped sandbox')
})

test('a kubelet that restarts adopts what runs and changes nothing', async () => {
  await using t = await setup()
  await t.create('p')
  const before = await t.until('p', isReady)
  await t.kubelet[Symbol.asyncDispose]()
  const calls = t.runtime.calls.length
  const again = await t.start()
  await eventually(() => again.worker(before.metadata.uid!)?.status !== undefined, 'the pod known again')
  assert.deepEqual(await t.client.resource(resources.pods).get('p', 'ns'), before)
  assert.equal(t.runtime.calls.length, calls)
})

test('what ended while the kubelet was away is noticed', async () => {
  await using t = await setup()
  await t.create('p')
  const before = await t.until('p', isReady)
  await t.kubelet[Symbol.asyncDispose]()
  t.runtime.exit(app(before)!.containerID!.slice('containerd://'.length), 9)
  await t.start()
  const after = await t.until('p', (p) => app(p)?.restartCount === 1 && isReady(p))
  assert.equal(app(after)?.lastState?.terminated?.exitCode, 9)
})

test('a pod that was removed while the kubelet was away is cleaned up', async () => {
  await using t = await setup()
  await t.create('p')
  await t.until('p', isReady)
  await t.kubelet[Symbol.asyncDispose]()
  await t.client.resource(resources.pods).delete('p', 'ns', { gracePeriodSeconds: 0 })
  await t.start()
  await eventually(async () => (await t.runtime.listPodSandbox()).items.length === 0, 'no sandbox')
})

test('a sandbox that dies takes its containers along into a new one', async () => {
  await using t = await setup()
  await t.create('p')
  const before = await t.until('p', isReady)
  t.runtime.killSandbox((await t.runtime.listPodSandbox()).items[0]!.id)
  const after = await t.until('p', (p) => app(p)?.restartCount === 1 && isReady(p))
  assert.notEqual(after.status?.podIP, before.status?.podIP)
})

test('a failing liveness probe restarts the container', async () => {
  let alive = false
  await using t = await setup({ exec: () => ({ exitCode: alive ? 0 : 1, stdout: 'broken' }) })
  const livenessProbe = { exec: { command: ['check'] }, periodSeconds: 1, failureThreshold: 1 }
  await t.create('p', { containers: [{ name: 'app', image: 'app:1', livenessProbe }] })
  await t.until('p', (p) => app(p)?.restartCount === 1)
  alive = true
  await eventually(async () => (await t.events('p')).includes('Killing: Container app failed liveness probe, will be restarted'), 'the event')
  assert.ok((await t.events('p')).includes('Unhealthy: Liveness probe failed: broken'))
})

test('an image that is missing is asked for, then waited for', async () => {
  await using t = await setup({ images: [] })
  await t.create('p')
  await t.until('p', waitingFor('ErrImagePull'))
  await t.until('p', waitingFor('ImagePullBackOff'))
})

test('a container waits for its config map and starts when it comes', async () => {
  await using t = await setup()
  await t.create('p', { containers: [{ name: 'app', image: 'app:1', envFrom: [{ configMapRef: { name: 'settings' } }] }] })
  const pod = await t.until('p', waitingFor('CreateContainerConfigError'))
  assert.equal(app(pod)?.state?.waiting?.message, 'configmap "settings" not found')
  await t.client.resource(resources.configMaps).create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'ns' } })
  await t.until('p', isReady)
})

test('a sysctl that is not safe is refused', async () => {
  await using t = await setup()
  await t.create('p', { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } })
  const pod = await t.until('p', (p) => p.status?.phase === 'Failed')
  assert.equal(pod.status?.reason, 'SysctlForbidden')
  assert.deepEqual(t.runtime.calls, [])
})

test('a deadline ends the pod', async () => {
  await using t = await setup()
  // the start is known to the second: one second could be over before the container runs
  await t.create('p', { activeDeadlineSeconds: 3 })
  const pod = await t.until('p', (p) => p.status?.phase === 'Failed')
  assert.equal(pod.status?.reason, 'DeadlineExceeded')
  assert.equal(app(pod)?.state?.terminated?.exitCode, 143)
})

test('many pods at once all become ready', async () => {
  await using t = await setup()
  const names = Array.from({ length: 40 }, (_, i) => `p${i}`)
  await Promise.all(names.map((name) => t.create(name)))
  await Promise.all(names.map((name) => t.until(name, isReady)))
})
