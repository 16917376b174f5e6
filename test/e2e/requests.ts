import { get } from 'node:http'
import { get as getSecurely } from 'node:https'
import type { LookupFunction } from 'node:net'

export interface RequestOptions {
  timeoutMs?: number
  /** Where the URL's host is, instead of what its name resolves to. */
  address?: string
  /** Who is trusted to sign the certificates of https, as PEM. */
  ca?: string
}

/** The body of an answer with status 200; every request has a connection of its own, so that each is balanced anew. */
export function request(url: string, { timeoutMs = 10_000, address, ca }: RequestOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      agent: false,
      timeout: timeoutMs,
      ...(ca === undefined ? {} : { ca }),
      ...(address === undefined ? {} : { lookup: at(address) }),
    } as const
    const sent = (url.startsWith('https:') ? getSecurely : get)(url, options, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('error', reject)
      response.on('end', () => (response.statusCode === 200 ? resolve(body) : reject(new Error(`${url}: ${response.statusCode} ${body}`))))
    })
    sent.on('timeout', () => sent.destroy(new Error(`${url}: no answer within ${timeoutMs} ms`)))
    sent.on('error', reject)
  })
}

/** A resolver that knows one address. */
const at =
  (address: string): LookupFunction =>
  (_, { all }, answer) =>
    all ? answer(null, [{ address, family: 4 }]) : answer(null, address, 4)

/** A client that asks without pause, and remembers what it was told. */
export interface SteadyRequests extends AsyncDisposable {
  /** How often each answer came; answers are told apart by `keyOf` of their body. */
  readonly answers: ReadonlyMap<string, number>
  readonly failures: readonly string[]
  /** Resolves when `count` more requests are answered. */
  more(count: number): Promise<void>
  /** Resolves when this answer came; at once when it did before. */
  seen(answer: string): Promise<void>
}

/** Sends requests from `workers` loops until it is disposed; disposing waits for the answers to what is under way. */
export function steadyRequests(
  url: string,
  keyOf: (body: string) => string = (body) => body,
  workers = 2,
  options: RequestOptions = {},
): SteadyRequests {
  const answers = new Map<string, number>()
  const failures: string[] = []
  const waiting = new Set<() => void>()
  let [total, stopped] = [0, false]
  const work = async () => {
    while (!stopped) {
      try {
        const answer = keyOf(await request(url, options))
        answers.set(answer, (answers.get(answer) ?? 0) + 1)
        total++
      } catch (error) {
        failures.push(`${new Date().toISOString()} after ${total} answers: ${(error as Error).message}`)
      }
      for (const check of waiting) check()
    }
  }
  const running = Promise.all(Array.from({ length: workers }, work))
  const until = (condition: () => boolean, what: () => string, timeoutMs = 60_000) =>
    new Promise<void>((resolve, reject) => {
      const finish = (error?: Error) => {
        clearTimeout(timer)
        waiting.delete(check)
        if (error) reject(error)
        else resolve()
      }
      const timer = setTimeout(
        () => finish(new Error(`${url}: ${what()} within ${timeoutMs} ms; failures: ${failures.slice(-3).join('; ') || 'none'}`)),
        timeoutMs,
      )
      const check = () => condition() && finish()
      waiting.add(check)
      check()
    })
  return {
    answers,
    failures,
    more: (count) => {
      const wanted = total + count
      return until(
        () => total >= wanted,
        () => `not ${count} answers`,
      )
    },
    seen: (answer) =>
      until(
        () => answers.has(answer),
        () => `no answer ${JSON.stringify(answer)}, only ${JSON.stringify([...answers.keys()])},`,
      ),
    [Symbol.asyncDispose]: async () => {
      stopped = true
      await running
    },
  }
}
