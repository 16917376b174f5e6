import { evaluate, namesIn, parseExpression, truthy } from './expression.ts'
import { compilePattern } from './pattern.ts'
import { readMap } from './read.ts'
import type { Reading } from './read.ts'
import { resolve } from './substitute.ts'
import type { Names } from './substitute.ts'
import { describe, isNull, scalarAt } from './tree.ts'
import type { ConfigNode, ListNode, Scalar, ScalarNode } from './tree.ts'

const longestValue = 4096
const statements = ['and', 'or', 'not', 'equal', 'matches'] as const

/**
 * Whether a logic statement holds: `and`, `or`, `not`, `equal`, `matches`, a value that is truthy, or an expression written without brackets
 * (`pipeline.git.branch == "main"`). Its expressions in brackets are substituted already.
 */
export function holds(node: ConfigNode, names: Names, reading: Reading): boolean {
  if (node.kind === 'scalar') return scalarHolds(node, names, reading)
  if (node.kind === 'list') {
    reading.problems.value(node, reading.live, `a list is no logic statement; put it under ${statements.join(', ')}`)
    return false
  }
  const entries = readMap(node, { what: 'a logic statement', known: statements }, reading)
  if (!entries || entries.size !== 1) {
    if (entries && node.entries.length !== 1) reading.problems.report(node.at, `a logic statement has one key of ${statements.join(', ')}`)
    return false
  }
  const [key, { value }] = [...entries][0]!
  if (key === 'not') return !holds(value.kind === 'list' && value.items.length === 1 ? value.items[0]! : value, names, reading)
  if (key === 'matches') return matches(value, reading)
  const operands = argumentsOf(key, value, reading)
  if (!operands) return false
  if (key === 'equal') return equal(operands, reading)
  const results = operands.items.map((item) => holds(item, names, reading))
  return key === 'and' ? results.every(Boolean) : results.some(Boolean)
}

function equal({ items }: ListNode, reading: Reading): boolean {
  const values = items.map((item) => {
    if (item.kind === 'scalar') return item.value
    reading.problems.value(item, reading.live, `"equal" compares texts, numbers and booleans, not ${describe(item)}`)
    return null
  })
  return values.every((value) => value === values[0])
}

function argumentsOf(key: string, node: ConfigNode, reading: Reading): ListNode | undefined {
  if (node.kind === 'list' && node.items.length > 0) return node
  reading.problems.value(
    node,
    reading.live,
    `"${key}" takes a list of at least one ${key === 'equal' ? 'value' : 'logic statement'}, not ${node.kind === 'list' ? 'an empty list' : describe(node)}`,
  )
  return undefined
}

function matches(node: ConfigNode, reading: Reading): boolean {
  const entries = readMap(node, { what: '"matches"', known: ['pattern', 'value'], required: ['pattern', 'value'] }, reading)
  const pattern = entries?.get('pattern')?.value
  const value = entries?.get('value')?.value
  if (!pattern || !value) return false
  if (pattern.kind !== 'scalar' || isNull(pattern) || value.kind !== 'scalar') {
    reading.problems.value(pattern, reading.live, '"pattern" and "value" of "matches" must be texts')
    return false
  }
  const compiled = compilePattern(pattern.text, pattern.at, reading.budget)
  if (!compiled.ok) reading.problems.value(pattern, reading.live, compiled.message)
  if (value.text.length > longestValue) reading.problems.value(value, reading.live, `the value of "matches" may have ${longestValue} characters`)
  return compiled.ok && compiled.value(value.text.slice(0, longestValue))
}

function scalarHolds(node: ScalarNode, names: Names, reading: Reading): boolean {
  if (typeof node.value !== 'string') return truthy(node.value)
  if (node.derived) {
    // `<< a >> and << b >>` became "false and true": a text that is never empty.
    if (/\s(and|or)\s|[=<>]=|starts-with/.test(node.text))
      reading.problems.warn(
        node.at,
        `this became the text "${node.text.slice(0, 60)}", which is always true: put the whole condition into one pair of << >>`,
      )
    return truthy(node.value)
  }
  return expressionHolds(node, names, reading) ?? truthy(node.value)
}

/** The value of an expression that was written without brackets; undefined when the text is none. */
export function expressionHolds(node: ScalarNode, names: Names, reading: Reading): boolean | undefined {
  const looksLikeOne = /\b(pipeline|parameters|matrix)\.|[=<>]=|\bstarts-with\b|^\s*(not\b|\(|true$|false$)/.test(node.text)
  if (!looksLikeOne) return undefined
  const parsed = parseExpression(node.text)
  if (!parsed.ok) {
    reading.problems.report(node.at, `not an expression: ${parsed.message}`)
    return false
  }
  const values = new Map<string, Scalar>()
  for (const name of namesIn(parsed.value)) {
    const value = name.includes('.') ? resolve(name, names, node.at, reading.problems) : unknownWord(name, node, reading)
    if (value.kind === 'scalar') values.set(name, value.value)
    else reading.problems.report(node.at, `${name} is a ${value.kind}: an expression compares texts, numbers and booleans`)
  }
  const outcome = evaluate(parsed.value, (name) => values.get(name) ?? null)
  if (!outcome.ok) reading.problems.value(node, reading.live, outcome.message)
  return outcome.ok && truthy(outcome.value)
}

function unknownWord(name: string, node: ScalarNode, reading: Reading): ConfigNode {
  reading.problems.report(node.at, `"${name}" is no value; put texts in quotes: "…"`)
  return scalarAt('', node.at)
}
