import type { WorkQueueObserver } from '#base'
import { Backoff, WorkQueue, describeError } from '#base'
import { isStatus } from '#api'
import type { EventRecorder } from './events.ts'
import { type Controller, type ControllerContext, TerminalError } from './controller.ts'

export type ReconcileResult = 'settled' | 'requeued' | 'failed' | 'terminal'

/** What monitoring may want to know; all optional. */
export interface ControllerMetrics {
  reconciled?(controller: string, result: ReconcileResult, durationMs: number): void
  /** Follows the queue of a controller. */
  queue?(controller: string): WorkQueueObserver & { retried(): void }
}

export interface RunControllersOptions {
  signal: AbortSignal
  metrics?: ControllerMetrics
}

/**
 * Runs controllers until `signal` aborts; resolves when the last reconcile has returned. Every controller waits until all that it watches has been
 * listed once: a reconcile never decides on a half-known world. A failed key comes back after 5 ms, doubling up to 1000 s as client-go's does; a
 * `TerminalError` waits for the next change.
 */
export async function runControllers(controllers: Controller[], context: ControllerContext, options: RunControllersOptions): Promise<void> {
  await Promise.all(controllers.map((controller) => runController(controller, context, options)))
}

async function runController(controller: Controller, context: ControllerContext, { signal, metrics }: RunControllersOptions): Promise<void> {
  const log = context.log.named(controller.name)
  const { clock } = context
  const { reconcile, watches, run } = controller.setup({ ...context, log, events: eventsOf(controller, context.events) })
  const observer = metrics?.queue?.(controller.name)
  const queue = new WorkQueue({ clock, observer })
  const backoff = new Backoff({ initial: 5, max: 1_000_000 })
  const enqueue = (key: string, afterMs?: number) => (afterMs === undefined ? queue.add(key) : queue.addAfter(key, afterMs))
  const stops = watches.map((watch) => watch.subscribe(enqueue))
  const onAbort = () => queue.close()
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })

  async function worker(): Promise<void> {
    for (let key = await queue.next(); key !== undefined; key = await queue.next()) {
      if (signal.aborted) return
      const started = clock.monotonic()
      const result = await once(key)
      queue.done(key)
      metrics?.reconciled?.(controller.name, result, clock.monotonic() - started)
    }
  }

  async function once(key: string): Promise<ReconcileResult> {
    try {
      const settled = await reconcile(key, signal)
      backoff.reset(key)
      if (!settled) return 'settled'
      queue.addAfter(key, settled.requeueAfter)
      return 'requeued'
    } catch (error) {
      if (signal.aborted) return 'failed'
      if (error instanceof TerminalError) {
        backoff.reset(key)
        log.error('reconcile gave up until the object changes', { key, error: describeError(error) })
        return 'terminal'
      }
      const wait = backoff.next(key)
      // a conflict is the normal way to learn that the cache was behind
      const report = isStatus(error, 'Conflict') || isStatus(error, 'AlreadyExists') ? log.debug : log.warn
      report('reconcile failed', { key, error: describeError(error), retryInMs: wait })
      observer?.retried()
      queue.addAfter(key, wait)
      return 'failed'
    }
  }

  try {
    await Promise.all(watches.map((watch) => watch.ready(signal)))
    const workers = Array.from({ length: controller.concurrency ?? 5 }, worker)
    if (run) workers.push(runBeside(run))
    await Promise.all(workers)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
    queue.close()
    for (const stop of stops) stop()
  }

  /** What runs beside the workers is started again when it fails: a controller does not lose half of itself. */
  async function runBeside(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const pause = new Backoff({ initial: 1000, max: 30_000 })
    while (!signal.aborted) {
      try {
        return await run(signal)
      } catch (error) {
        if (signal.aborted) return
        log.error('controller loop failed', { error: describeError(error) })
        await clock.sleep(pause.next(), signal).catch(() => {})
      }
    }
  }
}

function eventsOf({ eventSource }: Controller, events: EventRecorder): EventRecorder {
  if (!eventSource) return events
  return { event: (about, type, reason, message, options) => events.event(about, type, reason, message, { component: eventSource, ...options }) }
}
