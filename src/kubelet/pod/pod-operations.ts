import { chmod, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Client } from '#client'
import type { Clock, Logger } from '#base'
import { describeError } from '#base'
import type { Cache, EventRecorder } from '#runtime'
import type { DeepReadonly, core, discovery } from '#api'
import { isStatus, resources } from '#api'
import type { PodCgroups } from '../cgroups/pod-cgroups.ts'
import type { ContainerRuntime, cri } from '../cri/index.ts'
import type { RuntimeFeatures } from '../cri/runtime-features.ts'
import type { ObjectSource } from '../env/index.ts'
import { ContainerConfigError, containerEnvironment } from '../env/index.ts'
import type { ImagePuller } from '../images/image-puller.ts'
import type { MountedVolume, PodVolumes } from '../volumes/index.ts'
import { containerMounts, readInside } from '../volumes/index.ts'
import { containerConfig } from './container-config.ts'
import type { ClusterDns, ResolverConfig } from './dns.ts'
import { podDns, podHostname } from './dns.ts'
import { runHook } from './hooks.ts'
import { hostsFile } from './hosts-file.ts'
import type { NodePaths, Pod, RoledContainer } from './names.ts'
import { fieldPath } from './names.ts'
import type { Action, KillReason } from './plan.ts'
import { ownGrace } from './plan.ts'
import type { RecordCache } from './record-cache.ts'
import type { ContainerRecord, PodRecord, SandboxRecord } from './records.ts'
import { containerResources } from './resources.ts'
import { hasPlainNetwork, sandboxConfig } from './sandbox-config.ts'
import { containerSecurity, nonRootViolation } from './security.ts'
import { SandboxFailure, StartFailure } from './start-failure.ts'
import type { TaskLimit } from './task-limit.ts'
import { isWithdrawnFirst, withdrawn } from './withdrawal.ts'

export interface PodOperationsOptions {
  runtime: ContainerRuntime
  client: Client
  clock: Clock
  log: Logger
  events: EventRecorder
  records: RecordCache
  volumes: PodVolumes
  objects: ObjectSource
  images: ImagePuller
  cgroups: PodCgroups
  paths: NodePaths
  dns: ClusterDns
  /** The node's own resolver configuration, for pods with `dnsPolicy: Default`. */
  hostResolver(): Promise<ResolverConfig>
  node: { name: string; ips: readonly string[]; memoryCapacity: number; allocatable(): Readonly<Record<string, string>> }
  services(): readonly DeepReadonly<core.Service>[]
  /** Where services lead to; without it a pod that ends does not wait until they no longer lead to it. */
  endpointSlices?: Cache<discovery.EndpointSlice>
  /** What the runtime says it can do. */
  features(): RuntimeFeatures
  /** The handler of pods that need nothing special of their network; empty: the default one. */
  plainHandler: string
  /** The handler of a RuntimeClass; rejects when there is no such class. */
  runtimeHandler(className: string): Promise<string>
  /** Bounds how much the runtime is asked to do at once. */
  limit: TaskLimit
}

type Start = Extract<Action, { type: 'startContainer' }>
type Kill = Extract<Action, { type: 'killContainer' }>

/** The steps of a pod's life that touch the world. Each can be repeated. */
export interface PodOperations {
  /** Cgroup, directories, volumes. */
  prepare(pod: Pod, signal: AbortSignal): Promise<void>
  /** Brings volumes' content up to date with the pod's labels and annotations. */
  refresh(pod: Pod, signal: AbortSignal): Promise<void>
  createSandbox(pod: Pod, attempt: number, signal: AbortSignal): Promise<void>
  /** Image, environment, mounts, create, start, postStart. Rejects with StartFailure. */
  start(pod: Pod, action: Start, podIP: string, signal: AbortSignal): Promise<void>
  /** preStop, stop signal, and the kill after the grace period. */
  kill(pod: Pod, action: Kill, podIP: string): Promise<void>
  /** Applies the container's resources to it and to the pod's cgroup. */
  resize(pod: Pod, record: ContainerRecord, container: RoledContainer): Promise<void>
  stopSandbox(pod: Pod, sandbox: SandboxRecord): Promise<void>
  removeContainer(record: ContainerRecord): Promise<void>
  removeSandbox(sandbox: SandboxRecord): Promise<void>
  /** Volumes; logs and dead containers stay for `logs`. */
  tearDown(pod: Pod): Promise<void>
  /** Everything that is left of the pod on the node. */
  cleanUp(pod: Pod, record: PodRecord): Promise<void>
  deleteFromApi(pod: Pod, signal: AbortSignal): Promise<void>
}

/** The least time between stop signal and kill, seconds. */
const minimumGrace = 2
const sandboxTimeoutMs = 4 * 60_000

export function podOperations(options: PodOperationsOptions): PodOperations {
  const { runtime, client, clock, log, events, records, volumes, objects, images, cgroups, paths, dns, node, limit } = options
  const mounted = new Map<string, ReadonlyMap<string, MountedVolume>>()
  /** Containers whose end was begun. */
  const stopping = new Set<string>()
  const containersDir = (pod: Pod) => join(paths.podDir(pod.metadata.uid ?? ''), 'containers')
  const identity = (pod: Pod) => ({ namespace: pod.metadata.namespace ?? 'default', name: pod.metadata.name, uid: pod.metadata.uid ?? '' })

  async function configOfSandbox(pod: Pod, attempt: number): Promise<cri.PodSandboxConfig> {
    const hostname = podHostname(pod, dns.domain)
    return sandboxConfig({ pod, attempt, paths, dns: podDns(pod, dns, await options.hostResolver()), hostname, cgroupParent: cgroups.path(pod) })
  }

  const handlerOf = async (pod: Pod): Promise<string> =>
    pod.spec?.runtimeClassName ? options.runtimeHandler(pod.spec.runtimeClassName) : hasPlainNetwork(pod) ? options.plainHandler : ''

  async function writeHosts(pod: Pod, ips: readonly string[]): Promise<string> {
    const file = join(paths.podDir(pod.metadata.uid ?? ''), 'etc-hosts')
    const nodeHosts = pod.spec?.hostNetwork ? await readFile('/etc/hosts', 'utf8').catch(() => '') : ''
    await writeFile(file, hostsFile(pod, ips, podHostname(pod, dns.domain), nodeHosts))
    return file
  }

  async function terminationLog(pod: Pod, container: string): Promise<string> {
    const dir = join(containersDir(pod), container)
    await mkdir(dir, { recursive: true })
    const file = join(dir, randomBytes(4).toString('hex'))
    await (await open(file, 'w')).close()
    // The container may run as anybody.
    await chmod(file, 0o666)
    return file
  }

  /** What the image volumes of a container hold; an image that cannot be had keeps the container waiting as its own would. */
  async function mountImages(pod: Pod, container: RoledContainer, sandbox: cri.PodSandboxConfig, signal: AbortSignal): Promise<void> {
    const names = new Set((container.spec.volumeMounts ?? []).map((mount) => mount.name))
    for (const { name, image } of pod.spec?.volumes ?? []) {
      const volume = mounted.get(pod.metadata.uid ?? '')?.get(name)
      if (!image || !names.has(name) || !volume || volume.hollow) continue
      const { pullPolicy } = image
      const spec = { name: container.spec.name, image: image.reference ?? '', ...(pullPolicy ? { imagePullPolicy: pullPolicy } : {}) }
      const { ref } = await images.ensure(pod, { ...container, spec }, sandbox, signal)
      await runtime.mountImage(ref, volume.hostPath)
    }
  }

  async function start(pod: Pod, action: Start, podIP: string, signal: AbortSignal): Promise<void> {
    const { container, sandbox, attempt } = action
    const { spec } = container
    const say = (type: 'Normal' | 'Warning', reason: string, message: string) =>
      events.event(pod as core.Pod, type, reason, message, { fieldPath: fieldPath(container) })
    const sandboxSettings = await configOfSandbox(pod, sandbox.attempt)
    const podIPs = pod.spec?.hostNetwork ? node.ips : sandbox.ips
    // A new pod lost no container before: images are looked up while its environment is made.
    const imagePending = images.ensure(pod, container, sandboxSettings, signal)
    imagePending.catch(() => {})
    const config = await asConfigError(async () => {
      const environment = await containerEnvironment(pod, spec as DeepReadonly<core.Container>, {
        objects,
        services: options.services(),
        allocatable: node.allocatable(),
        nodeName: node.name,
        hostIPs: node.ips,
        podIPs,
        readVolumeFile: async (name, path) => {
          const volume = mounted.get(pod.metadata.uid ?? '')?.get(name)
          if (!volume) throw new Error(`cannot find the volume "${name}" referenced by FileKeyRef`)
          return volume.hollow ? '' : readInside(volume.hostPath, path)
        },
        onInvalidNames: (message) => events.event(pod as core.Pod, 'Warning', 'InvalidEnvironmentVariableNames', message),
        signal,
      })
      await mountImages(pod, container, sandboxSettings, signal)
      const volumeMounts = await containerMounts({
        pod,
        container: spec,
        mounted: mounted.get(pod.metadata.uid ?? '') ?? new Map(),
        environment,
        rootDir: paths.root,
        recursiveReadOnly: options.features().handlers.get(await handlerOf(pod))?.recursiveReadOnlyMounts ?? false,
      })
      return { environment, volumeMounts }
    }, imagePending)
    const image = await imagePending
    const violation = nonRootViolation(pod, spec, image.user)
    if (violation) throw new StartFailure('CreateContainerConfigError', violation)
    const target = spec.targetContainerName
      ? records.get(pod.metadata.uid ?? '')?.containers.find((c) => c.name === spec.targetContainerName && c.state === 'running')
      : undefined
    const logs = join(paths.podLogs(identity(pod)), spec.name)
    const [hosts, terminationFile] = await Promise.all([
      podIPs.length > 0 || pod.spec?.hostNetwork ? writeHosts(pod, podIPs) : undefined,
      terminationLog(pod, spec.name),
      mkdir(logs, { recursive: true }),
    ])
    signal.throwIfAborted()
    const request = containerConfig({
      pod,
      container: spec,
      attempt,
      imageRef: image.ref,
      environment: config.environment,
      volumeMounts: config.volumeMounts,
      ...(hosts ? { hostsFile: hosts } : {}),
      terminationLog: terminationFile,
      security: containerSecurity({
        pod,
        container: spec,
        user: image.user,
        volumeGroups: [],
        seccompRoot: paths.seccomp,
        ...(target ? { targetId: target.id } : {}),
        strictGroups: options.features().supplementalGroupsPolicy ?? false,
      }),
      memoryCapacity: node.memoryCapacity,
    })
    const containerId = await limit(async () => {
      const created = await runtime
        .createContainer({ podSandboxId: sandbox.id, config: request, sandboxConfig: sandboxSettings })
        .catch((cause: unknown) => {
          throw new StartFailure(
            'CreateContainerError',
            describeError(cause).replace(/^(.*?): .*$/s, (_, first: string) => first),
            { cause },
          )
        })
      say('Normal', 'Created', `Created container ${spec.name}`)
      try {
        await runtime.startContainer(created)
      } catch (cause) {
        await records.refreshContainer(created.containerId).catch(() => {})
        throw new StartFailure('RunContainerError', (cause as Error).message, { cause })
      }
      return created.containerId
    }, true)
    say('Normal', 'Started', `Started container ${spec.name}`)
    await records.refreshContainer(containerId)
    const hook = spec.lifecycle?.postStart
    if (!hook) return
    try {
      await runHook(hook, { runtime, clock, containerId, container: spec, podIP, signal })
    } catch (cause) {
      if (signal.aborted) return
      const message = `PostStartHook failed`
      say('Warning', 'FailedPostStartHook', message)
      log.info('a postStart hook failed', { pod: pod.metadata.name, container: spec.name, error: describeError(cause) })
      say('Normal', 'Killing', 'FailedPostStartHook')
      await runtime.stopContainer({ containerId, timeout: Math.max(ownGrace(pod), minimumGrace) })
      await records.refreshContainer(containerId)
      throw new StartFailure('PostStartHookError', message, { cause })
    }
  }

  async function kill(
    pod: Pod,
    { record, container, reason, graceSeconds: asked, until = Number.POSITIVE_INFINITY }: Kill,
    podIP: string,
  ): Promise<void> {
    const began = clock.monotonic()
    // who is stopped last has what the others left of the pod's time
    const graceSeconds = Math.max(Math.min(asked, Math.ceil((until - clock.now()) / 1000)), 0)
    // A second call only shortens the grace of the first, as when a pod is deleted again with less.
    const first = !stopping.has(record.id)
    stopping.add(record.id)
    if (container && first) events.event(pod as core.Pod, 'Normal', 'Killing', killMessage(record.name, reason), { fieldPath: fieldPath(container) })
    const hook = container?.spec.lifecycle?.preStop
    if (hook && first && graceSeconds > 0 && record.state === 'running') {
      const signal = AbortSignal.timeout(graceSeconds * 1000)
      try {
        await runHook(hook, { runtime, clock, containerId: record.id, container: container.spec, podIP, signal })
      } catch (error) {
        log.info('a preStop hook failed', { pod: pod.metadata.name, container: record.name, error: describeError(error) })
        if (!signal.aborted) events.event(pod as core.Pod, 'Warning', 'FailedPreStopHook', 'PreStopHook failed', { fieldPath: fieldPath(container) })
      }
    }
    if (first && record.state === 'running' && isWithdrawnFirst(pod, options.services(), graceSeconds))
      await withdrawn(pod, options.endpointSlices, clock)
    const spent = Math.round((clock.monotonic() - began) / 1000)
    // A pod that is deleted without grace gets its kill at once; the others at least the minimum.
    const timeout = Math.max(graceSeconds - spent, minimumGrace)
    await runtime.stopContainer({ containerId: record.id, timeout })
    await records.refreshContainer(record.id)
    stopping.delete(record.id)
  }

  return {
    async prepare(pod, signal) {
      const uid = pod.metadata.uid ?? ''
      // around what runs already, limits may not fit yet: a resize that was cut off goes on with the containers
      const cgroup = cgroups.ensure(pod).catch((error: unknown) => {
        if (!records.get(uid)?.containers.some((c) => c.state === 'running')) throw error
      })
      await Promise.all([cgroup, mkdir(containersDir(pod), { recursive: true }), mkdir(paths.podLogs(identity(pod)), { recursive: true })])
      mounted.set(uid, await volumes.mount(pod, signal))
    },
    async refresh(pod, signal) {
      mounted.set(pod.metadata.uid ?? '', await volumes.mount(pod, signal))
    },
    async createSandbox(pod, attempt) {
      refuseUnsupported(pod)
      const [config, handler] = await Promise.all([
        configOfSandbox(pod, attempt),
        handlerOf(pod),
        mkdir(paths.podLogs(identity(pod)), { recursive: true }),
      ])
      const { podSandboxId } = await limit(() => runtime.runPodSandbox({ config, runtimeHandler: handler }, { timeoutMs: sandboxTimeoutMs }))
      await records.refreshSandbox(podSandboxId)
    },
    start,
    kill,
    async resize(pod, record, { spec }) {
      // The pod's own cgroup has to be the wider one at any time: it grows before its container, and shrinks after it, which the kernel insists on.
      const first = await cgroups.ensure(pod).then(
        () => true,
        () => false,
      )
      const { oomScoreAdj: _, ...linux } = containerResources(pod, spec, node.memoryCapacity)
      await runtime.updateContainerResources({ containerId: record.id, linux })
      if (!first) await cgroups.ensure(pod)
      await records.refreshContainer(record.id)
    },
    async stopSandbox(_, sandbox) {
      await runtime.stopPodSandbox({ podSandboxId: sandbox.id })
      await records.refreshSandbox(sandbox.id)
    },
    async removeContainer(record) {
      await runtime.removeContainer({ containerId: record.id })
      if (record.logPath) await rm(record.logPath, { force: true })
      await records.refreshContainer(record.id)
    },
    async removeSandbox(sandbox) {
      await runtime.removePodSandbox({ podSandboxId: sandbox.id })
      await records.refreshSandbox(sandbox.id)
    },
    async tearDown(pod) {
      const uid = pod.metadata.uid ?? ''
      await volumes.unmount(uid)
      mounted.delete(uid)
      images.forget(uid)
    },
    async cleanUp(pod, record) {
      for (const sandbox of record.sandboxes) {
        await runtime.removePodSandbox({ podSandboxId: sandbox.id })
        await records.refreshSandbox(sandbox.id)
      }
      for (const container of record.containers) await records.refreshContainer(container.id)
      await rm(paths.podLogs(identity(pod)), { recursive: true, force: true })
      await rm(paths.podDir(identity(pod).uid), { recursive: true, force: true })
    },
    async deleteFromApi(pod, signal) {
      const { name, namespace, uid } = pod.metadata
      try {
        await client.resource(resources.pods).delete(name, namespace, { gracePeriodSeconds: 0, preconditions: { uid: uid ?? '' }, signal })
      } catch (error) {
        if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error
      }
    },
  }
}

/** What no sandbox of ours can be is refused by name: a pod that ran without it would be another than was asked for. */
function refuseUnsupported({ spec }: Pod): void {
  if (spec?.hostUsers === false) throw new SandboxFailure("can't set `spec.hostUsers: false`, runtime does not support user namespaces")
  if (spec?.resourceClaims?.length) {
    const names = spec.resourceClaims.map((claim) => claim.name).join(', ')
    throw new SandboxFailure(`no driver of dynamic resources is registered with this node: ${names}`, 'FailedPrepareDynamicResources')
  }
}

/** Waits for `task`; what it rejects with becomes CreateContainerConfigError, unless the image's own failure comes first. */
async function asConfigError<T>(task: () => Promise<T>, image: Promise<unknown>): Promise<T> {
  try {
    return await task()
  } catch (cause) {
    await image
    if (cause instanceof StartFailure) throw cause
    if (cause instanceof ContainerConfigError) throw new StartFailure(cause.reason, cause.message, { cause })
    throw new StartFailure('CreateContainerConfigError', describeError(cause), { cause })
  }
}

function killMessage(name: string, reason: KillReason): string {
  switch (reason) {
    case 'liveness':
      return `Container ${name} failed liveness probe, will be restarted`
    case 'startup':
      return `Container ${name} failed startup probe, will be restarted`
    case 'changed':
      return `Container ${name} definition changed, will be restarted`
    case 'restartAll':
      return `Stopping container ${name}, all containers of the pod will be restarted`
    case 'resized':
      return `Container ${name} resize requires restart`
    default:
      return `Stopping container ${name}`
  }
}
