import type { ImageMounts } from './image-mounts.ts'
import type * as cri from './types.ts'

/** How one call is bounded. Without a timeout a call waits as long as the runtime takes. */
export interface CallOptions {
  signal?: AbortSignal
  /** Milliseconds until the call fails with kind `deadline`. */
  timeoutMs?: number
}

/**
 * What went wrong, as far as a caller can act on it:
 * - `notFound`: the sandbox, container or image does not exist;
 * - `exists`: the name is taken;
 * - `unavailable`: the runtime cannot be reached or is shutting down: try again;
 * - `deadline`: the call's time was over before an answer came;
 * - `cancelled`: the call's signal was aborted;
 * - `unimplemented`: the runtime does not know the call;
 * - `invalid`: the request can never work;
 * - `failed`: anything else the runtime reported.
 */
export type RuntimeErrorKind = 'notFound' | 'exists' | 'unavailable' | 'deadline' | 'cancelled' | 'unimplemented' | 'invalid' | 'failed'

export class RuntimeError extends Error {
  readonly kind: RuntimeErrorKind
  /** The gRPC status code, where the runtime speaks gRPC. */
  readonly code: number | undefined
  constructor(kind: RuntimeErrorKind, message: string, options?: ErrorOptions & { code?: number }) {
    super(message, options)
    this.name = 'RuntimeError'
    this.kind = kind
    this.code = options?.code
  }
}

export function isRuntimeError(error: unknown, kind?: RuntimeErrorKind): error is RuntimeError {
  return error instanceof RuntimeError && (kind === undefined || error.kind === kind)
}

/** A change of a container's (or a sandbox's own) process. `containerId` may be a sandbox's id. */
export interface RuntimeEvent {
  containerId: string
  type: 'create' | 'start' | 'exit' | 'oom' | 'delete'
  /** Of `exit`. */
  exitCode?: number
  /** Of `start` and `exit`. */
  pid?: number
}

/**
 * CRI's RuntimeService, under CRI's names. Every call rejects with `RuntimeError`. Stop and remove calls are idempotent: they succeed for what
 * is gone already. `stopContainer` sends the stop signal, waits `timeout` seconds, then kills.
 */
export interface RuntimeService {
  version(options?: CallOptions): Promise<{ version: string; runtimeName: string; runtimeVersion: string; runtimeApiVersion: string }>
  status(
    request?: { verbose?: boolean },
    options?: CallOptions,
  ): Promise<{
    status: { conditions: cri.RuntimeCondition[] }
    info: cri.KeyValuePairs
    runtimeHandlers?: cri.RuntimeHandler[]
    features?: cri.RuntimeFeatures | cri.Absent
  }>
  updateRuntimeConfig(request: { runtimeConfig: { networkConfig?: { podCidr: string } } }, options?: CallOptions): Promise<void>

  runPodSandbox(request: { config: cri.PodSandboxConfig; runtimeHandler?: string }, options?: CallOptions): Promise<{ podSandboxId: string }>
  stopPodSandbox(request: { podSandboxId: string }, options?: CallOptions): Promise<void>
  removePodSandbox(request: { podSandboxId: string }, options?: CallOptions): Promise<void>
  podSandboxStatus(
    request: { podSandboxId: string; verbose?: boolean },
    options?: CallOptions,
  ): Promise<{ status: cri.PodSandboxStatus; info: cri.KeyValuePairs }>
  listPodSandbox(request?: { filter?: cri.PodSandboxFilter }, options?: CallOptions): Promise<{ items: cri.PodSandbox[] }>

  createContainer(
    request: { podSandboxId: string; config: cri.ContainerConfig; sandboxConfig: cri.PodSandboxConfig },
    options?: CallOptions,
  ): Promise<{ containerId: string }>
  startContainer(request: { containerId: string }, options?: CallOptions): Promise<void>
  /** `timeout` in seconds. */
  stopContainer(request: { containerId: string; timeout: number }, options?: CallOptions): Promise<void>
  removeContainer(request: { containerId: string }, options?: CallOptions): Promise<void>
  listContainers(request?: { filter?: cri.ContainerFilter }, options?: CallOptions): Promise<{ containers: cri.Container[] }>
  containerStatus(
    request: { containerId: string; verbose?: boolean },
    options?: CallOptions,
  ): Promise<{ status: cri.ContainerStatus; info: cri.KeyValuePairs }>
  updateContainerResources(
    request: { containerId: string; linux: cri.LinuxContainerResources; annotations?: cri.KeyValuePairs },
    options?: CallOptions,
  ): Promise<void>
  /** Asks the runtime to open the container's log file anew, after it was renamed. */
  reopenContainerLog(request: { containerId: string }, options?: CallOptions): Promise<void>

  /** Runs a command and waits for it. `timeout` in seconds, 0 is none; when it is over the call rejects with kind `deadline`. */
  execSync(
    request: { containerId: string; cmd: string[]; timeout?: number },
    options?: CallOptions,
  ): Promise<{ stdout: Uint8Array; stderr: Uint8Array; exitCode: number }>
  /** Prepares a streaming exec; the URL is served by the runtime's streaming server (SPDY/3.1 upgrade). */
  exec(
    request: { containerId: string; cmd: string[]; tty?: boolean; stdin?: boolean; stdout?: boolean; stderr?: boolean },
    options?: CallOptions,
  ): Promise<{ url: string }>
  attach(
    request: { containerId: string; tty?: boolean; stdin?: boolean; stdout?: boolean; stderr?: boolean },
    options?: CallOptions,
  ): Promise<{ url: string }>
  portForward(request: { podSandboxId: string; port?: number[] }, options?: CallOptions): Promise<{ url: string }>

  containerStats(request: { containerId: string }, options?: CallOptions): Promise<{ stats: cri.ContainerStats }>
  listContainerStats(request?: { filter?: cri.ContainerStatsFilter }, options?: CallOptions): Promise<{ stats: cri.ContainerStats[] }>
  /** Rejects with kind `unimplemented` where the runtime is older than the call. */
  podSandboxStats(request: { podSandboxId: string }, options?: CallOptions): Promise<{ stats: cri.PodSandboxStats }>

  /**
   * Changes as they happen, from the moment the first `next()` is called; no replay of earlier ones. Ends when `signal` aborts; throws kind
   * `unavailable` when the runtime goes away. Events may be lost around a restart of the runtime: list again after (re)connecting.
   */
  runtimeEvents(signal: AbortSignal): AsyncIterable<RuntimeEvent>
}

/** CRI's ImageService. Every call rejects with `RuntimeError`. */
export interface ImageService {
  listImages(request?: { filter?: { image?: cri.ImageSpec } }, options?: CallOptions): Promise<{ images: cri.Image[] }>
  /** `image` is absent when the runtime has no such image. */
  imageStatus(
    request: { image: cri.ImageSpec; verbose?: boolean },
    options?: CallOptions,
  ): Promise<{ image?: cri.Image | cri.Absent; info: cri.KeyValuePairs }>
  pullImage(
    request: { image: cri.ImageSpec; auth?: cri.AuthConfig; sandboxConfig?: cri.PodSandboxConfig },
    options?: CallOptions,
  ): Promise<{ imageRef: string }>
  removeImage(request: { image: cri.ImageSpec }, options?: CallOptions): Promise<void>
  imageFsInfo(options?: CallOptions): Promise<{ imageFilesystems: cri.FilesystemUsage[] }>
}

/** A container runtime: what the kubelet drives. Disposing it closes the connection and leaves every container alone. */
export interface ContainerRuntime extends RuntimeService, ImageService, ImageMounts, AsyncDisposable {}
