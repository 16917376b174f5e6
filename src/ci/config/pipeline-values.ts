import type { CompileInput } from './compiled.ts'
import { checkArgument } from './parameters.ts'
import type { ParameterDeclaration } from './parameters.ts'
import { didYouMean } from './problems.ts'
import type { Reading } from './read.ts'
import { scalarAt } from './tree.ts'
import type { Position, Scalar } from './tree.ts'

const eventOf = { webhook: 'push', api: 'api', local: 'api', scheduled_pipeline: 'schedule' } as const

/** The values behind `pipeline.*` that need no declaration. What a pipeline does not have is the empty text. */
export function pipelineValues({ pipeline }: Pick<CompileInput, 'pipeline'>): Map<string, Scalar> {
  const { git, project } = pipeline
  const values = new Map<string, Scalar>([
    ['pipeline.id', pipeline.id],
    ['pipeline.number', pipeline.number],
    ['pipeline.trigger_source', pipeline.triggerSource],
    ['pipeline.event.name', eventOf[pipeline.triggerSource]],
    ['pipeline.event.action', eventOf[pipeline.triggerSource]],
    ['pipeline.project.git_url', project.gitUrl],
    ['pipeline.project.type', 'git'],
    ['pipeline.git.branch', git.branch ?? ''],
    ['pipeline.git.tag', git.tag ?? ''],
    ['pipeline.git.revision', git.revision],
    ['pipeline.git.base_revision', git.baseRevision ?? ''],
    ['pipeline.schedule.name', ''],
    ['pipeline.schedule.id', ''],
  ])
  if (git.defaultBranch !== undefined) values.set('pipeline.git.branch.is_default', git.branch === git.defaultBranch)
  for (const [name, value] of Object.entries(pipeline.values ?? {})) values.set(`pipeline.${name}`, value)
  return values
}

const mostParameters = 100

/** Adds `pipeline.parameters.*`: what the trigger gave, else the defaults. */
export function addPipelineParameters(
  values: Map<string, Scalar>,
  declared: Map<string, ParameterDeclaration>,
  given: CompileInput['parameters'],
  at: Position,
  reading: Reading,
): void {
  const names = Object.keys(given)
  if (names.length > mostParameters) reading.problems.report(at, `the trigger gives ${names.length} parameters; a pipeline takes ${mostParameters}`)
  for (const name of names.slice(0, mostParameters)) {
    if (!declared.has(name)) {
      const known = declared.size === 0 ? '; this configuration declares none' : `; it declares ${[...declared.keys()].join(', ')}`
      reading.problems.report(
        at,
        `the trigger gives the parameter "${name}", which is not declared under "parameters"${didYouMean(name, declared.keys()) || known}`,
      )
    }
  }
  for (const declaration of declared.values()) {
    const fallback = declaration.default?.kind === 'scalar' ? declaration.default.value : null
    const value = Object.hasOwn(given, declaration.name) ? givenValue(declaration, given[declaration.name]!, reading) : fallback
    values.set(`pipeline.parameters.${declaration.name}`, value)
  }
}

/** A trigger may give every value as text. */
function givenValue(declaration: ParameterDeclaration, value: string | number | boolean, reading: Reading): Scalar {
  let typed: Scalar = value
  if (typeof value === 'string' && declaration.type === 'boolean' && /^(true|false)$/.test(value)) typed = value === 'true'
  else if (typeof value === 'string' && declaration.type === 'integer' && /^-?\d{1,15}$/.test(value)) typed = Number(value)
  else if (declaration.type === 'string' && typeof value !== 'string') typed = String(value)
  else if (declaration.type === 'enum') {
    const same = declaration.choices.find((choice) => choice.text === String(value))
    if (same) typed = same.value
  }
  checkArgument(declaration, scalarAt(typed, declaration.at), `the value that the trigger gives for "${declaration.name}"`, reading)
  return typed
}
