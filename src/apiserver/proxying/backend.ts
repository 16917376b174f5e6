import http from 'node:http'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import tls from 'node:tls'
import { tunnel } from '#base'
import { failure } from '#api'
import type { Request } from '#client'

/** Opens a TCP connection; resolves when it stands. */
export type Dial = (address: string, port: number) => Promise<Duplex>

const dialTimeout = 30_000

export const dialTcp: Dial = (address, port) =>
  new Promise((resolve, reject) => {
    const socket = net.connect({ host: address, port, noDelay: true, keepAlive: true, timeout: dialTimeout })
    socket.once('error', reject)
    socket.once('timeout', () => socket.destroy(new Error('i/o timeout')))
    socket.once('connect', () => {
      socket.setTimeout(0)
      socket.removeAllListeners('timeout')
      socket.off('error', reject)
      resolve(socket)
    })
  })

/** With what a TLS connection is made; no `ca` accepts any certificate. */
export interface TlsClient {
  cert?: string
  key?: string
  ca?: string
}

/** A server behind the API server. */
export interface Backend {
  address: string
  port: number
  /** Plain HTTP when absent. */
  tls?: TlsClient
  dial: Dial
}

async function connect(backend: Backend): Promise<Duplex> {
  try {
    const socket = await backend.dial(backend.address, backend.port)
    return backend.tls ? await secured(socket, backend.address, backend.tls) : socket
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const reason = code === 'ECONNREFUSED' ? 'connect: connection refused' : message
    throw failure('', 500, `error dialing backend: dial tcp ${hostPort(backend)}: ${reason}`, undefined, { cause: error })
  }
}

function secured(socket: Duplex, address: string, client: TlsClient): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const secure = tls.connect({
      socket,
      ...client,
      servername: net.isIP(address) ? undefined : address,
      host: address,
      rejectUnauthorized: client.ca !== undefined,
    })
    secure.once('error', reject)
    secure.once('secureConnect', () => {
      secure.off('error', reject)
      resolve(secure)
    })
  })
}

export const hostPort = ({ address, port }: Pick<Backend, 'address' | 'port'>) => `${address.includes(':') ? `[${address}]` : address}:${port}`

/** Headers of a request that are for us, or for this connection alone. */
const notForwarded = new Set([
  'authorization',
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
])

function forwardedHeaders(request: Request): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (!notForwarded.has(name) && !name.startsWith(':') && !name.startsWith('impersonate-')) headers[name] = value
  }
  return headers
}

/** Sends a request on; `path` has the query. The answer's body is a stream. Rejects with StatusError when the backend cannot be reached. */
export async function sendTo(backend: Backend, request: Request, path: string, extra: Record<string, string> = {}): Promise<http.IncomingMessage> {
  const socket = await connect(backend)
  const body = bodyBytes(request)
  const headers: http.OutgoingHttpHeaders = { host: hostPort(backend), ...forwardedHeaders(request), ...extra }
  if (body.length > 0 || ['POST', 'PUT', 'PATCH'].includes(request.method)) headers['content-length'] = body.length
  return new Promise((resolve, reject) => {
    const outgoing = http.request({
      createConnection: () => socket,
      agent: undefined,
      method: request.method,
      path,
      headers,
      signal: request.signal,
      setHost: false,
    })
    outgoing.once('response', resolve)
    outgoing.once('error', (error) => {
      socket.destroy()
      reject(error)
    })
    outgoing.end(body)
  })
}

function bodyBytes(request: Request): Uint8Array {
  if (request.body === undefined) return new Uint8Array(0)
  return request.body instanceof Uint8Array ? request.body : Buffer.from(JSON.stringify(request.body))
}

/**
 * Hands an upgrade request and its connection to a backend: from the answer's status line on, the client talks with the backend itself. Rejects with
 * StatusError when the backend cannot be reached; resolves when both connections are closed.
 */
export async function upgradeTo(
  backend: Backend,
  request: Request,
  path: string,
  client: Duplex,
  head: Uint8Array,
  extra: Record<string, string> = {},
): Promise<void> {
  const socket = await connect(backend)
  const headers: Record<string, string> = { host: hostPort(backend), ...forwardedHeaders(request), ...extra }
  const lines = [`${request.method} ${path} HTTP/1.1`, 'Connection: Upgrade', `Upgrade: ${request.headers.upgrade ?? ''}`]
  for (const [name, value] of Object.entries(headers)) {
    // clients offer one protocol a line, and so servers expect them
    const values = name === 'x-stream-protocol-version' ? value.split(',').map((v) => v.trim()) : [value]
    for (const one of values) if (one !== '') lines.push(`${name}: ${one}`)
  }
  if (request.method !== 'GET') lines.push('content-length: 0')
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  await tunnel(client, socket, { fromA: head })
}
