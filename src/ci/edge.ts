import type { IncomingMessage } from 'node:http'
import { type DeepReadonly, type ci, isStatus, resources } from '#api'
import { type Clock, type Logger, realClock } from '#base'
import type { Client } from '#client'
import { type GitIdentity, gitEndpoint } from './git/endpoint.ts'
import type { GitAccess } from './git/names.ts'
import { createPushLedger } from './git/push-ledger.ts'
import type { Repositories } from './git/repositories.ts'
import { type TokenStore, createTokenStore } from './git/token-store.ts'
import { basicCredentials, tokenId } from './git/tokens.ts'
import { authenticateJob } from './service/agent-routes.ts'
import { type JobLogOptions, readJobLog } from './service/job-log.ts'
import { allowed, authenticateReader } from './service/reader-routes.ts'
import { type Route, RouteError } from './service/routes.ts'
import type { JobTokens } from './service/tokens.ts'
import { pushPipelines } from './trigger/push.ts'
import { recoverPushes } from './trigger/recover.ts'
import { describeEnd, describePipeline } from './view/report.ts'
import { followPipeline, viewPipeline } from './view/follow.ts'
import { githubWebhook } from './webhooks/endpoint.ts'

export interface EdgeOptions extends JobLogOptions {
  /** Reads and makes everything that pushes and webhooks are about, and asks who a token is and what they may. */
  client: Client
  repositories: Repositories
  tokens: JobTokens
  /** Where people reach the service. */
  publicUrl: string
  clock?: Clock
  log: Logger
}

/** Where a person looks at a pipeline: a page of the service. */
export const pipelineAddress = (publicUrl: string, { metadata }: DeepReadonly<ci.Pipeline>): string =>
  `${publicUrl}/pipelines/${metadata.namespace}/${metadata.name}`

export interface Edge {
  routes: Route[]
  /** Makes what pushes asked for and did not get. Runs until the signal aborts. */
  run(signal: AbortSignal): Promise<void>
}

/** What the service answers to the world outside: Git, webhooks of other hosts, and a page for each pipeline. */
export function createEdge(options: EdgeOptions): Edge {
  const { client, repositories, publicUrl, log } = options
  const readLog = readJobLog(options)
  const tokenStore = createTokenStore({ client })
  const authenticate = gitAuthentication(options, tokenStore)
  const addressOf = (pipeline: DeepReadonly<ci.Pipeline>) => pipelineAddress(publicUrl, pipeline)
  const onPush = pushPipelines({
    client,
    repositories,
    addressOf,
    async follow({ metadata }, write, signal) {
      const view = await followPipeline({ client, readLog, namespace: metadata.namespace!, name: metadata.name, write, signal })
      if (view) await write(`\n${describeEnd(view)}\n`)
    },
  })
  const webhook = githubWebhook({ client, addressOf, log: log.named('webhooks') })
  const ledger = createPushLedger()
  const git = gitEndpoint({ repositories, authenticate, onPush, ledger, log: log.named('git') })

  const routes: Route[] = [
    { method: '*', path: '/git/*', handle: ({ request, response, parameters }) => git(request, response, parameters['*']!) },
    {
      method: 'POST',
      path: '/webhooks/github/:namespace/:project',
      handle: ({ request, response, parameters }) =>
        webhook(request, response, { namespace: parameters['namespace']!, name: parameters['project']! }),
    },
    {
      method: 'GET',
      path: '/pipelines/:namespace/:pipeline',
      async handle({ request, response, parameters }) {
        const { namespace, pipeline } = parameters as { namespace: string; pipeline: string }
        const view = await viewPipeline(client, namespace, pipeline)
        const identity = view && (await authenticate(`${namespace}/${view.pipeline.spec.projectName}`, request.headers.authorization, request))
        if (!view || !identity?.access.includes('read')) {
          // a pipeline that is not there is asked for a token like any other
          response.setHeader('www-authenticate', 'Basic realm="k8ts", charset="UTF-8"')
          throw new RouteError(401, 'a token of the project is needed as the password')
        }
        response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
        response.end(describePipeline(view))
      },
    },
  ]
  return {
    routes,
    run: (signal) => recoverPushes({ client, repositories, ledger, onPush, clock: options.clock ?? realClock, log: log.named('git') }, signal),
  }
}

/**
 * Who may use a project's repository: one of its tokens, by its scopes; a running job of it, for reading; whoever the API server knows (a client certificate, or
 * a bearer token, also as the password), as far as they may get or update the Project. What lives on another host is only read here.
 */
function gitAuthentication(options: EdgeOptions, tokenStore: TokenStore) {
  const { client } = options

  async function identityOf(
    key: { namespace: string; name: string },
    authorization: string | undefined,
    request: IncomingMessage,
  ): Promise<GitIdentity | undefined> {
    const password = basicCredentials(authorization)?.password
    const token = password ?? /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
    if (token && tokenId(token)) return tokenStore.verify(key, token)
    const job = authenticateJob(request, options)
    if (job) return job.namespace === key.namespace && job.project === key.name ? { actor: `job:${job.name}`, access: ['read'] } : undefined
    // git says what it has as basic; the API server wants it as bearer
    const reader = await authenticateReader(
      token === undefined ? request : { socket: request.socket, headers: { authorization: `Bearer ${token}` } },
      client,
    )
    if (!reader) return undefined
    const may = (verb: string) => allowed(client, reader, { verb, resource: 'projects', ...key })
    const access: GitAccess[] = [...((await may('get')) ? (['read'] as const) : []), ...((await may('update')) ? (['push'] as const) : [])]
    return access.length > 0 ? { actor: reader.username, access } : undefined
  }

  return async (project: string, authorization: string | undefined, request: IncomingMessage): Promise<GitIdentity | undefined> => {
    const [namespace, name] = project.split('/') as [string, string]
    const identity = await identityOf({ namespace, name }, authorization, request)
    if (!identity) return undefined
    try {
      const { spec } = await client.resource(resources.ciProjects).get(name, namespace)
      return spec.repository?.url ? { ...identity, access: identity.access.filter((each) => each === 'read') } : identity
    } catch (error) {
      if (isStatus(error, 'NotFound')) return undefined
      throw error
    }
  }
}
