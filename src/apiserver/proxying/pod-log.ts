import { text } from 'node:stream/consumers'
import type { Readable } from 'node:stream'
import type { Duplex } from 'node:stream'
import type { IncomingMessage } from 'node:http'
import type { WebSocket } from 'ws'
import { WebSocketServer } from 'ws'
import type { core, DeepReadonly, StatusCause } from '#api'
import { errors, failure } from '#api'
import type { Request, Response } from '#client'
import type { SubresourceContext, SubresourceHandler } from '../options.ts'
import type { RequestInfo } from '../request-info.ts'
import { sendTo } from './backend.ts'
import { kubeletBackend } from './node-connection.ts'
import { chooseContainer } from './pod-container.ts'
import type { ProxyingOptions } from './proxying.ts'

/** `pods/log`: the kubelet's log of a container, as it comes; over WebSocket too. */
export function podLogHandler(options: ProxyingOptions): SubresourceHandler {
  const open = async (request: Request, context: SubresourceContext, signal = request.signal): Promise<IncomingMessage | undefined> => {
    const pod = context.parent() as DeepReadonly<core.Pod>
    const query = logQuery(request.query, pod.metadata.name)
    const container = chooseContainer(pod, request.query.get('container'))
    const { nodeName } = pod.spec
    // not on a node yet: there is nothing to show
    if (!nodeName) return undefined
    const path = ['containerLogs', pod.metadata.namespace!, pod.metadata.name, container].map(encodeURIComponent).join('/')
    const backend = kubeletBackend(context.reader, nodeName, options.kubelet, options.dial)
    const asked: Request = { method: 'GET', path, query, headers: {}, signal }
    const answer = await sendTo(backend, asked, `/${path}${query.size > 0 ? `?${query.toString()}` : ''}`)
    await checkAnswer(answer, pod.metadata.name)
    return answer
  }
  return {
    async handle(request, _info, context): Promise<Response> {
      const answer = await open(request, context)
      if (!answer) return { status: 204, headers: {}, body: { bytes: new Uint8Array(0) } }
      return { status: 200, headers: { 'content-type': 'text/plain' }, body: { stream: answer } }
    },
    async upgrade(request: Request, _info: RequestInfo, socket: Duplex, head: Uint8Array, context: SubresourceContext) {
      const stop = new AbortController()
      socket.once('close', () => stop.abort())
      const answer = await open(request, context, stop.signal)
      const client = await acceptReader(request, socket, head)
      await sendMessages(client, answer)
    },
  }
}

const flags = ['follow', 'previous', 'timestamps']
const integers: [string, number][] = [
  ['tailLines', 0],
  ['limitBytes', 1],
  ['sinceSeconds', 1],
]

/** The kubelet's query for a client's; throws BadRequest or Invalid in upstream's words. */
export function logQuery(query: URLSearchParams, podName: string): URLSearchParams {
  const sent = new URLSearchParams()
  const causes: StatusCause[] = []
  for (const name of flags) if (['true', '1', ''].includes(query.get(name) ?? 'false')) sent.set(name, 'true')
  for (const [name, least] of integers) {
    const value = query.get(name)
    if (value === null || value === '') continue
    if (!/^[+-]?\d+$/.test(value)) throw errors.badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`)
    if (Number(value) < least) {
      causes.push({
        reason: 'FieldValueInvalid',
        field: name,
        message: `Invalid value: ${Number(value)}: must be greater than ${least === 0 ? 'or equal to 0' : '0'}`,
      })
    }
    sent.set(name, value)
  }
  const since = query.get('sinceTime')
  if (since) {
    if (Number.isNaN(Date.parse(since))) throw errors.badRequest(`parsing time ${JSON.stringify(since)} as "2006-01-02T15:04:05Z07:00": cannot parse`)
    if (sent.has('sinceSeconds')) {
      causes.push({ reason: 'FieldValueForbidden', field: '[]', message: 'Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified' })
    }
    sent.set('sinceTime', since)
  }
  const stream = query.get('stream')
  if (stream) {
    if (!['All', 'Stdout', 'Stderr'].includes(stream)) {
      causes.push({
        reason: 'FieldValueNotSupported',
        field: 'stream',
        message: `Unsupported value: ${JSON.stringify(stream)}: supported values: "All", "Stderr", "Stdout"`,
      })
    }
    sent.set('stream', stream)
  }
  if (causes.length > 0) throw errors.invalid({ group: '', kind: 'PodLogOptions' }, podName, causes)
  return sent
}

async function checkAnswer(answer: IncomingMessage, podName: string): Promise<void> {
  const status = answer.statusCode ?? 500
  if (status >= 200 && status <= 206) return
  const message = (await text(answer)).slice(0, 10 * 1024).trim()
  if (status === 400) throw errors.badRequest(message)
  if (status >= 500) throw errors.internal(message)
  throw failure(
    status === 404 ? 'NotFound' : status === 403 ? 'Forbidden' : '',
    status,
    `the server could not find the requested resource ( pods/log ${podName})`,
    {
      name: podName,
      kind: 'pods/log',
      causes: [{ reason: 'UnexpectedServerResponse', message }],
    },
  )
}

const readerProtocols = ['binary.k8s.io', 'base64.binary.k8s.io']

function acceptReader(request: Request, socket: Duplex, head: Uint8Array): Promise<WebSocket> {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((p) => p.trim())
  const chosen = offered.find((p) => readerProtocols.includes(p))
  if (request.headers['sec-websocket-protocol'] && !chosen) throw errors.badRequest(`requested protocol(s) are not supported: [${offered.join(' ')}]`)
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, handleProtocols: () => chosen ?? false })
  return new Promise((resolve, reject) => {
    server.once('wsClientError', reject)
    server.handleUpgrade({ method: request.method, headers: request.headers } as unknown as IncomingMessage, socket, Buffer.from(head), resolve)
  })
}

/** One message per piece; an empty one first, which tells the client that the connection stands. */
async function sendMessages(client: WebSocket, source: Readable | undefined): Promise<void> {
  client.on('error', () => client.terminate())
  const textual = client.protocol.startsWith('base64')
  const send = (data: Buffer) =>
    new Promise<boolean>((resolve) => {
      if (client.readyState !== client.OPEN) return resolve(false)
      client.send(textual ? data.toString('base64') : data, (error) => resolve(!error))
    })
  await send(Buffer.alloc(0))
  try {
    for await (const chunk of source ?? []) if (!(await send(chunk as Buffer))) break
  } catch {
    // the kubelet or the client is gone; either way this is the end of it
  }
  client.close(1000)
}
