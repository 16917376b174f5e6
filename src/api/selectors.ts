import { labelValue, qualifiedName } from './names.ts'
import type { DeepReadonly } from './object.ts'
import type { meta } from './types/index.ts'

type Labels = Readonly<Record<string, string>> | undefined

export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt'

export interface LabelRequirement {
  key: string
  operator: LabelOperator
  /** Sorted, without duplicates. */
  values: readonly string[]
}

/** Decides which labels match. */
export interface Selector {
  matches(labels: Labels): boolean
  /** Whether it matches everything. */
  empty: boolean
  /** Sorted by key; `undefined` for the selector that matches nothing. */
  requirements: readonly LabelRequirement[] | undefined
  /** The form in query strings and in `status.selector`. */
  toString(): string
}

/** What is wrong with a selector, in upstream's words. */
export class SelectorError extends Error {
  override name = 'SelectorError'
}

export const everything: Selector = { matches: () => true, empty: true, requirements: [], toString: () => '' }
export const nothing: Selector = { matches: () => false, empty: false, requirements: undefined, toString: () => '' }

/** Parses `a=b,c in (d,e),!f,g`: equality and set based. Throws SelectorError. */
export function parseLabelSelector(text: string): Selector {
  return selectorOf(new Parser(text).parse())
}

/** Absent selects nothing, an empty one everything. Throws SelectorError for an unknown operator or bad values. */
export function selectorFromLabelSelector(selector: DeepReadonly<meta.LabelSelector> | null | undefined): Selector {
  if (!selector) return nothing
  const requirements = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => requirement(key, '=', [value]))
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = operators[operator]
    if (!known) throw new SelectorError(`${quote(operator)} is not a valid label selector operator`)
    requirements.push(requirement(key, known, values ?? []))
  }
  return selectorOf(requirements)
}

/** A selector of labels that must all be equal, as services and replication controllers have; absent or empty: everything. */
export function selectorFromLabels(labels: Labels): Selector {
  return selectorOf(Object.entries(labels ?? {}).map(([key, value]) => ({ key, operator: '=' as const, values: [value] })))
}

const operators: Record<string, LabelOperator> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' }

function selectorOf(unsorted: LabelRequirement[]): Selector {
  if (unsorted.length === 0) return everything
  const requirements = unsorted.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return {
    matches: (labels) => requirements.every((r) => holds(r, labels)),
    empty: false,
    requirements,
    toString: () => requirements.map(formatRequirement).join(','),
  }
}

function holds({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case '=':
    case '==':
      return value === values[0]
    case 'in':
      return value !== undefined && values.includes(value)
    case '!=':
      return value !== values[0]
    case 'notin':
      return value === undefined || !values.includes(value)
    case 'exists':
      return value !== undefined
    case '!':
      return value === undefined
    case 'gt':
      return value !== undefined && integer.test(value) && BigInt(value) > BigInt(values[0]!)
    case 'lt':
      return value !== undefined && integer.test(value) && BigInt(value) < BigInt(values[0]!)
    default:
      return operator satisfies never
  }
}

const integer = /^-?\d{1,19}$/

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case 'exists':
      return key
    case '!':
      return `!${key}`
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.join(',')})`
    case 'gt':
      return `${key}>${values[0]}`
    case 'lt':
      return `${key}<${values[0]}`
    default:
      return `${key}${operator}${values[0]}`
  }
}

function requirement(key: string, operator: LabelOperator, values: readonly string[]): LabelRequirement {
  checkKey(key)
  switch (operator) {
    case 'in':
    case 'notin':
      if (values.length === 0) throw new SelectorError("for 'in', 'notin' operators, values set can't be empty")
      break
    case 'exists':
    case '!':
      if (values.length > 0) throw new SelectorError('values set must be empty for exists and does not exist')
      break
    case 'gt':
    case 'lt':
      for (const [i, value] of values.entries())
        if (!integer.test(value))
          throw new SelectorError(`values[${i}]: Invalid value: ${quote(value)}: for 'Gt', 'Lt' operators, the value must be an integer`)
      break
    default:
  }
  for (const [i, value] of values.entries()) {
    const problems = labelValue(value)
    if (problems.length > 0) throw new SelectorError(`values[${i}][${key}]: Invalid value: ${quote(value)}: ${problems.join('; ')}`)
  }
  return { key, operator, values: [...new Set(values)].toSorted() }
}

function checkKey(key: string): void {
  const problems = qualifiedName(key)
  if (problems.length > 0) throw new SelectorError(`<nil>: Invalid value: ${quote(key)}: ${problems.join('; ')}`)
}

const quote = (text: string): string => JSON.stringify(text)

type Token = { kind: 'word' | 'symbol' | 'bad'; text: string } | { kind: 'end'; text: '' }

const end: Token = { kind: 'end', text: '' }

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  const pattern = /[ \t\r\n]+|(==|!=|[=!(),<>])|([^=!(),<> \t\r\n]+)/gy
  for (const [, symbol, word] of text.matchAll(pattern)) {
    if (symbol !== undefined) tokens.push({ kind: 'symbol', text: symbol })
    else if (word !== undefined) tokens.push({ kind: 'word', text: word })
  }
  return tokens
}

/** Recursive descent over the grammar of `labels.Parse`; `in` and `notin` are operators only where one is due. */
class Parser {
  readonly #tokens: Token[]
  #position = 0

  constructor(text: string) {
    this.#tokens = tokenize(text)
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = []
    for (;;) {
      const next = this.#peek()
      if (next.kind === 'end') return requirements
      if (!startsRequirement(next)) throw new SelectorError(`found '${next.text}', expected: !, identifier, or 'end of string'`)
      requirements.push(this.#requirement())
      const separator = this.#take()
      if (separator.kind === 'end') return requirements
      if (separator.text !== ',') throw new SelectorError(`found '${separator.text}', expected: ',' or 'end of string'`)
      const after = this.#peek()
      if (!startsRequirement(after)) throw new SelectorError(`found '${after.text}', expected: identifier after ','`)
    }
  }

  #requirement(): LabelRequirement {
    try {
      const first = this.#take()
      const negated = first.text === '!'
      const key = negated ? this.#take() : first
      if (key.kind !== 'word') throw new SelectorError(`found '${key.text}', expected: identifier`)
      checkKey(key.text)
      if (negated) return requirement(key.text, '!', [])
      const next = this.#peek()
      if (next.kind === 'end' || next.text === ',') return requirement(key.text, 'exists', [])
      const operator = this.#operator()
      return requirement(key.text, operator, operator === 'in' || operator === 'notin' ? this.#values() : [this.#value()])
    } catch (error) {
      throw error instanceof SelectorError ? new SelectorError(`unable to parse requirement: ${error.message}`) : error
    }
  }

  #operator(): LabelOperator {
    const { text } = this.#take()
    switch (text) {
      case '=':
      case '==':
      case '!=':
      case 'in':
      case 'notin':
        return text
      case '>':
        return 'gt'
      case '<':
        return 'lt'
      default:
        throw new SelectorError(`found '${text}', expected: in, notin, =, ==, !=, gt, lt`)
    }
  }

  #value(): string {
    const next = this.#peek()
    if (next.kind === 'end' || next.text === ',') return ''
    this.#take()
    if (next.kind !== 'word') throw new SelectorError(`found '${next.text}', expected: identifier`)
    return next.text
  }

  /** `(a,,b)`: an empty place is the empty value. */
  #values(): string[] {
    const open = this.#take()
    if (open.text !== '(') throw new SelectorError(`found '${open.text}' expected: '('`)
    const values: string[] = []
    for (;;) {
      let token = this.#take()
      if (token.kind === 'word') {
        values.push(token.text)
        token = this.#take()
        if (token.text !== ',' && token.text !== ')') throw new SelectorError(`found '${token.text}', expected: ',' or ')'`)
      } else if (token.text === ',' || token.text === ')') {
        values.push('')
      } else {
        throw new SelectorError(`found '${token.text}', expected: ',', ')' or identifier`)
      }
      if (token.text === ')') return values
    }
  }

  #peek(): Token {
    return this.#tokens[this.#position] ?? end
  }

  #take(): Token {
    return this.#tokens[this.#position++] ?? end
  }
}

const startsRequirement = (token: Token): boolean => token.kind === 'word' || token.text === '!'

export interface FieldRequirement {
  field: string
  operator: '=' | '!='
  value: string
}

/** Parses `metadata.name=a,status.phase!=Running`; `\,`, `\=` and `\\` stand for themselves in values. Throws SelectorError. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  return (text.match(/(?:\\.|[^,\\]|\\$)+/gs) ?? []).map((term) => {
    const split = /^(.*?)(!=|==|=)(.*)$/s.exec(term)
    if (!split) throw new SelectorError(`invalid selector: '${text}'; can't understand '${term}'`)
    const [, field, operator, value] = split as unknown as [string, string, string, string]
    return { field, operator: operator === '!=' ? '!=' : '=', value: unescape(value) }
  })
}

function unescape(value: string): string {
  const bad = /\\(?![\\,=])(.?)/s.exec(value.replace(/\\[\\,=]/g, ''))
  if (bad) throw new SelectorError(`invalid field selector: invalid escape sequence: ${bad[0]}`)
  // Upstream prints the character's number.
  const bare = /[,=]/.exec(value.replace(/\\./gs, ''))
  if (bare) throw new SelectorError(`invalid field selector: unescaped character in value: ${bare[0].charCodeAt(0)}`)
  return value.replace(/\\([\\,=])/g, '$1')
}

export function formatFieldSelector(requirements: readonly FieldRequirement[]): string {
  return requirements.map(({ field, operator, value }) => `${field}${operator}${value.replace(/[\\,=]/g, '\\$&')}`).join(',')
}
