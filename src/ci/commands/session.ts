import type { DeepReadonly, ci } from '#api'
import { isStatus, resources } from '#api'
import type { Client, HttpsTransportOptions, Response } from '#client'
import { httpsTransport } from '#client'
import type { ReadLog } from '../view/follow.ts'
import type { LogStyle } from '../view/log-text.ts'
import { resuming } from '../view/resume.ts'

/** What every command of `k8ts ci` works with. */
export interface CiSession {
  client: Client
  /** How the API server is reached: the CI service takes the same credentials. */
  connection: HttpsTransportOptions
  namespace: string
  /** The project that the directory's working tree was made. */
  project?: string
  /** The directory that the command was given in. */
  directory: string
  /** Standard output, without a line feed of its own. */
  print(text: string): void
  /** Standard error: what is said about the work. */
  say(text: string): void
  style: LogStyle
  signal: AbortSignal
}

/** A mistake of the user's: shown without a trace. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

/** The remote that `k8ts ci init` makes. */
export const remoteName = 'k8ts'

/** The project that is meant: the one that was named, the one that this working tree was made, or the only one. */
export async function findProject(session: CiSession, named: string | undefined): Promise<DeepReadonly<ci.Project>> {
  const projects = session.client.resource(resources.ciProjects)
  const name = named ?? session.project
  if (name !== undefined) {
    try {
      return await projects.get(name, session.namespace)
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error
      throw new UsageError(`there is no project ${name} in the namespace ${session.namespace}: make it with \`k8ts ci init\``)
    }
  }
  const { items } = await projects.list({ namespace: session.namespace })
  if (items.length === 1) return items[0]!
  if (items.length === 0)
    throw new UsageError(`the namespace ${session.namespace} has no project: make one with \`k8ts ci init\` in a git working tree`)
  throw new UsageError(`which project? Name it with --project: ${items.map((each) => each.metadata.name).join(', ')}`)
}

/** Where the CI service answers: beside the project's repository. */
export async function serviceOf(session: CiSession, project: DeepReadonly<ci.Project>): Promise<{ base: string; gitUrl: string }> {
  let gitUrl = project.status?.gitURL
  if (!gitUrl) {
    const { name, namespace, resourceVersion } = project.metadata
    const signal = AbortSignal.any([session.signal, AbortSignal.timeout(15_000)])
    const query = { namespace: namespace!, fieldSelector: `metadata.name=${name}`, resourceVersion: resourceVersion!, signal }
    for await (const event of session.client.resource(resources.ciProjects).watch(query))
      if (event.type === 'MODIFIED' && event.object.status?.gitURL) {
        gitUrl = event.object.status.gitURL
        break
      }
  }
  if (!gitUrl) throw new UsageError('the CI service has not taken the project up: `k8ts status` says whether it runs')
  return { base: gitUrl.replace(/\/git\/.*$/, ''), gitUrl }
}

/** Reads logs from the service; dispose it to close its connections. */
export function logReader(session: CiSession, base: string): { readLog: ReadLog } & AsyncDisposable {
  const transport = httpsTransport({ ...session.connection, server: base })
  return {
    readLog: (job, { attempt, index, follow, signal }) =>
      resuming(
        async (offset) => {
          const path = `/api/v1/namespaces/${job.metadata.namespace}/jobs/${job.metadata.name}/log`
          const query = new URLSearchParams({ attempt: String(attempt), index: String(index), follow: String(follow), offset: String(offset) })
          const response = await transport.send({ method: 'GET', path, query, headers: {}, signal })
          const chunks = chunksOf(response)
          if (response.status === 200) return chunks
          let text = ''
          for await (const chunk of chunks) text += Buffer.from(chunk).toString()
          throw new Error(`the log of ${job.spec.job} cannot be read: ${text.trim() || response.status}`)
        },
        { signal },
      ),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  }
}

async function* chunksOf({ body }: Response): AsyncGenerator<Uint8Array> {
  if ('stream' in body) yield* body.stream
  else if ('bytes' in body) yield* [body.bytes].flat()
}

/** A pipeline by its number, with or without `#`, or its name; the newest of the project when nothing is given. */
export async function findPipeline(
  session: CiSession,
  project: DeepReadonly<ci.Project>,
  reference: string | undefined,
  newest: { fits(pipeline: DeepReadonly<ci.Pipeline>): boolean; none: string } = {
    fits: () => true,
    none: 'has no pipeline yet: push to it, or start one with `k8ts ci run`',
  },
): Promise<DeepReadonly<ci.Pipeline>> {
  const all = await pipelinesOf(session, project)
  const number = /^#?(\d+)$/.exec(reference ?? '')?.[1]
  const found =
    reference === undefined
      ? all.find(newest.fits)
      : all.find((each) => (number === undefined ? each.metadata.name === reference : each.status?.number === Number(number)))
  if (found) return found
  if (reference === undefined) throw new UsageError(`the project ${project.metadata.name} ${newest.none}`)
  throw new UsageError(`the project ${project.metadata.name} has no pipeline ${reference}: \`k8ts ci list\` shows them`)
}

/** A project's pipelines, the newest first. */
export async function pipelinesOf(session: CiSession, project: DeepReadonly<ci.Project>): Promise<DeepReadonly<ci.Pipeline>[]> {
  const { items } = await session.client
    .resource(resources.ciPipelines)
    .list({ namespace: session.namespace, fieldSelector: `spec.projectName=${project.metadata.name}` })
  const order = (each: DeepReadonly<ci.Pipeline>) => each.status?.number ?? Infinity
  return items.toSorted((a, b) => order(b) - order(a) || (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? ''))
}
