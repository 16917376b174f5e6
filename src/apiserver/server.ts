import { randomUUID } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { Clock } from '#base'
import { Teardown, metricFamily, realClock } from '#base'
import type { KubeObject } from '#api'
import { StatusError, errors } from '#api'
import type { Request, Response, Transport } from '#client'
import { interestedIn } from './admission/interested.ts'
import { runAdmission } from './admission/run.ts'
import type { ApiHandler } from './api-handler.ts'
import { aboutOf, createApiHandler } from './api-handler.ts'
import type { AuditTrail } from './audit/index.ts'
import type { Authenticated, Credentials, UserInfo } from './authn/authenticator.ts'
import { anonymousUser } from './authn/request-authenticator.ts'
import { discoveryHandler } from './discovery/index.ts'
import type { FlowControl } from './flowcontrol/index.ts'
import { deadlines } from './http/deadlines.ts'
import type { WireRequest } from './http/exchange.ts'
import type { Listener } from './http/listener.ts'
import { failure, listen } from './http/listener.ts'
import { inProcessTransport } from './in-process.ts'
import { AccessMetrics } from './metrics/access-metrics.ts'
import { AdmissionMetrics } from './metrics/admission-metrics.ts'
import { RequestMetrics } from './metrics/request-metrics.ts'
import { ClientMetrics, StoreMetrics, cacheMetrics } from './metrics/server-metrics.ts'
import { nonResourceHandler } from './non-resource.ts'
import type { ApiServer, ApiServerOptions, HealthCheck, SubresourceContext } from './options.ts'
import { decode, valueOf } from './registry/decode.ts'
import { observedStore } from './observed-store.ts'
import { expireEvents } from './registry/event-expiry.ts'
import type { Registry, ServedResource } from './registry/registry.ts'
import { timestamp } from './registry/registry.ts'
import { WatchCache } from './registry/watch-cache.ts'
import type { RequestInfo } from './request-info.ts'

/** The API server as a value: nothing happens before `start`. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const clock: Clock = options.clock ?? realClock
  const log = options.log.named('apiserver')
  const metrics = new RequestMetrics()
  const access = new AccessMetrics()
  const admissionMetrics = new AdmissionMetrics()
  let handshakeErrors = 0
  const storeMetrics = new StoreMetrics(clock)
  const clientMetrics = new ClientMetrics()
  const { tracing } = options
  const store = observedStore(options.store, (operation, group, resource) => {
    const counted = storeMetrics.begin(operation, group, resource)
    if (!tracing) return counted
    const traced = tracing.store(operation, group, resource)
    return (error) => {
      counted(error)
      traced(error)
    }
  })
  const cache = new WatchCache({ store, clock, log, freeze: options.freeze ?? false })
  const reader = cache.reader()
  const { admission } = options
  const registry: Registry = {
    store,
    cache,
    clock,
    log,
    admission,
    interestedIn: interestedIn(admission),
    admissionMetrics,
    sharedStore: options.store.shared ?? false,
  }
  const teardown = new Teardown()
  const limits = deadlines({
    clock,
    ...(options.requestLimit === undefined ? {} : { limit: options.requestLimit }),
    expired(request) {
      const info = aboutOf(request, nobody)
      if (info) metrics.terminated(info, request, 504)
    },
  })
  let listener: Listener | undefined
  let started = false
  let stopping: Promise<void> | undefined

  const ping: HealthCheck = { name: 'ping', check() {} }
  const storeCheck: HealthCheck = { name: 'etcd', check: async () => void (await store.currentRevision()) }
  const storeReady: HealthCheck = { ...storeCheck, name: 'etcd-readiness' }
  const logging: HealthCheck = { name: 'log', check() {} }
  const shutdown: HealthCheck = {
    name: 'shutdown',
    check() {
      if (stopping) throw new Error('process is shutting down')
    },
  }
  const further = options.readiness ?? []
  // what is done at the start is shown everywhere, as upstream does
  const hooks = further.filter((check) => check.name.startsWith('poststarthook/'))
  const informers: HealthCheck = {
    name: 'informer-sync',
    check() {
      if (!started) throw new Error('not started')
    },
  }

  const extensions = options.extensions ?? []
  const handler: ApiHandler = createApiHandler({
    registry,
    strategies: options.strategies,
    conversions: options.conversions ?? {},
    authorizers: options.authorizers,
    extensions,
    subresources: options.subresources ?? {},
    virtual: options.virtual ?? {},
    nonResource: nonResourceHandler({
      documents: [discoveryHandler, ...(options.documents ?? [])],
      clock,
      extensions,
      version: options.version ?? {},
      liveness: [ping, logging, storeCheck, ...hooks],
      readiness: [ping, logging, storeCheck, storeReady, informers, ...further, shutdown],
      metrics: [
        metrics,
        access,
        admissionMetrics,
        storeMetrics,
        clientMetrics,
        { toString: () => cacheMetrics(cache.resources()) },
        { toString: () => metricFamily('apiserver_tls_handshake_errors_total', 'counter', 'TLS handshakes that failed', [['', handshakeErrors]]) },
        ...(options.flow ? [options.flow.metrics, { toString: () => inqueue(options.flow!) }] : []),
        ...(options.audit ? [options.audit] : []),
        ...(options.metrics ?? []),
      ],
      paths: options.paths ?? {},
      ...(options.store.size ? { storeSize: () => options.store.size!() } : {}),
      ...(options.flow ? { flow: options.flow.dump } : {}),
    }),
    context,
    clock,
    log,
    random: Math.random,
    metrics,
    access,
    ...(options.flow ? { flow: options.flow } : {}),
    ...(options.audit ? { audit: options.audit } : {}),
    release: Number.parseInt(options.version?.minor ?? '36'),
  })

  function context(served: ServedResource, request: Request, info: RequestInfo, trail?: AuditTrail): SubresourceContext {
    return {
      parent() {
        const { namespace, name } = info.resource!
        const entry = served.cache.get(namespace, name)
        if (!entry) throw errors.notFound(served.gr, name)
        return entry.object
      },
      reader,
      admitConnect: ({ kind, ...fields }) =>
        runAdmission(registry.admission, {
          operation: 'CONNECT',
          context: { request: info, now: timestamp(clock.now()), dryRun: false, ...(trail ? { annotate: trail.annotate } : {}) },
          kind: { group: '', version: 'v1', kind },
          object: { kind, apiVersion: 'v1', ...fields } as unknown as KubeObject,
        }),
      decode: (kind) => decode(kind, valueOf(request, kind.kind), { fieldValidation: 'Ignore', warnings: [] }),
      transport: transport(info.user),
    }
  }

  /** At once, where nobody has to be asked elsewhere. Throws, or rejects with, Unauthorized. */
  function authenticate(credentials: Credentials, from = 0): UserInfo | Promise<UserInfo> {
    for (let i = from; i < options.authenticators.length; i++) {
      const answer = options.authenticators[i]!.authenticate(credentials)
      if (answer instanceof Promise) return answer.then((user) => accepted(user) ?? authenticate(credentials, i + 1))
      const user = accepted(answer)
      if (user) return user
    }
    throw errors.unauthorized()
  }

  function handle(request: WireRequest, credentials: Credentials): Response | Promise<Response> {
    const began = clock.monotonic()
    let user: UserInfo | Promise<UserInfo>
    try {
      user = authenticate(credentials)
    } catch (error) {
      return unauthenticated(request, error, began)
    }
    if (!(user instanceof Promise)) return handleAs(user, request, began)
    return user.then(
      (known) => handleAs(known, request, began),
      (error: unknown) => unauthenticated(request, error, began),
    )
  }

  function unauthenticated(request: WireRequest, error: unknown, began: number): Response {
    access.authenticated(error instanceof StatusError ? 'failure' : 'error', (clock.monotonic() - began) / 1000)
    if (error instanceof StatusError) {
      const response = failure(error)
      options.audit?.unauthenticated(request, aboutOf(request, nobody), response)
      return lastOf(request, response)
    }
    log.error('authentication failed', { error })
    return failure(errors.internal('authentication failed'))
  }

  function handleAs(user: UserInfo, request: WireRequest, began: number): Response | Promise<Response> {
    const start = clock.monotonic()
    access.authenticated('success', (start - began) / 1000, user.username)
    const work = () => limits.within(request, handler.handle(request, user, false, start))
    const answered = tracing ? tracing.run(request, user, async () => work()) : work()
    if (user !== anonymousUser) return answered
    return answered instanceof Promise ? answered.then((response) => lastOf(request, response)) : lastOf(request, answered)
  }

  async function upgradeAs(user: UserInfo, request: Request, socket: Duplex, head: Uint8Array): Promise<void> {
    const { info, handler: subresource, served, trail } = handler.admitUpgrade(request, user)
    metrics.count({ request, info, code: 101, seconds: undefined, waited: 0, size: undefined })
    socket.once('close', metrics.lasting(info, request))
    if (trail) {
      trail.responded(switching, true)
      socket.once('close', () => trail.complete())
    }
    await subresource.upgrade!(request, info, socket, head, context(served, request, info, trail))
  }

  function transport(user: UserInfo): Transport {
    return inProcessTransport({
      async send(request) {
        const began = clock.monotonic()
        const response = await handler.handle(request, user, true, began)
        clientMetrics.count(request.method, response.status, (clock.monotonic() - began) / 1000)
        return response
      },
      upgrade: (request, socket) => upgradeAs(user, request, socket, new Uint8Array()),
    })
  }

  /** Says at once that it is not ready, goes on serving for the delay, then ends watches, finishes requests, and closes. */
  async function stop(): Promise<void> {
    if (listener && options.shutdownDelay) {
      log.info('shutting down after a delay', { milliseconds: options.shutdownDelay })
      // `stopping` is set by then: whoever asks learns of it
      await clock.sleep(options.shutdownDelay)
    }
    started = false
    await teardown[Symbol.asyncDispose]()
  }

  return {
    reader,
    transport,
    get url() {
      if (!listener) throw new Error('the API server is not started')
      return listener.url
    },
    async start() {
      if (options.audit) teardown.use(options.audit)
      if (tracing) teardown.use(tracing)
      teardown.use(limits)
      await cache.start()
      teardown.use(cache)
      teardown.defer(expireEvents(registry))
      listener = teardown.use(
        await listen({
          addresses: options.addresses ?? ['127.0.0.1'],
          port: options.port,
          tls: options.tls,
          log,
          clock,
          handle,
          aborted(request) {
            const info = aboutOf(request, nobody)
            if (info) metrics.aborted(info, request)
          },
          handshakeFailed: () => void handshakeErrors++,
          certificateSeen: (validUntil) => access.certificateSeen((validUntil - clock.now()) / 1000),
          upgrade: async (request, credentials, socket, head) => upgradeAs(await authenticate(credentials), request, socket, head),
        }),
      )
      // watches end first: the listener then waits for what ends by itself
      teardown.defer(() => cache.endWatches())
      started = true
      log.info('serving', { url: listener.url, instance: randomUUID() })
    },
    [Symbol.asyncDispose]() {
      return (stopping ??= stop())
    },
  }
}

/** Who was told apart, if anybody. Throws Unauthorized for credentials that are wrong. */
function accepted(answer: Authenticated): UserInfo | undefined {
  if (answer === 'invalid') throw errors.unauthorized()
  return answer
}

/** Who has not said who he is gets one request for a connection of HTTP/2, so that he pays for a flood, too (upstream's UnauthenticatedHTTP2DOSMitigation). */
function lastOf({ multiplexed }: WireRequest, response: Response): Response {
  if (multiplexed) response.headers.connection = 'close'
  return response
}

function inqueue({ metrics: { inqueue } }: FlowControl): string {
  return metricFamily('apiserver_current_inqueue_requests', 'gauge', 'Requests that wait for their turn', [
    ['request_kind="mutating"', inqueue.mutating],
    ['request_kind="readOnly"', inqueue.readOnly],
  ])
}

const nobody: UserInfo = { username: '', groups: [] }
const switching: Response = { status: 101, headers: {}, body: { bytes: Buffer.alloc(0) } }
