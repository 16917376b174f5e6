import type { Closure } from './definitions.ts'
import { didYouMean } from './problems.ts'
import { listing, readChoice, readMap } from './read.ts'
import type { Reading } from './read.ts'
import { describe, entryOf, isNull, scalarAt } from './tree.ts'
import type { ConfigNode, ListNode, MapEntry, Position, ScalarNode } from './tree.ts'

const mostChoices = 200
const types = ['string', 'boolean', 'integer', 'enum', 'executor', 'steps', 'env_var_name'] as const
export type ParameterType = (typeof types)[number]

export interface ParameterDeclaration {
  name: string
  type: ParameterType
  /** Absent when the parameter is required. */
  default?: ConfigNode
  /** Of an enum. */
  choices: ScalarNode[]
  at: Position
}

export type Owner = 'pipeline' | 'command' | 'job' | 'executor'

const typesOf: Record<Owner, readonly ParameterType[]> = {
  pipeline: ['string', 'boolean', 'integer', 'enum'],
  command: types,
  job: types,
  executor: ['string', 'boolean', 'integer', 'enum', 'env_var_name'],
}

/** Names that mean something else where a job or an executor is called. */
const reserved: Record<Owner, readonly string[]> = {
  pipeline: [],
  command: [],
  job: ['name', 'requires', 'context', 'type', 'filters', 'matrix', 'pre-steps', 'post-steps', 'serial-group', 'override-with'],
  executor: ['name'],
}

export function readParameters(node: ConfigNode | undefined, owner: Owner, reading: Reading): Map<string, ParameterDeclaration> {
  const declared = new Map<string, ParameterDeclaration>()
  if (!node || isNull(node)) return declared
  if (node.kind !== 'map') {
    reading.problems.report(node.at, `"parameters" must be a map of names and declarations, not ${describe(node)}`)
    return declared
  }
  for (const entry of node.entries) {
    if (!/^[A-Za-z][\w-]*$/.test(entry.key)) {
      reading.problems.report(entry.keyAt, `"${entry.key}" is no name for a parameter: letters, digits, "_" and "-", beginning with a letter`)
    } else if (reserved[owner].includes(entry.key)) {
      reading.problems.report(
        entry.keyAt,
        `a ${owner} may not have a parameter "${entry.key}": the word has a meaning of its own where a ${owner} is called`,
      )
    } else {
      const declaration = readDeclaration(entry, owner, reading)
      if (declaration) declared.set(entry.key, declaration)
    }
  }
  return declared
}

function readDeclaration(entry: MapEntry, owner: Owner, reading: Reading): ParameterDeclaration | undefined {
  const what = `the parameter "${entry.key}"`
  const fields = readMap(entry.value, { what, known: ['type', 'default', 'description', 'enum'], required: ['type'] }, reading)
  const type = readChoice(fields?.get('type')?.value, `the type of ${what}`, types, reading)
  if (!fields || !type) return undefined
  if (!typesOf[owner].includes(type)) {
    reading.problems.report(
      fields.get('type')!.value.at,
      `${what} cannot be of type ${type}: the parameters of ${owner === 'pipeline' ? 'a pipeline' : `an ${owner}`} are of type ${listing(typesOf[owner])}`,
    )
    return undefined
  }
  const choices = choicesOf(fields.get('enum'), type, what, entry.keyAt, reading)
  const declaration: ParameterDeclaration = { name: entry.key, type, choices, at: entry.keyAt }
  const fallback = fields.get('default')
  if (fallback) {
    declaration.default = fallback.value
    if (!fallback.value.templated) checkArgument(declaration, fallback.value, `the default of ${what}`, reading)
  } else if (owner === 'pipeline') reading.problems.report(entry.keyAt, `${what} of the pipeline needs a "default"`)
  return declaration
}

function choicesOf(entry: MapEntry | undefined, type: ParameterType, what: string, at: Position, reading: Reading): ScalarNode[] {
  if (type !== 'enum') {
    if (entry) reading.problems.report(entry.keyAt, `${what} is a ${type}; "enum" belongs to the type enum`)
    return []
  }
  if (entry?.value.kind === 'list' && entry.value.items.length > 0) {
    const { items } = entry.value
    if (items.length > mostChoices) reading.problems.report(entry.keyAt, `${what} has ${items.length} values; an enum may have ${mostChoices}`)
    return items.slice(0, mostChoices).flatMap((item) => {
      if (item.kind === 'scalar') return item
      reading.problems.report(item.at, `the values of ${what} must be texts, numbers or booleans, not ${describe(item)}`)
      return []
    })
  }
  reading.problems.report(entry?.keyAt ?? at, `${what} is an enum and needs "enum", the list of its values`)
  return []
}

/** Whether a value fits a parameter; if not, that is reported. `what` begins the message. */
export function checkArgument(declaration: ParameterDeclaration, node: ConfigNode, what: string, reading: Reading): boolean {
  const wrong = mismatch(declaration, node)
  if (wrong !== undefined) reading.problems.value(node, reading.live, `${what} ${wrong}`)
  return wrong === undefined
}

function mismatch({ type, choices }: ParameterDeclaration, node: ConfigNode): string | undefined {
  const value = node.kind === 'scalar' ? node.value : undefined
  switch (type) {
    case 'string':
      if (typeof value === 'string') return undefined
      return `must be a text, not ${describe(node)}${node.kind === 'scalar' && value !== null ? `; put it in quotes: "${node.text}"` : ''}`
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `must be true or false, not ${describe(node)}`
    case 'integer':
      return Number.isSafeInteger(value) ? undefined : `must be a whole number, not ${describe(node)}`
    case 'enum': {
      if (choices.length === 0 || choices.some((choice) => choice.value === value)) return undefined
      const sameText = node.kind === 'scalar' && choices.some((choice) => choice.text === node.text)
      const names = choices.map((choice) => choice.text)
      return `must be one of ${listing(names)}, not ${describe(node)}${sameText ? '; it differs in its quotes only' : ''}`
    }
    case 'env_var_name':
      return typeof value === 'string' && /^[A-Za-z_][A-Za-z0-9_]*$/.test(value)
        ? undefined
        : `must be the name of a variable (letters, digits and "_"), not ${describe(node)}`
    case 'steps':
      return node.kind === 'list' ? undefined : `must be a list of steps, not ${describe(node)}`
    case 'executor':
      if (typeof value === 'string') return undefined
      return node.kind === 'map' && entryOf(node, 'name')
        ? undefined
        : `must be the name of an executor, or a map with its "name" and parameters, not ${describe(node)}`
  }
}

export interface Call {
  /** For messages: `the command "deploy"`. */
  what: string
  at: Position
  /** Where the names in steps and executors that are handed over are looked up. */
  closure: Closure | undefined
  /** The same for those in defaults: they belong to what is called. */
  ownClosure: Closure | undefined
  /** Gives defaults the values of their expressions. */
  substituteDefault: (node: ConfigNode) => ConfigNode
}

/** The values of parameters for one call. Missing, unknown and misfitting arguments are reported. */
export function bindParameters(
  declared: Map<string, ParameterDeclaration>,
  given: MapEntry[],
  call: Call,
  reading: Reading,
): Map<string, ConfigNode> {
  const values = new Map<string, ConfigNode>()
  const named = new Set(given.map((entry) => entry.key))
  for (const { key, keyAt, value } of given) {
    const declaration = declared.get(key)
    if (!declaration) {
      reading.problems.report(
        keyAt,
        `${call.what} has no parameter "${key}"${didYouMean(key, declared.keys()) || (declared.size > 0 ? `; it has ${listing(declared.keys())}` : '')}`,
      )
      continue
    }
    const fits = checkArgument(declaration, value, `the parameter "${key}" of ${call.what}`, reading)
    values.set(key, fits ? closed(value, declaration, call.closure) : sampleValue(declaration))
  }
  for (const declaration of declared.values()) {
    if (values.has(declaration.name)) continue
    if (declaration.default) values.set(declaration.name, closed(call.substituteDefault(declaration.default), declaration, call.ownClosure))
    else {
      if (!named.has(declaration.name))
        reading.problems.report(call.at, `${call.what} needs the parameter "${declaration.name}" (${declaration.type})`)
      values.set(declaration.name, sampleValue(declaration))
    }
  }
  return values
}

/** Values with which something can be looked at that nobody calls. */
export function sampleValues(declared: Map<string, ParameterDeclaration>): Map<string, ConfigNode> {
  return new Map([...declared.values()].map((declaration) => [declaration.name, sampleValue(declaration)]))
}

function sampleValue({ type, choices, at, default: fallback }: ParameterDeclaration): ConfigNode {
  if (fallback && !fallback.templated) return { ...fallback, derived: true }
  if (type === 'steps') return { kind: 'list', items: [], at, derived: true } satisfies ListNode
  if (type === 'enum' && choices[0]) return { ...choices[0], derived: true }
  const value = type === 'boolean' ? false : type === 'integer' ? 1 : type === 'executor' ? null : 'SAMPLE'
  return { ...scalarAt(value, at), derived: true }
}

const closed = (node: ConfigNode, { type }: ParameterDeclaration, closure: Closure | undefined): ConfigNode =>
  (type === 'steps' || type === 'executor') && node.closure === undefined ? { ...node, closure } : node
