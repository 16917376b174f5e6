import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { mkdirSync } from 'node:fs'

/** A program that runs as long as we want it to. */
export interface Running {
  pid: number
  /** Why there is nothing to wait for any more; undefined while it runs. */
  died(): string | undefined
  stop(): Promise<void>
}

export function runProgram(
  program: string,
  args: readonly string[],
  options: { logFile: string; cwd: string; env?: Record<string, string> },
): Running {
  mkdirSync(dirname(options.logFile), { recursive: true })
  const log = openSync(options.logFile, 'w')
  const child = spawn(program, args, { stdio: ['ignore', log, log], cwd: options.cwd, env: { ...process.env, ...options.env } })
  closeSync(log)
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()))
  const isOver = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null
  // nothing that we started outlives us, however we end
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  void ended.then(() => process.off('exit', kill))
  return {
    pid: child.pid ?? 0,
    died: () => (isOver() ? `${program} ended: ${lastLines(options.logFile)}` : undefined),
    stop: () => stopChild(child, ended, isOver),
  }
}

async function stopChild(child: ChildProcess, ended: Promise<void>, isOver: () => boolean): Promise<void> {
  if (isOver()) return
  child.kill('SIGTERM')
  const kill = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await ended
  clearTimeout(kill)
}

const lastLines = (file: string) => readFileSync(file, 'utf8').trimEnd().split('\n').slice(-5).join('\n')
