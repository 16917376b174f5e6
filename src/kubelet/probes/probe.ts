import { connect } from 'node:net'
import type { ServiceError } from '@grpc/grpc-js'
import { Client, Metadata, credentials, status as grpcStatus } from '@grpc/grpc-js'
import type { DeepReadonly, core } from '#api'
import type { RuntimeService } from '../cri/index.ts'
import { isRuntimeError } from '../cri/index.ts'
import type { ContainerSpec } from '../pod/names.ts'
import { HttpGetError, dialError, httpGet, resolvePort } from './http-get.ts'

/** `error`: the probe could not be made, which says nothing about the container. */
export interface ProbeResult {
  outcome: 'success' | 'warning' | 'failure' | 'error'
  output: string
}

export interface ProbeTarget {
  runtime: Pick<RuntimeService, 'execSync'>
  containerId: string
  container: ContainerSpec
  podIP: string
  /** Values for `$(NAME)` in an exec probe's command are the container's own business: the command is run as it is. */
  signal: AbortSignal
}

export const userAgent = 'kube-probe/1.36'

/** Makes one attempt of a probe. Never rejects, except when the target's signal aborts. */
export async function runProbe(probe: DeepReadonly<core.Probe>, target: ProbeTarget): Promise<ProbeResult> {
  const timeoutSeconds = Math.max(probe.timeoutSeconds ?? 1, 1)
  try {
    if (probe.exec) return await execProbe(probe.exec.command ?? [], timeoutSeconds, target)
    if (probe.httpGet) return await httpProbe(probe.httpGet, timeoutSeconds, target)
    if (probe.tcpSocket) return await tcpProbe(probe.tcpSocket, timeoutSeconds, target)
    if (probe.grpc) return await grpcProbe(probe.grpc, timeoutSeconds, target)
    return { outcome: 'error', output: `missing probe handler for container ${target.container.name}` }
  } catch (error) {
    target.signal.throwIfAborted()
    return { outcome: 'error', output: (error as Error).message }
  }
}

async function execProbe(cmd: readonly string[], timeout: number, { runtime, containerId, signal }: ProbeTarget): Promise<ProbeResult> {
  try {
    // The runtime kills the command when its time is over; the margin only guards against a runtime that does not answer.
    const { stdout, stderr, exitCode } = await runtime.execSync({ containerId, cmd: [...cmd], timeout }, { signal, timeoutMs: timeout * 1000 + 5000 })
    const output = Buffer.concat([stdout, stderr])
      .subarray(0, 10 * 1024)
      .toString()
    return { outcome: exitCode === 0 ? 'success' : 'failure', output }
  } catch (error) {
    if (isRuntimeError(error, 'deadline')) {
      const command = cmd.map((word) => (/\s/.test(word) ? JSON.stringify(word) : word)).join(' ')
      return { outcome: 'failure', output: `command timed out: "${command}" timed out after ${timeout}s` }
    }
    throw error
  }
}

async function httpProbe(action: DeepReadonly<core.HTTPGetAction>, timeout: number, { container, podIP, signal }: ProbeTarget): Promise<ProbeResult> {
  try {
    const answer = await httpGet(action, container, podIP, { timeoutMs: timeout * 1000, userAgent, signal })
    if (answer.redirectedTo) return { outcome: 'warning', output: `Probe terminated redirects, Response body: ${answer.body}` }
    if (answer.status >= 200 && answer.status < 400) return { outcome: 'success', output: answer.body }
    return { outcome: 'failure', output: `HTTP probe failed with statuscode: ${answer.status}` }
  } catch (error) {
    if (!(error instanceof HttpGetError)) throw error
    signal.throwIfAborted()
    return { outcome: 'failure', output: error.message }
  }
}

function tcpProbe(action: DeepReadonly<core.TCPSocketAction>, timeout: number, { container, podIP, signal }: ProbeTarget): Promise<ProbeResult> {
  const host = action.host || podIP
  const port = resolvePort(action.port, container)
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port })
    const finish = (result: ProbeResult) => {
      signal.removeEventListener('abort', onAbort)
      socket.destroy()
      resolve(result)
    }
    const onAbort = () => {
      socket.destroy()
      reject(signal.reason as Error)
    }
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    socket.setTimeout(timeout * 1000, () => finish({ outcome: 'failure', output: `dial tcp ${host}:${port}: i/o timeout` }))
    socket.once('connect', () => finish({ outcome: 'success', output: '' }))
    socket.once('error', (error: NodeJS.ErrnoException) => finish({ outcome: 'failure', output: dialError(error, { hostname: host, port }) }))
  })
}

const serving = 1

/** grpc.health.v1.Health/Check; its two messages are small enough to be written by hand. */
function grpcProbe(action: DeepReadonly<core.GRPCAction>, timeout: number, { podIP, signal }: ProbeTarget): Promise<ProbeResult> {
  const address = `${podIP.includes(':') ? `[${podIP}]` : podIP}:${action.port}`
  const client = new Client(address, credentials.createInsecure(), { 'grpc.primary_user_agent': userAgent })
  return new Promise<ProbeResult>((resolve) => {
    const call = client.makeUnaryRequest(
      '/grpc.health.v1.Health/Check',
      (service: string) => Buffer.concat([Buffer.from([0x0a, Buffer.byteLength(service)]), Buffer.from(service)]),
      // field 1, varint: the serving status
      (bytes: Buffer) => (bytes[0] === 0x08 ? bytes[1]! : 0),
      action.service ?? '',
      new Metadata(),
      { deadline: Date.now() + timeout * 1000 },
      (error, status) => resolve(error ? grpcFailure(error, address, timeout) : grpcVerdict(status ?? 0)),
    )
    signal.addEventListener('abort', () => call.cancel(), { once: true })
  }).finally(() => client.close())
}

function grpcVerdict(status: number): ProbeResult {
  const names = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']
  return status === serving
    ? { outcome: 'success', output: 'service healthy' }
    : { outcome: 'failure', output: `service unhealthy (responded with "${names[status] ?? status}")` }
}

function grpcFailure(error: ServiceError, address: string, timeout: number): ProbeResult {
  switch (error.code) {
    case grpcStatus.UNIMPLEMENTED:
      return {
        outcome: 'failure',
        output: `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${error.details}`,
      }
    case grpcStatus.DEADLINE_EXCEEDED:
      return { outcome: 'failure', output: `timeout: health rpc did not complete within ${timeout}s` }
    case grpcStatus.UNAVAILABLE:
      return { outcome: 'failure', output: `timeout: failed to connect service "${address}" within ${timeout}s: ${error.details}` }
    default:
      return { outcome: 'failure', output: `error: health rpc probe failed: ${error.details}` }
  }
}
