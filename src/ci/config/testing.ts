import type { CompileInput, CompileResult, CompiledConfig, CompiledStep } from './compiled.ts'
import { compileConfig } from './compile.ts'

export interface Trigger {
  branch?: string
  tag?: string
  parameters?: CompileInput['parameters']
  pipeline?: Partial<CompileInput['pipeline']>
}

/** Compiles a text for a push to a branch (`main` unless told) or of a tag. */
export function compileFor(text: string, trigger: Trigger = {}): CompileResult {
  const git = trigger.tag === undefined ? { branch: trigger.branch ?? 'main', revision: 'c0ffee' } : { tag: trigger.tag, revision: 'c0ffee' }
  const pipeline = {
    id: 'p-1',
    number: 7,
    triggerSource: 'webhook' as const,
    project: { name: 'blog', gitUrl: 'https://git.local/blog/app' },
    git,
    actor: 'ann',
  }
  return compileConfig({ file: 'config.yml', text, parameters: trigger.parameters ?? {}, pipeline: { ...pipeline, ...trigger.pipeline } })
}

/** What a step does, on one line. */
export function stepLine(step: CompiledStep): string {
  const when = step.when === 'on_success' || (step.when === 'always' && step.type.startsWith('store_')) ? '' : `[${step.when}] `
  switch (step.type) {
    case 'run':
      return `${when}run ${step.command.trim()}`
    case 'save_cache':
      return `${when}save_cache ${step.key}`
    case 'restore_cache':
      return `${when}restore_cache ${step.keys.join(' | ')}`
    case 'persist_to_workspace':
      return `${when}persist_to_workspace ${step.root}: ${step.paths.join(' ')}`
    case 'attach_workspace':
      return `${when}attach_workspace ${step.at}`
    case 'store_artifacts':
    case 'store_test_results':
      return `${when}${step.type} ${step.path}`
    default:
      return `${when}${step.type}`
  }
}

/** Workflows as lines: `workflow`, `  job < required`, `    step`. */
export function outline(config: CompiledConfig, detail: 'jobs' | 'steps' = 'steps'): string[] {
  return config.workflows.flatMap((workflow) => [
    workflow.name,
    ...workflow.jobs.flatMap((job) => {
      const requires = job.requires.map(({ job: name, on }) => (on.join() === 'success' ? name : `${name}:${on.join('|')}`))
      const type = job.type === 'build' ? '' : ` (${job.type})`
      const steps = detail === 'steps' ? (job.job?.steps ?? []).map((step) => `    ${stepLine(step)}`) : []
      return [`  ${job.name}${type}${requires.length > 0 ? ` < ${requires.join(', ')}` : ''}`, ...steps]
    }),
  ])
}

/** Problems as `line:column message`. */
export const problemLines = (result: CompileResult): string[] =>
  result.ok ? [] : result.problems.map((problem) => `${problem.line}:${problem.column} ${problem.message}`)
