import type { Clock, Logger, Random } from '#base'
import { describeError } from '#base'
import type { Transport } from '#client'
import type { AuditBackend } from './trail.ts'

/** Upstream's `--audit-webhook-batch-*` and `--audit-webhook-initial-backoff`; times are milliseconds. */
export interface WebhookBatching {
  /** Events of one batch at most; 400 when absent. */
  batchSize?: number
  /** How long an event waits for more; 30,000 when absent. */
  batchWait?: number
  /** Events that wait; 10,000 when absent. */
  bufferSize?: number
  /** Batches a second, and how many may go at once; 10 and 15 when absent. */
  rate?: number
  burst?: number
  initialBackoff?: number
}

export interface WebhookBackendOptions extends WebhookBatching {
  /** To the server of the webhook's kubeconfig; disposed with the backend. */
  transport: Transport
  /** The path of that server's URL. */
  path: string
  clock: Clock
  log: Logger
  random?: Random
}

/** How often one batch is sent before it is given up. */
const attempts = 5

/**
 * Events as EventLists, POSTed in batches: when there are enough of them, or some time after the first. Requests never wait: what does not fit into the buffer is
 * dropped, and what a webhook does not take in five attempts is, too; both are said in the log. Disposing sends what is left, once.
 */
export function webhookBackend(options: WebhookBackendOptions): AuditBackend {
  const { transport, path, clock, log, random = Math.random } = options
  const { batchSize = 400, batchWait = 30_000, bufferSize = 10_000, rate = 10, burst = 15, initialBackoff = 10_000 } = options
  let buffer: string[] = []
  /** Batches that may go at once, and when that was reckoned. */
  let tokens = burst
  let reckoned = clock.monotonic()
  let dropped = 0
  let undelivered = 0
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
          undelivered += batch.length
          log.error('audit events cannot be sent', { events: batch.length, error: describeError(error) })
          return
        }
        const wait = initialBackoff * 1.5 ** (attempt - 1) * (1 + 0.2 * random())
        await clock.sleep(wait, stopping.signal).catch(() => {})
      }
    }
  }

  /** Waits until one more batch may go. */
  async function turn(): Promise<void> {
    const now = clock.monotonic()
    tokens = Math.min(burst, tokens + ((now - reckoned) * rate) / 1000) - 1
    reckoned = now
    if (tokens < 0 && !stopping.signal.aborted) await clock.sleep((-tokens * 1000) / rate, stopping.signal).catch(() => {})
  }

  async function sendAll(all: boolean): Promise<void> {
    while (buffer.length >= batchSize || (all && buffer.length > 0)) {
      const batch = buffer.slice(0, batchSize)
      buffer = buffer.slice(batch.length)
      await turn()
      await deliver(batch)
      all &&= buffer.length > 0
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
    get lost() {
      return dropped + undelivered
    },
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
