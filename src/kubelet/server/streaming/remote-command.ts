import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { SpdyStream } from '#base'
import { acceptWebSocket, channelSocket } from './channels.ts'
import { connectRuntimeStream } from './runtime-stream.ts'

export interface StreamSelection {
  stdin: boolean
  stdout: boolean
  stderr: boolean
  tty: boolean
}

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'v4.base64.channel.k8s.io', 'channel.k8s.io', 'base64.channel.k8s.io']

/**
 * Serves exec or attach to a WebSocket client: the runtime's SPDY streams as channels. Ends when the command has ended and its status is sent, or
 * when the client leaves.
 */
export async function serveRemoteCommand(
  request: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
  url: string,
  selected: StreamSelection,
): Promise<void> {
  // first the runtime: while the client is not upgraded yet it can still get an error that says why
  await using runtime = await connectRuntimeStream(url, 'v4.channel.k8s.io')
  const client = channelSocket(await acceptWebSocket(request, socket, head, protocols))
  void client.closed.then(() => runtime.destroy())
  void runtime.closed.then(() => client.resume())

  const open = (streamtype: string) => runtime.open({ streamtype })
  const error = open('error')
  const stdin = selected.stdin ? open('stdin') : undefined
  const stdout = selected.stdout ? open('stdout') : undefined
  const stderr = selected.stderr && !selected.tty ? open('stderr') : undefined
  const resize = selected.tty ? open('resize') : undefined
  error.end()
  stdout?.end()
  stderr?.end()

  client.receive({
    onData(channel, data) {
      const stream = channel === channels.stdin ? stdin : channel === channels.resize ? resize : undefined
      if (!stream || stream.writableEnded || stream.destroyed) return true
      if (stream.write(data)) return true
      stream.once('drain', () => client.resume())
      return false
    },
    onClose(channel) {
      if (channel === channels.stdin) stdin?.end()
    },
  })
  // an empty message tells the client that the connection stands
  void client.send(selected.stdout ? channels.stdout : selected.stderr ? channels.stderr : channels.error, new Uint8Array(0))

  const copy = async (stream: SpdyStream | undefined, channel: number) => {
    for await (const chunk of stream ?? []) if (!(await client.send(channel, chunk as Buffer))) return
  }
  const [status] = await Promise.all([text(error), copy(stdout, channels.stdout), copy(stderr, channels.stderr)])
  const message = statusMessage(status, client.protocol)
  if (message) await client.send(channels.error, Buffer.from(message))
  client.close()
  await client.closed
}

/** Older protocols than v4 want the error's text, and nothing when there is none. */
function statusMessage(status: string, protocol: string): string {
  if (protocol.startsWith('v')) return status
  try {
    const { status: outcome, message } = JSON.parse(status) as { status?: string; message?: string }
    return outcome === 'Success' ? '' : (message ?? '')
  } catch {
    return status
  }
}
