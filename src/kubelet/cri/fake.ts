import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '#base'
import { realClock } from '#base'
import { noImageMounts } from './image-mounts.ts'
import type { ContainerRuntime, RuntimeEvent } from './runtime-service.ts'
import { RuntimeError } from './runtime-service.ts'
import type * as cri from './types.ts'

/** What a fake container does after it was started. */
export interface FakeScript {
  /** Milliseconds until it exits by itself; it runs until stopped when absent. */
  exitAfterMs?: number
  exitCode?: number
  /** The start fails with this message. */
  startError?: string
  /** Milliseconds that a stop takes before the container exits; 0 when absent. */
  stopTakesMs?: number
  /** Reason of the exit as containerd gives it; derived from the exit code when absent. */
  reason?: string
}

export interface FakeRuntimeOptions {
  clock?: Clock
  /** Names of the images that exist; every image exists when absent. */
  images?: string[]
  /** What a container does, decided when it starts. */
  script?: (container: cri.ContainerConfig, sandbox: cri.PodSandboxConfig) => FakeScript
  /** Answers execSync; exit code 0 and no output when absent. */
  exec?: (container: cri.ContainerConfig, cmd: string[], sandbox: cri.PodSandboxConfig) => { stdout?: string; stderr?: string; exitCode?: number }
  /** Address of the n-th sandbox that is not on the host's network; 10.88.0.0/16 in order when absent. */
  podIP?: (n: number) => string
}

/** The fake runtime and the strings by which a test pulls at it. */
export interface FakeRuntime extends ContainerRuntime {
  /** Ends a running container. */
  exit(containerId: string, exitCode: number, reason?: string): void
  /** Ends a sandbox's own process, as when its pause container is killed. */
  killSandbox(podSandboxId: string): void
  addImage(name: string): void
  /** Names of the calls that changed something, in order, each with the name of the container or pod: `startContainer app`. */
  readonly calls: string[]
}

interface FakeSandbox {
  id: string
  config: cri.PodSandboxConfig
  handler: string
  state: cri.PodSandboxState
  createdAt: number
  ip: string
}

interface FakeContainer {
  id: string
  sandbox: FakeSandbox
  config: cri.ContainerConfig
  state: cri.ContainerState
  createdAt: number
  startedAt: number
  finishedAt: number
  exitCode: number
  reason: string
  script: FakeScript
  cancel: () => void
  resources?: cri.LinuxContainerResources
}

/** A runtime that keeps containers as records: they start at once and run nothing. For hollow nodes and for tests. */
export function createFakeRuntime(options: FakeRuntimeOptions = {}): FakeRuntime {
  const clock = options.clock ?? realClock
  const sandboxes = new Map<string, FakeSandbox>()
  const containers = new Map<string, FakeContainer>()
  const pulled = new Set(options.images)
  const listeners = new Set<(event: RuntimeEvent) => void>()
  const calls: string[] = []
  let addresses = 0

  const nanos = () => clock.now() * 1e6
  const newId = () => randomBytes(32).toString('hex')
  const imageId = (name: string) => `sha256:${createHash('sha256').update(name).digest('hex')}`
  const emit = (event: RuntimeEvent) => {
    for (const listener of listeners) listener(event)
  }
  const sandboxOf = (id: string) => {
    const sandbox = sandboxes.get(id)
    if (!sandbox) throw new RuntimeError('notFound', `sandbox "${id}" not found`)
    return sandbox
  }
  const containerOf = (id: string) => {
    const container = containers.get(id)
    if (!container) throw new RuntimeError('notFound', `container "${id}" not found`)
    return container
  }
  const podName = (sandbox: FakeSandbox) => `${sandbox.config.metadata.namespace}/${sandbox.config.metadata.name}`

  function finish(container: FakeContainer, exitCode: number, reason?: string): void {
    if (container.state !== 'CONTAINER_RUNNING') return
    container.cancel()
    container.state = 'CONTAINER_EXITED'
    container.exitCode = exitCode
    container.finishedAt = nanos()
    container.reason = reason ?? container.script.reason ?? (exitCode === 0 ? 'Completed' : 'Error')
    emit({ containerId: container.id, type: 'exit', exitCode })
  }

  const describeSandbox = (s: FakeSandbox): cri.PodSandbox => ({
    id: s.id,
    metadata: { attempt: 0, ...s.config.metadata },
    state: s.state,
    createdAt: s.createdAt,
    labels: s.config.labels ?? {},
    annotations: s.config.annotations ?? {},
    runtimeHandler: s.handler,
  })
  const describeContainer = (c: FakeContainer): cri.Container => ({
    id: c.id,
    podSandboxId: c.sandbox.id,
    metadata: { attempt: 0, ...c.config.metadata },
    image: c.config.image,
    imageRef: imageId(c.config.image.image),
    state: c.state,
    createdAt: c.createdAt,
    labels: c.config.labels ?? {},
    annotations: c.config.annotations ?? {},
  })
  const statsOf = (c: FakeContainer): cri.ContainerStats => {
    const ran = Math.max(0, nanos() - c.startedAt)
    return {
      attributes: {
        id: c.id,
        metadata: { attempt: 0, ...c.config.metadata },
        labels: c.config.labels ?? {},
        annotations: c.config.annotations ?? {},
      },
      cpu: { timestamp: nanos(), usageCoreNanoSeconds: { value: Math.round(ran / 1000) }, usageNanoCores: { value: 1_000_000 } },
      memory: { timestamp: nanos(), workingSetBytes: { value: 1 << 20 }, usageBytes: { value: 1 << 20 }, rssBytes: { value: 1 << 20 } },
      writableLayer: { timestamp: nanos(), fsId: { mountpoint: '/' }, usedBytes: { value: 0 }, inodesUsed: { value: 0 } },
    }
  }
  const matches = (labels: cri.KeyValuePairs | undefined, selector: cri.KeyValuePairs | undefined) =>
    Object.entries(selector ?? {}).every(([key, value]) => labels?.[key] === value)
  const image = (name: string): cri.Image => ({
    id: imageId(name),
    repoTags: [name],
    repoDigests: [],
    size: 1 << 20,
    username: '',
    pinned: false,
  })
  const streaming = async (): Promise<{ url: string }> => {
    throw new RuntimeError('unimplemented', 'the fake runtime has no streams')
  }

  return {
    calls,
    exit: (id, exitCode, reason) => finish(containerOf(id), exitCode, reason),
    killSandbox(id) {
      const sandbox = sandboxOf(id)
      sandbox.state = 'SANDBOX_NOTREADY'
      for (const c of containers.values()) if (c.sandbox === sandbox) finish(c, 137)
      emit({ containerId: id, type: 'exit', exitCode: 137 })
    },
    ...noImageMounts,
    addImage: (name) => void pulled.add(name),

    async version() {
      return { version: '0.1.0', runtimeName: 'fake', runtimeVersion: '1.0.0', runtimeApiVersion: 'v1' }
    },
    async status() {
      const ready = (type: string) => ({ type, status: true, reason: '', message: '' })
      return { status: { conditions: [ready('RuntimeReady'), ready('NetworkReady')] }, info: {} }
    },
    async updateRuntimeConfig() {},

    async runPodSandbox({ config, runtimeHandler = '' }) {
      const host = config.linux?.securityContext?.namespaceOptions?.network === 'NODE'
      const n = addresses++
      const sandbox: FakeSandbox = {
        id: newId(),
        config,
        handler: runtimeHandler,
        state: 'SANDBOX_READY',
        createdAt: nanos(),
        ip: host ? '' : (options.podIP?.(n) ?? `10.88.${((n + 2) >> 8) & 255}.${(n + 2) & 255}`),
      }
      sandboxes.set(sandbox.id, sandbox)
      calls.push(`runPodSandbox ${podName(sandbox)}`)
      emit({ containerId: sandbox.id, type: 'start' })
      return { podSandboxId: sandbox.id }
    },
    async stopPodSandbox({ podSandboxId }) {
      const sandbox = sandboxes.get(podSandboxId)
      if (!sandbox) return
      for (const c of containers.values()) if (c.sandbox === sandbox) finish(c, 137)
      if (sandbox.state === 'SANDBOX_NOTREADY') return
      calls.push(`stopPodSandbox ${podName(sandbox)}`)
      sandbox.state = 'SANDBOX_NOTREADY'
      emit({ containerId: podSandboxId, type: 'exit', exitCode: 137 })
    },
    async removePodSandbox({ podSandboxId }) {
      const sandbox = sandboxes.get(podSandboxId)
      if (!sandbox) return
      calls.push(`removePodSandbox ${podName(sandbox)}`)
      for (const c of containers.values()) {
        if (c.sandbox !== sandbox) continue
        finish(c, 137)
        containers.delete(c.id)
        emit({ containerId: c.id, type: 'delete' })
      }
      sandboxes.delete(podSandboxId)
      emit({ containerId: podSandboxId, type: 'delete' })
    },
    async podSandboxStatus({ podSandboxId }) {
      const s = sandboxOf(podSandboxId)
      return {
        status: {
          ...describeSandbox(s),
          network: { ip: s.ip, additionalIps: [] },
          linux: { namespaces: { options: s.config.linux?.securityContext?.namespaceOptions ?? {} } },
        },
        info: {},
      }
    },
    async listPodSandbox({ filter } = {}) {
      const items = [...sandboxes.values()]
        .filter((s) => (!filter?.id || s.id === filter.id) && (!filter?.state || s.state === filter.state.state))
        .filter((s) => matches(s.config.labels, filter?.labelSelector))
      return { items: items.map(describeSandbox) }
    },

    async createContainer({ podSandboxId, config }) {
      const sandbox = sandboxOf(podSandboxId)
      if (options.images && !pulled.has(config.image.image)) throw new RuntimeError('notFound', `image "${config.image.image}" not found`)
      const container: FakeContainer = {
        id: newId(),
        sandbox,
        config,
        state: 'CONTAINER_CREATED',
        createdAt: nanos(),
        startedAt: 0,
        finishedAt: 0,
        exitCode: 0,
        reason: '',
        script: {},
        cancel: () => {},
        ...(config.linux?.resources ? { resources: config.linux.resources } : {}),
      }
      containers.set(container.id, container)
      calls.push(`createContainer ${config.metadata.name}`)
      return { containerId: container.id }
    },
    async startContainer({ containerId }) {
      const container = containerOf(containerId)
      if (container.state !== 'CONTAINER_CREATED') throw new RuntimeError('failed', `container "${containerId}" is in ${container.state} state`)
      if (container.sandbox.state !== 'SANDBOX_READY') throw new RuntimeError('failed', `sandbox container "${container.sandbox.id}" is not running`)
      container.script = options.script?.(container.config, container.sandbox.config) ?? {}
      calls.push(`startContainer ${container.config.metadata.name}`)
      container.startedAt = nanos()
      if (container.script.startError !== undefined) {
        Object.assign(container, { state: 'CONTAINER_EXITED', exitCode: 128, reason: 'StartError', finishedAt: nanos() })
        throw new RuntimeError('failed', container.script.startError)
      }
      container.state = 'CONTAINER_RUNNING'
      emit({ containerId, type: 'start' })
      const { exitAfterMs, exitCode = 0 } = container.script
      if (exitAfterMs !== undefined) container.cancel = clock.schedule(exitAfterMs, () => finish(container, exitCode))
    },
    async stopContainer({ containerId, timeout }) {
      const container = containers.get(containerId)
      if (!container || container.state !== 'CONTAINER_RUNNING') return
      calls.push(`stopContainer ${container.config.metadata.name} ${timeout}`)
      const takes = container.script.stopTakesMs ?? 0
      if (takes > timeout * 1000) {
        await clock.sleep(timeout * 1000)
        finish(container, 137)
      } else {
        if (takes > 0) await clock.sleep(takes)
        finish(container, takes > 0 ? 0 : 143)
      }
    },
    async removeContainer({ containerId }) {
      const container = containers.get(containerId)
      if (!container) return
      calls.push(`removeContainer ${container.config.metadata.name}`)
      finish(container, 137)
      containers.delete(containerId)
      emit({ containerId, type: 'delete' })
    },
    async listContainers({ filter } = {}) {
      const items = [...containers.values()]
        .filter((c) => (!filter?.id || c.id === filter.id) && (!filter?.podSandboxId || c.sandbox.id === filter.podSandboxId))
        .filter((c) => (!filter?.state || c.state === filter.state.state) && matches(c.config.labels, filter?.labelSelector))
      return { containers: items.map(describeContainer) }
    },
    async containerStatus({ containerId }) {
      const c = containerOf(containerId)
      const { podSandboxId: _, ...common } = describeContainer(c)
      return {
        status: {
          ...common,
          startedAt: c.startedAt,
          finishedAt: c.finishedAt,
          exitCode: c.exitCode,
          reason: c.reason,
          message: '',
          mounts: c.config.mounts ?? [],
          logPath: `${c.sandbox.config.logDirectory ?? ''}/${c.config.logPath ?? ''}`,
          ...(c.resources ? { resources: { linux: c.resources } } : {}),
        },
        info: {},
      }
    },
    async updateContainerResources({ containerId, linux }) {
      const container = containerOf(containerId)
      container.resources = { ...container.resources, ...linux }
    },
    async reopenContainerLog({ containerId }) {
      containerOf(containerId)
    },

    async execSync({ containerId, cmd }) {
      const container = containerOf(containerId)
      if (container.state !== 'CONTAINER_RUNNING') throw new RuntimeError('failed', `container "${containerId}" is not running`)
      const { stdout = '', stderr = '', exitCode = 0 } = options.exec?.(container.config, cmd, container.sandbox.config) ?? {}
      return { stdout: Buffer.from(stdout), stderr: Buffer.from(stderr), exitCode }
    },
    exec: streaming,
    attach: streaming,
    portForward: streaming,

    async containerStats({ containerId }) {
      return { stats: statsOf(containerOf(containerId)) }
    },
    async listContainerStats({ filter } = {}) {
      const items = [...containers.values()]
        .filter((c) => c.state === 'CONTAINER_RUNNING')
        .filter((c) => (!filter?.id || c.id === filter.id) && (!filter?.podSandboxId || c.sandbox.id === filter.podSandboxId))
        .filter((c) => matches(c.config.labels, filter?.labelSelector))
      return { stats: items.map(statsOf) }
    },
    async podSandboxStats({ podSandboxId }) {
      const s = sandboxOf(podSandboxId)
      const running = [...containers.values()].filter((c) => c.sandbox === s && c.state === 'CONTAINER_RUNNING')
      const { id, metadata, labels, annotations } = describeSandbox(s)
      return { stats: { attributes: { id, metadata, labels, annotations }, linux: { containers: running.map(statsOf) } } }
    },

    async *runtimeEvents(signal) {
      const queue: RuntimeEvent[] = []
      let wake = () => {}
      const listener = (event: RuntimeEvent) => {
        queue.push(event)
        wake()
      }
      const onAbort = () => wake()
      listeners.add(listener)
      signal.addEventListener('abort', onAbort)
      try {
        while (!signal.aborted) {
          for (let event = queue.shift(); event; event = queue.shift()) yield event
          if (signal.aborted) return
          await new Promise<void>((resolve) => (wake = resolve))
        }
      } finally {
        listeners.delete(listener)
        signal.removeEventListener('abort', onAbort)
      }
    },

    async listImages() {
      return { images: [...pulled].map(image) }
    },
    async imageStatus({ image: spec }) {
      const name = spec.image
      const known = !options.images || pulled.has(name) || [...pulled].some((p) => imageId(p) === name)
      return { image: known ? image(name) : null, info: {} }
    },
    async pullImage({ image: spec }) {
      calls.push(`pullImage ${spec.image}`)
      if (options.images && !pulled.has(spec.image))
        throw new RuntimeError('notFound', `failed to pull and unpack image "${spec.image}": failed to resolve reference "${spec.image}": not found`)
      pulled.add(spec.image)
      return { imageRef: imageId(spec.image) }
    },
    async removeImage({ image: spec }) {
      for (const name of pulled) if (name === spec.image || imageId(name) === spec.image) pulled.delete(name)
    },
    async imageFsInfo() {
      return { imageFilesystems: [{ timestamp: nanos(), fsId: { mountpoint: '/' }, usedBytes: { value: 0 }, inodesUsed: { value: 0 } }] }
    },
    async [Symbol.asyncDispose]() {
      for (const c of containers.values()) c.cancel()
    },
  }
}
