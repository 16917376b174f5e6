import type { IncomingMessage, ServerResponse } from 'node:http'
import { type DeepReadonly, type ci, isStatus, resources } from '#api'
import { type Logger, describeError } from '#base'
import type { Client } from '#client'
import { isProjectName } from '../git/names.ts'
import { createPipeline, numbered, pipelineFor } from '../trigger/create.ts'
import { decideTrigger } from '../trigger/plan.ts'
import { parseDelivery } from './github.ts'
import { signatureMatches } from './signature.ts'

export interface WebhookOptions {
  client: Client
  addressOf(pipeline: DeepReadonly<ci.Pipeline>): string
  log: Logger
  /** The largest payload, bytes; GitHub's own limit of 25 MiB when absent. */
  maxBody?: number
}

/** GitHub gives a receiver ten seconds; a number that takes longer is left out. */
const numberWithin = 1000

/** The key of the Secret that a project's webhooks are signed with. */
export const webhookSecretKey = 'secret'

/** The Secret that `k8ts ci init` makes, unless the project names another. */
export const webhookSecretName = (project: DeepReadonly<ci.Project>): string =>
  project.spec.repository?.webhookSecretName || `${project.metadata.name}-webhook`

/**
 * `POST /webhooks/github/NAMESPACE/PROJECT`. A delivery whose signature is not the project's is told no more than that, whether there is such a project or not.
 * A delivery that comes again names the pipeline that it has made.
 */
export function githubWebhook(
  options: WebhookOptions,
): (request: IncomingMessage, response: ServerResponse, project: { namespace: string; name: string }) => Promise<void> {
  const { client, addressOf, log, maxBody = 25 * 1024 * 1024 } = options

  async function find(namespace: string, name: string): Promise<{ project: DeepReadonly<ci.Project>; secret: string } | undefined> {
    if (!isProjectName(namespace) || !isProjectName(name)) return undefined
    try {
      const project = await client.resource(resources.ciProjects).get(name, namespace)
      const { data } = await client.resource(resources.secrets).get(webhookSecretName(project), namespace)
      const secret = Buffer.from((data?.[webhookSecretKey] as string | undefined) ?? '', 'base64').toString()
      return { project, secret }
    } catch (error) {
      if (isStatus(error, 'NotFound')) return undefined
      throw error
    }
  }

  async function receive(request: IncomingMessage, project: { namespace: string; name: string }): Promise<{ status: number; body: object }> {
    const body = await readBody(request, maxBody)
    if (!body) return answer(413, `a payload has at most ${maxBody} bytes`)
    const found = await find(project.namespace, project.name)
    // a project that is not there is asked for its signature like any other, and takes as long to refuse
    const genuine = signatureMatches(found?.secret || 'none', body, header(request, 'x-hub-signature-256')) && found?.secret
    if (!found || !genuine) return answer(401, 'unauthorized')
    const payload = parsePayload(header(request, 'content-type'), body)
    if (payload === undefined) return answer(400, 'the payload is neither JSON nor a form that carries it')
    const delivery = parseDelivery(header(request, 'x-github-event'), payload)
    if (delivery.type === 'ping') return answer(200, 'pong')
    if (delivery.type === 'malformed') return answer(400, delivery.why)
    if (delivery.type === 'ignored') return answer(200, `nothing to do: ${delivery.why}`)
    const decision = decideTrigger(found.project, delivery.change)
    if (!decision.run) return answer(200, `no pipeline: ${decision.why}`)
    const id = header(request, 'x-github-delivery') ?? `${delivery.change.branch ?? delivery.change.tag}@${delivery.change.revision}`
    const { pipeline, created } = await createPipeline(client, pipelineFor(found.project, delivery.change, `${found.project.metadata.uid}/${id}`))
    const known = await numbered(client, pipeline, numberWithin)
    return {
      status: created ? 201 : 200,
      body: { message: created ? 'started' : 'started before', pipeline: known.metadata.name, number: known.status?.number, url: addressOf(known) },
    }
  }

  return async (request, response, project) => {
    let result: { status: number; body: object }
    try {
      result = await receive(request, project)
    } catch (error) {
      log.error('a webhook failed', { ...project, error: describeError(error) })
      result = answer(500, 'the delivery could not be taken; send it again')
    }
    if (result.status === 413) response.setHeader('connection', 'close')
    response.writeHead(result.status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    response.end(`${JSON.stringify(result.body)}\n`)
  }
}

const answer = (status: number, message: string) => ({ status, body: { message } })

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}

/** The whole body, or undefined when it is longer than allowed. */
async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return undefined
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** JSON, as it is or in the field `payload` of a form: GitHub sends both. */
function parsePayload(type: string | undefined, body: Buffer): unknown {
  const text = body.toString('utf8')
  try {
    return JSON.parse(type?.startsWith('application/x-www-form-urlencoded') ? (new URLSearchParams(text).get('payload') ?? '') : text)
  } catch {
    return undefined
  }
}
