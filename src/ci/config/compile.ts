import type { CompileInput, CompileResult, CompiledConfig } from './compiled.ts'
import { readScope, scopesIn } from './definitions.ts'
import type { Compilation, Scope } from './definitions.ts'
import { resolveExecutor } from './executors.ts'
import { checkIdleJob, compileJob, jobTypeOf } from './jobs.ts'
import { readParameters, sampleValues } from './parameters.ts'
import { parseConfig } from './parse.ts'
import { addPipelineParameters, pipelineValues } from './pipeline-values.ts'
import { LimitExceeded, collectProblems, createBudget, didYouMean } from './problems.ts'
import { entriesOf, listing, readingOf } from './read.ts'
import type { Reading } from './read.ts'
import { expandBody } from './steps.ts'
import { describe, scalarAt } from './tree.ts'
import type { ConfigNode, MapEntry, MapNode } from './tree.ts'
import { compileWorkflow } from './workflows.ts'

/** Steps of work: a file of ordinary size takes a few thousand. */
const budget = 500_000

/**
 * Compiles a configuration (CircleCI's, version 2.1 or 2) for one pipeline. Pure: the same input gives the same result. It never throws for
 * what stands in the file; what is wrong with it, or not supported, comes back with line and column, all of it at once. Workflows and jobs
 * that this pipeline does not run are checked like the others.
 */
export function compileConfig(input: CompileInput): CompileResult {
  const problems = collectProblems(input.file)
  const compiled = { workflows: [] } as CompiledConfig
  try {
    const root = parseConfig(input.text, problems)
    if (root) {
      const context: Compilation = { problems, budget: createBudget(budget), pieces: new Map(), file: input.file, pipeline: pipelineValues(input) }
      compileRoot(root, input, context, compiled)
    }
  } catch (error) {
    // A stack that is too small for a file within the limits is a limit, too.
    if (error instanceof RangeError) problems.last({ line: 1, column: 1 }, 'the configuration is nested too deeply')
    else if (error instanceof LimitExceeded) problems.last(error.at, error.message)
    else throw error
  }
  return problems.count > 0 ? { ok: false, problems: problems.errors() } : { ok: true, config: compiled, warnings: problems.warnings() }
}

const topKeys = ['version', 'setup', 'orbs', 'commands', 'parameters', 'executors', 'jobs', 'workflows'] as const

function compileRoot(root: ConfigNode, input: CompileInput, context: Compilation, compiled: CompiledConfig): void {
  const { problems } = context
  const reading = readingOf(context, true)
  if (root.kind !== 'map') {
    problems.report(root.at, `a configuration is a map that begins with "version: 2.1", not ${describe(root)}`)
    return
  }
  const sections = readSections(root, reading)
  const version = readVersion(root, sections, reading)
  if (!version) return
  if (version === '2') {
    context.literal = true
    for (const key of ['orbs', 'commands', 'executors', 'parameters']) {
      const entry = sections.get(key)
      if (entry) problems.report(entry.keyAt, `"${key}" needs "version: 2.1"`)
    }
  }
  const setup = sections.get('setup')?.value
  if (setup && !(setup.kind === 'scalar' && setup.value === false))
    problems.report(
      setup.at,
      '"setup" is not supported: dynamic configuration is continued by a service of CircleCI; write the workflows into this file, with "when"',
    )
  const declared = readParameters(sections.get('parameters')?.value, 'pipeline', reading)
  addPipelineParameters(context.pipeline, declared, input.parameters, sections.get('parameters')?.keyAt ?? root.at, reading)
  const scope = readScope('', sections, reading)
  compileWorkflows(sections, scope, input, context, compiled)
  checkUnreached(scope, context)
  warnOfUnused(scope, context)
}

/** Keys of one's own at the top are where anchors are kept; without any anchor such a key is a mistake. */
function readSections(root: MapNode, { problems }: Reading): Map<string, MapEntry> {
  const sections = new Map<string, MapEntry>()
  for (const entry of root.entries) {
    const known = topKeys.find((key) => key === entry.key)
    if (known) sections.set(known, entry)
    else if (!entry.value.anchored && !entry.key.startsWith('x-'))
      problems.report(
        entry.keyAt,
        `a configuration has no key "${entry.key}"${didYouMean(entry.key, topKeys) || `; it has ${listing(topKeys)}, and keys of your own for YAML anchors`}`,
      )
  }
  return sections
}

function readVersion(root: MapNode, sections: Map<string, MapEntry>, { problems }: Reading): '2' | '2.1' | undefined {
  const node = sections.get('version')?.value
  if (!node) {
    problems.report(root.at, 'a configuration begins with "version: 2.1", and this one has no "version"')
    return undefined
  }
  const text = node.kind === 'scalar' ? node.text : ''
  if (text === '2' || text === '2.0') return '2'
  if (text === '2.1') return '2.1'
  problems.report(node.at, `the version must be 2.1 (or 2), not ${describe(node)}`)
  return undefined
}

function compileWorkflows(sections: Map<string, MapEntry>, scope: Scope, input: CompileInput, context: Compilation, compiled: CompiledConfig): void {
  const { problems } = context
  const section = sections.get('workflows')
  const { git } = input.pipeline
  let entries = entriesOf(section?.value, '"workflows"', readingOf(context, true)).filter(
    (entry) => !(entry.key === 'version' && entry.value.kind === 'scalar'),
  )
  if (!section) {
    const build = scope.jobs.get('build')
    if (!build) {
      problems.report(
        sections.get('version')!.keyAt,
        'there is nothing to run: the configuration has no "workflows", and no job "build" that would run without',
      )
      return
    }
    // Without workflows the job of this name is all there is.
    const jobs: ConfigNode = { kind: 'list', items: [scalarAt('build', build.at)], at: build.at }
    const value: ConfigNode = { kind: 'map', entries: [{ key: 'jobs', keyAt: build.at, value: jobs }], at: build.at }
    entries = [{ key: 'workflow', keyAt: build.at, value }]
  } else if (entries.length === 0) problems.report(section.keyAt, '"workflows" has no workflow')
  for (const entry of entries) {
    const workflow = compileWorkflow(entry, scope, git, context)
    if (workflow) compiled.workflows.push(workflow)
  }
}

/** What nobody calls is looked at with sample values, so that a mistake in it is found before somebody does. */
function checkUnreached(root: Scope, context: Compilation): void {
  for (const scope of scopesIn(root)) {
    for (const definition of scope.jobs.values()) {
      if (definition.reached) continue
      const type = jobTypeOf(definition, context)
      if (type === 'build') compileJob({ definition, parameters: sampleValues(definition.parameters), before: [], after: [], live: false }, context)
      else checkIdleJob(definition, type, context)
    }
    for (const definition of scope.commands.values()) {
      if (!definition.reached) expandBody(definition, sampleValues(definition.parameters), { stack: [], depth: 0, live: false }, context)
    }
    for (const definition of scope.executors.values()) {
      if (definition.reached) continue
      const call: ConfigNode = { kind: 'map', at: definition.at, entries: [] }
      call.entries.push({ key: 'name', keyAt: definition.at, value: scalarAt(definition.name.split('/').at(-1)!, definition.at) })
      for (const [key, value] of sampleValues(definition.parameters)) call.entries.push({ key, keyAt: definition.at, value })
      resolveExecutor(call, scope, false, context)
    }
  }
}

function warnOfUnused(root: Scope, { problems }: Compilation): void {
  for (const scope of scopesIn(root)) {
    for (const definition of [...scope.jobs.values(), ...scope.commands.values(), ...scope.executors.values()]) {
      for (const { name, at } of definition.parameters.values())
        if (!definition.used.has(name)) problems.warn(at, `the parameter "${name}" of the ${definition.kind} "${definition.name}" is not used`)
    }
  }
}
