import type { CompiledStep } from '../config/compiled.ts'
import type { ContainerUser, Exchange, Execution, RunOptions } from './exchange.ts'
import type { AgentPlan, TestReport } from './plan.ts'
import type { ServiceClient } from './service-client.ts'

/** What a step works with. */
export interface StepContext {
  plan: AgentPlan
  exchange: Exchange
  client: ServiceClient
  /** Who runs the steps, and where. */
  user: ContainerUser
  workingDirectory: string
  /** All variables of the job, `environment` of a step aside. */
  environment: Record<string, string>
  /** Text for the step's log, not yet masked. */
  print(text: string): void
  /** Runs something in the container of the steps; told to end when the step is. */
  run(options: RunOptions): Execution
  /** Runs a program of the agent's own container; rejects with its last lines when it fails. */
  local(program: string, args: string[], options?: { env?: Record<string, string>; cwd?: string }): Promise<void>
  signal: AbortSignal
  addTests(report: TestReport): void
  addArtifacts(count: number): void
}

export type StepOf<T extends CompiledStep['type']> = Extract<CompiledStep, { type: T }>

/** The step ended with a failure that is the user's to read. */
export class StepError extends Error {
  readonly exitCode: number | undefined
  constructor(message: string, exitCode?: number) {
    super(message)
    this.name = 'StepError'
    this.exitCode = exitCode
  }
}

/** A path as the user writes it, from the root: `~` is their home, what is relative lies in the working directory. */
export function resolvePath(path: string, { user, workingDirectory }: { user: Pick<ContainerUser, 'home'>; workingDirectory: string }): string {
  const expanded = path === '~' ? user.home : path.startsWith('~/') ? `${user.home}${path.slice(1)}` : path
  const absolute = expanded.startsWith('/') ? expanded : `${workingDirectory}/${expanded}`
  const parts: string[] = []
  for (const part of absolute.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

/** A path as words of a shell in which `*`, `?` and `[…]` keep their meaning, and nothing else has one. */
export function globbed(path: string): string {
  return path.replaceAll(/[^\w/.*?[\]-]/g, (c) => (c === '\n' ? "'\n'" : `\\${c}`)).replace(/^-/, './-')
}
