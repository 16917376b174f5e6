import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml'
import type { Node, ParsedNode, Scalar as YamlScalar, YAMLMap } from 'yaml'
import { LimitExceeded } from './problems.ts'
import type { Problems } from './problems.ts'
import { plainValue } from './scalars.ts'
import { isNull, scalarAt } from './tree.ts'
import type { ConfigNode, MapEntry, MapNode, Position, ScalarNode } from './tree.ts'

/** Characters of a configuration file. */
export const largestFile = 512 * 1024
const deepest = 64
/** Nodes, when every alias stands for a copy of what it names. */
const mostNodes = 200_000

/** YAML to a tree of nodes; undefined when it cannot be read, which is then reported. */
export function parseConfig(text: string, problems: Problems): ConfigNode | undefined {
  const start = { line: 1, column: 1 }
  if (text.length > largestFile) {
    problems.report(start, `the file has ${text.length} characters; a configuration may have ${largestFile}`)
    return undefined
  }
  const lineCounter = new LineCounter()
  const position = (offset: number | undefined): Position => {
    const { line, col } = lineCounter.linePos(offset ?? 0)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  try {
    // Duplicate keys are found below: the library compares every key with every other one.
    const document = parseDocument(text, { schema: 'failsafe', lineCounter, uniqueKeys: false, prettyErrors: false, logLevel: 'silent' })
    // The library's own answer to nesting that its recursion cannot follow.
    if (document.errors.some((error) => /call stack|stack overflow/i.test(error.message))) throw new RangeError('nested too deeply')
    for (const error of document.errors.slice(0, 20)) problems.report(position(error.pos[0]), `not YAML: ${error.message}`)
    if (document.errors.length > 0) return undefined
    const before = problems.count
    const root = document.contents ? createConverter(problems, position).convert(document.contents) : scalarAt(null, start)
    return problems.count > before ? undefined : root
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    problems.report(start, 'the file is nested too deeply')
    return undefined
  }
}

interface Measured {
  node: ConfigNode
  depth: number
  size: number
}

function createConverter(problems: Problems, position: (offset: number | undefined) => Position) {
  const anchors = new Map<string, Measured>()
  let mergedEntries = 0
  const at = (node: Node) => position(node.range?.[0])
  const failed = (node: Node): Measured => ({ node: scalarAt(null, at(node)), depth: 1, size: 1 })

  function measured(node: Node, above: number): Measured {
    if (above > deepest) {
      problems.report(at(node), `nested more than ${deepest} levels deep`)
      return failed(node)
    }
    if (isAlias(node)) {
      const target = anchors.get(node.source)
      if (target) return target
      problems.report(at(node), `the alias *${node.source} has no anchor &${node.source} above it`)
      return failed(node)
    }
    const result = isMap(node) ? mapOf(node, above) : isSeq(node) ? listOf(node.items as Node[], node, above) : scalarOf(node as YamlScalar)
    if (result.depth > deepest) problems.report(at(node), `nested more than ${deepest} levels deep`)
    else if (result.size > mostNodes) problems.report(at(node), 'the aliases here stand for too much: a configuration may not grow without end')
    else {
      const { anchor } = node as { anchor?: string }
      if (anchor === undefined) return result
      result.node.anchored = true
      anchors.set(anchor, result)
      return result
    }
    return failed(node)
  }

  function listOf(nodes: Node[], list: Node, above: number): Measured {
    const items = nodes.map((item) => measured(item, above + 1))
    const node: ConfigNode = { kind: 'list', items: items.map((item) => item.node), at: at(list) }
    return finished(node, items)
  }

  function mapOf(map: YAMLMap, above: number): Measured {
    const inside: Measured[] = []
    const entries = new Map<string, MapEntry>()
    const merged: { value: Measured; keyAt: Position }[] = []
    for (const pair of map.items) {
      const key = pair.key as Node | null
      if (!key || !isScalar(key)) {
        problems.report(key ? at(key) : at(map), 'a key must be a text')
        continue
      }
      const keyAt = at(key)
      const value = pair.value ? measured(pair.value as Node, above + 1) : { node: scalarAt(null, keyAt), depth: 1, size: 1 }
      inside.push(value)
      const name = String(key.value ?? '')
      if (name === '<<' && key.type === 'PLAIN') merged.push({ value, keyAt })
      else if (name === '') problems.report(keyAt, 'a key must not be empty')
      else if (entries.has(name)) problems.report(keyAt, `"${name}" stands here twice; the first is in line ${entries.get(name)!.keyAt.line}`)
      else entries.set(name, { key: name, keyAt, value: value.node })
    }
    for (const { value, keyAt } of merged) {
      // A list of maps: the earlier ones win. What is written out wins over both.
      const maps = value.node.kind === 'list' ? value.node.items : [value.node]
      for (const source of maps) {
        if (source.kind !== 'map') {
          problems.report(
            keyAt,
            isNull(source)
              ? '"<<" merges nothing: it takes an alias such as *defaults'
              : '"<<" merges maps: it takes an alias of a map, or a list of such',
          )
          continue
        }
        mergedEntries += source.entries.length
        if (mergedEntries > mostNodes) throw new LimitExceeded(keyAt, 'the merge keys of this file add up to too much')
        for (const entry of source.entries) if (!entries.has(entry.key)) entries.set(entry.key, entry)
      }
    }
    const node: MapNode = { kind: 'map', entries: [...entries.values()], at: at(map) }
    return finished(node, inside)
  }

  function scalarOf(scalar: YamlScalar): Measured {
    const text = String(scalar.value ?? '')
    const node: ScalarNode = { kind: 'scalar', value: valueOf(scalar, text), text, at: at(scalar) }
    if (scalar.type === 'BLOCK_LITERAL' || scalar.type === 'BLOCK_FOLDED') node.block = true
    if (text.includes('<<')) node.templated = true
    return { node, depth: 1, size: 1 }
  }

  function valueOf(scalar: YamlScalar, text: string) {
    const tag = scalar.tag?.replace('tag:yaml.org,2002:', '')
    if (tag !== undefined && !['str', 'int', 'float', 'bool', 'null'].includes(tag)) {
      problems.report(at(scalar), `the tag ${scalar.tag} is not supported`)
      return null
    }
    return scalar.type !== 'PLAIN' || tag === 'str' ? text : plainValue(text)
  }

  return { convert: (contents: ParsedNode): ConfigNode => measured(contents, 1).node }
}

function finished(node: ConfigNode, inside: Measured[]): Measured {
  let depth = 0
  let size = 1
  for (const part of inside) {
    depth = Math.max(depth, part.depth)
    size += part.size
    if (part.node.templated) node.templated = true
    if (part.node.anchored) node.anchored = true
  }
  if (node.kind === 'map' && node.entries.some((entry) => entry.key.includes('<<'))) node.templated = true
  return { node, depth: depth + 1, size }
}
