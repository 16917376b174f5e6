import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { WebSocketServer } from 'ws'

/** Streams numbered over one WebSocket: the first byte of a message is its channel (as a digit, and the rest in base64, in the text protocols). */
export interface ChannelSocket {
  /** The subprotocol agreed on; empty when the client asked for none. */
  readonly protocol: string
  /** Resolves when the message is on its way; false when the client is gone. */
  send(channel: number, data: Uint8Array): Promise<boolean>
  /** Passes on what the client sends on a channel; while `onData` answers false no more is read, until `resume`. */
  receive(handlers: { onData: (channel: number, data: Buffer) => boolean; onClose: (channel: number) => void }): void
  resume(): void
  /** Sends what waits, then says goodbye. */
  close(): void
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>
}

/** With v5 a message on this channel closes the channel that its one byte names. */
const closeChannel = 255

/** The client asks for protocols that are not spoken here. */
export class SubprotocolError extends Error {}

/** A WebSocket that was accepted, and the subprotocol agreed on: empty when the client asked for none. */
export interface AcceptedWebSocket {
  socket: WebSocket
  protocol: string
}

/** Takes over an upgrade request as a WebSocket with one of `protocols`. Rejects with SubprotocolError before anything is answered. */
export function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
  protocols: readonly string[],
): Promise<AcceptedWebSocket> {
  const { 'sec-websocket-protocol': asked, ...headers } = request.headers
  const offered = (asked ?? '').split(',').map((p) => p.trim())
  const protocol = offered.find((p) => protocols.includes(p)) ?? ''
  if (asked !== undefined && protocol === '') {
    return Promise.reject(new SubprotocolError(`requested protocol(s) are not supported: [${offered.join(' ')}]; supports [${protocols.join(' ')}]`))
  }
  // the library knows tokens only, and one of Kubernetes' protocols has a slash in its name: agreeing on it is done here
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 32 * 1024 * 1024 })
  if (protocol) server.on('headers', (lines) => lines.push(`Sec-WebSocket-Protocol: ${protocol}`))
  const plain = { method: request.method, url: request.url, headers } as IncomingMessage
  return new Promise((resolve, reject) => {
    // answers 400 itself
    server.once('wsClientError', reject)
    server.handleUpgrade(plain, socket, Buffer.from(head), (accepted) => resolve({ socket: accepted, protocol }))
  })
}

export function channelSocket({ socket, protocol }: AcceptedWebSocket): ChannelSocket {
  const textual = protocol.includes('base64')
  const closed = Promise.withResolvers<void>()
  socket.on('close', () => closed.resolve())
  socket.on('error', () => socket.terminate())
  return {
    protocol,
    send(channel, data) {
      if (socket.readyState !== socket.OPEN) return Promise.resolve(false)
      const message = textual ? `${channel}${Buffer.from(data).toString('base64')}` : Buffer.concat([Buffer.from([channel]), data])
      return new Promise((resolve) => socket.send(message, (error) => resolve(!error)))
    },
    receive({ onData, onClose }) {
      socket.on('message', (message: Buffer) => {
        if (message.length === 0) return
        const channel = textual ? message[0]! - 0x30 : message[0]!
        const data = textual ? Buffer.from(message.toString('latin1', 1), 'base64') : message.subarray(1)
        if (channel === closeChannel) onClose(data[0] ?? -1)
        else if (!onData(channel, data)) socket.pause()
      })
    },
    resume: () => socket.resume(),
    close: () => socket.close(1000),
    closed: closed.promise,
  }
}
