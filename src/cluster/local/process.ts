import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { writeAtomically } from '../config.ts'
import { ensureCgroup, processesIn } from './cgroup.ts'

export interface ProcessOptions {
  /** Names the pid and log files. */
  name: string
  program: string
  args: readonly string[]
  /** Directory of pid files. */
  run: string
  logFile: string
  /** The control group that the process starts in. */
  cgroup: string
  /** Path of the network namespace to start in; the caller's when absent. */
  netns?: string
  env?: Record<string, string>
}

export interface RunningProcess {
  name: string
  pid: number
}

/** Starts a process that outlives us, in its control group and network namespace from its first instruction on. */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  await mkdir(options.run, { recursive: true })
  await mkdir(dirname(options.logFile), { recursive: true })
  const procs = await ensureCgroup(options.cgroup)
  const enter = options.netns ? ['nsenter', `--net=${options.netns}`, '--'] : []
  const log = openSync(options.logFile, 'a')
  try {
    // the script is constant; everything variable comes as a positional argument
    const child = spawn('/bin/sh', ['-c', 'echo $$ > "$0" && exec "$@"', procs, ...enter, options.program, ...options.args], {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...options.env },
      cwd: '/',
    })
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('spawn', () => resolve(child.pid!))
      child.once('error', reject)
    })
    child.unref()
    await writeAtomically(pidFile(options.run, options.name), JSON.stringify({ pid, started: startTime(pid) }))
    return { name: options.name, pid }
  } finally {
    closeSync(log)
  }
}

const pidFile = (run: string, name: string) => join(run, `${name}.pid`)

/** The process that was started under this name, if it still runs. A reused process id is told apart by its start time. */
export function findProcess(run: string, name: string): RunningProcess | undefined {
  const file = pidFile(run, name)
  if (!existsSync(file)) return undefined
  const { pid, started } = JSON.parse(readFileSync(file, 'utf8')) as { pid: number; started: string | undefined }
  return started !== undefined && startTime(pid) === started ? { name, pid } : undefined
}

/** Whether a process was started under this name and not stopped since, whatever became of it. */
export const wasStarted = (run: string, name: string): boolean => existsSync(pidFile(run, name))

/** When the kernel started the process, in clock ticks since boot; undefined when there is none, or only its remains. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

/** Asks the process to end, and makes it when it has not after `graceMs`. */
export async function stopProcess(run: string, name: string, graceMs = 5000): Promise<void> {
  const found = findProcess(run, name)
  if (found) {
    signal(found.pid, 'SIGTERM')
    if (!(await waitUntil(() => !findProcess(run, name), graceMs))) {
      signal(found.pid, 'SIGKILL')
      await waitUntil(() => !findProcess(run, name), 5000)
    }
  }
  await rm(pidFile(run, name), { force: true })
}

/** Ends every process in the control group and below it. */
export async function killGroup(cgroup: string, graceMs = 0): Promise<void> {
  if (graceMs > 0) {
    for (const pid of processesIn(cgroup)) signal(pid, 'SIGTERM')
    await waitUntil(() => processesIn(cgroup).length === 0, graceMs)
  }
  // what is killed may be forking: repeat until the group is empty
  const emptied = await waitUntil(() => {
    const pids = processesIn(cgroup)
    for (const pid of pids) signal(pid, 'SIGKILL')
    return pids.length === 0
  }, 20_000)
  if (!emptied) throw new Error(`processes of ${cgroup} cannot be ended: ${processesIn(cgroup).join(', ')}`)
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Waits for what has no event to wait for: another process' end, a socket of a program that says nothing. */
export async function waitUntil(condition: () => boolean | Promise<boolean>, timeoutMs: number, everyMs = 20): Promise<boolean> {
  const end = performance.now() + timeoutMs
  for (;;) {
    if (await condition()) return true
    if (performance.now() > end) return false
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
