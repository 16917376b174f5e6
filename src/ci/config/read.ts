import type { Problems } from './problems.ts'
import type { Budget } from './problems.ts'
import { didYouMean } from './problems.ts'
import { describe, isNull } from './tree.ts'
import type { ConfigNode, MapEntry, MapNode, ScalarNode } from './tree.ts'

/** How values are read: `live` is false for steps that are only looked at. */
export interface Reading {
  problems: Problems
  budget: Budget
  live: boolean
}

export const readingOf = ({ problems, budget }: { problems: Problems; budget: Budget }, live: boolean): Reading => ({ problems, budget, live })

export interface MapShape {
  /** For messages: `the job "build"`. */
  what: string
  known: readonly string[]
  required?: readonly string[]
  /** Keys that CircleCI knows and k8ts does not have, with what to do instead. */
  refused?: Readonly<Record<string, string>>
}

/** A map's entries by key; what is not of its shape is reported. */
export function readMap(node: ConfigNode, shape: MapShape, reading: Reading): Map<string, MapEntry> | undefined {
  if (node.kind !== 'map') {
    reading.problems.value(node, reading.live, `${shape.what} must be a map of ${listing(shape.known)}, not ${describe(node)}`)
    return undefined
  }
  const entries = new Map<string, MapEntry>()
  for (const entry of node.entries) {
    if (shape.known.includes(entry.key)) entries.set(entry.key, entry)
    else reading.problems.report(entry.keyAt, unknownKey(entry.key, shape))
  }
  for (const key of shape.required ?? []) {
    const misspelt = node.entries.some((entry) => !entries.has(entry.key) && didYouMean(entry.key, [key]) !== '')
    if (!entries.has(key) && !misspelt && !Object.keys(shape.refused ?? {}).some((other) => node.entries.some((entry) => entry.key === other)))
      reading.problems.report(node.at, `${shape.what} needs "${key}"`)
  }
  return entries
}

function unknownKey(key: string, shape: MapShape): string {
  const refused = shape.refused && Object.hasOwn(shape.refused, key) ? shape.refused[key] : undefined
  if (refused !== undefined) return `"${key}" is not supported: ${refused}`
  const close = didYouMean(key, shape.known)
  return `${shape.what} has no key "${key}"${close || `; it has ${listing(shape.known)}`}`
}

export function listing(names: Iterable<string>): string {
  const list = [...names]
  return list.length > 24 ? `${list.slice(0, 24).join(', ')}, …` : list.join(', ')
}

/** Text. Numbers are taken as they were written. */
export function readText(node: ConfigNode | undefined, what: string, reading: Reading): string | undefined {
  if (!node) return undefined
  if (node.kind === 'scalar' && (typeof node.value === 'string' || typeof node.value === 'number')) {
    if (node.text !== '') return node.text
    reading.problems.value(node, reading.live, `${what} is empty`)
    return undefined
  }
  const quote = node.kind === 'scalar' && typeof node.value === 'boolean' ? '; put it in quotes if it is one' : ''
  reading.problems.value(node, reading.live, `${what} must be a text, not ${describe(node)}${quote}`)
  return undefined
}

export function readFlag(node: ConfigNode | undefined, what: string, reading: Reading): boolean | undefined {
  if (!node) return undefined
  if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value
  reading.problems.value(node, reading.live, `${what} must be true or false, not ${describe(node)}`)
  return undefined
}

export function readInteger(
  node: ConfigNode | undefined,
  what: string,
  range: { least: number; most: number },
  reading: Reading,
): number | undefined {
  if (!node) return undefined
  if (node.kind === 'scalar' && Number.isSafeInteger(node.value)) {
    const value = node.value as number
    if (value >= range.least && value <= range.most) return value
  }
  reading.problems.value(node, reading.live, `${what} must be a number from ${range.least} to ${range.most}, not ${describe(node)}`)
  return undefined
}

export function readChoice<T extends string>(node: ConfigNode | undefined, what: string, choices: readonly T[], reading: Reading): T | undefined {
  if (!node) return undefined
  const chosen = node.kind === 'scalar' ? choices.find((choice) => choice === node.value) : undefined
  if (chosen === undefined) reading.problems.value(node, reading.live, `${what} must be ${choices.join(', ')}, not ${describe(node)}`)
  return chosen
}

export function readTexts(node: ConfigNode | undefined, what: string, reading: Reading & { orOne?: boolean }): string[] | undefined {
  if (!node) return undefined
  if (node.kind === 'scalar' && reading.orOne) {
    const text = readText(node, what, reading)
    return text === undefined ? undefined : [text]
  }
  if (node.kind !== 'list') {
    reading.problems.value(node, reading.live, `${what} must be a list of texts, not ${describe(node)}`)
    return undefined
  }
  return node.items.flatMap((item) => readText(item, `each of ${what}`, reading) ?? [])
}

const environmentName = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Values of variables. A boolean that an expression gave is 1 or 0, as CircleCI hands them on; one that was written out stays as written. */
export function readEnvironment(node: ConfigNode | undefined, reading: Reading): Record<string, string> {
  if (!node || isNull(node)) return {}
  if (node.kind !== 'map') {
    reading.problems.value(node, reading.live, `"environment" must be a map of names and values, not ${describe(node)}`)
    return {}
  }
  const variables: [string, string][] = []
  for (const { key, keyAt, value } of node.entries) {
    if (!environmentName.test(key))
      reading.problems.report(keyAt, `"${key}" is no name for a variable: letters, digits and "_", not beginning with a digit`)
    else if (value.kind !== 'scalar') reading.problems.value(value, reading.live, `the variable ${key} must be a text, not ${describe(value)}`)
    else variables.push([key, variableOf(value)])
  }
  return Object.fromEntries(variables)
}

const variableOf = (node: ScalarNode): string =>
  typeof node.value === 'boolean' && node.derived ? (node.value ? '1' : '0') : node.value === null ? '' : node.text

/** The entries of a map that may be absent; anything else is reported. */
export function entriesOf(node: ConfigNode | undefined, what: string, reading: Reading): MapEntry[] {
  if (!node || isNull(node)) return []
  if (node.kind === 'map') return node.entries
  reading.problems.value(node, reading.live, `${what} must be a map, not ${describe(node)}`)
  return []
}

export const asMap = (node: ConfigNode): MapNode | undefined => (node.kind === 'map' ? node : undefined)
