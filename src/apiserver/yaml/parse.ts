import type { LoadOptions } from 'js-yaml'
import { FAILSAFE_SCHEMA, Type, YAMLException, load } from 'js-yaml'
import { findDuplicateFields } from '#api'
import { TooDeep, TooMany, checkDepth, maxDepth } from '../depth.ts'
import { parseWellFormed, wellFormed } from '../well-formed.ts'
import { checkAliases } from './aliases.ts'
import { resolveScalar } from './scalar.ts'

/** What is wrong with a text as YAML; the message is worded as upstream words it: `yaml: line 2: …`. */
export class YamlError extends Error {
  override name = 'YamlError'
}

/** The parser's cost is by the line where lines hold next to nothing: what is longer than this has lines of ten characters. */
const maxLines = 300_000
/** And by what it tries to read as a node: a mapping with 100,000 keys has 300,000 of these. The largest manifests of 3 MB stay far below. */
const maxNodes = 700_000
/** Mappings and sequences take many times the memory of the text that makes them. */
const maxCollections = 200_000
/** What merge keys (`<<`) may bring in altogether: each can repeat a whole mapping. */
const maxMergedKeys = 100_000

/**
 * One YAML document as plain JSON values, read as upstream reads the bodies of requests: the types of plain scalars are those of `resolveScalar`, tags that
 * nobody knows are ignored, what comes after the first document too, and of a key that is there twice the last one counts; `duplicates`
 * gets a sentence for it. Nodes that are aliases of each other are one value. Throws YamlError.
 */
export function parseYaml(bytes: Uint8Array, duplicates?: string[]): unknown {
  const text = firstDocument(decode(bytes))
  const json = text.trimStart()[0]
  // most YAML that programs send is JSON
  if (json === '{' || json === '[')
    try {
      checkDepth(bytes)
      const value = parseWellFormed(text)
      // what to say about keys that are there twice, only the other parser knows
      if (!duplicates || findDuplicateFields(text).length === 0) return value
    } catch (error) {
      if (error instanceof TooDeep) throw new YamlError(`yaml: exceeded max depth of ${maxDepth}`)
      if (error instanceof TooMany) throw new YamlError(`yaml: the document has ${error.message}`)
      // what JSON does not know: comments, plain scalars, trailing commas
    }
  if (hasMoreLines(text, maxLines)) throw new YamlError(`yaml: the document has more than ${maxLines} lines`)
  let value: unknown
  // of both readings, if there are two
  const budget: Budget = { nodes: maxNodes, collections: maxCollections }
  if (duplicates)
    try {
      value = read(text, budget, { json: false })
    } catch (error) {
      if (!(error instanceof YAMLException) || error.reason !== 'duplicated mapping key') throw worded(error, text)
      duplicates.push(
        `yaml: unmarshal errors:\n  line ${lineOf(error, text)}: key ${JSON.stringify(keyAt(text, error.mark.position))} already set in map`,
      )
    }
  if (value === undefined)
    try {
      value = read(text, budget, { json: true })
    } catch (error) {
      throw worded(error, text)
    }
  if (text.includes('&') && text.includes('*')) {
    const problem = checkAliases(value)
    if (problem) throw new YamlError(`yaml: ${problem}`)
  }
  return wellFormed(value ?? null, text)
}

interface Budget {
  nodes: number
  collections: number
}

function read(text: string, budget: Budget, options: LoadOptions): unknown {
  const listener = (event: string, { kind }: { kind: string | null }) => {
    if (event === 'open') {
      if (--budget.nodes < 0) throw new YamlError(`yaml: the document has more than ${maxNodes} nodes`)
    } else if ((kind === 'mapping' || kind === 'sequence') && --budget.collections < 0)
      throw new YamlError(`yaml: the document has more than ${maxCollections} mappings and sequences`)
  }
  return load(text, { ...options, schema, maxDepth, maxTotalMergeKeys: maxMergedKeys, listener } as LoadOptions)
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new YamlError('yaml: invalid leading UTF-8 octet')
  }
}

function hasMoreLines(text: string, limit: number): boolean {
  if (text.length < limit) return false
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) if (++count > limit) return true
  return false
}

/** Cuts off what comes after the first document. A marker at the start of a line is one wherever it stands. */
function firstDocument(text: string): string {
  if (!text.includes('\n---') && !text.includes('\n...')) return text
  const marker = /^(?:---|\.\.\.)(?=[ \t\r\n]|$)/gm
  const before = startOfContent(text)
  marker.lastIndex = before
  let found = marker.exec(text)
  if (found?.index === before && found[0] === '---') found = marker.exec(text)
  return found ? text.slice(0, found.index) : text
}

/** Where the first line begins that is neither empty, nor a comment, nor a directive. */
function startOfContent(text: string): number {
  const line = /(?:[ \t]*(?:#.*)?|%.*)(?:\r?\n)/y
  let at = 0
  while (line.test(text)) at = line.lastIndex
  return at
}

// the value that `resolve` found, for `construct`, which is called next
let resolved: unknown

const plain = new Type('tag:k8ts,plain', {
  kind: 'scalar',
  resolve(text: string) {
    const found = resolveScalar(text)
    if (!found) return false
    resolved = found.value
    return true
  },
  construct: () => asJson(resolved),
})

const merge = new Type('tag:yaml.org,2002:merge', { kind: 'scalar', resolve: (text: unknown) => text === '<<' })

function asJson(value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value
  throw new YamlError(`json: unsupported value: ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`)
}

const standard = 'tag:yaml.org,2002:'
const kinds: Record<string, (value: unknown) => boolean> = {
  int: (value) => Number.isInteger(value),
  float: (value) => typeof value === 'number',
  bool: (value) => typeof value === 'boolean',
  null: (value) => value === null,
}

/** Tagged scalars. Tags that are not YAML's own are ignored. */
function tagged(text: string | null, tag = ''): unknown {
  const own = text ?? ''
  const name = tag.startsWith(standard) ? tag.slice(standard.length) : ''
  if (name === 'binary') return Buffer.from(own, 'base64').toString()
  const expected = Object.hasOwn(kinds, name) ? kinds[name] : undefined
  if (!expected) return own
  const found = resolveScalar(own)
  const value = found ? found.value : own
  if (!expected(value)) throw new YamlError(`yaml: cannot decode !!${typeName(value)} \`${own}\` as a !!${name}`)
  return asJson(value)
}

const typeName = (value: unknown) =>
  typeof value === 'string' ? 'str' : typeof value === 'boolean' ? 'bool' : value === null ? 'null' : Number.isInteger(value) ? 'int' : 'float'

const schema = FAILSAFE_SCHEMA.extend({
  implicit: [plain, merge],
  explicit: [
    new Type('', { kind: 'scalar', multi: true, construct: tagged }),
    new Type('', { kind: 'sequence', multi: true, construct: (items: unknown) => items ?? [] }),
    new Type('', { kind: 'mapping', multi: true, construct: (fields: unknown) => fields ?? {} }),
  ],
})

/** The parser's reasons in the words of Go's. */
const words: [RegExp, string][] = [
  [/^tab characters/, 'found a tab character that violates indentation'],
  [/^(bad indentation of a mapping|can not read a block mapping|can not read an implicit mapping)/, "could not find expected ':'"],
  [/^bad indentation of a sequence/, "did not find expected '-' indicator"],
  [/^(missed comma|unexpected end of the stream within a flow)/, "did not find expected ',' or ']'"],
  [/^unexpected end of the (stream|document) within a (single|double)/, 'found unexpected end of stream'],
  [/^the stream contains non-printable/, 'control characters are not allowed'],
  [/^null byte/, 'control characters are not allowed'],
  [/^unknown escape/, 'found unknown escape character'],
  [/^end of the stream or a document separator/, 'did not find expected <document start>'],
  [/^nesting exceeded/, `exceeded max depth of ${maxDepth}`],
  [/^merge keys exceeded/, 'document contains excessive aliasing'],
  [/^(cannot merge mappings|abnormal merge)/, 'map merge requires map or sequence of maps as the value'],
]

function worded(error: unknown, text: string): unknown {
  if (error instanceof RangeError) return new YamlError(`yaml: exceeded max depth of ${maxDepth}`)
  if (!(error instanceof YAMLException)) return error
  const alias = /^unidentified alias "(.*)"$/s.exec(error.reason)
  if (alias) return new YamlError(`yaml: unknown anchor '${alias[1]!.slice(0, 100)}' referenced`)
  const known = words.find(([pattern]) => pattern.test(error.reason))
  return new YamlError(`yaml: line ${lineOf(error, text)}: ${known ? known[1] : error.reason.slice(0, 300)}`, { cause: error })
}

/** The parser sees a line break at the end that may not be there. */
function lineOf({ mark }: YAMLException, text: string): number {
  return mark.line > 0 && mark.position >= text.trimEnd().length ? text.trimEnd().split('\n').length : mark.line + 1
}

/** The key that stands at a position. */
function keyAt(text: string, at: number): string {
  const [, double, single, bare] = /^\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|([^:,}\n]*))/.exec(text.slice(at, at + 300)) ?? []
  return double ?? single ?? bare?.trim() ?? ''
}
