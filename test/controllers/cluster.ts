import { generateKeyPairSync } from 'node:crypto'
import type { Creatable, DeepReadonly, KubeObject, core } from '#api'
import { controllerOf, isStatus, resources } from '#api'
import { bootstrapObjects, loopbackUser, standardApiServer } from '#apiserver'
import type { Clock, Logger } from '#base'
import { Teardown, realClock, silentLogger } from '#base'
import type { Client, ResourceRef } from '#client'
import { type CertificateAuthority, type NodeStorage, controllers as standardControllers } from '#controllers'
import { createContext, runControllers } from '#runtime'
import { runScheduler } from '#scheduler'
import { memoryStore } from '#store'
import { testTls } from '../../src/apiserver/test-server.ts'
import { controllerUser } from '../../src/cluster/controller-user.ts'
import { ensureStorage } from '../../src/cluster/defaults.ts'

export type Pod = DeepReadonly<core.Pod>

/** What a fake kubelet makes of a pod. */
export type Behaviour = 'ready' | 'running' | 'pending' | 'succeeded' | 'failed' | { exitCode: number }

export interface TestClusterOptions {
  /** Which of the standard controllers run, by name; all when absent. */
  only?: readonly string[]
  /** Hollow nodes, each with room for 110 pods; 1 when absent. */
  nodes?: number
  /** What becomes of a pod once it has a node; without it the first container's image says: `pending`, `running`, `succeeded`, `failed`, everything else is ready. */
  behave?(pod: Pod): Behaviour
  /** The time of controllers, scheduler and kubelet. */
  clock?: Clock
  log?: Logger
  /** Signs what CertificateSigningRequests ask for. */
  authority?: CertificateAuthority
  /** The disks of the nodes; with them there is the default storage class. */
  disks?: NodeStorage
}

export interface TestCluster extends AsyncDisposable {
  client: Client
  create<T extends KubeObject>(ref: ResourceRef<T>, object: Omit<Creatable<T>, 'apiVersion' | 'kind'>): Promise<DeepReadonly<T>>
  /** Resolves with the object once the condition holds; rejects with its last state after 15 s. */
  until<T extends KubeObject>(ref: ResourceRef<T>, name: string, condition: (object: DeepReadonly<T>) => boolean): Promise<DeepReadonly<T>>
  gone<T extends KubeObject>(ref: ResourceRef<T>, name: string): Promise<void>
  /** Resolves once what is there of the resource (in the test's namespace) meets the condition. */
  untilAll<T extends KubeObject>(ref: ResourceRef<T>, condition: (objects: DeepReadonly<T>[]) => boolean): Promise<DeepReadonly<T>[]>
  list<T extends KubeObject>(ref: ResourceRef<T>): Promise<readonly DeepReadonly<T>[]>
  /** Reasons and messages of the events about an object of this name; waits until one has the reason. */
  event(name: string, reason: string): Promise<string>
}

export const namespace = 'test'

/**
 * A control plane over the memory store with real authorization, admission, scheduler and controllers, each with the rights of its own role, and hollow nodes: only
 * containers are made up.
 */
export async function startTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const { nodes = 1, clock = realClock, log = silentLogger, disks } = options
  const teardown = new Teardown()
  const store = teardown.use(memoryStore())
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const server = teardown.use(
    standardApiServer({
      store,
      port: 0,
      tls: { ...testTls, clientCa: testTls.cert },
      serviceAccounts: { privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, issuer: 'https://kubernetes.default.svc' },
      kubelet: { ...testTls, ca: testTls.cert },
      serviceCidr: '10.96.0.0/16',
      log,
    }),
  )
  await server.start()
  const client = server.client(loopbackUser, 'test')
  await bootstrapObjects(client)
  if (disks) await ensureStorage(client)
  await client.resource(resources.namespaces).create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace }, spec: {} })
  await client
    .resource(resources.serviceAccounts)
    .create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } } as never)
  for (let i = 1; i <= nodes; i++) await addNode(client, `node-${i}`)

  const stop = new AbortController()
  const context = teardown.use(
    createContext({
      client: server.client({ username: 'system:kube-controller-manager', groups: ['system:authenticated'] }, 'controllers'),
      component: 'test',
      clock,
      log,
    }),
  )
  const running = [
    runScheduler(
      { context: { ...context, client: server.client({ username: 'system:kube-scheduler', groups: ['system:authenticated'] }, 'scheduler') } },
      stop.signal,
    ),
  ]
  const wanted = standardControllers({
    rootCA: testTls.cert,
    ...(options.authority ? { authority: options.authority } : {}),
    ...(disks ? { localPath: { storage: () => disks } } : {}),
  }).filter((c) => options.only?.includes(c.name) ?? true)
  for (const controller of wanted)
    running.push(
      runControllers([controller], { ...context, client: server.client(controllerUser(controller.name), controller.name) }, { signal: stop.signal }),
    )
  running.push(runFakeKubelet(client, options.behave ?? byImage, clock, stop.signal))
  teardown.defer(async () => {
    stop.abort()
    await Promise.allSettled(running)
  })

  const cluster: TestCluster = {
    client,
    async create(ref, object) {
      const apiVersion = ref.group ? `${ref.group}/${ref.version}` : ref.version
      const metadata = { ...(ref.namespaced ? { namespace } : {}), ...object.metadata }
      return client.resource(ref).create({ apiVersion, kind: ref.kind, ...object, metadata } as never)
    },
    async until(ref, name, condition) {
      const object = await cluster
        .untilAll(ref, (all) => all.some((o) => o.metadata.name === name && condition(o)))
        .then((all) => all.find((o) => o.metadata.name === name)!)
      return object
    },
    async gone(ref, name) {
      await cluster.untilAll(ref, (all) => all.every((o) => o.metadata.name !== name))
    },
    async list(ref) {
      return (await client.resource(ref).list(ref.namespaced ? { namespace } : {})).items
    },
    untilAll: (ref, condition) => follow(client, ref, condition),
    async event(name, reason) {
      const all = await cluster.untilAll(resources.events, (events) => events.some((e) => e.involvedObject.name === name && e.reason === reason))
      return all.find((e) => e.involvedObject.name === name && e.reason === reason)!.message ?? ''
    },
    [Symbol.asyncDispose]: () => teardown[Symbol.asyncDispose](),
  }
  return cluster
}

async function follow<T extends KubeObject>(
  client: Client,
  ref: ResourceRef<T>,
  condition: (objects: DeepReadonly<T>[]) => boolean,
): Promise<DeepReadonly<T>[]> {
  const scope = ref.namespaced ? { namespace } : {}
  const signal = AbortSignal.timeout(60_000)
  const list = await client.resource(ref).list(scope)
  const all = new Map(list.items.map((o) => [(o as KubeObject).metadata.name, o]))
  if (condition([...all.values()] as DeepReadonly<T>[])) return [...all.values()] as DeepReadonly<T>[]
  for await (const event of client.resource(ref).watch({ ...scope, resourceVersion: list.metadata.resourceVersion, signal })) {
    if (event.type === 'BOOKMARK' || event.type === 'ERROR') continue
    const { name } = (event.object as KubeObject).metadata
    if (event.type === 'DELETED') all.delete(name)
    else all.set(name, event.object)
    if (condition([...all.values()] as DeepReadonly<T>[])) return [...all.values()] as DeepReadonly<T>[]
  }
  const brief = [...all.values()].map((o) => {
    const { spec, status, metadata } = o as unknown as { spec?: { replicas?: number }; status?: unknown; metadata: KubeObject['metadata'] }
    return { name: metadata.name, labels: metadata.labels, replicas: spec?.replicas, generation: metadata.generation, status }
  })
  throw new Error(`${ref.resource} did not get there: ${JSON.stringify(brief, null, 1)}`)
}

export async function addNode(
  client: Client,
  name: string,
  extra: { labels?: Record<string, string>; cpu?: string; pods?: string } = {},
): Promise<void> {
  const nodes = client.resource(resources.nodes)
  const room = { cpu: extra.cpu ?? '16', memory: '64Gi', pods: extra.pods ?? '110' }
  const labels = { 'kubernetes.io/hostname': name, ...extra.labels }
  await nodes.create({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec: {} } as never)
  await nodes.patch(name, undefined, 'merge', { spec: { taints: [] } })
  await nodes.patch(
    name,
    undefined,
    'merge',
    {
      status: {
        capacity: room,
        allocatable: room,
        conditions: [
          { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: stamp(Date.now()), lastTransitionTime: stamp(Date.now()) },
        ],
      },
    },
    { subresource: 'status' },
  )
}

const stamp = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`

function byImage(pod: Pod): Behaviour {
  const image = pod.spec.containers[0]!.image ?? ''
  return (['pending', 'running', 'succeeded', 'failed'] as const).find((b) => image.startsWith(b)) ?? 'ready'
}

/** Writes the status that a kubelet would, at once, and lets go of pods that are being deleted. */
async function runFakeKubelet(client: Client, behave: (pod: Pod) => Behaviour, clock: Clock, signal: AbortSignal): Promise<void> {
  const pods = client.resource(resources.pods)
  const seen = new Map<string, string>()
  let address = 0
  async function one(pod: Pod): Promise<void> {
    const { name, namespace: ns, uid } = pod.metadata
    if (!pod.spec.nodeName) return
    const finished = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
    if (pod.metadata.deletionTimestamp) {
      if (!finished) await write(pod, 'failed')
      return pods.delete(name, ns, { gracePeriodSeconds: 0, preconditions: { uid: uid! } })
    }
    if (finished) return
    const wanted = behave(pod)
    if (seen.get(uid!) === JSON.stringify(wanted)) return
    seen.set(uid!, JSON.stringify(wanted))
    await write(pod, wanted)
  }
  async function write(pod: Pod, wanted: Behaviour): Promise<void> {
    if (wanted === 'pending') return
    const now = stamp(clock.now())
    const exitCode = typeof wanted === 'object' ? wanted.exitCode : wanted === 'succeeded' ? 0 : wanted === 'failed' ? 1 : undefined
    const phase = exitCode === undefined ? 'Running' : exitCode === 0 ? 'Succeeded' : 'Failed'
    const ready = wanted === 'ready'
    const podIP = pod.status?.podIP ?? `10.1.${address >> 8}.${address++ & 255}`
    await pods.patch(
      pod.metadata.name,
      pod.metadata.namespace,
      'strategic',
      {
        metadata: { uid: pod.metadata.uid },
        status: {
          phase,
          podIP,
          podIPs: [{ ip: podIP }],
          startTime: now,
          conditions: ['Ready', 'ContainersReady', 'Initialized'].map((type) => ({
            type,
            status: ready || type === 'Initialized' ? 'True' : 'False',
            lastTransitionTime: now,
          })),
          containerStatuses: pod.spec.containers.map((c) => ({
            name: c.name,
            image: c.image,
            imageID: '',
            ready,
            restartCount: 0,
            state:
              exitCode === undefined
                ? { running: { startedAt: now } }
                : { terminated: { exitCode, finishedAt: now, reason: exitCode ? 'Error' : 'Completed' } },
          })),
        },
      },
      { subresource: 'status' },
    )
  }
  for await (const event of pods.watch({ resourceVersion: '', signal })) {
    if (event.type !== 'ADDED' && event.type !== 'MODIFIED') continue
    one(event.object).catch((error: unknown) => {
      if (!signal.aborted && !isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error
    })
  }
}

export const ownedBy = (owner: DeepReadonly<KubeObject>) => (object: DeepReadonly<KubeObject>) => controllerOf(object)?.uid === owner.metadata.uid
