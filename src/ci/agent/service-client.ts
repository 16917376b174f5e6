import { Agent, request } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Readable } from 'node:stream'

/** The service refused; asking again would not help. */
export class RefusedError extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.name = 'RefusedError'
    this.code = code
  }
}

/** No room on the service's disk. */
export const noSpace = 507

export interface ServiceClient {
  /**
   * Sends a request and answers what came back; a service that is away is waited for (`patienceMs`, for ever when absent), as is one without room for `spaceMs`.
   * A body is made anew for each try.
   */
  send(method: 'GET' | 'PUT' | 'POST', path: string, options?: SendOptions): Promise<Answer>
}

export interface SendOptions {
  body?: () => Uint8Array | Readable
  headers?: Record<string, string>
  patienceMs?: number
  spaceMs?: number
  signal?: AbortSignal
}

export interface Answer {
  code: number
  headers: IncomingMessage['headers']
  body: IncomingMessage
  text(): Promise<string>
}

export function serviceClient({ url, token, ca }: { url: string; token: string; ca: string }): ServiceClient {
  const agent = new Agent({ keepAlive: true, ca, maxSockets: 6 })

  function once(method: string, path: string, { body, headers, signal }: SendOptions): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const content = body?.()
      const outgoing = request(
        `${url}${path}`,
        {
          method,
          agent,
          headers: { authorization: `Bearer ${token}`, ...(content instanceof Uint8Array ? { 'content-length': content.length } : {}), ...headers },
          ...(signal ? { signal } : {}),
          timeout: 30_000,
        },
        (incoming) =>
          resolve({
            code: incoming.statusCode!,
            headers: incoming.headers,
            body: incoming,
            async text() {
              let text = ''
              for await (const chunk of incoming.setEncoding('utf8')) text += chunk as string
              return text
            },
          }),
      )
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer from the CI service for 30 s')))
      outgoing.on('error', reject)
      if (content === undefined) outgoing.end()
      else if (content instanceof Uint8Array) outgoing.end(content)
      else {
        content.on('error', (error) => outgoing.destroy(error))
        content.pipe(outgoing)
      }
    })
  }

  return {
    async send(method, path, options = {}) {
      const { patienceMs = Infinity, spaceMs = 0, signal } = options
      const begun = performance.now()
      for (let wait = 50; ; wait = Math.min(wait * 2, 2000)) {
        let failure: unknown
        try {
          const answer = await once(method, path, options)
          if (answer.code < 500 || (answer.code === noSpace && performance.now() - begun >= spaceMs)) {
            if (answer.code >= 400 && answer.code !== 404 && answer.code !== 409)
              throw new RefusedError(answer.code, messageOf(await answer.text(), answer.code))
            return answer
          }
          failure = new Error(messageOf(await answer.text(), answer.code))
        } catch (error) {
          if (error instanceof RefusedError || signal?.aborted) throw error
          failure = error
        }
        if (performance.now() - begun > patienceMs) throw failure
        await sleep(wait, undefined, signal ? { signal } : {})
      }
    },
  }
}

function messageOf(text: string, code: number): string {
  try {
    return (JSON.parse(text) as { message: string }).message
  } catch {
    return `the CI service answered ${code}`
  }
}
