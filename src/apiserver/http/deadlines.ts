import type { Clock } from '#base'
import { errors, parseDuration } from '#api'
import type { Request, Response } from '#client'
import { isLongRunning, parseRequest } from '../parse-request.ts'
import { anonymousUser } from '../authn/request-authenticator.ts'

/** A request that can be told to stop: its signal aborts. */
export interface Stoppable extends Request {
  stop?(reason: Error): void
}

export interface Deadlines extends Disposable {
  /**
   * What `run` is or resolves to, or a 504 when that takes longer than a request may: `limit`, or what its `timeout` parameter asks for within it. Requests that last by design have no end.
   * `run` goes on after that, told by its request's signal.
   */
  within(request: Stoppable, run: Response | Promise<Response>): Response | Promise<Response>
}

/** How long a request may take, milliseconds: upstream's `--request-timeout`. */
export const requestLimit = 60_000
/** How late the end of one may come, milliseconds: one timer looks after all of them. */
const precision = 1000

interface Running {
  request: Stoppable
  since: number
  expire(): void
}

export interface DeadlineOptions {
  clock: Clock
  /** Milliseconds. */
  limit?: number
  /** Told of every request that took too long. */
  expired?(request: Request): void
}

export function deadlines({ clock, limit = requestLimit, expired: told }: DeadlineOptions): Deadlines {
  const running = new Set<Running>()
  let cancel: (() => void) | undefined

  function watch(): void {
    cancel = clock.schedule(precision, () => {
      const before = clock.monotonic() - limit
      for (const each of running) {
        // in the order in which they began
        if (each.since > before) break
        running.delete(each)
        if (!lasts(each.request)) each.expire()
      }
      cancel = undefined
      if (running.size > 0) watch()
    })
  }

  return {
    within(request, run) {
      const asked = request.query.size === 0 ? null : request.query.get('timeout')
      if (asked) {
        const own = parseTimeout(asked)
        if (typeof own === 'string') return answer(errors.badRequest(`invalid timeout specified in the request URL - ${own}`))
        if (run instanceof Promise && own > 0 && own < limit && !lasts(request)) return limited(clock, request, run, own, told)
      }
      if (!(run instanceof Promise)) return run
      return new Promise((resolve, reject) => {
        const each: Running = { request, since: clock.monotonic(), expire: () => resolve(expired(request, told)) }
        running.add(each)
        if (!cancel) watch()
        run.then((response) => {
          running.delete(each)
          resolve(response)
        }, reject)
      })
    },
    [Symbol.dispose]() {
      cancel?.()
      running.clear()
    },
  }
}

function limited(clock: Clock, request: Stoppable, run: Promise<Response>, ms: number, told: DeadlineOptions['expired']): Promise<Response> {
  return new Promise((resolve, reject) => {
    const cancel = clock.schedule(ms, () => resolve(expired(request, told)))
    run.then(resolve, reject).finally(cancel)
  })
}

function expired(request: Stoppable, told: DeadlineOptions['expired']): Response {
  told?.(request)
  const error = errors.timeout('request did not complete within the allotted timeout')
  request.stop?.(error)
  return answer(error)
}

function answer({ status }: ReturnType<typeof errors.timeout>): Response {
  return { status: status.code ?? 504, headers: { 'content-type': 'application/json' }, body: { bytes: Buffer.from(JSON.stringify(status)) } }
}

function lasts({ method, path, query }: Request): boolean {
  try {
    return isLongRunning(parseRequest(method, path, query, anonymousUser))
  } catch {
    return false
  }
}

/** Milliseconds of a Go duration, or why it is none. */
function parseTimeout(text: string): number | string {
  try {
    return parseDuration(text)
  } catch (error) {
    return (error as Error).message
  }
}
