import { constants, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { STATUS_CODES, createServer } from 'node:http'
import type { ServerHttp2Session, ServerHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import { performServerHandshake } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { isIPv6 } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Server, TLSSocket } from 'node:tls'
import { createServer as createTlsServer } from 'node:tls'
import type { Clock, Logger } from '#base'
import { StatusError, errors } from '#api'
import type { Request, Response } from '#client'
import type { Credentials } from '../authn/authenticator.ts'
import { connections } from './connections.ts'
import type { Sink } from './exchange.ts'
import { Http1Sink, Http2Sink, WireRequest, readAll } from './exchange.ts'
import { send } from './send.ts'

export interface ListenerOptions {
  addresses: readonly string[]
  /** The same on all addresses; 0 takes one that is free. */
  port: number
  tls: { cert: string; key: string; clientCa: string }
  log: Logger
  clock: Clock
  /** Answers a request, at once where it can; never throws or rejects. */
  handle(request: WireRequest, credentials: Credentials): Response | Promise<Response>
  /** Told of requests whose client went away before their answer. */
  aborted?(request: Request): void
  handshakeFailed?(): void
  /** Told of every client certificate that is accepted; the end of its time is wall time, milliseconds. */
  certificateSeen?(validUntil: number): void
  /** Takes over an upgraded connection; a rejection with StatusError is answered. */
  upgrade(request: Request, credentials: Credentials, socket: Duplex, head: Uint8Array): Promise<void>
}

export interface Listener extends AsyncDisposable {
  readonly url: string
}

/** Bodies beyond this are refused with 413 (upstream's bound). */
export const bodyLimit = 3 * 1024 * 1024
/** Connections that idle longer are closed, milliseconds. */
const idleLimit = 10 * 60_000
/** Clients get this long to send a head or a body, and to shake hands: upstream's bounds. Milliseconds. */
const headTime = 32_000
const bodyTime = 60_000
/** Requests under way get this long to end when the server stops, milliseconds. */
const drainLimit = 4000
/** Connections without a request get this long for one more when the server stops: it is answered, and told that the connection ends. Milliseconds. */
const lingerLimit = 100
/** Headers beyond this are refused with 431. */
const headerLimit = 64 * 1024
/** Of HTTP/2: streams at once on a connection (upstream's), and how many may be begun and taken back at once and then a second, before the connection ends. */
const http2Limits = {
  settings: { maxConcurrentStreams: 1000, initialWindowSize: 1 << 20 },
  // megabytes: large lists that wait for their client on many streams are no attack; Node's own 10 end such connections
  maxSessionMemory: 128,
  streamResetBurst: 1000,
  streamResetRate: 33,
}

/** Listens for HTTPS, HTTP/2 and HTTP/1.1 by ALPN; client certificates are asked for, not required. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { log, clock } = options
  const sockets = connections(clock, { head: headTime, body: bodyTime, idle: idleLimit })
  let closing: Promise<void> | undefined
  const sessions = new Set<ServerHttp2Session>()
  const certificates = new WeakMap<object, Credentials['certificate']>()

  const http1 = createServer({ keepAlive: true, keepAliveTimeout: idleLimit, maxHeaderSize: headerLimit, noDelay: true, requestTimeout: 0 }, onHttp1)
  http1.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) => void onUpgrade(message, socket, head))
  http1.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const what = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
    if (socket.writable) socket.end(`HTTP/1.1 ${what}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${what}`)
  })

  const newServer = () =>
    createTlsServer({
      cert: options.tls.cert,
      key: options.tls.key,
      ca: options.tls.clientCa,
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2', 'http/1.1'],
      minVersion: 'TLSv1.2',
      // the cipher that processors do fastest goes first; large lists are mostly encryption
      ciphers: `TLS_AES_128_GCM_SHA256:${constants.defaultCoreCipherList}`,
      honorCipherOrder: true,
      handshakeTimeout: headTime,
      noDelay: true,
    })
  const onSecureConnection = (socket: TLSSocket) => {
    socket.on('error', () => socket.destroy())
    certificates.set(socket, certificateOf(socket, options.certificateSeen))
    if (socket.alpnProtocol === 'h2') return startHttp2(socket)
    sockets.add(socket, {
      expire() {
        socket.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n')
        socket.destroySoon()
      },
      retire: () => socket.destroy(),
    })
    http1.emit('connection', socket)
  }

  function startHttp2(socket: TLSSocket): void {
    const session = performServerHandshake(socket, http2Limits)
    sockets.add(socket, { expire: () => session.destroy(), retire: () => session.close() })
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
    session.on('error', () => session.destroy())
    session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, rawHeaders: string[]) => {
      sockets.begin(socket)
      stream.on('error', () => stream.close())
      stream.on('close', () => sockets.end(socket))
      const sink = new Http2Sink(stream, headers[':method']!)
      const request = new WireRequest(headers[':method']!, headers[':path']!, plainHeaders(headers), rawHeaders, sink, socket, true)
      void exchange(request, stream, sink, certificates.get(socket))
    })
  }

  function onHttp1(message: IncomingMessage, response: ServerResponse): void {
    const sink = new Http1Sink(response)
    const request = new WireRequest(
      message.method!,
      message.url!,
      message.headers as Record<string, string>,
      message.rawHeaders,
      sink,
      message.socket,
    )
    const { socket } = message
    sockets.begin(socket)
    void exchange(request, message, sink, certificates.get(socket)).then(() => {
      if (sockets.end(socket) === 0 && closing) socket.end()
    })
  }

  async function exchange(
    request: WireRequest,
    body: IncomingMessage | ServerHttp2Stream,
    sink: Sink,
    certificate: Credentials['certificate'],
  ): Promise<void> {
    try {
      const { method } = request
      if (method !== 'GET' && method !== 'HEAD') {
        const bytes = await readAll(body, bodyLimit, sockets.body)
        if (typeof bytes === 'string') {
          const error = bytes === 'too large' ? errors.tooLarge(`Request entity too large: limit is ${bodyLimit}`) : tooSlow()
          const response = failure(error)
          if (sink instanceof Http1Sink) response.headers.connection = 'close'
          await send(sink, request, complete(request, response))
          // what is still to come of it has nobody who reads it
          if (sink instanceof Http2Sink) (body as ServerHttp2Stream).close()
          return
        }
        if (bytes.length > 0) request.body = bytes
      }
      const answered = options.handle(request, credentialsOf(request, certificate))
      const response = answered instanceof Promise ? await answered : answered
      if (sink.closed) options.aborted?.(request)
      // who is told does not send another request into a connection that ends
      if (closing && sink instanceof Http1Sink) response.headers.connection = 'close'
      const last = sink instanceof Http2Sink && response.headers.connection === 'close'
      if (last) delete response.headers.connection
      await send(sink, request, complete(request, response))
      if (last) (body as ServerHttp2Stream).session?.close()
    } catch (error) {
      if (!sink.closed) log.warn('a request broke off', { path: request.path, error })
    }
  }

  async function onUpgrade(message: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy())
    sockets.handOver(message.socket)
    const sink: Sink = closedWith(socket)
    const request = new WireRequest(
      message.method!,
      message.url!,
      message.headers as Record<string, string>,
      message.rawHeaders,
      sink,
      message.socket,
    )
    try {
      await options.upgrade(request, credentialsOf(request, certificates.get(message.socket)), socket, head)
    } catch (error) {
      const status = error instanceof StatusError ? error : errors.internal('an error on the server has prevented the request from succeeding')
      if (!(error instanceof StatusError)) log.error('an upgrade failed', { path: request.path, error })
      if (socket.writable) socket.end(plainResponse(complete(request, failure(status))))
    }
  }

  const servers: Server[] = []
  let port = options.port
  for (const address of options.addresses) {
    const server = newServer()
    server.on('secureConnection', onSecureConnection)
    server.on('tlsClientError', (_error, socket) => {
      options.handshakeFailed?.()
      socket.destroy()
    })
    try {
      port = await bound(server, address, port)
    } catch (error) {
      for (const other of servers) other.close()
      throw error
    }
    servers.push(server)
  }

  async function close(): Promise<void> {
    const closed = Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))))
    for (const session of sessions) session.close()
    const endIdle = () => {
      for (const socket of sockets.idle()) if (socket.alpnProtocol !== 'h2') socket.end()
    }
    // what has arrived by then is read before: timers come first in a turn, setImmediate last
    const cancelLinger = clock.schedule(lingerLimit, () => setImmediate(endIdle))
    const cancelDrain = clock.schedule(drainLimit, () => {
      for (const socket of sockets.all()) socket.destroy()
    })
    await closed
    cancelLinger()
    cancelDrain()
    sockets[Symbol.dispose]()
  }

  return {
    url: `https://${isIPv6(options.addresses[0]!) ? `[${options.addresses[0]}]` : options.addresses[0]}:${port}`,
    [Symbol.asyncDispose]: () => (closing ??= close()),
  }
}

const tooSlow = () => errors.timeout('request did not complete within the allotted timeout')

/** Headers of HTTP/2 as those of HTTP/1.1: the authority is the host. */
function plainHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const plain: Record<string, string> = {}
  for (const name in headers) if (name.charCodeAt(0) !== 58) plain[name] = headers[name] as string
  plain.host ??= headers[':authority'] ?? ''
  return plain
}

/** Listens and answers the port. */
function bound(server: Server, address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, address, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}

function certificateOf(socket: TLSSocket, seen: ListenerOptions['certificateSeen']): Credentials['certificate'] {
  if (!socket.authorized) return undefined
  const certificate = socket.getPeerCertificate()
  const subject = certificate.subject as { CN?: string | string[]; O?: string | string[] } | undefined
  if (!subject?.CN) return undefined
  seen?.(Date.parse(certificate.valid_to))
  return { commonName: [subject.CN].flat()[0]!, organizations: [subject.O ?? []].flat() }
}

const bearerProtocol = 'base64url.bearer.authorization.k8s.io.'

function credentialsOf(request: Request, certificate: Credentials['certificate']): Credentials {
  const { authorization, 'sec-websocket-protocol': protocols } = request.headers
  if (authorization && (authorization.startsWith('Bearer ') || /^bearer /i.test(authorization)))
    return { certificate, bearerToken: authorization.slice(7).trim() }
  if (protocols?.includes(bearerProtocol)) {
    const offered = protocols.split(',').map((p) => p.trim())
    const token = offered.find((p) => p.startsWith(bearerProtocol))
    if (token) {
      // the token is for us, not for whom the request is proxied to
      request.headers['sec-websocket-protocol'] = offered.filter((p) => p !== token).join(', ')
      return { certificate, bearerToken: Buffer.from(token.slice(bearerProtocol.length), 'base64url').toString() }
    }
  }
  return certificate ? { certificate } : none
}

const none: Credentials = Object.freeze({})

/** Headers that every response carries. */
function complete(request: Request, response: Response): Response {
  const { headers } = response
  headers['audit-id'] = request.headers['audit-id'] ?? randomUUID()
  headers['cache-control'] ??= 'no-cache, private'
  return response
}

export function failure(error: StatusError): Response {
  return { status: error.code, headers: { 'content-type': 'application/json' }, body: { bytes: Buffer.from(JSON.stringify(error.status)) } }
}

function plainResponse({ status, headers, body }: Response): Buffer {
  const bytes = 'bytes' in body ? Buffer.concat([body.bytes].flat()) : Buffer.alloc(0)
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...Object.entries({ ...headers, 'content-length': bytes.length, connection: 'close' }).map(([k, v]) => `${k}: ${v}`),
  ]
  return Buffer.concat([Buffer.from(lines.join('\r\n') + '\r\n\r\n'), bytes])
}

/** Only tells when the connection is gone: who upgrades writes to the socket itself. */
function closedWith(socket: Duplex): Sink {
  return {
    head() {},
    flush() {},
    write: () => true,
    end() {},
    onDrain() {},
    onClose: (fn) => void socket.once('close', fn),
    get closed() {
      return socket.destroyed
    },
  }
}
