import type { Duplex } from 'node:stream'
import { duplexPair } from 'node:stream'
import type { Request, Response, Transport, Upgraded } from '#client'
import { TransportError } from '#client'
import { StatusError } from '#api'

export interface InProcessOptions {
  send(request: Request): Promise<Response>
  /** Serves an upgrade on `socket`, speaking HTTP/1.1 on it. */
  upgrade(request: Request, socket: Duplex): Promise<void>
}

/** Requests as calls. Disposing it does nothing: it owns no connection. */
export function inProcessTransport(options: InProcessOptions): Transport {
  return {
    send(request) {
      if (request.signal?.aborted) return Promise.reject(new TransportError('the request was aborted', { cause: request.signal.reason }))
      return options.send(request)
    },
    async upgrade(request) {
      const [ours, theirs] = duplexPair()
      const served = options.upgrade(request, theirs)
      try {
        return await Promise.race([upgraded(ours), served.then(() => upgraded(ours))])
      } catch (error) {
        ours.destroy()
        theirs.destroy()
        if (error instanceof StatusError) throw error
        throw new TransportError('the upgrade failed', { cause: error })
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

const endOfHead = Buffer.from('\r\n\r\n')

/** Reads the head of the answer to an upgrade. */
function upgraded(socket: Duplex): Promise<Upgraded> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0)
    const onData = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      const end = received.indexOf(endOfHead)
      if (end < 0) return
      socket.off('data', onData)
      socket.pause()
      const [start, ...lines] = received.subarray(0, end).toString('latin1').split('\r\n')
      const headers = Object.fromEntries(
        lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
      )
      if (!/^HTTP\/1\.1 101\b/.test(start!)) return reject(new TransportError(`the server did not upgrade: ${start}`))
      resolve({
        protocol: headers['sec-websocket-protocol'] ?? headers['x-stream-protocol-version'] ?? headers.upgrade ?? '',
        headers,
        socket,
        head: received.subarray(end + endOfHead.length),
      })
    }
    socket.on('data', onData)
    socket.once('error', reject)
    socket.once('close', () => reject(new TransportError('the server closed the connection')))
  })
}
