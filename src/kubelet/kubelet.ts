import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, Logger } from '#base'
import { Teardown, describeError, realClock, silentLogger } from '#base'
import type { Client } from '#client'
import type { Cache } from '#runtime'
import { createEventRecorder, startCache } from '#runtime'
import type { DeepReadonly, core, discovery } from '#api'
import { isStatus, quantityValue, resources } from '#api'
import { cgroupHierarchy } from './cgroups/hierarchy.ts'
import { noCgroups, podCgroups } from './cgroups/pod-cgroups.ts'
import type { ContainerRuntime } from './cri/index.ts'
import type { ObjectSource } from './env/index.ts'
import { objectSource } from './env/index.ts'
import type { EvictionThresholds } from './eviction/thresholds.ts'
import { defaultThresholds } from './eviction/thresholds.ts'
import { createEvictor } from './eviction/evictor.ts'
import { dockerAuths, secretAuths } from './images/credentials.ts'
import { createImageCollector } from './images/image-collector.ts'
import type { PullCredentials } from './images/image-puller.ts'
import { imagePuller } from './images/image-puller.ts'
import { pullRecords } from './images/pull-records.ts'
import { readMachine } from './node/machine.ts'
import type { Machine } from './node/machine.ts'
import { createNodeAgent } from './node/node-agent.ts'
import type { NodeFacts } from './node/node-status.ts'
import { allocatableOf } from './node/node-status.ts'
import type { ClusterDns, ResolverConfig } from './pod/dns.ts'
import { parseResolvConf } from './pod/dns.ts'
import type { NodePaths, Pod } from './pod/names.ts'
import { nodePaths } from './pod/names.ts'
import type { PodManager } from './pod/pod-manager.ts'
import { createPodManager } from './pod/pod-manager.ts'
import { podOperations } from './pod/pod-operations.ts'
import type { PodWorker } from './pod/pod-worker.ts'
import type { RecordCache } from './pod/record-cache.ts'
import { createRecordCache } from './pod/record-cache.ts'
import { statusSender } from './pod/status-sender.ts'
import { taskLimit } from './pod/task-limit.ts'
import { createProber } from './probes/prober.ts'
import type { PodVolumes } from './volumes/index.ts'
import { podVolumes } from './volumes/index.ts'

/** What a kubelet needs; everything but the first few has a default. */
export interface KubeletOptions {
  nodeName: string
  /** The node's addresses, the primary one first. */
  nodeIPs: readonly string[]
  client: Client
  runtime: ContainerRuntime
  /** Absolute; holds pods' volumes, hosts files and, unless `logsDir` says otherwise, logs. */
  rootDir: string
  logsDir?: string
  /** A docker `config.json` with the node's own credentials for registries, read anew at every pull; it need not be there. */
  pullConfig?: string
  /** Absolute within the cgroup hierarchy, e.g. `/k8ts/c1/node1`; `false` for a node without cgroups of its own (hollow nodes). */
  cgroupRoot?: string | false
  dns?: Partial<ClusterDns>
  /** resolv.conf for pods with `dnsPolicy: Default`; /etc/resolv.conf when absent. */
  resolvConf?: string
  maxPods?: number
  /** Labels of the node besides the standard ones. */
  labels?: Readonly<Record<string, string>>
  taints?: readonly core.Taint[]
  /** Subtracted from the machine's capacity. A node that shares its machine with others says here what they take. */
  reserved?: Partial<NodeFacts['reserved']>
  /** What the machine has; read from it when absent. */
  machine?: Machine
  /** Port of the kubelet's own server, as it goes into the node's status. */
  port?: number
  version?: string
  /** When pods are evicted for want of memory or disk; upstream's thresholds when absent, never when `false`. */
  eviction?: EvictionThresholds | false
  /** When unused images are removed, percent of the disk; upstream's 85 and 80 when absent, never when `false`: right where images cannot be pulled again. */
  imageCollection?: { highPercent: number; lowPercent: number } | false
  allowedUnsafeSysctls?: readonly string[]
  /** A runtime handler, where there is one, that knows neither host ports nor bandwidth limits and is faster for pods without them. */
  plainHandler?: string
  /** How many sandboxes and containers are started at once. */
  startConcurrency?: number
  relistEvery?: number
  intervals?: { lease?: number; report?: number; observe?: number }
  onPodCIDR?(cidrs: readonly string[]): void | Promise<void>
  /** Shared caches, where the process has them already. */
  services?: Cache<core.Service>
  /** Where services lead to: a pod that ends serves until they no longer lead to it. */
  endpointSlices?: Cache<discovery.EndpointSlice>
  volumes?: PodVolumes
  objects?: ObjectSource
  clock?: Clock
  log?: Logger
}

/** The agent of one node. Stopping it never stops a pod. */
export interface Kubelet extends AsyncDisposable {
  readonly nodeName: string
  /** Registers the node and begins with its pods; resolves when the node is registered and the pods that run already are adopted. */
  start(): Promise<void>
  readonly node: DeepReadonly<core.Node> | undefined
  readonly pods: Cache<core.Pod>
  readonly records: RecordCache
  readonly paths: NodePaths
  readonly objects: ObjectSource
  readonly runtime: ContainerRuntime
  readonly volumes: Pick<PodVolumes, 'mounted'>
  /** The worker of a pod, by uid. */
  worker(podUid: string): PodWorker | undefined
  allocatable(): Readonly<Record<string, string>>
}

const defaultVersion = 'v1.36.0'
const mebi = 1024 * 1024

/** Composes a kubelet; construction does nothing but remember its options. */
export function createKubelet(options: KubeletOptions): Kubelet {
  const { nodeName, nodeIPs, client, runtime, clock = realClock } = options
  const log = (options.log ?? silentLogger).named('kubelet')
  const paths = nodePaths(options.rootDir, options.logsDir)
  const teardown = new Teardown()
  const stopping = new AbortController()
  let running: Running | undefined
  const parts = (): Running => {
    if (!running) throw new Error('the kubelet is not started')
    return running
  }

  async function start(): Promise<void> {
    await mkdir(options.rootDir, { recursive: true })
    const machine = options.machine ?? (await readMachine(options.rootDir))
    const version = await untilAnswer(() => runtime.version({ timeoutMs: 10_000 }), { clock, log, signal: stopping.signal })
    const facts: NodeFacts = {
      name: nodeName,
      ips: nodeIPs,
      machine,
      maxPods: options.maxPods ?? 110,
      reserved: { cpuMillis: 0, memoryBytes: 100 * mebi, storageBytes: Math.floor(machine.capacity.storageBytes / 10), ...options.reserved },
      labels: options.labels ?? {},
      runtimeVersion: `${version.runtimeName}://${version.runtimeVersion}`,
      version: options.version ?? defaultVersion,
      kubeletPort: options.port ?? 10250,
    }
    const allocatable = allocatableOf(facts)
    const events = teardown.use(createEventRecorder({ client, component: 'kubelet', host: nodeName, clock, log }))
    const objects = options.objects ?? teardown.use(objectSource({ client, clock, log }))
    const records = createRecordCache({ runtime, clock, log, ...(options.relistEvery ? { relistEvery: options.relistEvery } : {}) })
    const agent = createNodeAgent({
      client,
      runtime,
      facts,
      clock,
      log,
      events,
      problems: () => [],
      pressure: () => evictor.pressure,
      ...(options.onPodCIDR ? { onPodCIDR: options.onPodCIDR } : {}),
      ...(options.taints ? { taints: options.taints } : {}),
      ...(options.intervals ? { intervals: options.intervals } : {}),
    })
    const services = options.services ?? teardown.use(startCache({ client, ref: resources.services, clock, log }))
    const pods = teardown.use(startCache({ client, ref: resources.pods, query: { fieldSelector: `spec.nodeName=${nodeName}` }, clock, log }))
    const volumes =
      options.volumes ??
      teardown.use(podVolumes({ rootDir: paths.root, client, objects, clock, log, images: runtime, allocatable: () => allocatable }))
    const cgroups = options.cgroupRoot === false ? noCgroups : podCgroups(cgroupHierarchy(), options.cgroupRoot ?? '/')
    const images = imagePuller({
      images: runtime,
      clock,
      events,
      credentials: (pod) => pullCredentials(objects, pod, options.pullConfig),
      records: pullRecords(join(options.rootDir, 'pulled-images.json')),
    })
    const statuses = teardown.use(statusSender({ client, clock, log }))
    const prober = createProber({ runtime, clock, log, events, onChange: (uid) => manager.worker(uid)?.wake() })
    const operations = podOperations({
      runtime,
      client,
      clock,
      log,
      events,
      records,
      volumes,
      objects,
      images,
      cgroups,
      paths,
      dns: { servers: options.dns?.servers ?? [], domain: options.dns?.domain ?? 'cluster.local' },
      hostResolver: () => hostResolver(options.resolvConf ?? '/etc/resolv.conf'),
      node: { name: nodeName, ips: nodeIPs, memoryCapacity: machine.capacity.memoryBytes, allocatable: () => allocatable },
      services: () => services.list(),
      ...(options.endpointSlices ? { endpointSlices: options.endpointSlices } : {}),
      features: () => agent.features,
      plainHandler: options.plainHandler ?? '',
      runtimeHandler: async (name) => (await client.resource(resources.runtimeClasses).get(name)).handler,
      limit: taskLimit(options.startConcurrency ?? 4),
    })
    const manager: PodManager = createPodManager({
      pods,
      records,
      operations,
      runtime,
      volumes,
      objects,
      prober,
      statuses,
      cgroups,
      events,
      clock,
      log,
      nodeIPs,
      paths,
      pressure: () => evictor.pressure,
      allocatable: () => allocatable,
      allowedUnsafeSysctls: options.allowedUnsafeSysctls ?? [],
      supports: () => ({
        strictGroups: agent.features.supplementalGroupsPolicy ?? false,
        appArmor: machine.appArmor ?? false,
        recursiveReadOnly: agent.features.handlers.get('')?.recursiveReadOnlyMounts ?? false,
      }),
      node: () => agent.node,
      freshNode: () => agent.fresh(),
    })
    const collector = createImageCollector({
      runtime,
      clock,
      log,
      ...(options.imageCollection === false ? { highPercent: 100 } : options.imageCollection),
    })
    const evictor = createEvictor({
      runtime,
      workers: () => manager.workers(),
      thresholds: options.eviction === false ? {} : (options.eviction ?? defaultThresholds),
      paths,
      reclaimDisk: async () => options.imageCollection !== false && (await collector.removeUnused()),
      onPressure: () => agent.check(),
      events,
      clock,
      log,
    })
    running = { agent, pods, records, objects, volumes, manager, allocatable }
    teardown.defer(() => manager.stop())

    // What runs already has to be known before any pod is looked at: it is adopted, not started again.
    await Promise.all([untilAnswer(() => records.relist(), { clock, log, signal: stopping.signal }), agent.register(stopping.signal)])
    await Promise.all([pods.ready(stopping.signal), services.ready(stopping.signal)])
    const loops = [records, agent, evictor, collector]
    const followers = Promise.all(loops.map((loop) => loop.run(stopping.signal)))
    teardown.defer(() => followers)
    manager.start()
    log.info('kubelet is running', { node: nodeName, runtime: facts.runtimeVersion, memory: quantityValue(allocatable.memory!) })
  }

  teardown.defer(() => stopping.abort())
  return {
    nodeName,
    paths,
    runtime,
    start,
    get node() {
      return running?.agent.node
    },
    get pods() {
      return parts().pods
    },
    get records() {
      return parts().records
    },
    get volumes() {
      return parts().volumes
    },
    get objects() {
      return parts().objects
    },
    worker: (uid) => running?.manager.worker(uid),
    allocatable: () => parts().allocatable,
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await teardown[Symbol.asyncDispose]()
    },
  }
}

interface Running {
  agent: ReturnType<typeof createNodeAgent>
  pods: Cache<core.Pod>
  records: RecordCache
  objects: ObjectSource
  volumes: PodVolumes
  manager: PodManager
  allocatable: Readonly<Record<string, string>>
}

/** Asks again until the other side is up; it may have been started at the same time as we. */
async function untilAnswer<T>(ask: () => Promise<T>, { clock, log, signal }: { clock: Clock; log: Logger; signal: AbortSignal }): Promise<T> {
  for (let wait = 50; ; wait = Math.min(wait * 2, 2000)) {
    try {
      return await ask()
    } catch (error) {
      signal.throwIfAborted()
      if (wait >= 400) log.warn('the container runtime does not answer yet', { error: describeError(error) })
    }
    await clock.sleep(wait, signal)
  }
}

/** What the pod's pull secrets hold, then what the node has. A secret that is missing is no error: the image may need none. */
async function pullCredentials(objects: ObjectSource, pod: Pod, pullConfig: string | undefined): Promise<PullCredentials> {
  const names = (pod.spec?.imagePullSecrets ?? []).map((s) => s.name ?? '').filter((name) => name !== '')
  const missing: string[] = []
  const secrets = await Promise.all(
    names.map(async (name) => {
      try {
        return [secretAuths(await objects.get('Secret', pod.metadata.namespace ?? 'default', name))]
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error
        missing.push(name)
        return []
      }
    }),
  )
  const own = pullConfig === undefined ? '' : await readFile(pullConfig, 'utf8').catch(() => '')
  return { sources: secrets.flat(), node: dockerAuths(own), missing }
}

async function hostResolver(path: string): Promise<ResolverConfig> {
  return parseResolvConf(await readFile(path, 'utf8').catch(() => ''))
}
