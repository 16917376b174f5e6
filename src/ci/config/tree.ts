import type { Closure } from './definitions.ts'

/** A place in the file, both 1-based. */
export interface Position {
  line: number
  column: number
}

export type Scalar = string | number | boolean | null

/**
 * A configuration as a tree that remembers where everything stands. YAML's anchors, aliases and merge keys are gone from it: a node that
 * an alias names is shared, so the tree is a directed graph without cycles.
 */
export type ConfigNode = ScalarNode | ListNode | MapNode

export interface ScalarNode {
  kind: 'scalar'
  value: Scalar
  /** As it was written, without quotes: the version `3.10` stays "3.10". */
  text: string
  at: Position
  /** Block texts begin one line below their position. */
  block?: boolean
  /** It, or something below it, has `<<` in it. */
  templated?: boolean
  /** What was written holds an expression: the value came from elsewhere. */
  derived?: boolean
  /** Where the value was written that an expression brought here. */
  from?: Position
  /** An expression in it has no value, which is reported: whether it does as a value is no question. */
  broken?: boolean
  /** Where its names (commands, executors) are looked up, once it was handed over as a parameter. */
  closure?: Closure
  anchored?: boolean
}

export interface ListNode {
  kind: 'list'
  items: ConfigNode[]
  at: Position
  templated?: boolean
  derived?: boolean
  closure?: Closure
  anchored?: boolean
}

export interface MapNode {
  kind: 'map'
  entries: MapEntry[]
  at: Position
  templated?: boolean
  derived?: boolean
  closure?: Closure
  anchored?: boolean
}

export interface MapEntry {
  key: string
  keyAt: Position
  value: ConfigNode
}

export const entryOf = (map: MapNode, key: string): MapEntry | undefined => map.entries.find((entry) => entry.key === key)

export const scalarAt = (value: Scalar, at: Position): ScalarNode => ({ kind: 'scalar', value, text: value === null ? '' : String(value), at })

export const isNull = (node: ConfigNode): boolean => node.kind === 'scalar' && node.value === null

/** What a node is, for messages: `a list`, `the number 3`. */
export function describe(node: ConfigNode): string {
  if (node.kind !== 'scalar') return `a ${node.kind}`
  if (node.value === null) return 'empty'
  if (typeof node.value === 'string') return `the text ${quoted(node.value)}`
  return `the ${typeof node.value} ${node.text}`
}

/** Text from a configuration in a message: on one line, and short. */
export function quoted(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return `"${line.length > 60 ? `${line.slice(0, 57)}…` : line}"`
}

/** The same as plain data; equal data gives equal text. */
export function fingerprint(node: ConfigNode): string {
  if (node.kind === 'scalar') return JSON.stringify(node.value)
  if (node.kind === 'list') return `[${node.items.map(fingerprint).join(',')}]`
  const entries = node.entries.map((entry) => `${JSON.stringify(entry.key)}:${fingerprint(entry.value)}`)
  return `{${entries.toSorted().join(',')}}`
}
