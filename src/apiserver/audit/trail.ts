import { randomUUID } from 'node:crypto'
import type { Clock } from '#base'
import { metricFamily } from '#base'
import type { Status } from '#api'
import { formatMicroTime, parseCbor, parseProtobuf } from '#api'
import type { Request, Response } from '#client'
import type { UserInfo } from '../authn/authenticator.ts'
import { readBody } from '../body.ts'
import type { RequestInfo } from '../request-info.ts'
import type { AuditPolicy, Level, Stage } from './policy.ts'

/** Takes the lines of events, each one JSON object without a newline; never waits, and keeps what it needs. */
export interface AuditBackend extends AsyncDisposable {
  name: string
  /** Events that could not be kept, ever. */
  readonly lost: number
  write(event: string): void
}

/** An event of audit.k8s.io/v1, field by field in upstream's order. */
interface AuditEvent {
  kind: 'Event'
  apiVersion: 'audit.k8s.io/v1'
  level: Level
  auditID: string
  stage: Stage
  requestURI: string
  verb: string
  user: AuditUser
  impersonatedUser?: AuditUser
  sourceIPs?: string[]
  userAgent?: string
  objectRef?: Record<string, string>
  responseStatus?: object
  requestObject?: unknown
  responseObject?: unknown
  requestReceivedTimestamp: string
  stageTimestamp: string
  annotations?: Record<string, string>
}

interface AuditUser {
  username?: string
  uid?: string
  groups?: string[]
  extra?: Record<string, string[]>
}

/** A request off the wire tells more than one in this process. */
export interface AuditedRequest extends Request {
  uri?: string
  remoteAddress?: string
}

/** What is recorded about one request while it goes on. */
export interface AuditTrail {
  impersonated(user: UserInfo): void
  annotate(key: string, value: string): void
  /** The object of the request as it was understood, before anything changes it. */
  requestObject(object: object): void
  /** The answer is there; `lasts` when it goes on from here (watches, logs): then `complete` is its end. */
  responded(response: Response, lasts: boolean): void
  complete(): void
  panicked(response: Response, message: string): void
}

export interface Auditor extends AsyncDisposable {
  /** Undefined when nothing is to be recorded. Gives the request its Audit-ID. */
  begin(request: AuditedRequest, info: RequestInfo | undefined): AuditTrail | undefined
  /** Records a request whose authentication failed: its answer alone. */
  unauthenticated(request: AuditedRequest, info: RequestInfo | undefined, response: Response): void
  /** The Prometheus text form. */
  toString(): string
}

export interface AuditorOptions {
  policy: AuditPolicy
  backends: readonly AuditBackend[]
  clock: Clock
}

const rank: Record<Level, number> = { None: 0, Metadata: 1, Request: 2, RequestResponse: 3 }
const nobody: UserInfo = { username: '', groups: [] }

export function auditor({ policy, backends, clock }: AuditorOptions): Auditor {
  let events = 0
  const byLevel = new Map<Level, number>()

  function open(request: AuditedRequest, info: RequestInfo | undefined) {
    const about = info ?? { user: nobody, verb: request.method.toLowerCase(), path: request.path }
    const verdict = policy.of(about)
    byLevel.set(verdict.level, (byLevel.get(verdict.level) ?? 0) + 1)
    if (verdict.level === 'None') return undefined
    const { level, omitted } = verdict
    const received = formatMicroTime(clock.now())
    const auditID = (request.headers['audit-id'] ||= randomUUID())
    const agent = request.headers['user-agent']
    const event: AuditEvent = {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level,
      auditID,
      stage: 'RequestReceived',
      requestURI: request.uri ?? uriOf(request),
      verb: about.verb,
      user: userOf(about.user),
      impersonatedUser: undefined as never,
      sourceIPs: sourcesOf(request),
      ...(agent ? { userAgent: agent } : {}),
      ...(about.resource ? { objectRef: referenceOf(about.resource) } : {}),
      responseStatus: undefined as never,
      requestObject: undefined,
      responseObject: undefined,
      requestReceivedTimestamp: received,
      stageTimestamp: received,
      annotations: undefined as never,
    }
    const wants = (least: Level) => rank[level] >= rank[least]
    const shown = (value: unknown) => (verdict.omitManagedFields ? withoutManagedFields(value) : value)
    let understood = false

    function record(stage: Stage): void {
      if (omitted.has(stage)) return
      event.stage = stage
      if (stage !== 'RequestReceived') event.stageTimestamp = formatMicroTime(clock.now())
      events++
      const line = JSON.stringify(event)
      for (const backend of backends) backend.write(line)
    }

    function take(response: Response): void {
      // what was not understood as an object is shown as it came: patches, options
      if (wants('Request') && !understood && request.method !== 'GET' && event.requestObject === undefined)
        event.requestObject = shown(rawBody(request))
      const object = wants('RequestResponse') || response.status >= 400 ? bodyOf(response) : undefined
      event.responseStatus = statusOf(response.status, object)
      if (wants('RequestResponse') && object !== undefined) event.responseObject = shown(object)
    }

    return {
      record,
      impersonated: (user: UserInfo) => void (event.impersonatedUser = userOf(user)),
      annotate: (key: string, value: string) => void ((event.annotations ??= {})[key] = value),
      requestObject(object: object) {
        const { metadata } = object as { metadata?: { name?: string; namespace?: string; uid?: string; resourceVersion?: string } }
        const reference = event.objectRef
        if (metadata && reference && about.resource)
          event.objectRef = referenceOf({
            ...about.resource,
            name: about.resource.name || metadata.name || '',
            namespace: about.resource.namespace || metadata.namespace || '',
            ...(metadata.uid ? { uid: metadata.uid } : {}),
            ...(metadata.resourceVersion ? { resourceVersion: metadata.resourceVersion } : {}),
          })
        if (!wants('Request')) return
        understood = true
        // it is changed on its way: what is kept is a copy
        event.requestObject = shown(structuredClone(object))
      },
      responded(response: Response, lasts: boolean) {
        take(response)
        record(lasts ? 'ResponseStarted' : 'ResponseComplete')
      },
      complete: () => record('ResponseComplete'),
      panicked(response: Response, message: string) {
        take(response)
        event.responseStatus = {
          metadata: {},
          status: 'Failure',
          message: `APIServer panic'd: ${message}`,
          reason: 'InternalError',
          code: response.status,
        }
        record('Panic')
      },
      unauthenticated(response: Response) {
        take(response)
        const message = request.headers['authorization']
          ? 'Authentication failed, attempted: bearer'
          : 'Authentication failed, no credentials provided'
        event.responseStatus = { metadata: {}, status: 'Failure', message, reason: 'Unauthorized', code: response.status }
        record('ResponseStarted')
      },
    }
  }

  return {
    begin(request, info) {
      const trail = open(request, info)
      trail?.record('RequestReceived')
      return trail
    },
    unauthenticated: (request, info, response) => open(request, info)?.unauthenticated(response),
    toString: () =>
      [
        metricFamily('apiserver_audit_event_total', 'counter', 'Audit events', [['', events]]),
        metricFamily(
          'apiserver_audit_level_total',
          'counter',
          'Requests by the level of their audit',
          [...byLevel].map(([level, count]) => [`level="${level}"`, count] as const),
        ),
        metricFamily(
          'apiserver_audit_error_total',
          'counter',
          'Audit events that were lost, by backend',
          backends.filter(({ lost }) => lost > 0).map(({ name, lost }) => [`plugin="${name}"`, lost] as const),
        ),
      ].join(''),
    async [Symbol.asyncDispose]() {
      await Promise.all(backends.map((backend) => backend[Symbol.asyncDispose]()))
    },
  }
}

function uriOf({ path, query }: Request): string {
  return query.size > 0 ? `${path}?${query.toString()}` : path
}

function userOf({ username, uid, groups, extra }: UserInfo): AuditUser {
  return {
    ...(username ? { username } : {}),
    ...(uid ? { uid } : {}),
    ...(groups.length > 0 ? { groups: [...groups] } : {}),
    ...(extra ? { extra: extra as Record<string, string[]> } : {}),
  }
}

function referenceOf(about: NonNullable<RequestInfo['resource']> & { uid?: string; resourceVersion?: string }): Record<string, string> {
  const { resource, namespace, name, uid, group, version, resourceVersion, subresource } = about
  const fields = { resource, namespace, name, uid, apiGroup: group, apiVersion: version, resourceVersion, subresource }
  return Object.fromEntries(Object.entries(fields).filter((field): field is [string, string] => Boolean(field[1])))
}

/** Where the request came from, the farthest first, as proxies on the way say and the connection itself. */
function sourcesOf({ headers, remoteAddress }: AuditedRequest): string[] {
  const sources = (headers['x-forwarded-for'] ?? '').split(',').map((each) => each.trim())
  const real = headers['x-real-ip']?.trim()
  if (real && sources[0] !== real) sources.push(real)
  const own = remoteAddress?.replace(/^::ffff:/, '') ?? '127.0.0.1'
  if (sources.at(-1) !== own) sources.push(own)
  return sources.filter(Boolean)
}

function rawBody(request: Request): unknown {
  try {
    return readBody(request)
  } catch {
    // what cannot be read is answered so; there is no object to show
    return undefined
  }
}

function bodyOf({ headers, body }: Response): unknown {
  if ('value' in body) return body.value
  if (!('bytes' in body)) return undefined
  const bytes = Array.isArray(body.bytes) ? Buffer.concat(body.bytes) : body.bytes
  const type = headers['content-type'] ?? ''
  try {
    if (type.startsWith('application/json')) return JSON.parse(Buffer.from(bytes).toString()) as unknown
    if (type.startsWith('application/vnd.kubernetes.protobuf')) return parseProtobuf(bytes)
    // it is this server's own: however long the list is
    if (type === 'application/cbor') return parseCbor(bytes, { values: Infinity })
  } catch {
    return undefined
  }
  return undefined
}

function statusOf(code: number, object: unknown): object {
  const { kind, status, message, reason, details } = (object ?? {}) as Partial<Status>
  if (kind !== 'Status' || typeof status !== 'string') return { metadata: {}, code }
  return {
    metadata: {},
    status,
    ...(message ? { message } : {}),
    ...(reason ? { reason } : {}),
    ...(details && Object.keys(details).length > 0 ? { details } : {}),
    code,
  }
}

function withoutManagedFields(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { metadata, items } = value as { metadata?: { managedFields?: unknown }; items?: unknown[] }
  const stripped = { ...value } as Record<string, unknown>
  if (metadata?.managedFields !== undefined) {
    const { managedFields: _, ...rest } = metadata
    stripped['metadata'] = rest
  }
  if (Array.isArray(items)) stripped['items'] = items.map(withoutManagedFields)
  return stripped
}
