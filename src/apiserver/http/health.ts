import type { Request, Response } from '#client'
import { describeError } from '#base'
import type { HealthCheck } from '../options.ts'

/**
 * Answers `/healthz`, `/livez` and `/readyz`, each with `?verbose`, `?exclude=NAME` and `/NAME` for a single check, in upstream's words: why a check fails is told only to
 * those who ask for it alone, since everybody may ask for all of them.
 */
export async function health(
  endpoint: string,
  rest: string,
  request: Request,
  checks: readonly HealthCheck[],
  observe?: (name: string, endpoint: string, healthy: boolean) => void,
): Promise<Response> {
  const failureOf = async (check: HealthCheck) => {
    const failure = await outcomeOf(check)
    observe?.(check.name, endpoint, failure === undefined)
    return failure
  }
  const single = rest ? checks.find((check) => check.name === rest) : undefined
  if (single) {
    const failure = await failureOf(single)
    if (failure !== undefined) return text(500, `internal server error: ${failure}\n`)
    return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: { bytes: Buffer.from('ok') } }
  }
  const excluded = new Set(request.query.getAll('exclude'))
  const results = await Promise.all(
    checks.map(async ({ name, check }) => (excluded.delete(name) ? { name } : { name, failure: await failureOf({ name, check }), ran: true })),
  )
  const failed = results.some((r) => r.failure !== undefined)
  if (!failed && !request.query.has('verbose')) return text(200, 'ok')
  const lines = results.map(({ name, failure, ran }) =>
    !ran ? `[+]${name} excluded: ok` : failure === undefined ? `[+]${name} ok` : `[-]${name} failed: reason withheld`,
  )
  if (excluded.size > 0) {
    const unknown = [...excluded].sort().map((name) => JSON.stringify(name))
    lines.push(`warn: some health checks cannot be excluded: no matches for ${unknown.join(',')}`)
  }
  return text(failed ? 500 : 200, `${lines.join('\n')}\n${endpoint} check ${failed ? 'failed' : 'passed'}\n`)
}

async function outcomeOf(check: HealthCheck): Promise<string | undefined> {
  try {
    await check.check()
    return undefined
  } catch (error) {
    return describeError(error)
  }
}

export function text(status: number, body: string): Response {
  return {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
    body: { bytes: Buffer.from(body) },
  }
}
