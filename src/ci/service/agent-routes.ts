import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { DeepReadonly, ci } from '#api'
import type { AgentReport } from '../agent/plan.ts'
import { isEnded } from '../names.ts'
import { projectCaches } from './caches.ts'
import { type Logs, offsetOf } from './logs.ts'
import type { Reports } from './reports.ts'
import { type Exchange, type Route, RouteError } from './routes.ts'
import { below, filesBelow, readStream, receive, type Storage } from './storage.ts'
import type { JobIdentity, JobTokens } from './tokens.ts'

export interface AgentRouteOptions {
  tokens: JobTokens
  /** The Job object of a namespace and name, as far as it is known. */
  job(namespace: string, name: string): DeepReadonly<ci.Job> | undefined
  storage: Storage
  logs: Logs
  reports: Reports
  now?: () => number
  limits?: { artifact?: number; workspace?: number; caches?: number }
}

/** How long after a job's end its agent may still say what it has to say. */
const afterEnd = 60_000
const megabyte = 1024 * 1024

/** Whose the request is, when its token is good for a job that runs, or has ended this moment. */
export function authenticateJob(
  request: IncomingMessage,
  { tokens, job, now = Date.now }: Pick<AgentRouteOptions, 'tokens' | 'job' | 'now'>,
): JobIdentity | undefined {
  const [scheme, credentials = ''] = (request.headers.authorization ?? '').split(' ')
  // git sends what it knows as a password
  const token = /^basic$/i.test(scheme ?? '')
    ? Buffer.from(credentials, 'base64')
        .toString()
        .replace(/^[^:]*:/, '')
    : credentials
  const identity = tokens.read(token)
  if (!identity) return undefined
  const object = job(identity.namespace, identity.name)
  if (!object || object.metadata.uid !== identity.uid) return undefined
  // a start that was given up has no say any more
  if ((object.status?.attempt ?? identity.attempt) !== identity.attempt) return undefined
  if (isEnded(object) && now() - Date.parse(object.status?.completionTime ?? '') > afterEnd) return undefined
  return identity
}

/** What the agents of jobs ask the service; each with its job's token, which is good for that job's things alone. */
export function agentRoutes(options: AgentRouteOptions): Route[] {
  const { storage, logs, reports, job, limits = {} } = options
  const { artifact = 3 * 1024 ** 3, workspace = 5 * 1024 ** 3, caches: cacheLimit = 10 * 1024 ** 3 } = limits

  const as =
    (handle: (exchange: Exchange, identity: JobIdentity) => Promise<void>): Route['handle'] =>
    async (exchange) => {
      const identity = authenticateJob(exchange.request, options)
      if (!identity) throw new RouteError(401, 'the token is not good for a job that runs')
      await handle(exchange, identity)
    }
  const instance = ({ uid, attempt, index }: JobIdentity) => storage.instanceDirectory(uid, attempt, index)
  const cachesOf = ({ namespace, project }: JobIdentity) => projectCaches(storage.cacheDirectory(namespace, project), { limit: cacheLimit })

  return [
    {
      method: 'PUT',
      path: '/agent/v1/log',
      handle: as(async ({ request, response, url }, identity) => {
        const bytes = await readBody(request, 2 * megabyte)
        const size = await logs.append(join(instance(identity), 'log.ndjson'), offsetOf(url.searchParams.get('offset')), bytes)
        answer(response, { size })
      }),
    },
    {
      method: 'PUT',
      path: '/agent/v1/report',
      handle: as(async ({ request, response }, identity) => {
        const report = JSON.parse((await readBody(request, megabyte)).toString()) as AgentReport
        await reports.put(identity.uid, identity.attempt, identity.index, report)
        logs.wake(join(instance(identity), 'log.ndjson'))
        answer(response, {})
      }),
    },
    {
      method: 'GET',
      path: '/agent/v1/caches',
      handle: as(async ({ response, url }, identity) => {
        const exact = url.searchParams.get('exact')
        const found = await cachesOf(identity).find(exact ?? url.searchParams.get('prefix') ?? '', exact !== null)
        if (!found) throw new RouteError(404, 'there is no cache of this key')
        if (exact !== null) return answer(response, { key: found.key, size: found.size })
        response.writeHead(200, { 'content-type': 'application/zstd', 'content-length': found.size, 'x-cache-key': encodeURIComponent(found.key) })
        await pipeline(readStream(found.file), response)
      }),
    },
    {
      method: 'PUT',
      path: '/agent/v1/caches',
      handle: as(async ({ request, response, url }, identity) => {
        const key = url.searchParams.get('key')
        if (!key || key.length > 900) throw new RouteError(400, 'a cache needs a key of at most 900 characters')
        answer(response, { stored: await cachesOf(identity).save(key, request) })
      }),
    },
    {
      method: 'PUT',
      path: '/agent/v1/workspace',
      handle: as(async ({ request, response }, identity) => {
        const directory = join(storage.jobDirectory(identity.uid), 'workspace')
        const count = (await filesBelow(directory)).filter(({ path }) => path.startsWith(`${identity.attempt}-${identity.index}-`)).length
        const size = await receive(
          request,
          join(directory, `${identity.attempt}-${identity.index}-${String(count).padStart(4, '0')}.tar.zst`),
          workspace,
        )
        answer(response, { size })
      }),
    },
    {
      method: 'GET',
      path: '/agent/v1/workspaces',
      handle: as(async ({ response }, identity) => {
        const layers: { id: string; size: number }[] = []
        for (const name of job(identity.namespace, identity.name)?.spec.workspaces ?? []) {
          const source = job(identity.namespace, name)
          if (!source) continue
          const attempt = source.status?.attempt ?? 1
          for (const { path, size } of await filesBelow(join(storage.jobDirectory(source.metadata.uid!), 'workspace')))
            if (path.startsWith(`${attempt}-`)) layers.push({ id: `${name}/${path}`, size })
        }
        answer(response, { layers })
      }),
    },
    {
      method: 'GET',
      path: '/agent/v1/workspaces/:job/:layer',
      handle: as(async ({ response, parameters }, identity) => {
        // only of jobs that it requires: a name is no right
        if (!job(identity.namespace, identity.name)?.spec.workspaces?.includes(parameters['job']!))
          throw new RouteError(404, 'there is no such layer')
        const source = job(identity.namespace, parameters['job']!)
        if (!source) throw new RouteError(404, 'there is no such layer')
        await sendFile(response, below(join(storage.jobDirectory(source.metadata.uid!), 'workspace'), parameters['layer']!))
      }),
    },
    {
      method: 'PUT',
      path: '/agent/v1/artifacts/*',
      handle: as(async ({ request, response, parameters }, identity) => {
        const file = below(join(instance(identity), 'artifacts'), parameters['*']!)
        answer(response, { size: await receive(request, file, artifact) })
      }),
    },
  ]
}

export async function sendFile(response: Exchange['response'], file: string, type = 'application/octet-stream'): Promise<void> {
  const stream = readStream(file)
  try {
    await new Promise<void>((resolve, reject) => stream.once('open', () => resolve()).once('error', reject))
  } catch {
    throw new RouteError(404, 'there is no such file')
  }
  response.writeHead(200, { 'content-type': type })
  await pipeline(stream, response)
}

export function answer(response: Exchange['response'], value: object): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`)
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
  response.end(body)
}

export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) throw new RouteError(413, `more than ${limit} bytes are not taken`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
