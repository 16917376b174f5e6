import type { Scalar } from './tree.ts'

/**
 * The language of expressions: `pipeline.git.branch == "main" and not (pipeline.number < 10)`. `not` binds tightest, then comparisons,
 * then `and`, then `or`. A lone name is an expression, too.
 */
export type Expression =
  | { kind: 'literal'; value: Scalar }
  | { kind: 'name'; name: string }
  | { kind: 'not'; operand: Expression }
  | { kind: 'and' | 'or'; left: Expression; right: Expression }
  | { kind: 'compare'; operator: Comparison; left: Expression; right: Expression }

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'starts-with'

export type Outcome<T> = { ok: true; value: T } | { ok: false; message: string }

const longest = 4096
const deepest = 50
const comparisons: readonly string[] = ['==', '!=', '<', '<=', '>', '>=', 'starts-with']

type Token = { kind: 'string' | 'number' | 'word' | 'symbol'; text: string; value?: Scalar }

export function parseExpression(text: string): Outcome<Expression> {
  if (text.length > longest) return { ok: false, message: `an expression may have ${longest} characters` }
  const tokens = tokenize(text)
  if (!tokens.ok) return tokens
  try {
    const parser = { tokens: tokens.value, next: 0 }
    const expression = disjunction(parser, 0)
    const rest = parser.tokens[parser.next]
    if (rest) throw new SyntaxError(comparisonHint(rest))
    return { ok: true, value: expression }
  } catch (error) {
    if (error instanceof SyntaxError) return { ok: false, message: error.message }
    throw error
  }
}

const comparisonHint = (token: Token) =>
  token.text === '=' || token.text === '&' || token.text === '|' || token.text === '!'
    ? `"${token.text}" is no operator: the operators are ==, !=, <, <=, >, >=, starts-with, and, or, not`
    : `"${token.text}" is not expected here`

function tokenize(text: string): Outcome<Token[]> {
  const tokens: Token[] = []
  const pattern = /\s+|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(-?\d+(?:\.\d+)?)(?![\w.])|([A-Za-z_][\w.-]*)|(==|!=|<=|>=|[^\s])/gsuy
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const [, double, single, number, word, symbol] = match
    const string = double ?? single
    if (string !== undefined) tokens.push({ kind: 'string', text: match[0], value: string.replaceAll(/\\(.)/gsu, '$1') })
    else if (number !== undefined) tokens.push({ kind: 'number', text: number, value: Number(number) })
    else if (word !== undefined) tokens.push({ kind: 'word', text: word })
    else if (symbol === '"' || symbol === "'") return { ok: false, message: `the text that begins with ${symbol} has no end` }
    else if (symbol !== undefined) tokens.push({ kind: 'symbol', text: symbol })
    if (pattern.lastIndex >= text.length) break
  }
  return { ok: true, value: tokens }
}

interface Parser {
  tokens: Token[]
  next: number
}

function taken(parser: Parser, kind: Token['kind'], text: string): boolean {
  const token = parser.tokens[parser.next]
  if (token?.kind !== kind || token.text !== text) return false
  parser.next++
  return true
}

function disjunction(parser: Parser, depth: number): Expression {
  let left = conjunction(parser, depth)
  while (taken(parser, 'word', 'or')) left = { kind: 'or', left, right: conjunction(parser, depth) }
  return left
}

function conjunction(parser: Parser, depth: number): Expression {
  let left = comparison(parser, depth)
  while (taken(parser, 'word', 'and')) left = { kind: 'and', left, right: comparison(parser, depth) }
  return left
}

function comparison(parser: Parser, depth: number): Expression {
  const left = operand(parser, depth)
  const token = parser.tokens[parser.next]
  if (!token || token.kind === 'string' || !comparisons.includes(token.text)) return left
  parser.next++
  return { kind: 'compare', operator: token.text as Comparison, left, right: operand(parser, depth) }
}

function operand(parser: Parser, depth: number): Expression {
  if (depth > deepest) throw new SyntaxError(`an expression may nest ${deepest} levels`)
  const token = parser.tokens[parser.next++]
  if (!token) throw new SyntaxError('the expression ends too early')
  if (token.kind === 'string' || token.kind === 'number') return { kind: 'literal', value: token.value! }
  if (token.text === '(') {
    const inner = disjunction(parser, depth + 1)
    if (!taken(parser, 'symbol', ')')) throw new SyntaxError('a ")" is missing')
    return inner
  }
  if (token.kind === 'symbol' || comparisons.includes(token.text) || token.text === 'and' || token.text === 'or')
    throw new SyntaxError(comparisonHint(token))
  if (token.text === 'not') return { kind: 'not', operand: operand(parser, depth + 1) }
  if (token.text === 'true' || token.text === 'false') return { kind: 'literal', value: token.text === 'true' }
  return { kind: 'name', name: token.text }
}

/** False, null, zero, not-a-number and the empty text are falsy; everything else is truthy. */
export const truthy = (value: Scalar): boolean => value !== false && value !== null && value !== '' && value !== 0 && !Number.isNaN(value)

/** Names are looked up before (`namesIn`), so that a misspelt one is found whatever stands beside it; `and` and `or` short-circuit. */
export function evaluate(expression: Expression, lookup: (name: string) => Scalar): Outcome<Scalar> {
  switch (expression.kind) {
    case 'literal':
      return { ok: true, value: expression.value }
    case 'name':
      return { ok: true, value: lookup(expression.name) }
    case 'not': {
      const operand = evaluate(expression.operand, lookup)
      return operand.ok ? { ok: true, value: !truthy(operand.value) } : operand
    }
    case 'and':
    case 'or': {
      const left = evaluate(expression.left, lookup)
      if (!left.ok || truthy(left.value) === (expression.kind === 'or')) return left.ok ? { ok: true, value: expression.kind === 'or' } : left
      const right = evaluate(expression.right, lookup)
      return right.ok ? { ok: true, value: truthy(right.value) } : right
    }
    case 'compare': {
      const left = evaluate(expression.left, lookup)
      const right = evaluate(expression.right, lookup)
      if (!left.ok) return left
      return right.ok ? compared(expression.operator, left.value, right.value) : right
    }
  }
}

function compared(operator: Comparison, left: Scalar, right: Scalar): Outcome<Scalar> {
  if (operator === '==') return { ok: true, value: left === right }
  if (operator === '!=') return { ok: true, value: left !== right }
  if (operator === 'starts-with') {
    if (typeof left !== 'string' || typeof right !== 'string') return { ok: false, message: '"starts-with" compares texts' }
    return { ok: true, value: left.startsWith(right) }
  }
  if (typeof left !== 'number' || typeof right !== 'number') return { ok: false, message: `"${operator}" compares numbers` }
  const value = operator === '<' ? left < right : operator === '<=' ? left <= right : operator === '>' ? left > right : left >= right
  return { ok: true, value }
}

export function namesIn(expression: Expression): string[] {
  switch (expression.kind) {
    case 'literal':
      return []
    case 'name':
      return [expression.name]
    case 'not':
      return namesIn(expression.operand)
    default:
      return [...namesIn(expression.left), ...namesIn(expression.right)]
  }
}
