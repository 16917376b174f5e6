import type { CompiledJob, CompiledStep } from './compiled.ts'
import { namesOf } from './definitions.ts'
import type { Compilation, Definition } from './definitions.ts'
import { readPlace, resolveExecutor, withExecutor } from './executors.ts'
import { readChoice, readEnvironment, readInteger, readText, readingOf } from './read.ts'
import { expandBody } from './steps.ts'
import { substitute } from './substitute.ts'
import type { ConfigNode, MapNode } from './tree.ts'

export const jobTypes = ['build', 'approval', 'no-op'] as const
export type JobType = (typeof jobTypes)[number]

const mostCopies = 256

/** The type of a job that is defined under `jobs`. */
export function jobTypeOf(definition: Definition, context: Compilation): JobType {
  const node = definition.body.entries.find((entry) => entry.key === 'type')?.value
  if (node?.kind === 'scalar' && node.value === 'release') {
    context.problems.report(node.at, 'jobs of type release are not supported: they belong to a service of CircleCI; deploy in a "run" step')
    return 'build'
  }
  return readChoice(node, `the type of the job "${definition.name}"`, jobTypes, readingOf(context, true)) ?? 'build'
}

export interface JobCall {
  definition: Definition
  parameters: Map<string, ConfigNode>
  before: CompiledStep[]
  after: CompiledStep[]
  live: boolean
}

/** What one call of a job runs; undefined when that is reported. */
export function compileJob({ definition, parameters, before, after, live }: JobCall, context: Compilation): CompiledJob | undefined {
  const { problems } = context
  const reading = readingOf(context, live)
  const what = `the job "${definition.name}"`
  definition.reached = true
  const entries = definition.body.entries.filter((entry) => entry.key !== 'steps')
  const own = substitute({ ...definition.body, entries }, namesOf(definition, parameters, context), context) as MapNode
  const called = own.entries.find((entry) => entry.key === 'executor')?.value
  const executor = called && resolveExecutor(called, definition.scope, live, context)
  const fields = withExecutor(own, executor === 'unknown' ? undefined : executor)
  // Machines that are refused by name are reported already.
  const refused = entriesRefused(definition.body) || (executor && executor !== 'unknown' && entriesRefused(executor))
  const knowsPlace = (executor !== 'unknown' && !refused) || fields.has('docker') || fields.has('machine')
  const place = knowsPlace ? readPlace(fields, { what, node: { ...definition.body, at: definition.at } }, reading) : undefined
  if (!definition.body.entries.some((entry) => entry.key === 'steps')) problems.report(definition.at, `${what} needs "steps"`)
  const steps = [...before, ...expandBody(definition, parameters, { stack: [], depth: 0, live }, context), ...after]
  if (place?.type === 'machine') {
    for (const step of steps)
      if (step.type === 'setup_remote_docker' && live)
        problems.report(
          { line: step.source.line, column: 1 },
          `${what} runs in a machine, which has Docker; "setup_remote_docker" is for jobs in docker`,
        )
  }
  const executorVariables = executor && executor !== 'unknown' ? executor.entries.find((entry) => entry.key === 'environment')?.value : undefined
  const jobVariables = own.entries.find((entry) => entry.key === 'environment')?.value
  const shell = readText(fields.get('shell')?.value, '"shell"', reading)
  const parallelism = readInteger(fields.get('parallelism')?.value, '"parallelism"', { least: 1, most: mostCopies }, reading) ?? 1
  const workingDirectory = readText(fields.get('working_directory')?.value, '"working_directory"', reading) ?? '~/project'
  const environment = { ...readEnvironment(executorVariables, reading), ...readEnvironment(jobVariables, reading) }
  context.budget.spend(Math.floor(JSON.stringify([place, environment]).length / 64), definition.at)
  if (!place) return undefined
  return { base: definition.name, executor: place, environment, workingDirectory, ...(shell !== undefined && { shell }), parallelism, steps }
}

const entriesRefused = (body: MapNode) => body.entries.some((entry) => entry.key === 'macos' || entry.key === 'windows')

/** An approval or a no-op does nothing: what it would do is reported. */
export function checkIdleJob(definition: Definition, type: JobType, context: Compilation): void {
  definition.reached = true
  for (const entry of definition.body.entries)
    if (entry.key !== 'type') context.problems.report(entry.keyAt, `the job "${definition.name}" is of type ${type} and has no "${entry.key}"`)
}
