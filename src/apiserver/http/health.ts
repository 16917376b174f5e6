import type { Request, Response } from '#client'
import { describeError } from '#base'
import { isTrue } from '../parse-request.ts'
import type { HealthCheck } from '../options.ts'

/** Answers `/healthz`, `/livez` and `/readyz`, each with `?verbose`, `?exclude=NAME` and `/NAME` for a single check. */
export async function health(endpoint: string, rest: string, request: Request, checks: readonly HealthCheck[]): Promise<Response> {
  const single = rest ? checks.find((check) => check.name === rest) : undefined
  if (single) {
    const failure = await failureOf(single)
    return failure === undefined ? text(200, 'ok') : text(500, `internal server error: ${failure}\n`)
  }
  const excluded = new Set(request.query.getAll('exclude'))
  const results = await Promise.all(checks.filter((c) => !excluded.has(c.name)).map(async (c) => ({ name: c.name, failure: await failureOf(c) })))
  const failed = results.some((r) => r.failure !== undefined)
  if (!failed && !isTrue(request.query.get('verbose'))) return text(200, 'ok')
  const lines = results.map((r) => (r.failure === undefined ? `[+]${r.name} ok` : `[-]${r.name} failed: reason withheld`))
  return text(failed ? 500 : 200, `${lines.join('\n')}\n${endpoint} check ${failed ? 'failed' : 'passed'}\n`)
}

async function failureOf(check: HealthCheck): Promise<string | undefined> {
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
