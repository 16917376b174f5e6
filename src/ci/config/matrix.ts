import { LimitExceeded, didYouMean } from './problems.ts'
import { entriesOf, listing, readMap, readText } from './read.ts'
import type { Reading } from './read.ts'
import { entryOf, fingerprint } from './tree.ts'
import type { ConfigNode, MapEntry, MapNode, ScalarNode } from './tree.ts'

/** Jobs that one matrix may make. */
const mostJobs = 128

export interface Matrix {
  /** By which another job requires all of them. */
  alias?: string
  /** Names and values of one job each, in the order of the parameters' declaration, the first varying most slowly. */
  combinations: Map<string, ConfigNode>[]
}

export function readMatrix(entry: MapEntry, reading: Reading): Matrix {
  const none: Matrix = { combinations: [] }
  const fields = readMap(entry.value, { what: '"matrix"', known: ['parameters', 'exclude', 'alias'], required: ['parameters'] }, reading)
  const alias = readText(fields?.get('alias')?.value, '"alias"', reading)
  const axes = entriesOf(fields?.get('parameters')?.value, '"parameters" of "matrix"', reading)
  if (fields?.has('parameters') && axes.length === 0) reading.problems.report(entry.keyAt, '"matrix" has no parameters')
  const broken = axes.filter(({ value }) => value.kind !== 'list' || value.items.length === 0)
  for (const { key, value } of broken) reading.problems.report(value.at, `the values of "${key}" in a matrix must be a list that is not empty`)
  if (!fields || axes.length === 0 || broken.length > 0) return none
  const size = axes.reduce((product, { value }) => product * (value as { items: ConfigNode[] }).items.length, 1)
  if (size > mostJobs) {
    reading.problems.report(entry.keyAt, `the matrix makes ${size} jobs; it may make ${mostJobs}`)
    return none
  }
  let combinations: Map<string, ConfigNode>[] = [new Map()]
  for (const { key, value } of axes) {
    if (value.kind !== 'list') throw new LimitExceeded(value.at, 'not a list')
    combinations = combinations.flatMap((combination) => value.items.map((item) => new Map([...combination, [key, item]])))
  }
  const kept = excluded(combinations, fields.get('exclude')?.value, reading)
  if (kept.length === 0) reading.problems.report(entry.keyAt, 'the matrix excludes all of its jobs')
  return { ...(alias !== undefined && { alias }), combinations: kept }
}

function excluded(combinations: Map<string, ConfigNode>[], node: ConfigNode | undefined, reading: Reading): Map<string, ConfigNode>[] {
  if (!node) return combinations
  if (node.kind !== 'list') {
    reading.problems.report(node.at, '"exclude" must be a list of maps of parameters and values')
    return combinations
  }
  let kept = combinations
  if (node.items.length > mostJobs) reading.problems.report(node.at, `"exclude" may have ${mostJobs} items`)
  for (const item of node.items.slice(0, mostJobs)) {
    const wanted = entriesOf(item, 'each of "exclude"', reading)
    const names = [...combinations[0]!.keys()]
    for (const { key, keyAt } of wanted)
      if (!names.includes(key))
        reading.problems.report(keyAt, `the matrix has no parameter "${key}"${didYouMean(key, names) || `; it has ${listing(names)}`}`)
    if (wanted.length === 0) continue
    const left = kept.filter(
      (combination) => !wanted.every(({ key, value }) => combination.has(key) && fingerprint(combination.get(key)!) === fingerprint(value)),
    )
    if (left.length === kept.length) reading.problems.warn(item.at, 'this excludes nothing: no job of the matrix has these values')
    kept = left
  }
  return kept
}

/** `test-16.9.0-docker`: the job and its values, in the order of their parameters' names. */
export function matrixName(job: string, combination: Map<string, ConfigNode>): string {
  const values = [...combination].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, value]) => valueName(value))
  return [job, ...values].join('-')
}

function valueName(node: ConfigNode): string {
  if (node.kind === 'scalar') return node.text
  const name = node.kind === 'map' ? entryOf(node as MapNode, 'name')?.value : undefined
  return name?.kind === 'scalar' ? (name as ScalarNode).text : node.kind
}
