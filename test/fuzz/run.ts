import type { Request } from '#client'
import { memoryStore } from '#store'
import { admin, startTestServer } from '../../src/apiserver/test-server.ts'
import { chooser, mulberry32 } from '../random.ts'
import { costOf } from './cost.ts'
import { setup, targets } from './requests.ts'

export interface FuzzOptions {
  target: string
  seed: number
  /** Ends after so many requests, or so many milliseconds. */
  requests?: number
  duration?: number
  /** Ends after so many problems; 10 when absent. */
  mostProblems?: number
}

export interface FuzzResult {
  requests: number
  /** Answers by status code. */
  statuses: Record<string, number>
  /** Milliseconds of processor time of the slowest. */
  slowest: number
  /** Bytes of heap that the greediest of the large ones took. */
  largest: number
  problems: string[]
}

export const mostBytes = 3 * 1024 * 1024
/** No input of up to 3 MB may cost more. */
const mostTime = 1000
const mostMemory = 64 * 1024 * 1024
const lifetime = 2000
/** From here on it is worth collecting the garbage of other requests first. */
const smallSize = 64 * 1024

const sizeOf = ({ body, query }: Request) => (body instanceof Uint8Array ? body.length : 0) + query.toString().length
export const inMegabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(0)

/** Sends random requests to an API server in this process. What it answers must be an answer: no crash, no 500, no long time, no great deal of memory. */
export async function fuzz({ target, seed, requests = Infinity, duration = Infinity, mostProblems = 10 }: FuzzOptions): Promise<FuzzResult> {
  const make = targets[target]
  if (!make) throw new Error(`no target ${target}: there are ${Object.keys(targets).join(', ')}`)
  const c = chooser(mulberry32(seed))
  const result: FuzzResult = { requests: 0, statuses: {}, slowest: 0, largest: 0, problems: [] }
  const end = performance.now() + duration
  while (result.requests < requests && performance.now() < end && result.problems.length < mostProblems) {
    // a server does not fill up for ever
    await using t = await startTestServer({ store: memoryStore() })
    const transport = t.server.transport(admin)
    for (const each of setup) await transport.send(each)
    for (let n = 0; n < lifetime && result.requests < requests && performance.now() < end && result.problems.length < mostProblems; n++) {
      const request = make(c)
      // the listener takes no more
      if (sizeOf(request) > mostBytes) continue
      // a revision that is yet to come is waited for
      let waited = false
      const send = async () => {
        try {
          const { status, body } = await transport.send(request)
          waited = status === 504
          result.statuses[status] = (result.statuses[status] ?? 0) + 1
          // upstream answers some mistakes with 500, and so do we, with a message of their own: this one is for what nobody thought of
          if (status === 500 && JSON.stringify(body).includes('an error on the server has prevented'))
            result.problems.push(`${status}: ${describe(request)}`)
        } catch (error) {
          result.problems.push(`${String(error)}: ${describe(request)}`)
        }
      }
      const { cost } = await costOf(send, sizeOf(request) > smallSize)
      if (cost.time > result.slowest && !waited) result.slowest = cost.time
      if (cost.time > mostTime && !waited) result.problems.push(`${cost.time.toFixed(0)} ms: ${describe(request)}`)
      if (cost.memory > result.largest && sizeOf(request) > smallSize) result.largest = cost.memory
      if (cost.memory > mostMemory) result.problems.push(`${inMegabytes(cost.memory)} MB: ${describe(request)}`)
      result.requests++
    }
  }
  return result
}

function describe({ method, path, query, headers, body }: Request): string {
  const text = body instanceof Uint8Array ? Buffer.from(body).toString('base64') : ''
  return `${method} ${path}?${query.toString().slice(0, 300)} ${headers['content-type'] ?? ''} ${text.length} characters of base64: ${text.slice(0, 1500)}`
}
