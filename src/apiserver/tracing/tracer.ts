import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import type { Clock, Logger, Random } from '#base'
import { describeError } from '#base'
import type { Request, Response } from '#client'
import type { UserInfo } from '../authn/authenticator.ts'
import { parseRequest } from '../parse-request.ts'
import type { StoreObserver } from '../observed-store.ts'
import type { SpanExporter } from './otlp.ts'
import type { Span } from './span.ts'
import { formatTraceParent, parseTraceParent } from './span.ts'

/** Traces requests (KEP-647): one span for each, with one for each call of the store below it. */
export interface Tracing extends AsyncDisposable {
  /**
   * Runs the work of a request, as part of the trace that its `traceparent` names where its user is trusted to say so: administrators and monitoring are, as upstream. Others get a
   * trace of their own that is linked to theirs. What it leads to is told of this span by the same header.
   */
  run(request: Request & { readonly uri?: string }, user: UserInfo, work: () => Promise<Response>): Promise<Response>
  store: StoreObserver
}

export interface TracerOptions {
  exporter: SpanExporter
  /** Of a million requests that are not part of somebody else's trace: there, it is followed whether that is sampled. */
  samplingRatePerMillion: number
  clock: Clock
  log: Logger
  random?: Random
  /** Milliseconds between exports; 5000 when absent. */
  interval?: number
}

/** Spans that wait for their export; more are dropped. */
const bufferLimit = 8192
const batchSize = 512

export function tracer({ exporter, samplingRatePerMillion, clock, log, random = Math.random, interval = 5000 }: TracerOptions): Tracing {
  const current = new AsyncLocalStorage<Span>()
  let finished: Span[] = []
  let cancel: (() => void) | undefined
  let failing = false

  // wall time alone has milliseconds
  const origin = BigInt(Math.round(clock.now() * 1e6)) - BigInt(Math.round(clock.monotonic() * 1e6))
  const now = () => origin + BigInt(Math.round(clock.monotonic() * 1e6))

  function end(span: Span): void {
    span.end = now()
    if (finished.length >= bufferLimit) return
    finished.push(span)
    if (finished.length >= batchSize) void flush()
    else cancel ??= clock.schedule(interval, () => void flush())
  }

  async function flush(): Promise<void> {
    cancel?.()
    cancel = undefined
    const spans = finished
    if (spans.length === 0) return
    finished = []
    try {
      await exporter.export(spans)
      failing = false
    } catch (error) {
      if (!failing) log.warn('traces cannot be sent', { error: describeError(error) })
      failing = true
    }
  }

  return {
    run(request, user, work) {
      const remote = parseTraceParent(request.headers['traceparent'])
      const parent = remote && user.groups.some((group) => trusted.has(group)) ? remote : undefined
      const sampled = parent ? parent.sampled : random() * 1_000_000 < samplingRatePerMillion
      if (!sampled) return work()
      const span: Span = {
        traceId: parent?.traceId ?? randomBytes(16).toString('hex'),
        spanId: randomBytes(8).toString('hex'),
        parentId: parent?.spanId ?? '',
        name: nameOf(request, user),
        kind: 'server',
        start: now(),
        end: 0n,
        attributes: {
          'http.request.method': request.method,
          'url.path': request.path,
          'http.target': request.uri ?? request.path,
          'user_agent.original': request.headers['user-agent'] ?? '',
        },
        ...(remote && !parent ? { link: { traceId: remote.traceId, spanId: remote.spanId } } : {}),
      }
      request.headers['traceparent'] = formatTraceParent(span)
      return current.run(span, async () => {
        try {
          const response = await work()
          span.attributes['http.response.status_code'] = response.status
          if (response.status >= 500) span.error = `status ${response.status}`
          return response
        } finally {
          const id = request.headers['audit-id']
          if (id) span.attributes['audit-id'] = id
          end(span)
        }
      })
    },
    store(operation, group, resource) {
      const parent = current.getStore()
      if (!parent) return nothing
      const attributes = { 'db.operation.name': operation, resource: group ? `${resource}.${group}` : resource }
      const { traceId, spanId: parentId } = parent
      const span: Span = {
        traceId,
        spanId: randomBytes(8).toString('hex'),
        parentId,
        name: `Store ${operation}`,
        kind: 'client',
        start: now(),
        end: 0n,
        attributes,
      }
      return (error) => {
        if (error !== undefined) span.error = describeError(error)
        end(span)
      }
    },
    async [Symbol.asyncDispose]() {
      await flush()
      await exporter[Symbol.asyncDispose]()
    },
  }
}

const nothing = () => {}

const trusted = new Set(['system:masters', 'system:monitoring'])

/** As upstream names spans: by method and what it is about, without names of objects. */
function nameOf({ method, path, query }: Request, user: UserInfo): string {
  let about
  try {
    about = parseRequest(method, path, query, user).resource
  } catch {
    return method
  }
  if (!about) return method
  const { group, version, namespace, resource, name, subresource } = about
  const parts = [group ? `apis/${group}` : 'api', version, ...(namespace ? ['namespaces/{:namespace}'] : []), resource, ...(name ? ['{:name}'] : [])]
  return `${method} /${[...parts, ...(subresource ? [subresource] : [])].join('/')}`
}
