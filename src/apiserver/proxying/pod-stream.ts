import type { Duplex } from 'node:stream'
import type { core, DeepReadonly } from '#api'
import { errors } from '#api'
import type { Request } from '#client'
import type { SubresourceContext, SubresourceHandler } from '../options.ts'
import { upgradeTo } from './backend.ts'
import { kubeletBackend } from './node-connection.ts'
import { chooseContainer } from './pod-container.ts'
import type { ProxyingOptions } from './proxying.ts'

/** `pods/exec`, `pods/attach`, `pods/portforward`: the client's connection becomes one with the kubelet. */
export function podStreamHandler(kind: 'exec' | 'attach' | 'portForward', options: ProxyingOptions): SubresourceHandler {
  return {
    async handle(request, _info, context) {
      await context.admitConnect(connectOptions(kind, request.query))
      // what is wrong with the request is said first, as it would be to an upgrade
      locate(kind, request, context)
      throw errors.badRequest('Upgrade request required')
    },
    async upgrade(request: Request, _info, socket: Duplex, head: Uint8Array, context: SubresourceContext) {
      await context.admitConnect(connectOptions(kind, request.query))
      const { nodeName, path } = locate(kind, request, context)
      await upgradeTo(kubeletBackend(context.reader, nodeName, options.kubelet, options.dial), request, path, socket, head)
    },
  }
}

/** What the client asked for, as the API's own kinds say it. */
function connectOptions(kind: 'exec' | 'attach' | 'portForward', query: URLSearchParams): { kind: string; [field: string]: unknown } {
  if (kind === 'portForward') {
    const ports = query.getAll('ports').flatMap((text) => text.split(',').map(Number))
    return { kind: 'PodPortForwardOptions', ...(ports.length > 0 ? { ports } : {}) }
  }
  const container = query.get('container')
  return {
    kind: kind === 'exec' ? 'PodExecOptions' : 'PodAttachOptions',
    ...Object.fromEntries(['stdin', 'stdout', 'stderr', 'tty'].filter((name) => isAsked(query, name)).map((name) => [name, true])),
    ...(container ? { container } : {}),
    ...(kind === 'exec' ? { command: query.getAll('command') } : {}),
  }
}

const isAsked = (query: URLSearchParams, name: string) => ['true', '1', ''].includes(query.get(name) ?? 'false')

/** Which node, and the path with the query that its kubelet knows; throws StatusError. */
function locate(kind: 'exec' | 'attach' | 'portForward', request: Request, context: SubresourceContext): { nodeName: string; path: string } {
  const pod = context.parent() as DeepReadonly<core.Pod>
  const { name, namespace } = pod.metadata
  const container = kind === 'portForward' ? [] : [chooseContainer(pod, request.query.get('container'))]
  const { nodeName } = pod.spec
  if (!nodeName) throw errors.badRequest(`pod ${name} does not have a host assigned`)
  const query = kind === 'portForward' ? portQuery(request.query) : streamQuery(kind, request.query)
  const path = [kind, namespace!, name, ...container].map(encodeURIComponent).join('/')
  return { nodeName, path: `/${path}${query.size > 0 ? `?${query.toString()}` : ''}` }
}

/** PodExecOptions in the kubelet's own names. */
export function streamQuery(kind: 'exec' | 'attach', query: URLSearchParams): URLSearchParams {
  const sent = new URLSearchParams()
  // absent stdout and stderr are off, as the API's defaults for exec would have it for a query that names any
  for (const [name, kubelet] of [
    ['stdin', 'input'],
    ['stdout', 'output'],
    ['stderr', 'error'],
    ['tty', 'tty'],
  ] as const) {
    if (isAsked(query, name)) sent.set(kubelet, '1')
  }
  if (kind === 'exec') for (const word of query.getAll('command')) sent.append('command', word)
  return sent
}

function portQuery(query: URLSearchParams): URLSearchParams {
  const sent = new URLSearchParams()
  for (const ports of query.getAll('ports')) sent.append('port', ports)
  return sent
}
