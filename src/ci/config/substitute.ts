import { evaluate, namesIn, parseExpression } from './expression.ts'
import type { Expression } from './expression.ts'
import type { Budget, Problems } from './problems.ts'
import { LimitExceeded, didYouMean } from './problems.ts'
import { quoted, scalarAt } from './tree.ts'
import type { ConfigNode, ListNode, MapEntry, MapNode, Position, Scalar, ScalarNode } from './tree.ts'

/** What the names in `<< … >>` stand for. */
export interface Names {
  /** Of the command, job or executor that the text stands in; absent where there are none. */
  parameters?: Map<string, ConfigNode>
  /** Told of each parameter that is used. */
  used?: Set<string>
  /** Of the matrix whose combination is being made. */
  matrix?: Map<string, ConfigNode>
  /** By their whole names, `pipeline.git.branch`. */
  pipeline: Map<string, Scalar>
  /** Orbs do not see the pipeline's parameters. */
  inOrb?: boolean
}

export interface Substitution {
  problems: Problems
  budget: Budget
  /** What the texts consist of, once they were taken apart. */
  pieces: Map<ScalarNode, Piece[]>
  /** Version 2 of the configuration knows no expressions: `<<` is text. */
  literal?: boolean
}

const longestText = 256 * 1024

/**
 * The same node with the values of its expressions. A scalar that is nothing but one expression becomes the value, whatever its type;
 * within a longer text a value is written out. `\<<` stands for `<<`. What comes from a parameter is not looked through again.
 */
export function substitute(node: ConfigNode, names: Names, context: Substitution): ConfigNode {
  if (!node.templated || context.literal) return node
  context.budget.spend(1, node.at)
  if (node.kind === 'list') return { ...node, items: node.items.map((item) => substitute(item, names, context)) } satisfies ListNode
  if (node.kind === 'map') {
    const entries = node.entries.map((entry): MapEntry => {
      const value = substitute(entry.value, names, context)
      if (!entry.key.includes('<<')) return { ...entry, value }
      const key = substituteScalar({ ...scalarAt(entry.key, entry.keyAt), templated: true }, names, context)
      return { key: key.kind === 'scalar' ? key.text : entry.key, keyAt: entry.keyAt, value }
    })
    return { ...node, entries } satisfies MapNode
  }
  return typeof node.value === 'string' ? substituteScalar(node, names, context) : node
}

function substituteScalar(node: ScalarNode, names: Names, { problems, budget, pieces: known }: Substitution): ConfigNode {
  const pieces = known.get(node) ?? piecesOf(node)
  known.set(node, pieces)
  budget.spend(pieces.length, node.at)
  let text = ''
  let derived = false
  let broken = false
  for (const piece of pieces) {
    if (piece.kind === 'text') {
      text += piece.text
      continue
    }
    const { at } = piece
    if (piece.kind === 'problem') {
      problems.report(at, piece.message)
      broken = true
      continue
    }
    derived = true
    const value = valueOf(piece.expression, names, at, problems)
    if (pieces.length === 1) {
      if (value.kind !== 'scalar') return { ...value, derived: true, templated: false }
      const from = piece.expression.kind === 'name' && !piece.expression.name.startsWith('pipeline.') ? (value.from ?? value.at) : undefined
      return { ...value, at: node.at, ...(from && { from }), derived: true, templated: false }
    }
    if (value.kind !== 'scalar') problems.report(at, `<< ${piece.source} >> is a ${value.kind}: it cannot stand inside a text`)
    else {
      text += value.text
      broken ||= value.broken === true
    }
    if (text.length > longestText) throw new LimitExceeded(at, `the text grows beyond ${longestText} characters here`)
  }
  budget.spend(1 + Math.floor(text.length / 256), node.at)
  return { ...node, value: text, text, derived, ...(broken && { broken }), templated: false }
}

function valueOf(expression: Expression, names: Names, at: Position, problems: Problems): ConfigNode {
  if (expression.kind === 'name') return resolve(expression.name, names, at, problems)
  const values = new Map<string, Scalar>()
  for (const name of namesIn(expression)) {
    const node = resolve(name, names, at, problems)
    if (node.kind === 'scalar') values.set(name, node.value)
    else problems.report(at, `${name} is a ${node.kind}: an expression compares texts, numbers and booleans`)
  }
  const outcome = evaluate(expression, (name) => values.get(name) ?? null)
  if (!outcome.ok) problems.report(at, outcome.message)
  return outcome.ok ? scalarAt(outcome.value, at) : { ...scalarAt(null, at), broken: true }
}

/** What a name stands for; when nothing, that is reported. */
export function resolve(name: string, names: Names, at: Position, problems: Problems): ConfigNode {
  const found = lookUp(name, names)
  if (typeof found !== 'string') return found
  problems.report(at, found)
  return { ...scalarAt('', at), broken: true }
}

function lookUp(name: string, names: Names): ConfigNode | string {
  const dot = name.indexOf('.')
  const namespace = dot < 0 ? name : name.slice(0, dot)
  const rest = name.slice(dot + 1)
  if (namespace === 'parameters') {
    const value = names.parameters?.get(rest)
    names.used?.add(rest)
    if (value) return value
    if (!names.parameters) return `there are no parameters here, so << ${name} >> has no value`
    return `<< ${name} >>: the parameter "${rest}" is not declared here${didYouMean(rest, names.parameters.keys())}`
  }
  if (namespace === 'matrix') {
    const value = names.matrix?.get(rest)
    if (value) return value
    if (!names.matrix) return `<< ${name} >> has a value only in a workflow's job that has a matrix`
    return `<< ${name} >>: the matrix has no parameter "${rest}"${didYouMean(rest, names.matrix.keys())}`
  }
  if (namespace === 'pipeline') {
    if (names.inOrb && name.startsWith('pipeline.parameters.'))
      return `<< ${name} >>: an orb does not see the pipeline's parameters; hand it over as a parameter`
    const value = names.pipeline.get(name)
    if (value !== undefined) return scalarAt(value, { line: 1, column: 1 })
    if (name.startsWith('pipeline.parameters.')) {
      const declared = [...names.pipeline.keys()].filter((key) => key.startsWith('pipeline.parameters.'))
      return `<< ${name} >>: the pipeline parameter "${name.slice('pipeline.parameters.'.length)}" is not declared under "parameters"${didYouMean(name, declared)}`
    }
    return `the pipeline value "${name}" is not supported${didYouMean(name, names.pipeline.keys())}`
  }
  return `${quoted(name)} has no value: names begin with parameters, pipeline or matrix${didYouMean(namespace, ['parameters', 'pipeline', 'matrix'])}`
}

type Piece =
  | { kind: 'text'; text: string }
  | { kind: 'expression'; expression: Expression; source: string; at: Position }
  | { kind: 'problem'; message: string; at: Position }

const namespaced = /(?:^|[\s("'!])(?:parameters|pipeline|matrix)\s*\./
const longestExpression = 1000

/**
 * `<<` is also how shells begin here-documents: `cat <<EOF >> file`. So only what names a parameter or a pipeline value, or looks like nothing
 * else than a name in brackets, is an expression.
 */
function piecesOf(node: ScalarNode): Piece[] {
  const text = node.value as string
  const positionAt = positionsIn(node)
  const pieces: Piece[] = []
  let plain = ''
  let from = 0
  const push = (piece: Piece) => {
    if (plain !== '') pieces.push({ kind: 'text', text: plain })
    plain = ''
    pieces.push(piece)
  }
  for (let open = text.indexOf('<<'); open >= 0; open = text.indexOf('<<', from)) {
    if (open > from && text[open - 1] === '\\') {
      plain += `${text.slice(from, open - 1)}<<`
      from = open + 2
      continue
    }
    plain += text.slice(from, open)
    const rest = text.slice(open + 2, open + 2 + longestExpression)
    const close = rest.indexOf('>>')
    const piece = close < 0 ? unclosed(rest) : expressionIn(rest.slice(0, close))
    if (piece) push({ ...piece, at: positionAt(open) })
    else plain += '<<'
    from = open + 2 + (piece ? (close < 0 ? rest.length : close + 2) : 0)
  }
  plain += text.slice(from)
  return plain === '' ? pieces : [...pieces, { kind: 'text', text: plain }]
}

/** Where things stand within a scalar, asked for from front to back: right for block texts, close for others. */
function positionsIn(node: ScalarNode): (offset: number) => Position {
  let line = 0
  let seen = 0
  return (offset) => {
    for (; seen < offset; seen++) if (node.text[seen] === '\n') line++
    if (node.block) return { line: node.at.line + 1 + line, column: 1 }
    return line === 0 ? { line: node.at.line, column: node.at.column + offset } : node.at
  }
}

type Found = { kind: 'expression'; expression: Expression; source: string } | { kind: 'problem'; message: string }

const unclosed = (rest: string): Found | undefined =>
  /^\s*(parameters|pipeline|matrix)\.[\w.-]+/.test(rest)
    ? { kind: 'problem', message: `the expression that begins with ${quoted(`<<${rest.slice(0, 30)}`)} has no ">>"` }
    : undefined

function expressionIn(inner: string): Found | undefined {
  const source = inner.trim()
  if (/^[#^/]\s*(parameters|pipeline|matrix)\.[\w.-]+$/.test(source))
    return { kind: 'problem', message: `the section << ${source} >> is not supported: write a "when" step, or an expression` }
  const isName = /^\s*[A-Za-z_][\w-]*(\.[\w-]+)+\s*$/.test(inner) || /^\s+[A-Za-z_][\w-]*\s+$/.test(inner)
  if (!isName && (inner.includes('\n') ? !/^\s*(parameters|pipeline|matrix)\./.test(inner) : !namespaced.test(inner))) return undefined
  const parsed = parseExpression(source)
  if (!parsed.ok) return { kind: 'problem', message: `<< ${source} >>: ${parsed.message}` }
  return { kind: 'expression', expression: parsed.value, source }
}
