import type { Request } from '#client'
import { memoryStore } from '#store'
import { admin, startTestServer } from '../../src/apiserver/test-server.ts'
import { chooser, mulberry32 } from '../random.ts'
import { setup, targets } from './requests.ts'

export interface FuzzOptions {
  target: string
  seed: number
  /** Ends after so many requests, or so many milliseconds. */
  requests?: number
  duration?: number
}

export interface FuzzResult {
  requests: number
  /** Answers by status code. */
  statuses: Record<string, number>
  /** Milliseconds of processor time of the slowest. */
  slowest: number
  problems: string[]
}

const mostBytes = 3 * 1024 * 1024
/** No input of up to 3 MB may cost more. */
const mostTime = 1000
const mostMemory = 64 * 1024 * 1024
const lifetime = 2000

/** Sends random requests to an API server in this process. What it answers must be an answer: no crash, no 500, no long time, no great deal of memory. */
export async function fuzz({ target, seed, requests = Infinity, duration = Infinity }: FuzzOptions): Promise<FuzzResult> {
  const make = targets[target]
  if (!make) throw new Error(`no target ${target}: there are ${Object.keys(targets).join(', ')}`)
  const c = chooser(mulberry32(seed))
  const result: FuzzResult = { requests: 0, statuses: {}, slowest: 0, problems: [] }
  const end = performance.now() + duration
  while (result.requests < requests && performance.now() < end && result.problems.length < 10) {
    // a server does not fill up for ever
    await using t = await startTestServer({ store: memoryStore() })
    const transport = t.server.transport(admin)
    for (const each of setup) await transport.send(each)
    for (let n = 0; n < lifetime && result.requests < requests && performance.now() < end && result.problems.length < 10; n++) {
      const request = make(c)
      // the listener takes no more
      if (request.body instanceof Uint8Array && request.body.length > mostBytes) continue
      const heap = process.memoryUsage().heapUsed
      const start = process.cpuUsage()
      let waited = false
      try {
        const { status, body } = await transport.send(request)
        // a revision that is yet to come is waited for
        waited = status === 504
        result.statuses[status] = (result.statuses[status] ?? 0) + 1
        // upstream answers some mistakes with 500, and so do we, with a message of their own: this one is for what nobody thought of
        if (status === 500 && JSON.stringify(body).includes('an error on the server has prevented'))
          result.problems.push(`${status}: ${describe(request)}`)
      } catch (error) {
        result.problems.push(`${String(error)}: ${describe(request)}`)
      }
      // of the processor, whoever else wants it
      const { user, system } = process.cpuUsage(start)
      const took = (user + system) / 1000
      if (!waited) result.slowest = Math.max(result.slowest, took)
      if (took > mostTime && !waited) result.problems.push(`${took.toFixed(0)} ms: ${describe(request)}`)
      // what the collector has not seen yet counts as well: the bound is for one request
      const grown = process.memoryUsage().heapUsed - heap
      if (grown > mostMemory) result.problems.push(`${(grown / 2 ** 20).toFixed(0)} MB: ${describe(request)}`)
      result.requests++
    }
  }
  return result
}

function describe({ method, path, query, headers, body }: Request): string {
  const text = body instanceof Uint8Array ? Buffer.from(body).toString('base64') : ''
  return `${method} ${path}?${query.toString().slice(0, 300)} ${headers['content-type'] ?? ''} ${text.length} characters of base64: ${text.slice(0, 1500)}`
}
