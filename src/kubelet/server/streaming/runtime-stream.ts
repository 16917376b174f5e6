import http from 'node:http'
import https from 'node:https'
import { text } from 'node:stream/consumers'
import type { Duplex } from 'node:stream'
import type { SpdyConnection } from '#base'
import { spdyConnection } from '#base'

/** The answer of the runtime's streaming server when it does not switch protocols. */
export class StreamRefusedError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.name = 'StreamRefusedError'
    this.status = status
  }
}

export interface RuntimeStream {
  socket: Duplex
  head: Buffer
  /** Of the 101 answer. */
  headers: http.IncomingHttpHeaders
}

/**
 * Opens a URL that the runtime gave for exec, attach or port-forward, as SPDY/3.1. `protocols` are offered in order of preference as
 * `X-Stream-Protocol-Version`. Rejects with StreamRefusedError when the runtime answers anything but 101.
 */
export function openRuntimeStream(url: string, protocols: readonly string[], signal?: AbortSignal): Promise<RuntimeStream> {
  return new Promise((resolve, reject) => {
    const target = new URL(url)
    const request = (target.protocol === 'https:' ? https : http).request(target, {
      method: 'POST',
      agent: false,
      signal,
      // the runtime serves on this node with a certificate of its own making
      rejectUnauthorized: false,
      headers: { Connection: 'Upgrade', Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': [...protocols], 'Content-Length': 0 },
    })
    request.once('upgrade', (response, socket, head) => {
      socket.setTimeout(0)
      socket.setNoDelay(true)
      resolve({ socket, head, headers: response.headers })
    })
    request.once('response', (response) => {
      void text(response).then(
        (body) => reject(new StreamRefusedError(response.statusCode ?? 500, body.trim() || `the runtime answered ${response.statusCode}`)),
        reject,
      )
    })
    request.once('error', reject)
    request.end()
  })
}

/** The same as a SPDY connection of our own. */
export async function connectRuntimeStream(url: string, protocol: string, signal?: AbortSignal): Promise<SpdyConnection> {
  const { socket, head } = await openRuntimeStream(url, [protocol], signal)
  return spdyConnection(socket, { role: 'client', head })
}
