import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import type { DeepReadonly, authentication, authorization, ci } from '#api'
import type { Client } from '#client'
import { ciGroup } from '../names.ts'
import { answer, sendFile } from './agent-routes.ts'
import { readJobLog } from './job-log.ts'
import { type Logs, offsetOf } from './logs.ts'
import type { Reports } from './reports.ts'
import { type Exchange, type Route, RouteError } from './routes.ts'
import { below, filesBelow, type Storage } from './storage.ts'

export interface ReaderRouteOptions {
  /** May ask the API server who a token is and what a user may do. */
  client: Client
  job(namespace: string, name: string): DeepReadonly<ci.Job> | undefined
  storage: Storage
  logs: Logs
  reports: Reports
}

export interface Reader {
  username: string
  groups: string[]
}

/** Who asks: the subject of a client certificate of the cluster's authority, or the user of a bearer token that the API server knows. */
export async function authenticateReader(request: Pick<IncomingMessage, 'socket' | 'headers'>, client: Client): Promise<Reader | undefined> {
  const socket = request.socket as TLSSocket
  if (socket.authorized) {
    const { subject } = socket.getPeerCertificate()
    const [username] = [subject?.CN ?? []].flat()
    if (username) return { username, groups: [...[subject.O ?? []].flat(), 'system:authenticated'] }
  }
  const token = /^bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (!token) return undefined
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', metadata: {}, spec: { token } }
  const { status } = await client.raw<authentication.TokenReview>('POST', '/apis/authentication.k8s.io/v1/tokenreviews', review)
  return status?.authenticated && status.user?.username ? { username: status.user.username, groups: status.user.groups ?? [] } : undefined
}

/** Whether the API server's rules let them. */
export async function allowed(
  client: Client,
  { username, groups }: Reader,
  resourceAttributes: { verb: string; resource: string; subresource?: string; namespace: string; name?: string },
): Promise<boolean> {
  const spec = { user: username, groups, resourceAttributes: { group: ciGroup, ...resourceAttributes } }
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', metadata: {}, spec }
  const { status } = await client.raw<authorization.SubjectAccessReview>('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', review)
  return status?.allowed ?? false
}

/** Logs and artifacts for people: whoever may `get` the Job may read what it left. */
export function readerRoutes({ client, job, storage, logs, reports }: ReaderRouteOptions): Route[] {
  async function readable({ request, parameters }: Exchange): Promise<DeepReadonly<ci.Job>> {
    const { namespace, job: name } = parameters as { namespace: string; job: string }
    const reader = await authenticateReader(request, client)
    if (!reader) throw new RouteError(401, 'a client certificate of the cluster or a bearer token is needed')
    if (!(await allowed(client, reader, { verb: 'get', resource: 'jobs', namespace, name })))
      throw new RouteError(403, `${reader.username} may not get jobs.${ciGroup} "${name}" in the namespace "${namespace}"`)
    const found = job(namespace, name)
    if (!found) throw new RouteError(404, `there is no job "${name}" in the namespace "${namespace}"`)
    return found
  }

  const readLog = readJobLog({ job, storage, logs, reports })
  const which = (object: DeepReadonly<ci.Job>, url: URL) => ({
    uid: object.metadata.uid!,
    attempt: url.searchParams.has('attempt') ? offsetOf(url.searchParams.get('attempt')) : (object.status?.attempt ?? 1),
    index: offsetOf(url.searchParams.get('index')),
  })

  return [
    {
      method: 'GET',
      path: '/api/v1/namespaces/:namespace/jobs/:job/log',
      async handle(exchange) {
        const { url, response, request } = exchange
        const object = await readable(exchange)
        const { attempt, index } = which(object, url)
        const gone = new AbortController()
        response.once('close', () => gone.abort())
        response.writeHead(200, { 'content-type': 'application/x-ndjson' })
        response.flushHeaders()
        const query = {
          attempt,
          index,
          offset: offsetOf(url.searchParams.get('offset')),
          follow: url.searchParams.get('follow') === 'true',
          signal: gone.signal,
        }
        for await (const bytes of readLog(object, query))
          if (!response.write(bytes)) await new Promise<void>((resolve) => response.once('drain', resolve).once('close', resolve))
        request.resume()
        response.end()
      },
    },
    {
      method: 'GET',
      path: '/api/v1/namespaces/:namespace/jobs/:job/artifacts',
      async handle(exchange) {
        const { uid, attempt, index } = which(await readable(exchange), exchange.url)
        answer(exchange.response, { items: await filesBelow(join(storage.instanceDirectory(uid, attempt, index), 'artifacts')) })
      },
    },
    {
      method: 'GET',
      path: '/api/v1/namespaces/:namespace/jobs/:job/artifacts/*',
      async handle(exchange) {
        const { uid, attempt, index } = which(await readable(exchange), exchange.url)
        // a page that a job made must not act in the name of who looks at it
        exchange.response.setHeader('content-disposition', 'attachment')
        exchange.response.setHeader('x-content-type-options', 'nosniff')
        await sendFile(exchange.response, below(join(storage.instanceDirectory(uid, attempt, index), 'artifacts'), exchange.parameters['*']!))
      },
    },
  ]
}
