import type { Clock, Logger, Random } from '#base'
import { describeError } from '#base'
import type { Transport } from '#client'
import type { AuditBackend } from './trail.ts'

export interface WebhookBackendOptions {
  /** To the server of the webhook's kubeconfig; disposed with the backend. */
  transport: Transport
  /** The path of that server's URL. */
  path: string
  clock: Clock
  log: Logger
  random?: Random
  /** Upstream's `--audit-webhook-batch-*` and `--audit-webhook-initial-backoff`, milliseconds. */
  batchSize?: number
  batchWait?: number
  bufferSize?: number
  initialBackoff?: number
}

/** How often one batch is sent before it is given up. */
const attempts = 5
/** Batches a second. */
const rate = 10

/**
 * Events as EventLists, POSTed in batches: when there are enough of them, or some time after the first. Requests never wait: what does not fit into the buffer is
 * dropped, and what a webhook does not take in five attempts is, too; both are said in the log. Disposing sends what is left, once.
 */
export function webhookBackend(options: WebhookBackendOptions): AuditBackend {
  const { transport, path, clock, log, random = Math.random } = options
  const { batchSize = 400, batchWait = 30_000, bufferSize = 10_000, initialBackoff = 10_000 } = options
  let buffer: string[] = []
  let dropped = 0
  let cancelTimer: (() => void) | undefined
  let sending: Promise<void> | undefined
  const stopping = new AbortController()

  async function post(batch: readonly string[]): Promise<void> {
    const body = Buffer.from(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${batch.join(',')}]}`)
    const { status } = await transport.send({
      method: 'POST',
      path,
      query: new URLSearchParams(),
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body,
      signal: AbortSignal.timeout(30_000),
    })
    if (status >= 300) throw new Error(`the webhook answered ${status}`)
  }

  async function deliver(batch: readonly string[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await post(batch)
      } catch (error) {
        if (attempt >= attempts || stopping.signal.aborted) {
          log.error('audit events cannot be sent', { events: batch.length, error: describeError(error) })
          return
        }
        const wait = initialBackoff * 1.5 ** (attempt - 1) * (1 + 0.2 * random())
        await clock.sleep(wait, stopping.signal).catch(() => {})
      }
    }
  }

  async function sendAll(all: boolean): Promise<void> {
    while (buffer.length >= batchSize || (all && buffer.length > 0)) {
      const batch = buffer.slice(0, batchSize)
      buffer = buffer.slice(batch.length)
      await deliver(batch)
      all &&= buffer.length > 0
      if (buffer.length >= batchSize && !stopping.signal.aborted) await clock.sleep(1000 / rate, stopping.signal).catch(() => {})
    }
    sending = undefined
    if (buffer.length > 0) startTimer()
  }

  function startTimer(): void {
    cancelTimer ??= clock.schedule(batchWait, () => {
      cancelTimer = undefined
      sending ??= sendAll(true)
    })
  }

  return {
    name: 'webhook',
    write(event) {
      if (buffer.length >= bufferSize) {
        if (dropped++ % bufferSize === 0) log.error('audit events are dropped: the webhook does not keep up', { dropped })
        return
      }
      buffer.push(event)
      if (buffer.length >= batchSize) sending ??= sendAll(false)
      else if (!sending) startTimer()
    },
    async [Symbol.asyncDispose]() {
      cancelTimer?.()
      stopping.abort()
      await sending
      if (buffer.length > 0) await sendAll(true)
      cancelTimer?.()
      await transport[Symbol.asyncDispose]()
    },
  }
}
