import type { CompiledWorkflow, JobOutcome, WorkflowJob } from './compiled.ts'
import { defaultsIn, findDefinition, unknownName } from './definitions.ts'
import type { Closure, Compilation, Definition, Scope } from './definitions.ts'
import { filtersPass } from './filters.ts'
import type { GitReference } from './filters.ts'
import { checkIdleJob, compileJob, jobTypeOf } from './jobs.ts'
import type { JobType } from './jobs.ts'
import { holds } from './logic.ts'
import { matrixName, readMatrix } from './matrix.ts'
import { bindParameters } from './parameters.ts'
import { readChoice, readMap, readText, readTexts, readingOf } from './read.ts'
import type { Reading } from './read.ts'
import { letThrough, orderJobs, resolveRequirements } from './requires.ts'
import type { PlannedJob } from './requires.ts'
import { expandSteps } from './steps.ts'
import type { Frame } from './steps.ts'
import { substitute } from './substitute.ts'
import type { Names } from './substitute.ts'
import { describe, isNull } from './tree.ts'
import type { ConfigNode, MapEntry, MapNode, Position } from './tree.ts'

/** Bytes of a workflow's object: it has to fit into the API. */
const largestWorkflow = 1_000_000
const longestName = 200

const refusedKeys = {
  triggers:
    'workflows on a schedule are not; start pipelines from a CronJob that runs `k8ts ci run`, and ask pipeline.trigger_source or a parameter in "when"',
  max_auto_reruns: 'a workflow is run again with `k8ts ci rerun`',
}

/** A workflow, or undefined when it does not run for this pipeline or is reported. */
export function compileWorkflow(entry: MapEntry, scope: Scope, git: GitReference, context: Compilation): CompiledWorkflow | undefined {
  const { problems } = context
  const reading = readingOf(context, true)
  const what = `the workflow "${entry.key}"`
  const names: Names = { pipeline: context.pipeline }
  const fields = readMap(entry.value, { what, known: ['jobs', 'when', 'unless'], required: ['jobs'], refused: refusedKeys }, reading)
  if (!fields) return undefined
  const condition = (key: string) => {
    const node = fields.get(key)?.value
    return node && holds(substitute(node, names, context), names, reading)
  }
  if (entry.key.length > longestName) problems.report(entry.keyAt, `the name of a workflow may have ${longestName} characters`)
  const runs = condition('when') !== false && condition('unless') !== true
  const list = fields.get('jobs')?.value
  if (!list) return undefined
  if (list.kind !== 'list' || list.items.length === 0) {
    problems.report(list.at, `"jobs" of ${what} must be a list of jobs, not ${list.kind === 'list' ? 'an empty list' : describe(list)}`)
    return undefined
  }
  const jobs = list.items.flatMap((item) => planJobs(item, { scope, git, names, context }))
  numberDuplicates(jobs, problems)
  resolveRequirements(jobs, context)
  const { cycle, order } = orderJobs(jobs)
  if (cycle) {
    problems.report(cycle[0]!.at, `these jobs wait for one another: ${[...cycle, cycle[0]!].map((job) => job.name).join(' → ')}`)
    return undefined
  }
  if (!runs) return undefined
  const workflow = { name: entry.key, jobs: letThrough(jobs, order).map(finishedJob) }
  const size = JSON.stringify(workflow).length
  if (size > largestWorkflow) problems.report(entry.keyAt, `${what} comes to ${size} bytes; it may have ${largestWorkflow}`)
  return workflow.jobs.length > 0 ? workflow : undefined
}

function finishedJob(job: PlannedJob): WorkflowJob {
  return {
    name: job.name,
    type: job.type,
    requires: job.resolved,
    contexts: job.contexts,
    ...(job.serialGroup !== undefined && { serialGroup: job.serialGroup }),
    ...(job.job && { job: job.job }),
  }
}

interface Planning {
  scope: Scope
  git: GitReference
  names: Names
  context: Compilation
}

const refusedOfCall = { 'override-with': 'it takes a job from an orb of CircleCI’s registry; name that job instead' }

/** The jobs that one item of a workflow's list stands for: one, or those of its matrix. */
function planJobs(item: ConfigNode, planning: Planning): PlannedJob[] {
  const { context, names } = planning
  const { problems } = context
  const reading = readingOf(context, true)
  if (item.kind === 'scalar' && typeof item.value === 'string') {
    const name = substitute(item, names, context)
    return name.kind === 'scalar' ? planJob(name.text, item.at, { kind: 'map', entries: [], at: item.at }, undefined, planning) : []
  }
  const [first, second] = item.kind === 'map' ? item.entries : []
  if (!first || second) {
    if (second)
      problems.report(
        second.keyAt,
        `a job of a workflow has one key, and this one has "${first!.key}" and "${second.key}"; if "${second.key}" belongs to "${first!.key}", indent it further`,
      )
    else problems.report(item.at, `a job of a workflow must be a name or a map with one key, not ${describe(item)}`)
    return []
  }
  if (first.value.kind !== 'map') {
    if (isNull(first.value)) return planJob(first.key, first.keyAt, { kind: 'map', entries: [], at: first.keyAt }, undefined, planning)
    problems.report(first.value.at, `the job "${first.key}" takes a map, not ${describe(first.value)}`)
    return []
  }
  const call = first.value
  const matrixEntry = call.entries.find((entry) => entry.key === 'matrix')
  if (!matrixEntry) return planJob(first.key, first.keyAt, call, undefined, planning)
  if (context.literal) problems.report(matrixEntry.keyAt, '"matrix" needs "version: 2.1"')
  const matrix = readMatrix({ ...matrixEntry, value: substitute(matrixEntry.value, names, context) }, reading)
  const rest = { ...call, entries: call.entries.filter((entry) => entry !== matrixEntry) }
  return matrix.combinations.flatMap((combination) =>
    planJob(first.key, first.keyAt, rest, { combination, alias: matrix.alias ?? first.key, at: matrixEntry.keyAt }, planning),
  )
}

interface MatrixPlace {
  combination: Map<string, ConfigNode>
  alias: string
  at: Position
}

const keysOfCall = ['name', 'requires', 'context', 'type', 'filters', 'pre-steps', 'post-steps', 'serial-group']

function planJob(base: string, at: Position, written: MapNode, matrix: MatrixPlace | undefined, planning: Planning): PlannedJob[] {
  const { scope, git, context } = planning
  const { problems } = context
  const reading = readingOf(context, true)
  const names: Names = matrix ? { ...planning.names, matrix: matrix.combination } : planning.names
  context.budget.spend(10 + written.entries.length, at)
  const call = substitute(written, names, context) as MapNode
  const own = call.entries.filter((entry) => keysOfCall.includes(entry.key) || Object.hasOwn(refusedOfCall, entry.key))
  const fields = readMap({ ...call, entries: own }, { what: `the job "${base}"`, known: keysOfCall, refused: refusedOfCall }, reading)!
  const given = call.entries.filter((entry) => !own.includes(entry))
  const definition = findDefinition('job', base, scope)
  const type = typeOfCall(base, at, fields.get('type'), definition, planning)
  if (!type) return []
  const explicit = readText(fields.get('name')?.value, '"name"', reading)
  const planned: PlannedJob = {
    name: explicit ?? (matrix ? matrixName(base, matrix.combination) : base),
    explicit: explicit !== undefined,
    ...(matrix && { group: matrix.alias }),
    at,
    type,
    passes: filtersPass(fields.get('filters')?.value, git, names, reading),
    contexts: [...new Set(readTexts(nonNull(fields.get('context')), '"context"', { ...reading, orOne: true }) ?? [])],
    wants: readRequires(fields.get('requires'), reading),
    resolved: [],
  }
  if (planned.name.length > longestName) problems.report(at, `the name of a job may have ${longestName} characters`)
  const serialGroup = readText(fields.get('serial-group')?.value, '"serial-group"', reading)
  if (serialGroup !== undefined) {
    if (serialGroup.length > 512 || !/^[\w./-]+$/.test(serialGroup))
      problems.report(fields.get('serial-group')!.value.at, '"serial-group" has up to 512 letters, digits, ".", "-", "_" and "/"')
    planned.serialGroup = serialGroup
  }
  if (type !== 'build') {
    const unfit = [...given, ...['pre-steps', 'post-steps'].flatMap((key) => fields.get(key) ?? [])]
    for (const entry of unfit) problems.report(entry.keyAt, `a job of type ${type} has no "${entry.key}"`)
    if (matrix) problems.report(matrix.at, `a job of type ${type} has no "matrix"`)
    return [planned]
  }
  if (definition === 'refused' || !definition) return [planned]
  for (const [key, value] of matrix?.combination ?? []) {
    const twice = given.find((entry) => entry.key === key)
    if (twice) problems.report(twice.keyAt, `the parameter "${key}" is given here and by the matrix`)
    else given.push({ key, keyAt: value.at, value })
  }
  const closure: Closure = { scope, stack: [], names }
  const parameters = bindParameters(
    definition.parameters,
    given,
    {
      what: `the job "${base}"`,
      at,
      closure,
      ownClosure: { ...closure, scope: definition.scope },
      substituteDefault: defaultsIn(definition.scope, context),
    },
    reading,
  )
  const frame: Frame = { scope, stack: [], depth: 0, names, live: true }
  const steps = (key: string) => (fields.has(key) ? expandSteps(fields.get(key)!.value, `"${key}"`, frame, context) : [])
  const job = compileJob({ definition, parameters, before: steps('pre-steps'), after: steps('post-steps'), live: true }, context)
  if (job) planned.job = job
  return [planned]
}

const nonNull = (entry: MapEntry | undefined) => (entry && !isNull(entry.value) ? entry.value : undefined)

/** What kind of job a call is; undefined when there is no such job, which is reported. */
function typeOfCall(
  base: string,
  at: Position,
  entry: MapEntry | undefined,
  definition: Definition | 'refused' | undefined,
  { scope, context }: Planning,
): JobType | undefined {
  const { problems } = context
  if (entry) {
    const type = readChoice(entry.value, `"type" of the job "${base}" in a workflow`, ['approval'] as const, readingOf(context, true))
    if (!type) return undefined
    if (definition && definition !== 'refused') {
      const defined = jobTypeOf(definition, context)
      definition.reached = true
      if (defined !== 'approval')
        problems.report(
          entry.keyAt,
          `"${base}" is an approval here and a job under "jobs" (line ${definition.at.line}); give the approval another name`,
        )
    }
    return 'approval'
  }
  if (definition === 'refused') return 'build'
  if (!definition) {
    problems.report(at, unknownName('job', base, scope))
    return undefined
  }
  const type = jobTypeOf(definition, context)
  if (type !== 'build') checkIdleJob(definition, type, context)
  return type
}

const outcomes: readonly JobOutcome[] = ['success', 'failed', 'canceled', 'not_run', 'unauthorized']

function readRequires(entry: MapEntry | undefined, reading: Reading): PlannedJob['wants'] {
  if (!entry || isNull(entry.value)) return []
  const { value } = entry
  if (value.kind !== 'list') {
    reading.problems.report(value.at, `"requires" must be a list of jobs, not ${describe(value)}`)
    return []
  }
  return value.items.flatMap((item): PlannedJob['wants'] => {
    if (item.kind === 'scalar') {
      const name = readText(item, 'each of "requires"', reading)
      return name === undefined ? [] : [{ name, on: ['success'], at: item.at }]
    }
    const [first, second] = item.kind === 'map' ? item.entries : []
    if (!first || second) {
      reading.problems.report(item.at, `each of "requires" must be a job's name, or one name with its statuses, not ${describe(item)}`)
      return []
    }
    const nodes = first.value.kind === 'list' ? first.value.items : [first.value]
    const on = nodes.flatMap((node) => {
      if (node.kind === 'scalar' && node.value === 'terminal') return outcomes
      return readChoice(node, `the status of "${first.key}"`, outcomes, reading) ?? []
    })
    return [{ name: first.key, on: [...new Set(on)], at: first.keyAt }]
  })
}

/** A job that stands in a workflow more than once gets numbers; names that were given must differ. */
function numberDuplicates(jobs: PlannedJob[], problems: Compilation['problems']): void {
  const byName = Map.groupBy(jobs, (job) => job.name)
  for (const [name, same] of byName) {
    if (same.length === 1) continue
    const named = same.filter((job) => job.explicit)
    const first = same[0]!
    for (const job of named.filter((each) => each !== first))
      problems.report(
        job.at,
        `the name "${name}" is taken by the job in line ${first.at.line}; ${job.group !== undefined ? 'put << matrix.NAME >> into it' : 'give this one another'}`,
      )
    if (named.length > 0) continue
    for (const [index, job] of same.entries()) {
      job.numbered = name
      job.name = `${name}-${index + 1}`
      if (byName.has(job.name))
        problems.report(job.at, `"${name}" is called ${same.length} times here, and the name "${job.name}" is taken by another job; give it a "name"`)
    }
  }
}
