import { readFileSync, readdirSync } from 'node:fs'
import { request } from 'node:https'
import type { Client } from '#client'
import { createClient, httpsTransport } from '#client'

/** Which parts of a control plane run. */
export interface Parts {
  scheduler: boolean
  controllers: boolean
}

/** A control plane under measurement. It is started with an empty data directory, and everything it leaves goes with `clear`. */
export interface Subject {
  name: 'reference' | 'k8ts'
  url: string
  /** Of a user who may do everything. */
  token: string
  /** Starts it with what is stored already. Resolves when /readyz says ok, to the milliseconds that this took. */
  start(parts: Parts): Promise<number>
  /** Makes these the parts that run; the API server may restart, what is stored stays. */
  change(parts: Parts): Promise<void>
  /** Resident memory of all its processes, MB. */
  memory(): number
  /** Processor time that all its processes have taken since they started, seconds. */
  cpu(): number
  stop(): Promise<void>
  /** Stops it and forgets what is stored. */
  clear(): Promise<void>
}

export function subjectClient(subject: Subject): { client: Client } & AsyncDisposable {
  const transport = httpsTransport({ server: subject.url, token: subject.token, insecureSkipVerify: true })
  return { client: createClient(transport, { userAgent: 'bench' }), [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose]() }
}

/** Asks without a pause until /readyz says ok; the milliseconds since `since`. `died` is asked whether there is still hope. */
export async function untilReady(url: string, since: number, died: () => string | undefined, timeoutMs = 60_000): Promise<number> {
  while (!(await answersOk(`${url}/readyz`))) {
    const why = died()
    if (why) throw new Error(why)
    if (performance.now() - since > timeoutMs) throw new Error(`${url} is not ready after ${timeoutMs / 1000} s`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return performance.now() - since
}

function answersOk(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = request(url, { rejectUnauthorized: false, agent: false, timeout: 2000 }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    probe.on('error', () => resolve(false))
    probe.on('timeout', () => probe.destroy())
    probe.end()
  })
}

/** Resident memory of a process and its children, in MB of 2^20 bytes, as `ps` counts. */
export function residentMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const own = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  )
  return children.reduce((sum, child) => sum + residentMemory(child), own)
}

/** What a clock tick of /proc is, seconds. */
const tick = 1 / 100

/** Processor time of a process, in user and kernel mode, seconds. */
export function processorTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // the name, in brackets, may hold spaces
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * tick
}
