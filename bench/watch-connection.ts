import { connect } from 'node:tls'

export interface WatchConnectionOptions {
  url: string
  token: string
  /** Path and query of the watch. */
  path: string
  /** How many of it this connection asks for. */
  streams: number
  /** Gets what a watch says, in whole lines: an event is one. */
  onLines(lines: Buffer): void
}

export interface WatchConnection {
  close(): void
}

const frameTypes = { data: 0, headers: 1, settings: 4, ping: 6, goaway: 7, windowUpdate: 8 }
const largestWindow = 0x7fffffff

/**
 * Watches over one connection of HTTP/2, as the clients of one process share it. It decodes nothing but the frames' borders: in a measurement of a server that
 * sends 100,000 events a second on the same machine, a client must cost next to nothing. Resolves when every watch has begun.
 */
export function openWatches({ url, token, path, streams, onLines }: WatchConnectionOptions): Promise<WatchConnection> {
  const { hostname, port, host } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ['h2'] })
    let begun = 0
    socket.once('secureConnect', () => {
      const head = headersOf({ ':method': 'GET', ':scheme': 'https', ':authority': host, ':path': path, authorization: `Bearer ${token}` })
      const requests = Array.from({ length: streams }, (_, i) => frame(frameTypes.headers, endStream | endHeaders, 2 * i + 1, head))
      socket.write(
        Buffer.concat([
          Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
          frame(frameTypes.settings, 0, 0, initialWindow(largestWindow)),
          frame(frameTypes.windowUpdate, 0, 0, uint32(largestWindow - 65_535)),
          ...requests,
        ]),
      )
    })
    const closed = (error?: Error) => reject(new Error(`a watch of ${url}${path} ended early`, { cause: error }))
    socket.on('error', closed)
    socket.on('close', () => closed())
    /** By stream, the start of a line whose end is still to come. */
    const begunLines = new Map<number, Buffer>()
    function readLines(stream: number, data: Buffer): void {
      const before = begunLines.get(stream)
      const bytes = before ? Buffer.concat([before, data]) : data
      const end = bytes.lastIndexOf(0x0a) + 1
      if (end > 0) onLines(bytes.subarray(0, end))
      if (end < bytes.length) begunLines.set(stream, bytes.subarray(end))
      else if (before) begunLines.delete(stream)
    }
    let rest: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
      let at = 0
      while (bytes.length - at >= 9) {
        const length = bytes.readUIntBE(at, 3)
        if (bytes.length - at < 9 + length) break
        const type = bytes[at + 3]!
        const flags = bytes[at + 4]!
        const stream = bytes.readUInt32BE(at + 5)
        const body = bytes.subarray(at + 9, at + 9 + length)
        at += 9 + length
        if (type === frameTypes.data && length > 0) readLines(stream, body)
        else if (type === frameTypes.headers && ++begun === streams) resolve({ close: () => socket.destroy() })
        else if (type === frameTypes.settings && (flags & ack) === 0) socket.write(frame(frameTypes.settings, ack, 0))
        else if (type === frameTypes.ping && (flags & ack) === 0) socket.write(frame(frameTypes.ping, ack, 0, body))
        else if (type === frameTypes.goaway) closed(new Error('the server said GOAWAY'))
      }
      rest = bytes.subarray(at)
    })
  })
}

const endStream = 1
const ack = 1
const endHeaders = 4

function frame(type: number, flags: number, stream: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(body.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, body])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function initialWindow(size: number): Buffer {
  const setting = Buffer.alloc(6)
  setting.writeUInt16BE(4, 0)
  setting.writeUInt32BE(size, 2)
  return setting
}

/** HPACK at its plainest: every field a literal that nobody remembers (RFC 7541, 6.2.2). */
function headersOf(headers: Record<string, string>): Buffer {
  return Buffer.concat(Object.entries(headers).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  // lengths from 127 on: seven bits at a time, least first
  const length = [127]
  let more = bytes.length - 127
  for (; more >= 128; more >>= 7) length.push((more & 127) | 128)
  length.push(more)
  return Buffer.concat([Buffer.from(length), bytes])
}
