import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Subject } from './subjects/subject.ts'

export type Script = 'get' | 'create-configmap' | 'create-pod'

const program = '/usr/bin/wrk'

export function requireWrk(): void {
  if (!existsSync(program)) throw new Error('wrk makes the load: apt-get install wrk')
}

let runs = 0

/**
 * Requests answered a second, as wrk counts them over HTTPS with 16 connections of two threads. Any other answer than a 2xx is an error: a server that refuses
 * quickly must not look fast.
 */
export async function load(subject: Subject, script: Script, path: string, seconds: number): Promise<number> {
  const { stdout } = await promisify(execFile)(
    program,
    ['-t2', '-c16', `-d${seconds}s`, '--timeout', '10s', '-s', join(import.meta.dirname, 'lua', `${script}.lua`), `${subject.url}${path}`],
    { env: { ...process.env, BENCH_TOKEN: subject.token, BENCH_RUN: `${process.pid}-${++runs}` } },
  )
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(stdout)
  if (refused) throw new Error(`${subject.name}: ${script} of ${path}: ${refused[1]} requests were refused:\n${stdout}`)
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(stdout)
  if (!rate) throw new Error(`wrk printed no rate:\n${stdout}`)
  return Number(rate[1])
}
