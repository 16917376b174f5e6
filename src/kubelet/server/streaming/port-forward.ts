import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { createWebSocketStream } from 'ws'
import { tunnel } from '#base'
import { acceptWebSocket, channelSocket } from './channels.ts'
import { connectRuntimeStream, openRuntimeStream } from './runtime-stream.ts'

export const portForwardProtocol = 'portforward.k8s.io'
const tunnelProtocol = `SPDY/3.1+${portForwardProtocol}`
const channelProtocols = ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io']

/** Whether a WebSocket client wants SPDY inside (kubectl since 1.30), rather than a pair of channels per port. */
export function wantsTunnel(request: IncomingMessage): boolean {
  return (request.headers['sec-websocket-protocol'] ?? '').split(',').some((p) => p.trim() === tunnelProtocol)
}

/** SPDY in the messages of a WebSocket: its bytes are the runtime's. */
export async function serveTunnel(request: IncomingMessage, socket: Duplex, head: Uint8Array, url: string): Promise<void> {
  const runtime = await openRuntimeStream(url, [portForwardProtocol])
  const accepted = await acceptWebSocket(request, socket, head, [tunnelProtocol])
  const client = createWebSocketStream(accepted.socket)
  await tunnel(client, runtime.socket, { fromB: runtime.head })
}

/**
 * The older way: two channels per port, data and error, each of which begins with the port (16 bits, little-endian). Ends when all ports' connections
 * have ended or the client leaves.
 */
export async function servePortChannels(
  request: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
  url: string,
  ports: readonly number[],
): Promise<void> {
  await using runtime = await connectRuntimeStream(url, portForwardProtocol)
  const client = channelSocket(await acceptWebSocket(request, socket, head, channelProtocols))
  void client.closed.then(() => runtime.destroy())

  const pairs = ports.map((port, requestID) => {
    const headers = { port: String(port), requestid: String(requestID) }
    const error = runtime.open({ ...headers, streamtype: 'error' })
    error.end()
    return { port, error, data: runtime.open({ ...headers, streamtype: 'data' }) }
  })
  client.receive({
    onData(channel, data) {
      const stream = channel % 2 === 0 ? pairs[channel / 2]?.data : undefined
      if (!stream || stream.writableEnded || stream.destroyed || stream.write(data)) return true
      stream.once('drain', () => client.resume())
      return false
    },
    onClose: () => {},
  })
  for (const [i, { port }] of pairs.entries()) {
    const bytes = Buffer.from([port & 0xff, port >> 8])
    await client.send(i * 2, bytes)
    await client.send(i * 2 + 1, bytes)
  }
  await Promise.all(
    pairs.map(async ({ data, error }, i) => {
      const copy = async () => {
        for await (const chunk of data) if (!(await client.send(i * 2, chunk as Buffer))) return
      }
      const [message] = await Promise.all([text(error), copy()])
      if (message) await client.send(i * 2 + 1, Buffer.from(message))
    }),
  )
  client.close()
  await client.closed
}

/** The ports of `port=80&port=81` or `port=80,81`; throws an Error in upstream's words. */
export function parsePorts(values: readonly string[]): number[] {
  if (values.length === 0) throw new Error('query parameter "port" is required')
  return values.flatMap((value) => {
    if (value === '') throw new Error('query parameter "port" cannot be empty')
    return value.split(',').map((part) => {
      const port = /^\d+$/.test(part) ? Number(part) : NaN
      if (Number.isNaN(port) || port > 65535) throw new Error(`unable to parse "${value}" as a port`)
      if (port < 1) throw new Error(`port "${value}" must be > 0`)
      return port
    })
  })
}
