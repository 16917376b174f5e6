import { holds } from './logic.ts'
import { compilePattern } from './pattern.ts'
import { readMap, readTexts } from './read.ts'
import type { Reading } from './read.ts'
import type { Names } from './substitute.ts'
import { isNull } from './tree.ts'
import type { ConfigNode, MapEntry } from './tree.ts'

export interface GitReference {
  branch?: string
  tag?: string
}

/**
 * Whether filters let a job run. For branches everything runs that is not filtered away, for tags nothing that is not asked for. `only` is
 * looked at before `ignore`, a regular expression must match the whole name.
 */
export function filtersPass(node: ConfigNode | undefined, git: GitReference, names: Names, reading: Reading): boolean {
  if (!node || isNull(node)) return git.tag === undefined
  if (node.kind === 'scalar') {
    if (typeof node.value === 'string' || node.derived) return holds(node, names, reading)
    reading.problems.report(node.at, '"filters" must be a map of branches and tags, or an expression')
    return false
  }
  const fields = readMap(node, { what: '"filters"', known: ['branches', 'tags'] }, reading)
  const branches = readRule(fields?.get('branches'), reading)
  const tags = readRule(fields?.get('tags'), reading)
  if (git.tag !== undefined) return tags !== undefined && tags !== 'empty' && tags(git.tag)
  return branches === undefined || branches === 'empty' || branches(git.branch ?? '')
}

type Rule = (name: string) => boolean

function readRule(entry: MapEntry | undefined, reading: Reading): Rule | 'empty' | undefined {
  if (!entry || isNull(entry.value)) return undefined
  const fields = readMap(entry.value, { what: `"${entry.key}" of "filters"`, known: ['only', 'ignore'] }, reading)
  if (!fields) return undefined
  const only = readNames(fields.get('only'), reading)
  const ignore = readNames(fields.get('ignore'), reading)
  if (only && ignore) reading.problems.warn(fields.get('ignore')!.keyAt, `"ignore" has no effect beside "only"`)
  if (only) return (name) => only.some((matches) => matches(name))
  if (ignore) return (name) => !ignore.some((matches) => matches(name))
  return 'empty'
}

function readNames(entry: MapEntry | undefined, reading: Reading): Rule[] | undefined {
  if (!entry || isNull(entry.value)) return undefined
  const texts = readTexts(entry.value, `"${entry.key}"`, { ...reading, orOne: true })
  return texts?.map((text, index): Rule => {
    if (!text.startsWith('/')) return (name) => name === text
    const node = entry.value.kind === 'list' ? (entry.value.items[index] ?? entry.value) : entry.value
    if (text.length < 3 || !text.endsWith('/')) {
      reading.problems.value(node, reading.live, `"${text}" is no name of a branch or tag, nor a regular expression between two "/"`)
      return () => false
    }
    const pattern = compilePattern(text.slice(1, -1), node.at, reading.budget)
    if (pattern.ok) return pattern.value
    reading.problems.value(node, reading.live, pattern.message)
    return () => false
  })
}
