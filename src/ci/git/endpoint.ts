import type { IncomingMessage, ServerResponse } from 'node:http'
import { createGunzip } from 'node:zlib'
import { pipeline } from 'node:stream'
import { type Logger, describeError } from '#base'
import { serveCgi } from './cgi.ts'
import { gitEnvironment } from './git.ts'
import { type GitAccess, type GitRequest, parseGitRequest } from './names.ts'
import { type PushLedger, createPushLedger } from './push-ledger.ts'
import { keepAlivePacket, progressPackets } from './pkt-line.ts'
import { type UpdatedRef, updatedRefs } from './push-plan.ts'
import { type PushRequest, createAnswerReader, createPushRequestParser } from './receive-pack.ts'
import { type Repositories, localRefs } from './repositories.ts'

/** Who a request comes from, and what they may do to the project. */
export interface GitIdentity {
  actor: string
  access: readonly GitAccess[]
}

/** A push that has gone through, and the way to tell its user what came of it. */
export interface Push {
  /** `NAMESPACE/PROJECT`. */
  project: string
  actor: string
  /** Branches and tags that moved; empty when the push only deleted or put a working tree. */
  updates: UpdatedRef[]
  /** Of `git push -o`. */
  options: readonly string[]
  /** Shown to the user, line by line, as `remote: …`; does nothing for clients that cannot show it. */
  say(text: string): Promise<void>
  /** Aborts when the client goes away. */
  signal: AbortSignal
}

export interface GitEndpointOptions {
  repositories: Repositories
  /** Undefined: the credentials are not of this project, or there is no such project. */
  authenticate(project: string, authorization: string | undefined, request: IncomingMessage): Promise<GitIdentity | undefined>
  /**
   * Called before the answer to a push ends. Its failure is told to the user and does not undo the push: the refs stay unhandled. What it answers is
   * done once they are handled, while the client still listens.
   */
  onPush(push: Push): Promise<void | (() => Promise<void>)>
  /** Knows which repositories are being pushed to, and which have been since somebody looked. */
  ledger?: PushLedger
  log: Logger
  /** The largest pack that is taken, bytes; 2 GiB when absent. */
  maxPack?: number
  /** Of git's http-backend. */
  backend?: string
}

/** How often a quiet connection hears something, milliseconds. */
const keepAliveEvery = 5000

const localKept = 20

/**
 * The Git endpoint: smart HTTP (gitprotocol-http, versions 0 to 2) by git's own `http-backend`. A repository is made by the first request that may push.
 * Push reports pass through us: what moved is read from them, and lines for the user are added before they end.
 * `rest` is what follows the endpoint in the address: `NAMESPACE/PROJECT.git/…`.
 */
export function gitEndpoint(options: GitEndpointOptions): (request: IncomingMessage, response: ServerResponse, rest: string) => Promise<void> {
  const {
    repositories,
    authenticate,
    onPush,
    ledger = createPushLedger(),
    log,
    maxPack = 2 ** 31,
    backend = '/usr/lib/git-core/git-http-backend',
  } = options

  async function serve(request: IncomingMessage, response: ServerResponse, rest: string): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://git')
    const asked = parseGitRequest(request.method ?? '', rest, url.searchParams)
    if (!asked) return refuse(request, response, 404, 'not found')
    const identity = await authenticate(asked.project, request.headers.authorization, request)
    if (!identity) {
      response.setHeader('www-authenticate', 'Basic realm="k8ts", charset="UTF-8"')
      return refuse(request, response, 401, 'a token of this project is needed as the password')
    }
    if (!identity.access.includes(asked.access)) return refuse(request, response, 403, `this token may not ${asked.access}`)
    await repositories.ensure(asked.project)
    await exchange(request, response, asked, identity, url.search.slice(1))
  }

  async function exchange(
    request: IncomingMessage,
    response: ServerResponse,
    asked: GitRequest,
    identity: GitIdentity,
    query: string,
  ): Promise<void> {
    const pushing = asked.service === 'git-receive-pack' && !asked.advertisement
    const parser = createPushRequestParser()
    let push: PushRequest | undefined
    let reader: ReturnType<typeof createAnswerReader> | undefined
    // a push is read along: it has to come to git as plain bytes
    const zipped = pushing && /^(x-)?gzip$/i.test(request.headers['content-encoding'] ?? '')
    const body = zipped ? pipeline(request, createGunzip(), () => {}) : request
    using _push = pushing ? await ledger.begin(asked.project) : undefined
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const answerReader = () => (reader ??= createAnswerReader(push?.capabilities.some((c) => c === 'side-band-64k' || c === 'side-band') ?? false))

    await serveCgi(body, response, {
      program: backend,
      args: [],
      env: cgiEnvironment(request, asked, identity, query, zipped),
      onError: (line) => log.warn('git', { project: asked.project, message: line }),
      ...(pushing
        ? {
            onRequestData: (chunk: Buffer) => void (push ??= parser.push(chunk)),
            // the head comes before git has read anything; bytes of the body only after what they answer
            onAnswerData: (chunk: Buffer) => (chunk.length === 0 ? chunk : answerReader().push(chunk)),
            onAnswerEnd: async (write: (chunk: Uint8Array) => Promise<void>) => {
              if (push && push.commands.length > 0) await finish(asked.project, identity, push, answerReader(), write, gone.signal)
              await write(answerReader().end())
            },
          }
        : {}),
    })
  }

  async function finish(
    project: string,
    identity: GitIdentity,
    push: PushRequest,
    answer: ReturnType<typeof createAnswerReader>,
    write: (chunk: Uint8Array) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const sideBand = push.capabilities.includes('side-band-64k')
    const say = async (text: string) => {
      if (sideBand) for (const each of progressPackets(text)) await write(each)
    }
    const updates = updatedRefs(push.commands, answer.report())
    const timer = setInterval(() => void (sideBand && write(keepAlivePacket).catch(() => {})), keepAliveEvery)
    try {
      await repositories.settleHead(
        project,
        updates.flatMap((u) => u.branch ?? []),
      )
      if (push.commands.some((c) => c.ref.startsWith(localRefs))) await repositories.sweepLocal(project, localKept)
      const then = updates.length > 0 ? await onPush({ project, actor: identity.actor, updates, options: push.options, say, signal }) : undefined
      await repositories.markHandled(project, updates)
      if (answer.report().size >= push.commands.length) ledger.settled(project)
      await then?.()
    } catch (error) {
      if (signal.aborted) return
      log.error('a push has no pipeline', { project, error: describeError(error) })
      await say(`k8ts: the push has arrived, but its pipeline could not be made yet: ${describeError(error)}\n`)
    } finally {
      clearInterval(timer)
    }
  }

  function cgiEnvironment(
    request: IncomingMessage,
    asked: GitRequest,
    identity: GitIdentity,
    query: string,
    unzipped: boolean,
  ): Record<string, string> {
    const { headers } = request
    const repository = repositories.path(asked.project)
    const header = (name: string, key: string): Record<string, string> => (typeof headers[name] === 'string' ? { [key]: headers[name] } : {})
    return gitEnvironment({
      config: {
        'http.receivepack': 'true',
        'http.uploadpack': 'true',
        'receive.advertisePushOptions': 'true',
        'receive.fsckObjects': 'true',
        // harmless, and in the history of old repositories
        'receive.fsck.zeroPaddedFilemode': 'ignore',
        'receive.fsck.badTimezone': 'ignore',
        'receive.fsck.missingSpaceBeforeDate': 'ignore',
        // what we note down is nobody's to push
        'receive.hideRefs': 'refs/k8ts/own',
        'receive.maxInputSize': String(maxPack),
        'receive.denyDeleteCurrent': 'ignore',
        // loose objects are packed beside the next push once there are this many, git's own default
        'receive.autogc': 'true',
        'gc.auto': '6700',
        'transfer.advertiseSID': 'false',
        // a job fetches its commit by id, also one that no branch has any more
        'uploadpack.allowAnySHA1InWant': 'true',
        'uploadpack.allowFilter': 'true',
        'uploadpack.hideRefs': 'refs/k8ts',
      },
      env: {
        GIT_PROJECT_ROOT: repository,
        GIT_HTTP_EXPORT_ALL: '1',
        GATEWAY_INTERFACE: 'CGI/1.1',
        SERVER_PROTOCOL: `HTTP/${request.httpVersion}`,
        REQUEST_METHOD: request.method ?? 'GET',
        QUERY_STRING: query,
        PATH_INFO: asked.advertisement ? '/info/refs' : `/${asked.service}`,
        REMOTE_USER: identity.actor,
        REMOTE_ADDR: request.socket.remoteAddress ?? '',
        GIT_COMMITTER_NAME: identity.actor,
        GIT_COMMITTER_EMAIL: `${identity.actor}@k8ts`,
        ...header('content-type', 'CONTENT_TYPE'),
        ...(unzipped ? {} : header('content-length', 'CONTENT_LENGTH')),
        ...(unzipped ? {} : header('content-encoding', 'HTTP_CONTENT_ENCODING')),
        ...(/^[\w=:.-]+$/.test(String(headers['git-protocol'] ?? '')) ? header('git-protocol', 'GIT_PROTOCOL') : {}),
      },
    })
  }

  return async (request, response, rest) => {
    try {
      await serve(request, response, rest)
    } catch (error) {
      log.error('a git request failed', { error: describeError(error) })
      if (!response.headersSent) refuse(request, response, 500, 'the request failed; the log of the CI service says why')
      else response.destroy()
    }
  }
}

function refuse(request: IncomingMessage, response: ServerResponse, status: number, message: string): void {
  // the body is not read: a connection that still carries one cannot be used again
  if (request.method !== 'GET') response.setHeader('connection', 'close')
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
  response.end(`${message}\n`)
}
