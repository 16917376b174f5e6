import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Subject } from './subjects/subject.ts'

export type Script = 'get' | 'create-configmap' | 'create-pod' | 'apply'

const program = '/usr/bin/wrk'

export function requireWrk(): void {
  if (!existsSync(program)) throw new Error('wrk makes the load: apt-get install wrk')
}

let runs = 0

export interface Load {
  /** Requests answered a second. */
  rate: number
  /** Processor time of the subject for each of them, microseconds: what a busy machine changes least. */
  cost: number
}

/**
 * Requests as wrk counts them over HTTPS with 16 connections of two threads. Any other answer than a 2xx is an error: a server that refuses
 * quickly must not look fast.
 */
export async function load(subject: Subject, script: Script, path: string, seconds: number, accept = 'application/json'): Promise<Load> {
  const before = subject.cpu()
  const { stdout } = await promisify(execFile)(
    program,
    ['-t2', '-c16', `-d${seconds}s`, '--timeout', '10s', '-s', join(import.meta.dirname, 'lua', `${script}.lua`), `${subject.url}${path}`],
    { env: { ...process.env, BENCH_TOKEN: subject.token, BENCH_RUN: `${process.pid}-${++runs}`, BENCH_ACCEPT: accept } },
  )
  const used = subject.cpu() - before
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(stdout)
  if (refused) throw new Error(`${subject.name}: ${script} of ${path}: ${refused[1]} requests were refused:\n${stdout}`)
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(stdout)
  const total = /(\d+) requests in/.exec(stdout)
  if (!rate || !total) throw new Error(`wrk printed no rate:\n${stdout}`)
  return { rate: Number(rate[1]), cost: (used / Number(total[1])) * 1e6 }
}
