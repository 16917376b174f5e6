import type { IncomingMessage } from 'node:http'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { pipeline } from 'node:stream'
import type { Duplex, Readable } from 'node:stream'
import { describeError } from '#base'
import { errors, isStatus } from '#api'
import type { Request, Response } from '#client'
import type { SubresourceContext, SubresourceHandler } from '../options.ts'
import type { RequestInfo } from '../request-info.ts'
import type { Backend } from './backend.ts'
import { hostPort, sendTo, upgradeTo } from './backend.ts'
import { htmlRewriter, rewriteUrl } from './html-links.ts'
import type { ProxyLocation } from './proxy-location.ts'
import { nodeLocation, podLocation, serviceLocation } from './proxy-location.ts'
import type { ProxyingOptions } from './proxying.ts'

/** `pods/proxy`, `services/proxy`, `nodes/proxy`: HTTP to something in the cluster, links in its pages led back through here. */
export function httpProxyHandler(kind: 'pods' | 'services' | 'nodes', options: ProxyingOptions): SubresourceHandler {
  const locate = (info: RequestInfo, context: SubresourceContext): { location: ProxyLocation; backend: Backend } => {
    const { name, namespace } = info.resource!
    const { reader } = context
    const location =
      kind === 'pods'
        ? podLocation(reader, namespace, name)
        : kind === 'services'
          ? serviceLocation(reader, namespace, name, options.random ?? Math.random)
          : nodeLocation(reader, name)
    const tls = location.scheme === 'https' ? (location.kubelet ? options.kubelet : {}) : undefined
    return { location, backend: { address: location.address, port: location.port, tls, dial: options.dial } }
  }
  return {
    async handle(request, info, context) {
      const { prefix, path } = proxiedPath(request.path)
      await context.admitConnect(connectOptions(kind, path))
      if (path === '') return redirectTo(`${request.path}/${queryOf(request)}`)
      const { backend } = locate(info, context)
      let answer: IncomingMessage
      try {
        answer = await sendTo(backend, request, path + queryOf(request), forwarded(request, prefix, path))
      } catch (error) {
        const reason = isStatus(error) ? error.message.replace(/^error dialing backend: /, '') : describeError(error)
        throw errors.unavailable(`error trying to reach service: ${reason}`, { cause: error })
      }
      return proxiedResponse(answer, { prefix, hosts: [hostPort(backend), backend.address, request.headers.host ?? backend.address] }, request)
    },
    async upgrade(request, info, socket, head, context) {
      const { prefix, path } = proxiedPath(request.path)
      await context.admitConnect(connectOptions(kind, path))
      const { backend } = locate(info, context)
      await upgradeTo(backend, request, (path || '/') + queryOf(request), socket, head, forwarded(request, prefix, path))
    },
  }
}

const optionKinds = { pods: 'PodProxyOptions', services: 'ServiceProxyOptions', nodes: 'NodeProxyOptions' } as const

const connectOptions = (kind: keyof typeof optionKinds, path: string) => ({ kind: optionKinds[kind], ...(path ? { path } : {}) })

/** Splits `/api/v1/…/NAME/proxy/REST` in the proxy's prefix and the path behind it, both as sent. */
export function proxiedPath(path: string): { prefix: string; path: string } {
  const segments = path.split('/')
  // '', api, v1, namespaces, NS, pods, NAME, proxy, … or '', api, v1, nodes, NAME, proxy, …
  const count = segments[3] === 'namespaces' ? 8 : 6
  const rest = segments.slice(count)
  return { prefix: segments.slice(0, count).join('/'), path: rest.length === 0 ? '' : `/${rest.join('/')}` }
}

const queryOf = (request: Request) => (request.query.size > 0 ? `?${request.query.toString()}` : '')

function forwarded(request: Request, prefix: string, path: string): Record<string, string> {
  return { host: request.headers.host ?? request.headers[':authority'] ?? 'kubernetes', 'x-forwarded-uri': prefix + path }
}

function redirectTo(location: string): Response {
  return { status: 301, headers: { location }, body: { bytes: new Uint8Array(0) } }
}

const connectionHeaders = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'trailer', 'upgrade'])
const corsHeaders = /^access-control-(allow|expose)-/

function proxiedResponse(answer: IncomingMessage, links: { prefix: string; hosts: string[] }, request: Request): Response {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value === undefined || connectionHeaders.has(name) || corsHeaders.test(name)) continue
    headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  if (headers.location) {
    headers.location = rewriteUrl(headers.location, links)
  } else if (request.method !== 'HEAD' && headers['content-type']?.split(';')[0]!.trim().toLowerCase() === 'text/html') {
    const page = decoded(answer, headers['content-encoding'])
    if (page) {
      delete headers['content-length']
      delete headers['content-encoding']
      return { status: answer.statusCode ?? 502, headers, body: { stream: through(page, htmlRewriter(links)) } }
    }
  }
  return { status: answer.statusCode ?? 502, headers, body: { stream: answer } }
}

/** Undefined for an encoding that is not known: such a page is passed on as it is. */
function decoded(answer: Readable, encoding: string | undefined): Readable | undefined {
  if (!encoding || encoding === 'identity') return answer
  const decoders = { gzip: createGunzip, deflate: createInflate, br: createBrotliDecompress }
  const decoder = decoders[encoding.toLowerCase() as keyof typeof decoders]
  return decoder ? through(answer, decoder()) : undefined
}

/** A failure of the source shows as a failure of the result. */
function through(source: Readable, transform: Duplex): Readable {
  return pipeline(source, transform, () => {})
}
