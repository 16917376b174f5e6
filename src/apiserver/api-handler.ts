import type { Clock, Logger, Random } from '#base'
import type { GroupResource } from '#api'
import { StatusError, errors, kinds } from '#api'
import type { Request, Response } from '#client'
import { describeError } from '#base'
import { recordAnswer } from './audit/finish.ts'
import type { AuditTrail, Auditor } from './audit/index.ts'
import type { UserInfo } from './authn/authenticator.ts'
import { type Impersonation, impersonatedAttributes, impersonatedUser, impersonation, impersonationText } from './authn/impersonation.ts'
import type { Authorizer } from './authz/authorizer.ts'
import type { FlowControl, Seat } from './flowcontrol/index.ts'
import { TooManyRequests, estimateWork } from './flowcontrol/index.ts'
import { sizeOf, untilEnd } from './http/answers.ts'
import { text } from './http/health.ts'
import { negotiate, notAcceptable } from './http/negotiate.ts'
import type { AccessMetrics } from './metrics/access-metrics.ts'
import type { RequestMetrics } from './metrics/request-metrics.ts'
import type { ApiServerOptions, ExtensionGroup, SubresourceContext, SubresourceHandler, VirtualHandler } from './options.ts'
import { isLongRunning, parseRequest } from './parse-request.ts'
import type { Call } from './registry/call.ts'
import { statusResponse, valueResponse } from './registry/call.ts'
import { decode, valueOf } from './registry/decode.ts'
import { upToDate } from './registry/read.ts'
import type { Registry, ServedResource } from './registry/registry.ts'
import { serve } from './registry/registry.ts'
import { builtinSubresource } from './registry/subresources/index.ts'
import { bind } from './registry/subresources/binding.ts'
import { handleVerb, notAllowed } from './registry/verbs.ts'
import type { RequestInfo } from './request-info.ts'
import { findServed } from './served.ts'
import { warningHeader } from './warnings.ts'

export interface ApiHandlerOptions {
  registry: Registry
  strategies: ApiServerOptions['strategies']
  conversions: NonNullable<ApiServerOptions['conversions']>
  authorizers: readonly Authorizer[]
  extensions: readonly ExtensionGroup[]
  subresources: Record<string, SubresourceHandler>
  virtual: Record<string, VirtualHandler>
  /** Everything that is not about a resource: health, version, metrics, discovery, OpenAPI. */
  nonResource(request: Request, info: RequestInfo): Promise<Response> | Response
  /** What a subresource's handler may ask of this server on behalf of a user. */
  context(served: ServedResource, request: Request, info: RequestInfo, trail?: AuditTrail): SubresourceContext
  clock: Clock
  log: Logger
  random: Random
  metrics: RequestMetrics
  access: AccessMetrics
  /** Who may begin when there is much to do; everybody when absent. Requests of this process are not asked: they are work that was begun already. */
  flow?: FlowControl
  audit?: Auditor
  /** The minor release that this server shows itself as. */
  release: number
}

export interface ApiHandler {
  /** Never throws or rejects: errors are answered as Status. What need not wait is answered at once. `start` is when it began, in monotonic milliseconds; now when absent. */
  handle(request: Request, user: UserInfo, inProcess: boolean, start?: number): Response | Promise<Response>
  /** Parses and authorizes an upgrade; throws StatusError. */
  admitUpgrade(
    request: Request,
    user: UserInfo,
  ): { info: RequestInfo; handler: SubresourceHandler; served: ServedResource; trail: AuditTrail | undefined }
}

/** A request on its way: what is to be given back and recorded at its end. Times are monotonic, in milliseconds. */
interface UnderWay {
  readonly request: Request
  readonly inProcess: boolean
  readonly trail: AuditTrail | undefined
  readonly start: number
  /** When it had waited for its turn. */
  began: number
  info: RequestInfo | undefined
  seat: Seat | undefined
  lasts: boolean
  inflight: 'readOnly' | 'mutating' | undefined
}

/** From an authenticated request to its response: impersonation, authorization, dispatch. */
export function createApiHandler(options: ApiHandlerOptions): ApiHandler {
  const { registry, clock, log, flow } = options
  const served = kinds
    .filter((kind) => kind.verbs.length > 0)
    .map((kind) => serve(kind, registry.cache, options.strategies, options.conversions, options.release))
  const find = findServed(served)
  let virtuals: Map<ServedResource, VirtualHandler> | undefined
  /** What authorization refused: browsers are told not to guess what that is. */
  const denials = new WeakSet<StatusError>()
  const servedGroups = new Set([...kinds.map((kind) => kind.group), ...options.extensions.map((e) => e.group)])
  const extensions = new Map(options.extensions.map((e) => [`${e.group}/${e.version}`, e]))

  /** Who asks for what. */
  function identify(request: Request, user: UserInfo, trail: AuditTrail | undefined): RequestInfo {
    const asked = impersonation(request)
    const effective = asked ? impersonate(asked, request, user) : user
    if (asked) trail?.impersonated(effective)
    try {
      return parseRequest(request.method, request.path, request.query, effective)
    } catch {
      throw errors.badRequest(`invalid URL escape in ${JSON.stringify(request.path)}`)
    }
  }

  function enter(flow: FlowControl, request: Request, info: RequestInfo, now: number): Seat | Promise<Seat> {
    const { resource } = info
    const stock = resource && info.verb !== 'get' ? find(resource)?.cache : undefined
    return flow.enter({ info, work: estimateWork(info, request.query, stock), now, request })
  }

  function authorize(info: RequestInfo, trail?: AuditTrail): void {
    let reason = ''
    for (const authorizer of options.authorizers) {
      const decision = authorizer.authorize(info)
      if (decision.decision === 'allow') {
        if (trail) annotate(trail, 'allow', decision.reason)
        return
      }
      if (decision.reason) reason = reason ? `${reason}, ${decision.reason}` : decision.reason
      if (decision.decision === 'deny') break
    }
    if (trail) annotate(trail, 'forbid', reason)
    const denial = forbidden(info, reason)
    denials.add(denial)
    throw denial
  }

  function impersonate(asked: Impersonation, { path }: Request, user: UserInfo): UserInfo {
    if (!asked.username) throw errors.badRequest(`requested ${impersonationText(asked)} without impersonating a user name`)
    for (const attribute of impersonatedAttributes(asked)) {
      authorize({ user, verb: 'impersonate', path, resource: { ...attribute, version: 'v1', rest: '' } })
    }
    return impersonatedUser(asked)
  }

  /** Throws where it need not wait, and answers at once: most reads do. */
  function dispatch(request: Request, info: RequestInfo, inProcess: boolean, trail: AuditTrail | undefined): Response | Promise<Response> {
    const { resource } = info
    if (!resource) return options.nonResource(request, info)
    const found = find(resource)
    if (!found) {
      const extension = extensions.get(`${resource.group}/${resource.version}`)
      if (extension) return extension.handle(request, info)
      // a group that is served answers for itself; what is below nothing is nowhere
      if (resource.group && !servedGroups.has(resource.group)) return pageNotFound()
      throw errors.pathNotFound()
    }
    const { kind } = found
    const { namespace, name } = resource
    const { verb } = info
    if (found.deprecation) options.metrics.deprecated(kind, resource.subresource)
    if (request.method === 'HEAD') throw notAllowed()
    if (!kind.namespaced && namespace && resource.resource !== 'namespaces') throw errors.pathNotFound()
    if (kind.namespaced && !namespace && name && verb !== 'list' && verb !== 'watch') throw errors.pathNotFound()
    if (resource.subresource) return subresource(request, info, found, inProcess, trail)
    // POST goes to a collection, PUT and PATCH to an object; across namespaces there is only reading
    const misplaced = name ? verb === 'create' : verb === 'update' || verb === 'patch'
    const across = kind.namespaced && !namespace && (verb === 'create' || verb === 'deletecollection')
    if (misplaced || across || !kind.verbs.includes(verb)) throw notAllowed()
    const call = callOf(request, info, found, inProcess, trail)
    return registry.sharedStore && isWrite(info) ? upToDate(registry).then(() => answer(call)) : answer(call)
  }

  function answer(call: Call): Response | Promise<Response> {
    const { kind } = call.served
    if (kind.resource === 'bindings') {
      const pods = find({ group: '', version: kind.version, resource: 'pods' })!
      return settle(call, () => bind(registry, { ...call, served: pods }))
    }
    const virtual = virtualOf(call.served)
    return settle(call, () => (virtual ? createVirtual(call, virtual) : handleVerb(registry, call, options.random)))
  }

  /** Who answers for what is not stored. All are there once the server has started. */
  function virtualOf(found: ServedResource): VirtualHandler | undefined {
    virtuals ??= new Map(
      served.flatMap((each) => {
        const { kind } = each
        const handler = options.virtual[`${kind.storage.group}/${kind.storage.resource}`] ?? options.virtual[`${kind.group}/${kind.resource}`]
        return handler ? [[each, handler]] : []
      }),
    )
    return virtuals.get(found)
  }

  function callOf(request: Request, info: RequestInfo, found: ServedResource, inProcess: boolean, trail: AuditTrail | undefined): Call {
    // rules about one namespace are asked for with its name as the namespace; where it is kept, it is in none
    const own = found.kind.namespaced || !info.resource?.namespace ? info : { ...info, resource: { ...info.resource, namespace: '' } }
    return {
      request,
      info: own,
      served: found,
      accepted: negotiate(request.headers.accept, 'objects', info.verb === 'list' || info.verb === 'watch'),
      inProcess,
      warnings: found.deprecation ? [found.deprecation] : [],
      now: clock.now(),
      ...(trail ? { audit: trail } : {}),
    }
  }

  async function createVirtual(call: Call, handler: VirtualHandler): Promise<Response> {
    // what is not stored has no rows and no metadata of its own to show
    if (call.accepted.as !== 'object') throw notAcceptable()
    const value = valueOf(call.request, call.served.kind.kind)
    const object = decode(call.served.kind, value, { fieldValidation: 'Warn', warnings: call.warnings })
    const { namespace } = call.info.resource!
    if (namespace) object.metadata.namespace ??= namespace
    return valueResponse(call, 201, await handler(object, call.info))
  }

  async function subresource(
    request: Request,
    info: RequestInfo,
    found: ServedResource,
    inProcess: boolean,
    trail: AuditTrail | undefined,
  ): Promise<Response> {
    const { resource } = info
    const known = found.kind.subresources.find((s) => s.name === resource!.subresource)
    if (!known || (resource!.rest && resource!.subresource !== 'proxy')) throw errors.pathNotFound()
    if (!known.verbs.includes(info.verb)) throw notAllowed()
    const outside = options.subresources[`${resource!.resource}/${resource!.subresource}`]
    if (registry.sharedStore && isWrite(info)) await upToDate(registry)
    if (outside?.handle) return outside.handle(request, info, options.context(found, request, info, trail))
    const call = callOf(request, info, found, inProcess, trail)
    const builtin = builtinSubresource(known)
    if (!builtin) throw errors.pathNotFound()
    return settle(call, () => builtin(registry, call, options.random))
  }

  /** Does what a call asks for; what there is to warn of is said with a refusal too. */
  function settle(call: Call, answer: () => Response | Promise<Response>): Response | Promise<Response> {
    const refused = (error: unknown): Response => {
      if (call.warnings.length === 0 || !(error instanceof StatusError)) throw error
      return finish(call, statusResponse(call, error.status))
    }
    try {
      const answered = answer()
      return answered instanceof Promise ? answered.then((response) => finish(call, response), refused) : finish(call, answered)
    } catch (error) {
      return refused(error)
    }
  }

  function finish(call: Call, response: Response): Response {
    const warning = call.warnings.length > 0 ? warningHeader(call.warnings) : undefined
    if (warning) response.headers.warning = warning
    return response
  }

  function failed(request: Request, error: unknown, inProcess: boolean): Response {
    if (error instanceof StatusError) {
      const response = statusResponse({ inProcess }, error.status)
      if (denials.has(error)) response.headers['x-content-type-options'] = 'nosniff'
      return response
    }
    if (error instanceof TooManyRequests) return tooMany(error)
    if (request.signal?.aborted) return statusResponse({ inProcess }, errors.timeout('request did not complete within the allotted timeout').status)
    log.error('a request failed', {
      method: request.method,
      path: request.path,
      error: error instanceof Error ? (error.stack ?? describeError(error)) : error,
    })
    return statusResponse({ inProcess }, errors.internal('an error on the server has prevented the request from succeeding').status)
  }

  /** Whoever has a seat is authorized, and gets what was asked for. */
  function proceed(under: UnderWay, info: RequestInfo): Response | Promise<Response> {
    const { request, inProcess, trail } = under
    let answered: Response | Promise<Response>
    try {
      authorize(info, trail)
      options.access.authorized('allowed', (clock.monotonic() - under.began) / 1000)
      answered = dispatch(request, info, inProcess, trail)
    } catch (error) {
      return refuse(under, error)
    }
    if (!(answered instanceof Promise)) return finished(under, answered)
    return answered.then(
      (response) => finished(under, response),
      (error: unknown) => refuse(under, error),
    )
  }

  function refuse(under: UnderWay, error: unknown): Response {
    const { request, info, began } = under
    const response = failed(request, error, under.inProcess)
    if (error instanceof StatusError && denials.has(error)) options.access.authorized('no-opinion', (clock.monotonic() - began) / 1000)
    if (info && error instanceof TooManyRequests) options.metrics.terminated(info, request, 429)
    return finished(under, response, response.status === 500 && !(error instanceof StatusError) ? error : undefined)
  }

  /** Gives back what the request held, and records it. */
  function finished({ request, info, trail, seat, start, began, lasts, inflight }: UnderWay, response: Response, panic?: unknown): Response {
    const end = clock.monotonic()
    if (inflight) options.metrics.end(inflight)
    if (seat) {
      flow!.leave(seat, began, end)
      response.headers['x-kubernetes-pf-flowschema-uid'] = seat.schemaUid
      response.headers['x-kubernetes-pf-prioritylevel-uid'] = seat.levelUid
    }
    if (panic) trail?.panicked(response, describeError(panic))
    else if (trail) recordAnswer(trail, response, lasts)
    if (!info) return response
    if (lasts) untilEnd(response, options.metrics.lasting(info, request))
    const seconds = lasts ? undefined : (end - start) / 1000
    options.metrics.count({ request, info, code: response.status, seconds, waited: (began - start) / 1000, size: sizeOf(response) })
    return response
  }

  return {
    handle(request, user, inProcess, start = clock.monotonic()) {
      const trail = options.audit?.begin(request, aboutOf(request, user))
      const under: UnderWay = { request, inProcess, trail, start, began: start, info: undefined, seat: undefined, lasts: false, inflight: undefined }
      let info: RequestInfo
      let seat: Seat | Promise<Seat> | undefined
      try {
        info = under.info = identify(request, user, trail)
        const lasts = (under.lasts = isLongRunning(info))
        if (!lasts) {
          under.inflight = info.verb === 'get' || info.verb === 'list' ? 'readOnly' : 'mutating'
          options.metrics.begin(under.inflight, start)
        }
        if (flow && !inProcess && (!lasts || info.verb === 'watch')) seat = enter(flow, request, info, start)
      } catch (error) {
        return refuse(under, error)
      }
      if (!(seat instanceof Promise)) {
        under.seat = seat
        return proceed(under, info)
      }
      return seat.then(
        (taken) => {
          under.seat = taken
          under.began = clock.monotonic()
          return proceed(under, info)
        },
        (error: unknown) => refuse(under, error),
      )
    },
    admitUpgrade(request, user) {
      const trail = options.audit?.begin(request, aboutOf(request, user))
      try {
        const info = identify(request, user, trail)
        authorize(info, trail)
        const { resource } = info
        const found = resource && find(resource)
        const handler = resource && options.subresources[`${resource.resource}/${resource.subresource}`]
        if (!found || !handler?.upgrade) throw errors.badRequest('this path cannot be upgraded')
        return { info, handler, served: found, trail }
      } catch (error) {
        if (trail) recordAnswer(trail, failed(request, error, false), true)
        throw error
      }
    },
  }
}

/** What a request is about by itself, whoever it is made for. */
export function aboutOf(request: Request, user: UserInfo): RequestInfo | undefined {
  try {
    return parseRequest(request.method, request.path, request.query, user)
  } catch {
    return undefined
  }
}

function annotate(trail: AuditTrail, decision: 'allow' | 'forbid', reason: string): void {
  trail.annotate('authorization.k8s.io/decision', decision)
  trail.annotate('authorization.k8s.io/reason', reason)
}

/** As upstream words it, to clients that know what to do by the code. */
function tooMany({ message, seat, retryAfter }: TooManyRequests): Response {
  const response = text(429, `${message}\n`)
  response.headers['retry-after'] = String(retryAfter)
  response.headers['x-kubernetes-pf-flowschema-uid'] = seat.schemaUid
  response.headers['x-kubernetes-pf-prioritylevel-uid'] = seat.levelUid
  return response
}

/** On a store that others write to as well, a write to an object is decided by what is there now. */
const isWrite = ({ verb, resource }: RequestInfo) => resource!.name !== '' && verb !== 'get' && verb !== 'list' && verb !== 'watch'

/** What is answered where nothing is served. */
export function pageNotFound(): Response {
  return {
    status: 404,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
    body: { bytes: Buffer.from('404 page not found\n') },
  }
}

/** The 403 of the authorization filter, which names who asked for what. */
function forbidden(info: RequestInfo, reason: string): StatusError {
  const user = JSON.stringify(info.user.username)
  const because = reason ? `: ${reason}` : ''
  const { resource } = info
  if (!resource)
    return errors.forbidden({ group: '', resource: '' }, '', `User ${user} cannot ${info.verb} path ${JSON.stringify(info.path)}${because}`)
  const gr: GroupResource = { group: resource.group, resource: resource.resource }
  const what = resource.subresource ? `${resource.resource}/${resource.subresource}` : resource.resource
  const where = resource.namespace ? ` in the namespace ${JSON.stringify(resource.namespace)}` : ' at the cluster scope'
  return errors.forbidden(
    gr,
    resource.name,
    `User ${user} cannot ${info.verb} resource ${JSON.stringify(what)} in API group ${JSON.stringify(resource.group)}${where}${because}`,
  )
}
