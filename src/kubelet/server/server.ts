import type { IncomingMessage, ServerResponse } from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Clock, Logger } from '#base'
import { describeError } from '#base'
import type { core, DeepReadonly } from '#api'
import type { RuntimeService } from '../cri/index.ts'
import type { RecordCache } from '../pod/record-cache.ts'
import type { KubeletUser } from './access.ts'
import { authenticate, authorized, requestAttributes } from './access.ts'
import type { RequestAttributes } from './access.ts'
import { HttpError } from './container-logs.ts'
import { serveContainerLogs } from './log-endpoint.ts'
import { serveLogFiles } from './log-files.ts'
import { serveStream } from './stream-endpoint.ts'
import { serveLocalVolumes } from './local-volume-endpoint.ts'
import { runCommand } from './run-endpoint.ts'
import type { MetricFamily } from './stats/prometheus.ts'
import { prometheusText, resourceMetrics, volumeMetrics } from './stats/prometheus.ts'
import type { StatsSource } from './stats/summary.ts'
import type { LocalVolumes } from '../volumes/index.ts'

export interface KubeletServerOptions {
  runtime: RuntimeService
  records: Pick<RecordCache, 'get' | 'subscribe'>
  /** The node's pods, each with the status that this kubelet knows (which may be newer than the API server's). */
  pods: {
    list(): readonly DeepReadonly<core.Pod>[]
    get(namespace: string, name: string): DeepReadonly<core.Pod> | undefined
  }
  stats: StatsSource
  nodeName: string
  tls: { cert: string; key: string; /** Authority of the client certificates that are believed. */ clientCa?: string }
  /** Who a bearer token belongs to (TokenReview); tokens are refused when absent. */
  authenticateToken?: (token: string) => Promise<KubeletUser | undefined>
  /** Whether a user may do this (SubjectAccessReview); members of `system:masters` are never asked about. Nobody else may, when absent. */
  authorize?: (user: KubeletUser, attributes: RequestAttributes) => Promise<boolean>
  /** All addresses when absent. */
  address?: string
  /** Upstream's is 10250; 0 takes any free port. */
  port: number
  /** What `/logs/` shows; /var/log when absent. */
  logsDir?: string
  /** Shown at `/configz`. */
  config?: object
  /** Volumes on this node's disk, for those who provision them; none are served when absent. */
  localVolumes?: LocalVolumes
  /** Further families for `/metrics`. */
  metrics?: () => MetricFamily[]
  /** Rejects with the reason when the kubelet is not healthy. */
  healthy?: () => Promise<void> | void
  clock: Clock
  log: Logger
}

/** The kubelet's own API: what the API server, metrics collectors and probes ask a node. */
export interface KubeletServer extends AsyncDisposable {
  start(): Promise<void>
  /** Once started. */
  readonly port: number
}

export function kubeletServer(options: KubeletServerOptions): KubeletServer {
  const { tls, log } = options
  const server = https.createServer({
    cert: tls.cert,
    key: tls.key,
    ca: tls.clientCa,
    requestCert: tls.clientCa !== undefined,
    // who has no certificate may have a token
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    // a followed log may say nothing for days
    requestTimeout: 0,
  })
  server.on('request', (request, response) => void serve(request, response))
  server.on('upgrade', (request, socket, head) => void upgrade(request, socket, head))
  server.on('tlsClientError', (error) => log.debug('TLS handshake failed', { error }))

  const admit = async (request: IncomingMessage, url: URL) => {
    const user = await authenticate(request.socket as TLSSocket, request.headers.authorization, options.authenticateToken)
    if (!user) throw new HttpError(401, 'Unauthorized')
    const attributes = requestAttributes(request.method ?? 'GET', url.pathname, options.nodeName)
    if (!(await authorized(user, attributes, options.authorize))) {
      const { verb, subresource } = attributes
      throw new HttpError(403, `Forbidden (user=${user.username}, verb=${verb}, resource=nodes, subresource=${subresource})`)
    }
  }

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    try {
      const url = new URL(request.url ?? '/', 'https://kubelet')
      if (url.pathname === '/healthz/ping') return send(response, 'text/plain', 'ok')
      await admit(request, url)
      await route(options, request, response, url)
    } catch (error) {
      fail(response, error)
    }
  }
  const fail = (response: ServerResponse, error: unknown) => {
    if (!(error instanceof HttpError)) log.warn('request failed', { error })
    if (response.headersSent) return void response.destroy()
    response.writeHead(error instanceof HttpError ? error.status : 500, { 'content-type': 'text/plain; charset=utf-8' })
    response.end(`${describeError(error)}\n`)
  }

  // the HTTP server does not count these as its own
  const upgraded = new Set<Duplex>()
  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgraded.add(socket)
    socket.once('close', () => upgraded.delete(socket))
    socket.on('error', () => socket.destroy())
    ;(socket as TLSSocket).setTimeout(0)
    ;(socket as TLSSocket).setNoDelay(true)
    ;(socket as TLSSocket).setKeepAlive(true, 30_000)
    try {
      const url = new URL(request.url ?? '/', 'https://kubelet')
      await admit(request, url)
      await serveStream(options, request, socket, head, url)
    } catch (error) {
      if (socket.destroyed || socket.writableEnded) return
      const status = error instanceof HttpError ? error.status : 500
      const body = describeError(error)
      socket.end(
        `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      )
    }
  }

  return {
    start: () =>
      new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(options.port, options.address, () => {
          server.off('error', reject)
          resolve()
        })
      }),
    get port() {
      return (server.address() as AddressInfo).port
    },
    async [Symbol.asyncDispose]() {
      if (!server.listening) return
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      for (const socket of upgraded) socket.destroy()
      await closed
    },
  }
}

const reasonPhrase = (status: number) =>
  ({ 400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found' })[status] ?? 'Internal Server Error'

function send(response: ServerResponse, type: string, body: string): void {
  response.writeHead(200, { 'content-type': type })
  response.end(body)
}

async function route(options: KubeletServerOptions, request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const [, head = '', ...rest] = url.pathname.split('/').map(decodeURIComponent)
  const json = (value: unknown) => send(response, 'application/json', JSON.stringify(value))
  const read = request.method === 'GET' || request.method === 'HEAD'
  if (!read && head !== 'run' && head !== 'localVolumes') throw new HttpError(405, 'Method Not Allowed')
  switch (head) {
    case 'healthz':
      await options.healthy?.()
      return send(response, 'text/plain', 'ok')
    case 'pods':
      return json({ apiVersion: 'v1', kind: 'PodList', metadata: {}, items: options.pods.list() })
    case 'runningpods':
      return json({ apiVersion: 'v1', kind: 'PodList', metadata: {}, items: options.pods.list().filter((pod) => pod.status?.phase === 'Running') })
    case 'stats':
      if (rest[0] !== 'summary') break
      return json(await options.stats.summary({ network: url.searchParams.get('only_cpu_and_memory') !== 'true' }))
    case 'metrics':
      if (rest.length === 0) {
        const volumes = volumeMetrics(await options.stats.volumes())
        return send(response, metricsType, prometheusText([...ownMetrics(options), ...volumes, ...(options.metrics?.() ?? [])]))
      }
      if (rest[0] === 'resource') return send(response, metricsType, prometheusText(resourceMetrics(await options.stats.summary())))
      break
    case 'containerLogs':
      return serveContainerLogs(options, response, url.searchParams, rest)
    case 'logs':
      return serveLogFiles(response, options.logsDir ?? '/var/log', rest)
    case 'run':
      return runCommand(options, request, response, url.searchParams, rest)
    case 'localVolumes':
      if (!options.localVolumes) break
      return serveLocalVolumes(options.localVolumes, request, response, rest)
    case 'configz':
      return json({ kubeletconfig: options.config ?? {} })
    case 'exec':
    case 'attach':
    case 'portForward':
      throw new HttpError(400, 'unable to upgrade: missing upgrade headers in request')
  }
  throw new HttpError(404, '404 page not found')
}

const metricsType = 'text/plain; version=0.0.4; charset=utf-8'

function ownMetrics({ pods, nodeName, clock }: KubeletServerOptions): MetricFamily[] {
  const running = pods.list().filter((pod) => pod.status?.phase === 'Running')
  const containers = running.flatMap((pod) => pod.status?.containerStatuses ?? []).filter((status) => status.state?.running)
  const usage = process.resourceUsage()
  const single = (name: string, type: 'counter' | 'gauge', help: string, value: number, labels?: Record<string, string>): MetricFamily => ({
    name,
    type,
    help,
    samples: [{ value, labels }],
  })
  return [
    single('kubelet_node_name', 'gauge', "The node's name. The count is always 1.", 1, { node: nodeName }),
    single('kubelet_running_pods', 'gauge', 'Number of pods that have a running pod sandbox', running.length),
    single('kubelet_running_containers', 'gauge', 'Number of containers currently running', containers.length, { container_state: 'running' }),
    single(
      'process_cpu_seconds_total',
      'counter',
      'Total user and system CPU time spent in seconds.',
      (usage.userCPUTime + usage.systemCPUTime) / 1e6,
    ),
    single('process_resident_memory_bytes', 'gauge', 'Resident memory size in bytes.', process.memoryUsage.rss()),
    single(
      'process_start_time_seconds',
      'gauge',
      'Start time of the process since unix epoch in seconds.',
      Math.round(clock.now() / 1000 - process.uptime()),
    ),
  ]
}
