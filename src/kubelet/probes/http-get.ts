import { request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { DeepReadonly, core } from '#api'
import type { ContainerSpec } from '../pod/names.ts'

export interface HttpAnswer {
  status: number
  /** The first 10 KiB. */
  body: string
  /** Set when the last answer redirects to another host, which is not followed. */
  redirectedTo?: string
}

export class HttpGetError extends Error {
  readonly timedOut: boolean
  constructor(message: string, timedOut: boolean) {
    super(message)
    this.name = 'HttpGetError'
    this.timedOut = timedOut
  }
}

const maxBody = 10 * 1024
const maxRedirects = 10

/** A port given by number or by the name it has in the container. */
export function resolvePort(port: number | string, container: ContainerSpec): number {
  const number = typeof port === 'number' ? port : (container.ports?.find((p) => p.name === port)?.containerPort ?? Number(port))
  if (!Number.isInteger(number) || number <= 0 || number > 65535) throw new Error(`invalid port number: ${port}`)
  return number
}

/** The URL of an httpGet action against a container at `ip`. */
export function actionUrl(action: DeepReadonly<core.HTTPGetAction>, container: ContainerSpec, ip: string): URL {
  const host = action.host || ip
  const port = resolvePort(action.port, container)
  const scheme = (action.scheme ?? 'HTTP').toLowerCase()
  const path = action.path ?? '/'
  return new URL(`${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}${path.startsWith('/') ? path : `/${path}`}`)
}

/** Performs an httpGet action: no certificate is checked, redirects are followed on the same host. */
export async function httpGet(
  action: DeepReadonly<core.HTTPGetAction>,
  container: ContainerSpec,
  ip: string,
  options: { timeoutMs: number; userAgent: string; signal?: AbortSignal },
): Promise<HttpAnswer> {
  let url = actionUrl(action, container, ip)
  const headers = requestHeaders(action, options.userAgent)
  const timeout = AbortSignal.timeout(options.timeoutMs)
  const signal = options.signal ? AbortSignal.any([timeout, options.signal]) : timeout
  for (let redirects = 0; ; redirects++) {
    const answer = await get(url, headers, signal).catch((error: NodeJS.ErrnoException) => {
      const late = timeout.aborted
      throw new HttpGetError(
        `Get "${url}": ${late ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)' : dialError(error, url)}`,
        late,
      )
    })
    const location = answer.status >= 300 && answer.status < 400 ? answer.location : undefined
    if (!location) return answer
    const next = new URL(location, url)
    if (next.hostname !== url.hostname) return { ...answer, redirectedTo: next.href }
    if (redirects === maxRedirects) throw new HttpGetError(`Get "${next}": stopped after 10 redirects`, false)
    url = next
  }
}

function requestHeaders(action: DeepReadonly<core.HTTPGetAction>, userAgent: string): [string, string][] {
  const own = (action.httpHeaders ?? []).map(({ name, value }): [string, string] => [name, value ?? ''])
  const has = (name: string) => own.find(([key]) => key.toLowerCase() === name)
  const headers = own.filter(([name, value]) => !((name.toLowerCase() === 'user-agent' || name.toLowerCase() === 'accept') && value === ''))
  if (!has('user-agent')) headers.push(['User-Agent', userAgent])
  if (!has('accept')) headers.push(['Accept', '*/*'])
  headers.push(['Connection', 'close'])
  return headers
}

function get(url: URL, headers: [string, string][], signal: AbortSignal): Promise<HttpAnswer & { location?: string }> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const merged: Record<string, string[]> = {}
    for (const [name, value] of headers) (merged[name] ??= []).push(value)
    const plain = Object.fromEntries(Object.entries(merged).map(([k, v]) => [k, v.length === 1 ? v[0]! : v]))
    const req = send(url, { method: 'GET', agent: false, headers: plain, rejectUnauthorized: false, signal, setDefaultHeaders: true })
    req.on('error', reject)
    req.on('response', (response: IncomingMessage) => {
      const chunks: Buffer[] = []
      let size = 0
      const done = () =>
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).subarray(0, maxBody).toString(),
          ...(response.headers.location ? { location: response.headers.location } : {}),
        })
      response.on('data', (chunk: Buffer) => {
        if (size < maxBody) chunks.push(chunk)
        size += chunk.length
        if (size >= maxBody) {
          done()
          req.destroy()
        }
      })
      response.on('end', done)
      response.on('error', reject)
    })
    req.end()
  })
}

/** A failed connection in the words of Go's net package, which people grep their events for. */
export function dialError(error: NodeJS.ErrnoException, target: { hostname: string; port: string | number }): string {
  const words: Record<string, string> = {
    ECONNREFUSED: 'connect: connection refused',
    EHOSTUNREACH: 'connect: no route to host',
    ENETUNREACH: 'connect: network is unreachable',
    ETIMEDOUT: 'i/o timeout',
  }
  const { code = '' } = error
  if (code === 'ECONNRESET') return 'EOF'
  return words[code] ? `dial tcp ${target.hostname}:${target.port}: ${words[code]}` : error.message
}
