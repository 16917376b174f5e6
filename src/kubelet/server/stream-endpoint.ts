import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { HttpError } from './container-logs.ts'
import { findPod, runningContainer } from './find-container.ts'
import type { KubeletServerOptions } from './server.ts'
import { SubprotocolError } from './streaming/channels.ts'
import { passThrough } from './streaming/passthrough.ts'
import { parsePorts, servePortChannels, serveTunnel, wantsTunnel } from './streaming/port-forward.ts'
import type { StreamSelection } from './streaming/remote-command.ts'
import { serveRemoteCommand } from './streaming/remote-command.ts'
import { StreamRefusedError } from './streaming/runtime-stream.ts'

/** Upgrades of /exec, /attach and /portForward: SPDY is handed to the runtime, WebSockets are translated. Rejects before the upgrade only. */
export async function serveStream(
  options: Pick<KubeletServerOptions, 'pods' | 'records' | 'runtime'>,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  url: URL,
): Promise<void> {
  const [, verb, ...path] = url.pathname.split('/').map(decodeURIComponent)
  const protocol = (request.headers.upgrade ?? '').toLowerCase()
  if (protocol !== 'websocket' && !protocol.startsWith('spdy/')) throw new HttpError(400, `unable to upgrade: unsupported protocol ${protocol}`)
  const webSocket = protocol === 'websocket'
  try {
    switch (verb) {
      case 'exec':
      case 'attach': {
        const { containerId, tty: containerTty } = runningContainer(options, path)
        const selected = streamSelection(url.searchParams)
        // a process that runs cannot be given a terminal, nor lose it
        if (verb === 'attach') selected.tty = containerTty
        const streams = { ...selected, stderr: selected.stderr && !selected.tty }
        const cmd = url.searchParams.getAll('command')
        if (verb === 'exec' && cmd.length === 0) throw new HttpError(400, 'you must specify a command')
        const { url: runtimeUrl } = await (verb === 'exec'
          ? options.runtime.exec({ containerId, cmd, ...streams })
          : options.runtime.attach({ containerId, ...streams }))
        return await (webSocket ? serveRemoteCommand(request, socket, head, runtimeUrl, streams) : passThrough(request, socket, head, runtimeUrl))
      }
      case 'portForward': {
        const pod = findPod(options, path[0], path[1], path[2])
        const sandbox = options.records.get(pod.metadata.uid!)?.sandboxes[0]
        if (!sandbox?.ready) throw new HttpError(500, `pod ${pod.metadata.name} has no running sandbox to forward ports to`)
        const tunnelled = webSocket && wantsTunnel(request)
        const ports = webSocket && !tunnelled ? webSocketPorts(url.searchParams) : []
        const { url: runtimeUrl } = await options.runtime.portForward({ podSandboxId: sandbox.id, port: ports })
        if (tunnelled) return await serveTunnel(request, socket, head, runtimeUrl)
        return await (webSocket ? servePortChannels(request, socket, head, runtimeUrl, ports) : passThrough(request, socket, head, runtimeUrl))
      }
    }
  } catch (error) {
    if (error instanceof SubprotocolError) throw new HttpError(400, error.message)
    if (error instanceof StreamRefusedError) throw new HttpError(error.status, error.message)
    throw error
  }
  throw new HttpError(404, '404 page not found')
}

/** Which streams a client asks for: `input`, `output`, `error`, `tty` of the kubelet's API. */
function streamSelection(query: URLSearchParams): StreamSelection {
  const on = (...names: string[]) => names.some((name) => ['1', 'true'].includes(query.get(name) ?? ''))
  const selected = { stdin: on('input', 'stdin'), stdout: on('output', 'stdout'), stderr: on('error', 'stderr'), tty: on('tty') }
  if (!selected.stdin && !selected.stdout && !selected.stderr) throw new HttpError(400, 'you must specify at least 1 of stdin, stdout, stderr')
  return selected
}

function webSocketPorts(query: URLSearchParams): number[] {
  try {
    return parsePorts(query.getAll('port'))
  } catch (error) {
    throw new HttpError(400, (error as Error).message)
  }
}
