import { spawn } from 'node:child_process'

/** A program that answered with a non-zero code; `stderr` says why. */
export class CommandError extends Error {
  readonly code: number | null
  readonly stderr: string
  constructor(program: string, args: readonly string[], code: number | null, stderr: string) {
    super(`${program} ${args.join(' ')}: ${stderr.trim() || `exit code ${code}`}`)
    this.name = 'CommandError'
    this.code = code
    this.stderr = stderr
  }
}

export interface RunOptions {
  input?: string | Uint8Array
  signal?: AbortSignal
  env?: Record<string, string>
  cwd?: string
  /** The program leads a process group of its own, so that what a terminal interrupts is this process alone. */
  detached?: boolean
  /** Called with the program's process ID once it runs. */
  onStart?: (pid: number) => void
  /** Called with each line of standard output and error as it comes. */
  onLine?: (line: string) => void
}

/** Runs a program without a shell and answers its standard output; rejects with CommandError when it fails. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      ...(options.cwd ? { cwd: options.cwd } : {}),
      ...(options.signal ? { signal: options.signal } : {}),
      ...(options.detached ? { detached: true } : {}),
    })
    if (child.pid !== undefined) options.onStart?.(child.pid)
    let stdout = ''
    let stderr = ''
    const collect = (stream: NodeJS.ReadableStream, take: (text: string) => void) => {
      let line = ''
      stream.setEncoding('utf8')
      stream.on('data', (text: string) => {
        take(text)
        if (!options.onLine) return
        const lines = (line + text).split('\n')
        line = lines.pop()!
        for (const each of lines) options.onLine(each)
      })
      // the last line may have no end
      stream.on('end', () => line && options.onLine?.(line))
    }
    collect(child.stdout, (text) => (stdout += text))
    collect(child.stderr, (text) => (stderr += text))
    child.on('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? new Error(`${program} is not installed (run \`k8ts doctor\`)`, { cause: error }) : error),
    )
    child.on('close', (code) => (code === 0 ? resolve(stdout) : reject(new CommandError(program, args, code, stderr))))
    child.stdin.on('error', () => {}) // a program that ends without reading its input
    child.stdin.end(options.input)
  })
}

/** Like `run`, but a failure is an answer: whether it went well. */
export async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  try {
    await run(program, args)
    return true
  } catch (error) {
    if (error instanceof CommandError) return false
    throw error
  }
}
