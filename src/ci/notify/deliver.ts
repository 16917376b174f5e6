import type { DeepReadonly, ci } from '#api'
import { describeError } from '#base'
import { sign } from '../webhooks/signature.ts'

export interface Post {
  url: string
  body: object
  /** The same for every try of one notification, so that a receiver can tell a repetition. */
  id: string
  /** Signs the body as GitHub does, in `X-Hub-Signature-256`. */
  signingSecret?: string
  timeoutMs: number
  signal: AbortSignal
}

export type PostResult = { ok: true } | { ok: false; error: string; permanent: boolean; retryAfterMs?: number }

/** Posts one notification. What went wrong is told without the address: Slack's is a secret. */
export async function post({ url, body, id, signingSecret, timeoutMs, signal }: Post): Promise<PostResult> {
  const bytes = Buffer.from(JSON.stringify(body))
  try {
    const response = await fetch(url, {
      method: 'POST',
      // an address that leads elsewhere is a mistake in the configuration: what is sent is meant for one receiver
      redirect: 'manual',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'k8ts-ci',
        'x-k8ts-delivery': id,
        ...(signingSecret ? { 'x-hub-signature-256': sign(signingSecret, bytes) } : {}),
      },
      body: bytes,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    })
    await response.body?.cancel()
    return judge(response.status, response.headers.get('retry-after'))
  } catch (error) {
    if (signal.aborted) throw error
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    const text = cause instanceof Error && cause.name === 'TimeoutError' ? `no answer within ${timeoutMs / 1000} s` : describeError(cause)
    return { ok: false, error: text.replaceAll(url, 'the address'), permanent: false }
  }
}

/** Later may help after trouble of the server's own, and when it asks for patience; any other refusal is final. */
export function judge(status: number, retryAfter: string | null): PostResult {
  if (status >= 200 && status < 300) return { ok: true }
  const patience = status >= 500 || status === 429 || status === 408
  const seconds = Number(retryAfter)
  return {
    ok: false,
    error: `the receiver answered ${status}`,
    permanent: !patience,
    ...(patience && retryAfter !== null && seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}),
  }
}

/** The address and key of a notification: of its Secret (keys `url` and `signingSecret`) or of the project itself. */
export function receiverOf(
  { name, url, secretName }: DeepReadonly<ci.ProjectNotification>,
  secret: Record<string, string> | undefined,
): { url: string; signingSecret?: string } | { problem: string } {
  if (!secretName) return url ? { url } : { problem: `notification ${name} has no address` }
  if (!secret) return { problem: `the Secret ${secretName} of notification ${name} does not exist` }
  const address = secret['url']?.trim() ?? url
  if (!address || !/^https?:\/\/\S+$/.test(address))
    return { problem: `the Secret ${secretName} of notification ${name} has no http or https address in \`url\`` }
  const signingSecret = secret['signingSecret']
  return { url: address, ...(signingSecret ? { signingSecret } : {}) }
}
