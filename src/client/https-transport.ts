import * as http from 'node:http'
import * as https from 'node:https'
import { type Clock, realClock } from '#base'
import { type ClientCredentials, type CredentialSource, tokenFileSource } from './credentials.ts'
import { failureFromText } from './failure.ts'
import { type Request, type Response, type Transport, TransportError, type Upgraded } from './transport.ts'

export interface HttpsTransportOptions {
  /** `https://host:port`, with a path where the API lives below one; `http:` for a local proxy. */
  server: string
  /** PEM of the authorities to trust; the system's when absent. */
  ca?: string
  /** PEM. */
  clientCert?: string
  clientKey?: string
  token?: string
  /** Read again when it changes. */
  tokenFile?: string
  /** Credentials that are fetched, e.g. from an exec plugin. */
  credentials?: CredentialSource
  basic?: { username: string; password: string }
  impersonate?: { user: string; uid?: string; groups?: string[]; extra?: Record<string, string[]> }
  insecureSkipVerify?: boolean
  /** The name to ask for and to verify, when it is not the server's. */
  serverName?: string
  /** How long a request may wait without a byte, milliseconds; long-lived ones only for their headers. 60 s when absent. */
  timeout?: number
  clock?: Clock
}

/** Parallel requests that end; more wait for a free connection. Watches and streams have connections of their own and are not counted. */
const maxShortConnections = 64
/** Idle connections are given up before servers give up on them, so that a request rarely meets a closing one. */
const idleTimeout = 30_000
/** Probing of silent connections starts after this; a dead peer is noticed about ten seconds later. */
const probeAfter = 15_000

/**
 * Requests over HTTP/1.1 with kept-alive TLS connections. Watches get a connection each: a slow one never holds up another, the kernel's keep-alive
 * notices dead peers, and there is no shared connection whose loss takes all of them down (as with HTTP/2's GOAWAY).
 */
export function httpsTransport(options: HttpsTransportOptions): Transport {
  const url = new URL(options.server)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new RangeError(`server ${options.server}: only https and http are known`)
  const prefix = url.pathname.replace(/\/+$/, '')
  const { timeout = 60_000, clock = realClock } = options
  const source = options.credentials ?? (options.tokenFile ? tokenFileSource(options.tokenFile, clock) : undefined)
  const fixed: ClientCredentials = { token: options.token, clientCert: options.clientCert, clientKey: options.clientKey }
  const common = { hostname: url.hostname.replace(/^\[|\]$/g, ''), port: url.port || (url.protocol === 'https:' ? 443 : 80) }
  const open = new Set<Agents>()
  let agents: Agents | undefined
  let closed = false

  function agentsFor(credentials: ClientCredentials): Agents {
    if (agents && agents.cert === credentials.clientCert && agents.key === credentials.clientKey) return agents
    agents = createAgents(url.protocol, options, credentials)
    open.add(agents)
    return agents
  }

  async function prepare(request: Request): Promise<{ agents: Agents; headers: http.OutgoingHttpHeaders; body: Uint8Array | undefined }> {
    if (closed) throw new TransportError('the transport is closed')
    const fetched = source ? await source.get().catch((cause: unknown) => fail(request, cause)) : undefined
    const credentials = { ...fixed, ...definedOnly(fetched) }
    const headers: http.OutgoingHttpHeaders = { ...request.headers, ...impersonation(options.impersonate) }
    if (credentials.token) headers.authorization ??= `Bearer ${credentials.token}`
    else if (options.basic) headers.authorization ??= `Basic ${Buffer.from(`${options.basic.username}:${options.basic.password}`).toString('base64')}`
    let body: Uint8Array | undefined
    if (request.body instanceof Uint8Array) body = request.body
    else if (request.body !== undefined) {
      body = Buffer.from(JSON.stringify(request.body))
      headers['content-type'] ??= 'application/json'
    }
    if (body) headers['content-length'] = body.byteLength
    return { agents: agentsFor(credentials), headers, body }
  }

  const fail = (request: Request, cause: unknown): never => {
    if (request.signal?.aborted) throw request.signal.reason
    const why = cause instanceof Error ? cause.message || ((cause as NodeJS.ErrnoException).code ?? cause.name) : String(cause)
    throw new TransportError(`${request.method} ${url.origin}${prefix}${request.path}: ${why}`, { cause })
  }

  async function once(request: Request, long: boolean): Promise<Response> {
    const { agents, headers, body } = await prepare(request)
    const search = request.query.size > 0 ? `?${request.query}` : ''
    const target = {
      ...common,
      method: request.method,
      path: `${prefix}${request.path}${search}`,
      headers,
      agent: long ? agents.long : agents.short,
      signal: request.signal,
    }
    const message = await exchange(target, body, timeout, url.protocol).catch((cause: unknown) => {
      if (!(cause instanceof StaleConnection)) return fail(request, cause)
      // a kept connection was closed under us; only what changes nothing may be sent twice without asking
      if (request.method !== 'GET' && request.method !== 'HEAD' && request.method !== 'OPTIONS') return fail(request, cause.cause)
      return exchange(target, body, timeout, url.protocol).catch((again: unknown) => fail(request, again))
    })
    const answer = { status: message.statusCode ?? 0, headers: flatten(message.headers) }
    if (long && answer.status < 400) {
      message.socket.setTimeout(0)
      return { ...answer, body: { stream: guarded(message, (cause) => fail(request, cause)) } }
    }
    const chunks: Uint8Array[] = []
    for await (const chunk of guarded(message, (cause) => fail(request, cause))) chunks.push(chunk)
    return { ...answer, body: { bytes: chunks } }
  }

  return {
    async send(request) {
      const long = isLong(request)
      const response = await once(request, long)
      if (response.status !== 401 || !source) return response
      // the credentials may have been rotated since they were read; a refused request was not carried out
      source.invalidate()
      return once(request, long)
    },

    async upgrade(request) {
      const { agents, headers } = await prepare(request)
      const search = request.query.size > 0 ? `?${request.query}` : ''
      const target = {
        ...common,
        method: request.method,
        path: `${prefix}${request.path}${search}`,
        headers,
        agent: agents.long,
        signal: request.signal,
      }
      return upgrade(target, timeout, url.protocol).catch((cause: unknown) => {
        if (cause instanceof Refused) throw failureFromText(cause.status, cause.headers, cause.text)
        return fail(request, cause)
      })
    },

    async [Symbol.asyncDispose]() {
      closed = true
      for (const { short, long } of open) {
        short.destroy()
        long.destroy()
      }
      open.clear()
    },
  }
}

interface Agents {
  cert?: string
  key?: string
  short: http.Agent
  long: http.Agent
}

function createAgents(protocol: string, options: HttpsTransportOptions, { clientCert, clientKey }: ClientCredentials): Agents {
  const create = (maxSockets: number): http.Agent => {
    const pool = { keepAlive: true, keepAliveMsecs: probeAfter, maxSockets, maxFreeSockets: 32, timeout: idleTimeout }
    if (protocol === 'http:') return new http.Agent(pool)
    return new https.Agent({
      ...pool,
      ca: options.ca,
      cert: clientCert,
      key: clientKey,
      rejectUnauthorized: !options.insecureSkipVerify,
      ...(options.serverName ? { servername: options.serverName } : {}),
    })
  }
  return { cert: clientCert, key: clientKey, short: create(maxShortConnections), long: create(Infinity) }
}

/** A kept-alive connection that had been closed by the server when the request was written. */
class StaleConnection extends Error {}

type Target = https.RequestOptions

function start(target: Target, timeout: number, protocol: string): http.ClientRequest {
  const request = protocol === 'http:' ? http.request(target) : https.request(target)
  request.setTimeout(timeout, () => request.destroy(new Error(`no answer within ${timeout / 1000} s`)))
  request.on('socket', (socket) => {
    socket.setKeepAlive(true, probeAfter)
    socket.setNoDelay(true)
  })
  return request
}

function exchange(target: Target, body: Uint8Array | undefined, timeout: number, protocol: string): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = start(target, timeout, protocol)
    request.on('response', resolve)
    request.on('error', (error: NodeJS.ErrnoException) => {
      const stale = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
      reject(stale ? new StaleConnection(error.message, { cause: error }) : error)
    })
    request.end(body)
  })
}

/** An answer to an upgrade that is not 101. */
class Refused extends Error {
  readonly status: number
  readonly headers: Record<string, string>
  readonly text: string
  constructor(status: number, headers: Record<string, string>, text: string) {
    super(`upgrade answered ${status}`)
    this.status = status
    this.headers = headers
    this.text = text
  }
}

function upgrade(target: Target, timeout: number, protocol: string): Promise<Upgraded> {
  return new Promise((resolve, reject) => {
    const request = start(target, timeout, protocol)
    request.on('upgrade', (message, socket, head) => {
      socket.setTimeout(0)
      // the signal guards the handshake; afterwards the socket belongs to the caller
      resolve({ protocol: message.headers.upgrade ?? '', headers: flatten(message.headers), socket, head })
    })
    request.on('response', (message) => {
      const chunks: Buffer[] = []
      message.on('data', (chunk: Buffer) => chunks.push(chunk))
      message.on('error', reject)
      message.on('end', () => reject(new Refused(message.statusCode ?? 0, flatten(message.headers), Buffer.concat(chunks).toString())))
    })
    request.on('error', reject)
    request.end()
  })
}

async function* guarded(message: http.IncomingMessage, fail: (cause: unknown) => never): AsyncGenerator<Uint8Array> {
  try {
    yield* message as AsyncIterable<Uint8Array>
  } catch (error) {
    fail(error)
  } finally {
    // a reader that leaves early leaves nothing open
    if (!message.complete) message.destroy()
  }
}

/** Requests whose answer goes on until somebody ends it, or is too large to be held. */
function isLong({ path, query }: Request): boolean {
  const on = (name: string) => query.get(name) === 'true' || query.get(name) === '1'
  return on('watch') || on('follow') || /\/(log|proxy|backup)(\/|$)/.test(path) || path.includes('/watch/')
}

function impersonation(as: HttpsTransportOptions['impersonate']): http.OutgoingHttpHeaders {
  if (!as) return {}
  const headers: http.OutgoingHttpHeaders = { 'impersonate-user': as.user }
  if (as.uid) headers['impersonate-uid'] = as.uid
  if (as.groups?.length) headers['impersonate-group'] = as.groups
  for (const [key, values] of Object.entries(as.extra ?? {})) headers[`impersonate-extra-${encodeURIComponent(key)}`] = values
  return headers
}

function flatten(headers: http.IncomingHttpHeaders): Record<string, string> {
  const flat: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value
  return flat
}

function definedOnly<T extends object>(object: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(object ?? {}).filter(([, v]) => v !== undefined)) as Partial<T>
}
