import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Clock } from '#base'
import { metricFamily } from '#base'
import { errors, groups } from '#api'
import type { Request, Response } from '#client'
import { pageNotFound } from './api-handler.ts'
import type { FlowControl } from './flowcontrol/index.ts'
import { notAllowed } from './registry/verbs.ts'
import { health, text } from './http/health.ts'
import { isRoutable, notRoutable } from './http/negotiate.ts'
import { HealthMetrics } from './metrics/health-metrics.ts'
import { buildInfo } from './metrics/server-metrics.ts'
import type { DocumentHandler, ExtensionGroup, HealthCheck, ServerVersion } from './options.ts'
import type { RequestInfo } from './request-info.ts'

export interface NonResourceOptions {
  documents: readonly DocumentHandler[]
  clock: Clock
  extensions: readonly ExtensionGroup[]
  version: Partial<ServerVersion>
  liveness: readonly HealthCheck[]
  readiness: readonly HealthCheck[]
  /** What `/metrics` shows, in Prometheus' text form, each with a newline at its end. */
  metrics: readonly { toString(): string }[]
  /** Bytes that the store takes up. */
  storeSize?: () => Promise<number>
  paths: Record<string, (request: Request) => Promise<Response> | Response>
  /** What `/debug/api_priority_and_fairness/` shows. */
  flow?: FlowControl['dump']
}

/** What has no other format. */
const fixedJson = { status: 200, headers: { 'content-type': 'application/json' }, form: 'fixed' as const }

/** Answers what is not about a resource: health, version, metrics, discovery and OpenAPI documents. */
export function nonResourceHandler(options: NonResourceOptions): (request: Request, info: RequestInfo) => Promise<Response> | Response {
  const version = versionOf(options.version)
  const indicators = new HealthMetrics()
  const build = buildInfo(version)
  const scrape = metricsText([...options.metrics, { toString: () => build }], options.storeSize)
  return (request) => {
    const { path, method } = request
    const own = Object.hasOwn(options.paths, path) ? options.paths[path] : undefined
    if (own) return own(request)
    const slash = path.indexOf('/', 1)
    const first = slash < 0 ? path : path.slice(0, slash)
    switch (first) {
      case '/healthz':
      case '/livez':
        return checked(first, request, options.liveness)
      case '/readyz':
        return checked(first, request, options.readiness)
      case '/version':
        if (path !== '/version' && path !== '/version/') throw errors.pathNotFound()
        if (method !== 'GET') throw notAllowed()
        if (!isRoutable(request.headers.accept, ['application/json'])) throw notRoutable(['application/json'])
        return { ...fixedJson, headers: { ...fixedJson.headers }, body: { bytes: Buffer.from(JSON.stringify(version)) } }
      case '/metrics':
        if (path === '/metrics/slis') return exposed(indicators.toString())
        if (path === '/metrics' || path === '/metrics/') return scrape()
        break
      case '/debug':
        if (options.flow && path.startsWith(flowPath) && Object.hasOwn(options.flow, path.slice(flowPath.length)))
          return text(
            200,
            options.flow[path.slice(flowPath.length) as keyof FlowControl['dump']](Boolean(request.query.get('includeRequestDetails'))),
          )
    }
    const { accept, host, 'if-none-match': ifNoneMatch, 'accept-encoding': acceptEncoding } = request.headers
    const hash = request.query.get('hash')
    const asked = {
      ...(ifNoneMatch ? { ifNoneMatch } : {}),
      ...(host ? { serverAddress: host } : {}),
      ...(acceptEncoding ? { acceptEncoding } : {}),
      ...(hash ? { hash } : {}),
      now: options.clock.now(),
    }
    for (const documents of options.documents) {
      const found = documents(path, accept, options.extensions, asked)
      if (found && method !== 'GET') throw notAllowed()
      if (found) return { status: found.status, headers: { ...found.headers }, form: found.form ?? 'verbatim', body: { bytes: found.bytes } }
    }
    if (path.startsWith('/api/')) throw errors.pathNotFound()
    const group = /^\/apis\/([^/]+)(\/[^/]+)?\/?$/.exec(path)?.[1]
    if (group !== undefined) {
      if (groups().some(({ name }) => name === group) || options.extensions.some((e) => e.group === group)) throw errors.pathNotFound()
      return pageNotFound()
    }
    return index(path === '/' ? 200 : 404)
  }

  function checked(endpoint: string, request: Request, checks: readonly HealthCheck[]): Promise<Response> | Response {
    const single = request.path.slice(endpoint.length + 1)
    if (request.path.length > endpoint.length && !checks.some((check) => check.name === single)) return index(404)
    return health(endpoint.slice(1), single, request, checks, (name, type, healthy) => indicators.checked(name, type, healthy))
  }

  /** What there is, for whoever asks at the root or got lost. */
  function index(status: number): Response {
    const groupPaths = [
      ...new Set(
        groups()
          .filter((g) => g.name)
          .flatMap((g) => [`/apis/${g.name}`, ...g.versions.map((v) => `/apis/${g.name}/${v.version}`)]),
      ),
    ]
    const extensionPaths = options.extensions.flatMap((e) => [`/apis/${e.group}`, `/apis/${e.group}/${e.version}`])
    const checks = (at: string, list: readonly HealthCheck[]) => [at, ...list.map((check) => `${at}/${check.name}`)]
    const paths = [
      '/api',
      '/api/v1',
      '/apis',
      ...[...groupPaths, ...extensionPaths].sort(),
      ...checks('/healthz', options.liveness),
      ...checks('/livez', options.liveness),
      '/metrics',
      '/metrics/slis',
      '/openapi/v2',
      '/openapi/v3',
      ...checks('/readyz', options.readiness),
      '/version',
    ]
    return { status, headers: { ...fixedJson.headers }, form: 'fixed', body: { bytes: Buffer.from(JSON.stringify({ paths })) } }
  }
}

const flowPath = '/debug/api_priority_and_fairness/'

function metricsText(metrics: NonResourceOptions['metrics'], storeSize: NonResourceOptions['storeSize']): () => Promise<Response> {
  let ofProcess: import('prom-client').Registry | undefined
  return async () => {
    if (!ofProcess) {
      // loaded by the first scrape: most servers are never scraped, all of them start
      const { Registry, collectDefaultMetrics } = await import('prom-client')
      ofProcess = new Registry()
      collectDefaultMetrics({ register: ofProcess })
    }
    // what cannot be asked of the store now is left out
    const size = await storeSize?.().catch(() => undefined)
    const stored = size === undefined ? [] : ([['storage_cluster_id="storage-cluster-0"', size]] as const)
    return exposed(
      metrics.join('') + metricFamily('apiserver_storage_size_bytes', 'gauge', 'Bytes that the store takes up', stored) + (await ofProcess.metrics()),
    )
  }
}

function exposed(metrics: string): Response {
  const response = text(200, metrics)
  response.headers['content-type'] = 'text/plain; version=0.0.4; charset=utf-8'
  return response
}

/** Tells builds apart, in the form of a commit's id: an installed package has no history to name. */
function buildId(): string {
  return createHash('sha1')
    .update(readFileSync(new URL('../../package.json', import.meta.url)))
    .digest('hex')
}

/** The answer of `/version`; by default this project's own release of Kubernetes 1.36. */
function versionOf(given: Partial<ServerVersion>): Record<string, string> {
  return {
    major: given.major ?? '1',
    minor: given.minor ?? '36',
    gitVersion: given.gitVersion ?? 'v1.36.0-k8ts',
    gitCommit: buildId(),
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: `node${process.versions.node}`,
    compiler: 'v8',
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  }
}
