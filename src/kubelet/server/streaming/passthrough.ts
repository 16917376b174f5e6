import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { tunnel } from '#base'
import { openRuntimeStream } from './runtime-stream.ts'

/** Hands a SPDY client's connection to the runtime's streaming server, which speaks the same protocols. */
export async function passThrough(request: IncomingMessage, socket: Duplex, head: Uint8Array, url: string): Promise<void> {
  const protocols = (request.headersDistinct['x-stream-protocol-version'] ?? []).flatMap((value) => value.split(',').map((p) => p.trim()))
  const runtime = await openRuntimeStream(url, protocols)
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', `Upgrade: ${runtime.headers.upgrade ?? 'SPDY/3.1'}`]
  const protocol = runtime.headers['x-stream-protocol-version']
  if (protocol) lines.push(`X-Stream-Protocol-Version: ${String(protocol)}`)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  await tunnel(socket, runtime.socket, { fromA: head, fromB: runtime.head })
}
