import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readRecords } from './test-record.ts'

const root = join(import.meta.dirname, '..')

/** How one run of a test file went. */
export interface FileResult {
  file: string
  ok: boolean
  seconds: number
  passed: number
  skipped: number
  failures: { name: string; message: string }[]
  /** How long each test took, the longest first. */
  times: { name: string; seconds: number }[]
  /** What its tests told about themselves (their seeds, say) and what it printed. */
  output: string
}

export interface FileLimits {
  limitMs: number
  /** For each of its tests, where that has no limit of its own: the one that hangs fails by name before its file is ended. */
  testLimitMs?: number
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) endGroup(child)
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

/**
 * Runs a file of tests in a process of its own. A file that has not ended after `limitMs`, because a test hangs or leaves something open,
 * fails, and is ended with what it started.
 */
export async function runTestFile(file: string, { limitMs, testLimitMs = Math.floor(limitMs * 0.9) }: FileLimits): Promise<FileResult> {
  const started = performance.now()
  const dir = mkdtempSync(join(tmpdir(), 'k8ts-test-'))
  const records = join(dir, 'records')
  const args = [`--test-timeout=${testLimitMs}`, `--test-reporter=${join(root, 'tools/test-record.ts')}`, `--test-reporter-destination=${records}`]
  const child = spawn(process.execPath, [...args, file], { cwd: root, env: environment(), stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  running.add(child)
  const said: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => void said.push(chunk))
  const closed = once(child, 'close').catch(() => {})
  let late = false
  const limit = setTimeout(() => {
    late = true
    endGroup(child)
  }, limitMs)
  const how = await new Promise<string | undefined>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      // what it left running is of no use any more
      endGroup(child)
      resolve(code === 0 ? undefined : signal ? `ended by ${signal}` : `exit code ${code}`)
    })
  })
  clearTimeout(limit)
  // what it said last may still be on its way; what left its group may hold its output open for ever
  await Promise.race([closed, sleep(1000, undefined, { ref: false })])
  for (const stream of [child.stdout, child.stderr]) stream.destroy()
  running.delete(child)
  const found = existsSync(records) ? readRecords(readFileSync(records, 'utf8')) : []
  rmSync(dir, { recursive: true })
  const failures = found.filter(({ outcome }) => outcome === 'failed').map(({ name, message = '' }) => ({ name, message }))
  if (late) failures.push({ name: 'the file', message: `did not end within ${limitMs / 1000} s: a test hangs, or leaves something open` })
  else if (how !== undefined && failures.length === 0) failures.push({ name: 'the file', message: how })
  return {
    file,
    ok: failures.length === 0,
    seconds: (performance.now() - started) / 1000,
    passed: found.filter(({ outcome }) => outcome === 'passed').length,
    skipped: found.filter(({ outcome }) => outcome === 'skipped').length,
    failures,
    times: found.flatMap(({ name, seconds }) => (seconds === undefined ? [] : [{ name, seconds }])).sort((a, b) => b.seconds - a.seconds),
    output: [...found.filter(({ outcome }) => outcome === 'said').map(({ name }) => name), Buffer.concat(said).toString()].join('\n'),
  }
}

/** The tools are told which Node to use by their PATH: the system's may be too old for them. What programs print is in one language everywhere. */
export function environment(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, ...others } = process.env
  return { ...others, LC_ALL: 'C.UTF-8', PATH: `${join(process.execPath, '..')}:${process.env['PATH']}` }
}

function endGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, 'SIGKILL')
  } catch {
    // nobody is left
  }
}
