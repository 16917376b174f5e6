import { spawn } from 'node:child_process'

/** What a command printed, both streams as they came, and how it ended. */
export interface Played {
  command: string
  output: string
  code: number
}

/** A shell that keeps its variables and its directory from command to command, as a person's terminal does. */
export interface Terminal extends AsyncDisposable {
  /** Runs one command, without input. Rejects when it takes longer than `timeoutMs`; the terminal is of no more use then. */
  run(command: string, timeoutMs: number): Promise<Played>
}

export interface TerminalOptions {
  directory: string
  env: NodeJS.ProcessEnv
  /** Called with what commands print, as they print it. */
  onOutput: (text: string) => void
}

// stands before and behind the exit code, on the stream that the command printed to: texts do not have it
const mark = '\0'

export function openTerminal({ directory, env, onOutput }: TerminalOptions): Terminal {
  const shell = spawn('bash', ['--noprofile', '--norc'], { cwd: directory, env, stdio: ['pipe', 'pipe', 'ignore'], detached: true })
  const closed = new Promise<void>((resolve) => shell.on('close', () => resolve()))
  let pending = ''
  let ended: (code: number | undefined) => void = () => {}
  let output = ''
  shell.stdout.setEncoding('utf8').on('data', (text: string) => {
    pending += text
    const begin = pending.indexOf(mark)
    const printed = begin < 0 ? pending : pending.slice(0, begin)
    if (printed) {
      output += printed
      onOutput(printed)
    }
    pending = pending.slice(printed.length)
    const end = pending.indexOf(mark, 1)
    if (end < 0) return
    const code = Number(pending.slice(1, end))
    pending = pending.slice(end + 1)
    ended(code)
  })
  void closed.then(() => ended(undefined))
  shell.stdin.on('error', () => {})
  shell.stdin.write('set -o pipefail; exec 2>&1\n')
  const signalAll = (signal: NodeJS.Signals) => {
    try {
      process.kill(-shell.pid!, signal)
    } catch {
      // all have ended
    }
  }
  return {
    async run(command, timeoutMs) {
      output = ''
      const end = new Promise<number | undefined>((resolve) => (ended = resolve))
      // quoted whole, so that an unfinished command cannot swallow what follows
      const quoted = `'${command.replaceAll("'", `'\\''`)}'`
      shell.stdin.write(`eval ${quoted} </dev/null; printf '\\0%d\\0' $?\n`)
      const late = setTimeout(() => signalAll('SIGKILL'), timeoutMs)
      const code = await end
      clearTimeout(late)
      if (code === undefined) throw new Error(`took longer than ${timeoutMs / 1000} s, or ended the shell: ${command}\n${output}`)
      return { command, output, code }
    },
    [Symbol.asyncDispose]: async () => {
      signalAll('SIGTERM')
      shell.stdin.end()
      await closed
    },
  }
}
