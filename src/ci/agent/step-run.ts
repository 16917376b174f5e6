import { quoted } from './exchange.ts'
import { resolvePath, StepError, type StepContext, type StepOf } from './steps.ts'

/** A `run` step. Answers whether it goes on in the background. */
export async function runCommand(step: StepOf<'run'>, context: StepContext): Promise<'ended' | 'background'> {
  const directory = step.workingDirectory ? resolvePath(step.workingDirectory, context) : context.workingDirectory
  const environment = { ...context.environment, ...step.environment }
  let last = performance.now()
  const begun = last
  let stopped: string | undefined
  const execution = context.run({
    script: `${exportLines(environment)}\ncd ${quoted(directory)} 2>/dev/null || { $B mkdir -p ${quoted(directory)} && cd ${quoted(directory)}; } || exit 1\n${startShell(step.shell || context.user.shell)}`,
    files: { command: step.command.endsWith('\n') ? step.command : `${step.command}\n` },
    onOutput(text) {
      last = performance.now()
      context.print(text)
    },
  })
  if (step.background) {
    execution.ended.then(
      (code) => context.print(code === 0 ? '' : `\nThe command in the background ended with exit code ${code}\n`),
      () => {},
    )
    return 'background'
  }
  const watch = setInterval(() => {
    const now = performance.now()
    if (now - last >= step.noOutputTimeout) stopped = `no output for ${duration(step.noOutputTimeout)} (no_output_timeout)`
    else if (step.maxTime !== undefined && now - begun >= step.maxTime) stopped = `not done after ${duration(step.maxTime)} (max_time)`
    if (!stopped) return
    clearInterval(watch)
    execution.kill()
  }, 100)
  try {
    const code = await execution.ended
    if (stopped) throw new StepError(`The command was ended: ${stopped}`, code)
    if (code !== 0) throw new StepError(`Exited with code exit status ${code}`, code)
    return 'ended'
  } finally {
    clearInterval(watch)
  }
}

function startShell(shell: string): string {
  const words = shell.trim().split(/\s+/)
  // the command is a file: what asks for it as an argument is left out
  if (words.at(-1) === '-c') words.pop()
  return `exec ${words.map(quoted).join(' ')} "$X/command"`
}

export function exportLines(environment: Record<string, string>): string {
  return Object.entries(environment)
    .filter(([name]) => /^[A-Za-z_]\w*$/.test(name))
    .map(([name, value]) => `export ${name}=${quoted(value)}`)
    .join('\n')
}

function duration(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`
  return ms % 60_000 === 0 ? `${ms / 60_000}m` : `${ms / 1000}s`
}
