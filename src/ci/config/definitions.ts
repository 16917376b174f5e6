import type { Scalar } from './tree.ts'
import { readParameters } from './parameters.ts'
import type { ParameterDeclaration } from './parameters.ts'
import { didYouMean } from './problems.ts'
import { entriesOf, listing, readMap } from './read.ts'
import type { MapShape, Reading } from './read.ts'
import type { Names, Substitution } from './substitute.ts'
import { substitute } from './substitute.ts'
import { describe, entryOf, isNull } from './tree.ts'
import type { ConfigNode, MapEntry, MapNode, Position } from './tree.ts'

export type DefinitionKind = 'command' | 'job' | 'executor'

/** What can be called by name. */
export interface Definition {
  kind: DefinitionKind
  /** `orb/name` for those of orbs. */
  name: string
  at: Position
  body: MapNode
  parameters: Map<string, ParameterDeclaration>
  scope: Scope
  /** Parameters whose value something asks for. */
  used: Set<string>
  reached: boolean
}

/** Where names are looked up: the file, or an orb. */
export interface Scope {
  /** Empty for the file itself. */
  orb: string
  commands: Map<string, Definition>
  jobs: Map<string, Definition>
  executors: Map<string, Definition>
  orbs: Map<string, Scope | 'refused'>
}

/** Where the names are looked up in steps and executors that are handed over as parameters, and which commands are being expanded there. */
export interface Closure {
  scope: Scope
  stack: readonly string[]
  names: Names
}

export interface Compilation extends Substitution {
  file: string
  pipeline: Map<string, Scalar>
}

export const namesOf = (definition: Definition, parameters: Map<string, ConfigNode>, { pipeline }: Compilation): Names => ({
  parameters,
  used: definition.used,
  pipeline,
  inOrb: definition.scope.orb !== '',
})

/** Gives defaults of parameters their values; only the pipeline's are known there. */
export const defaultsIn = (scope: Scope, context: Compilation) => (node: ConfigNode) =>
  substitute(node, { pipeline: context.pipeline, inOrb: scope.orb !== '' }, context)

const shapes: Record<DefinitionKind, Omit<MapShape, 'what'>> = {
  command: { known: ['description', 'parameters', 'steps'], required: ['steps'] },
  executor: {
    known: ['description', 'parameters', 'docker', 'machine', 'environment', 'working_directory', 'shell', 'resource_class'],
    refused: {
      macos: 'there are no macOS machines in a cluster; use docker or machine',
      windows: 'there are no Windows machines in a cluster; use docker or machine',
    },
  },
  job: {
    known: [
      'description',
      'parameters',
      'type',
      'docker',
      'machine',
      'executor',
      'environment',
      'working_directory',
      'shell',
      'resource_class',
      'parallelism',
      'steps',
    ],
    refused: {
      macos: 'there are no macOS machines in a cluster; use docker or machine',
      windows: 'there are no Windows machines in a cluster; use docker or machine',
      branches: 'it is long deprecated; use "filters" where a workflow names the job',
      circleci_ip_ranges: 'jobs run in your own cluster, with its addresses; leave it out',
      retention: 'how long caches are kept is set for the project',
      plan_name: 'jobs of type release belong to a service of CircleCI',
    },
  },
}

/** Section by section what the file, or an orb, defines. */
export function readScope(orb: string, sections: Map<string, MapEntry>, reading: Reading): Scope {
  const scope: Scope = { orb, commands: new Map(), jobs: new Map(), executors: new Map(), orbs: new Map() }
  for (const entry of entriesOf(sections.get('orbs')?.value, '"orbs"', reading)) scope.orbs.set(entry.key, readOrb(orb, entry, reading))
  const read = (key: string, kind: DefinitionKind, into: Map<string, Definition>) => {
    for (const entry of entriesOf(sections.get(key)?.value, `"${key}"`, reading)) {
      const definition = readDefinition(kind, entry, scope, reading)
      if (definition) into.set(entry.key, definition)
    }
  }
  read('executors', 'executor', scope.executors)
  read('commands', 'command', scope.commands)
  read('jobs', 'job', scope.jobs)
  return scope
}

const unnameable = ['run', 'when', 'unless', 'steps']

function readDefinition(kind: DefinitionKind, entry: MapEntry, scope: Scope, reading: Reading): Definition | undefined {
  const what = `the ${kind} "${entry.key}"`
  // Jobs had freer names before version 2.1; a slash is an orb's.
  if (!(kind === 'job' ? /^[A-Za-z0-9_][\w .:@+-]*$/ : /^[A-Za-z][\w-]*$/).test(entry.key)) {
    reading.problems.report(entry.keyAt, `"${entry.key}" is no name for a ${kind}: letters, digits, "_" and "-"`)
    return undefined
  }
  if (kind === 'command' && unnameable.includes(entry.key)) {
    reading.problems.report(entry.keyAt, `a command may not be named "${entry.key}": every configuration needs that step`)
    return undefined
  }
  if (entry.value.kind !== 'map') {
    reading.problems.report(entry.keyAt, `${what} must be a map of ${listing(shapes[kind].known)}, not ${describe(entry.value)}`)
    return undefined
  }
  readMap(entry.value, { what, ...shapes[kind] }, reading)
  const parameters = readParameters(entryOf(entry.value, 'parameters')?.value, kind, reading)
  const name = scope.orb === '' ? entry.key : `${scope.orb}/${entry.key}`
  const entries = entry.value.entries.filter(({ key }) => key !== 'parameters' && key !== 'description')
  return { kind, name, at: entry.keyAt, body: { ...entry.value, entries }, parameters, scope, used: new Set(), reached: false }
}

function readOrb(inside: string, entry: MapEntry, reading: Reading): Scope | 'refused' {
  const name = inside === '' ? entry.key : `${inside}/${entry.key}`
  if (entry.value.kind !== 'map') {
    const reference = entry.value.kind === 'scalar' && !isNull(entry.value) ? ` (${entry.value.text})` : ''
    reading.problems.report(
      entry.keyAt,
      `the orb "${name}"${reference} is not supported: orbs are fetched from CircleCI's registry, which is out of reach here; write what you use of it under orbs.${entry.key} as an inline orb (commands, jobs, executors), or as commands of this file`,
    )
    return 'refused'
  }
  const known = ['version', 'description', 'display', 'orbs', 'commands', 'jobs', 'executors', 'examples']
  const sections = readMap(entry.value, { what: `the orb "${name}"`, known }, reading)
  return sections ? readScope(name, sections, reading) : 'refused'
}

const pluralOf = { command: 'commands', job: 'jobs', executor: 'executors' } as const

/** What a name means in a scope; `refused` when it belongs to an orb that is reported already. */
export function findDefinition(kind: DefinitionKind, name: string, scope: Scope): Definition | 'refused' | undefined {
  const slash = name.indexOf('/')
  if (slash < 0) return scope[pluralOf[kind]].get(name)
  const orb = scope.orbs.get(name.slice(0, slash))
  if (orb === 'refused') return 'refused'
  return orb ? findDefinition(kind, name.slice(slash + 1), orb) : undefined
}

/** Says that a name means nothing, and which one may have been meant. */
export function unknownName(kind: DefinitionKind, name: string, scope: Scope, others: readonly string[] = []): string {
  const slash = name.indexOf('/')
  const prefix = name.slice(0, slash)
  if (slash >= 0 && !scope.orbs.has(prefix))
    return `"${name}" belongs to an orb "${prefix}" that is not declared under "orbs"${didYouMean(prefix, scope.orbs.keys())}`
  const names = [...scope[pluralOf[kind]].keys(), ...others]
  for (const [orb, inner] of scope.orbs) if (inner !== 'refused') names.push(...[...inner[pluralOf[kind]].keys()].map((key) => `${orb}/${key}`))
  const close = didYouMean(name, names)
  return `there is no ${kind === 'command' ? 'step or command' : kind} "${name}"${close || (kind !== 'command' && names.length > 0 ? `; there is ${listing(names)}` : '')}`
}

export function* scopesIn(scope: Scope): Generator<Scope> {
  yield scope
  for (const inner of scope.orbs.values()) if (inner !== 'refused') yield* scopesIn(inner)
}
