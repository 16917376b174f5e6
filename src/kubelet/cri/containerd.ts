import { readFileSync } from 'node:fs'
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js'
import { Client, Metadata, credentials, status as grpcStatus } from '@grpc/grpc-js'
import type { Root, Type } from 'protobufjs'
import protobuf from 'protobufjs'
import { containerdImageMounts } from './image-mounts.ts'
import type { CallOptions, ContainerRuntime, RuntimeErrorKind, RuntimeEvent } from './runtime-service.ts'
import { RuntimeError, isRuntimeError } from './runtime-service.ts'

export interface ContainerdOptions {
  /** Path of containerd's unix socket. */
  socket: string
}

const answerShape = { longs: Number, enums: String, defaults: true } as const

/** containerd over its unix socket: CRI v1, and containerd's own event stream. Connects with the first call. */
export function connectContainerd(options: ContainerdOptions): ContainerRuntime {
  const { criRoot, eventsRoot } = descriptors()
  const client = new Client(`unix://${options.socket}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': 64 * 1024 * 1024,
    // A containerd that restarts is back within a second or two: find it then, not after grpc's default of up to two minutes.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
  })

  function method(service: 'RuntimeService' | 'ImageService', name: string): (request: object, call?: CallOptions) => Promise<any> {
    const definition = criRoot.lookupService(`runtime.v1.${service}`).methods[name]!
    const requestType = criRoot.lookupType(`runtime.v1.${definition.requestType}`)
    const responseType = criRoot.lookupType(`runtime.v1.${definition.responseType}`)
    const path = `/runtime.v1.${service}/${name}`
    return (request, call) => unary(client, path, requestType, responseType, request, call)
  }
  const runtime = (name: string) => method('RuntimeService', name)
  const image = (name: string) => method('ImageService', name)
  const nothing =
    (send: (request: object, call?: CallOptions) => Promise<any>) =>
    async (request: object, call?: CallOptions): Promise<void> => {
      await send(request, call)
    }
  /** CRI asks for idempotent stops and removals; containerd 1.6 reports a container that is gone. */
  const idempotent =
    (send: (request: object, call?: CallOptions) => Promise<any>) =>
    async (request: object, call?: CallOptions): Promise<void> => {
      try {
        await send(request, call)
      } catch (error) {
        if (!isRuntimeError(error, 'notFound')) throw error
      }
    }
  const listed = (send: (request: object, call?: CallOptions) => Promise<any>) => (request: object | undefined, call?: CallOptions) =>
    send(request ?? {}, call)

  const version = runtime('Version')
  const imageFsInfo = image('ImageFsInfo')
  return {
    ...containerdImageMounts(options.socket),
    version: (call) => version({ version: 'v1' }, call),
    status: listed(runtime('Status')),
    updateRuntimeConfig: nothing(runtime('UpdateRuntimeConfig')),
    runPodSandbox: runtime('RunPodSandbox'),
    stopPodSandbox: idempotent(runtime('StopPodSandbox')),
    removePodSandbox: idempotent(runtime('RemovePodSandbox')),
    podSandboxStatus: runtime('PodSandboxStatus'),
    listPodSandbox: listed(runtime('ListPodSandbox')),
    createContainer: runtime('CreateContainer'),
    startContainer: nothing(runtime('StartContainer')),
    stopContainer: idempotent(runtime('StopContainer')),
    removeContainer: idempotent(runtime('RemoveContainer')),
    listContainers: listed(runtime('ListContainers')),
    containerStatus: runtime('ContainerStatus'),
    updateContainerResources: nothing(runtime('UpdateContainerResources')),
    reopenContainerLog: nothing(runtime('ReopenContainerLog')),
    execSync: runtime('ExecSync'),
    exec: runtime('Exec'),
    attach: runtime('Attach'),
    portForward: runtime('PortForward'),
    containerStats: runtime('ContainerStats'),
    listContainerStats: listed(runtime('ListContainerStats')),
    podSandboxStats: runtime('PodSandboxStats'),
    listImages: listed(image('ListImages')),
    imageStatus: image('ImageStatus'),
    pullImage: image('PullImage'),
    removeImage: nothing(image('RemoveImage')),
    imageFsInfo: (call) => imageFsInfo({}, call),
    runtimeEvents: (signal) => subscribe(client, eventsRoot, signal),
    async [Symbol.asyncDispose]() {
      client.close()
    },
  }
}

function unary(client: Client, path: string, requestType: Type, responseType: Type, request: object, call: CallOptions = {}): Promise<any> {
  return new Promise((resolve, reject) => {
    if (call.signal?.aborted) return reject(new RuntimeError('cancelled', `${path}: cancelled before it was sent`))
    const deadline = call.timeoutMs === undefined ? {} : { deadline: Date.now() + call.timeoutMs }
    const onAbort = () => sent.cancel()
    const sent = client.makeUnaryRequest(
      path,
      (message: object) => Buffer.from(requestType.encode(requestType.fromObject(message)).finish()),
      (bytes: Buffer) => responseType.toObject(responseType.decode(bytes), answerShape),
      request,
      new Metadata(),
      deadline,
      (error, answer) => {
        call.signal?.removeEventListener('abort', onAbort)
        if (error) reject(runtimeError(error))
        else resolve(answer)
      },
    )
    call.signal?.addEventListener('abort', onAbort, { once: true })
  })
}

const kindOfCode: Record<number, RuntimeErrorKind> = {
  [grpcStatus.NOT_FOUND]: 'notFound',
  [grpcStatus.ALREADY_EXISTS]: 'exists',
  [grpcStatus.UNAVAILABLE]: 'unavailable',
  [grpcStatus.DEADLINE_EXCEEDED]: 'deadline',
  [grpcStatus.CANCELLED]: 'cancelled',
  [grpcStatus.UNIMPLEMENTED]: 'unimplemented',
  [grpcStatus.INVALID_ARGUMENT]: 'invalid',
}

/** Keeps the wording that clients see in events: `rpc error: code = X desc = …`, as Go's gRPC prints it. */
function runtimeError(error: ServiceError): RuntimeError {
  const code = goCodeNames[error.code] ?? `Code(${error.code})`
  return new RuntimeError(kindOfCode[error.code] ?? 'failed', `rpc error: code = ${code} desc = ${error.details}`, { code: error.code })
}

const goCodeNames: Record<number, string> = {
  1: 'Canceled',
  2: 'Unknown',
  3: 'InvalidArgument',
  4: 'DeadlineExceeded',
  5: 'NotFound',
  6: 'AlreadyExists',
  7: 'PermissionDenied',
  8: 'ResourceExhausted',
  9: 'FailedPrecondition',
  10: 'Aborted',
  11: 'OutOfRange',
  12: 'Unimplemented',
  13: 'Internal',
  14: 'Unavailable',
  15: 'DataLoss',
  16: 'Unauthenticated',
}

/** containerd's name for the namespace in which its CRI plugin keeps everything. */
const criNamespace = 'k8s.io'
const topics: Record<string, RuntimeEvent['type']> = {
  '/tasks/create': 'create',
  '/tasks/start': 'start',
  '/tasks/exit': 'exit',
  '/tasks/oom': 'oom',
  '/containers/delete': 'delete',
}

async function* subscribe(client: Client, root: Root, signal: AbortSignal): AsyncGenerator<RuntimeEvent> {
  if (signal.aborted) return
  const requestType = root.lookupType('containerd.services.events.v1.SubscribeRequest')
  const envelopeType = root.lookupType('containerd.services.events.v1.Envelope')
  const metadata = new Metadata()
  metadata.set('containerd-namespace', criNamespace)
  const filters = Object.keys(topics).map((topic) => `namespace==${criNamespace},topic=="${topic}"`)
  const stream: ClientReadableStream<Envelope> = client.makeServerStreamRequest(
    '/containerd.services.events.v1.Events/Subscribe',
    (message: object) => Buffer.from(requestType.encode(requestType.fromObject(message)).finish()),
    (bytes: Buffer) => envelopeType.decode(bytes) as unknown as Envelope,
    { filters },
    metadata,
  )
  const onAbort = () => stream.cancel()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    for await (const envelope of stream as AsyncIterable<Envelope>) {
      const event = decodeEvent(root, envelope)
      if (event) yield event
    }
    if (!signal.aborted) throw new RuntimeError('unavailable', 'the event stream of containerd ended')
  } catch (error) {
    if (signal.aborted) return
    throw error instanceof RuntimeError ? error : runtimeError(error as ServiceError)
  } finally {
    signal.removeEventListener('abort', onAbort)
    stream.cancel()
  }
}

interface Envelope {
  topic: string
  event?: { typeUrl: string; value: Uint8Array }
}

function decodeEvent(root: Root, envelope: Envelope): RuntimeEvent | undefined {
  const type = topics[envelope.topic]
  if (!type || !envelope.event) return undefined
  const name = envelope.event.typeUrl.slice(envelope.event.typeUrl.lastIndexOf('/') + 1)
  const message = root.lookupType(name).decode(envelope.event.value) as unknown as {
    id?: string
    containerId?: string
    pid?: number
    exitStatus?: number
  }
  if (type === 'delete') return { containerId: message.id!, type }
  // An exec'd process ends with the same topic, under an id of its own: not the container's end.
  if (type === 'exit' && message.id !== message.containerId) return undefined
  return {
    containerId: message.containerId!,
    type,
    ...(type === 'exit' ? { exitCode: message.exitStatus ?? 0 } : {}),
    ...(message.pid ? { pid: message.pid } : {}),
  }
}

const load = (name: string): Root =>
  protobuf.Root.fromJSON(JSON.parse(readFileSync(new URL(`./facts/${name}.json`, import.meta.url), 'utf8')) as protobuf.INamespace)

let loaded: { criRoot: Root; eventsRoot: Root } | undefined
/** Parsed once a process: the descriptors are constants, and every node of a cluster in one process shares them. */
function descriptors() {
  loaded ??= { criRoot: load('cri.v1'), eventsRoot: load('containerd.events') }
  return loaded
}
