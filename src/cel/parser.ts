import type { Call, Expr, Literal, Parsed } from './ast.ts'
import { newLexer, type Token } from './lexer.ts'
import type { Library, Macro } from './library.ts'
import { readBytes, readDouble, readInt, readString, readUint, type Reading } from './literals.ts'
import { newIssues, newSource } from './source.ts'
import { ParseLimit, type ParseLimits, parseLimits, syntaxErrors } from './recovery.ts'
import { type Element, type Entries, type Field, parseSyntax, type Tree } from './syntax.ts'

/** Makes the parts that a macro stands for, each with an id of its own, at the place of the call. */
export interface MacroMaker {
  /** At the place of the call, or of another expression. */
  ident(name: string, at?: Expr): Expr
  literal(value: boolean | bigint | string): Expr
  call(name: string, ...args: Expr[]): Expr
  member(target: Expr, name: string, ...args: Expr[]): Expr
  list(...elements: Expr[]): Expr
  /** A map with no entries. */
  map(): Expr
  select(operand: Expr, field: string, testOnly?: true): Expr
  fold(parts: { range: Expr; variable: string; second?: string; accumulator: string; init: Expr; condition: Expr; step: Expr; result: Expr }): Expr
  /** The name that accumulators have: no source can write it. */
  readonly accumulator: string
  /** Ends the expansion with an issue at the place of `at`. */
  fail(at: Expr, message: string): never
}

/** Parses an expression. Throws CompileError. */
export type Parse = (source: string, libraries: readonly Pick<Library, 'macros'>[], limits?: ParseLimits) => Parsed

/** Of an expression, in code points. */
const longestExpression = 100_000
/** Parts that an expression may have after its macros are expanded. */
const mostParts = 100_000

const reserved = new Set(
  'as break const continue else false for function if import in let loop package namespace null return true var void while'.split(' '),
)

/** Parts that count as nested in one another, for the limit on that. */
const nests: ReadonlySet<Tree['is']> = new Set<Tree['is']>(['conditional', 'binary', 'select', 'member call', 'index'])

const binaries: Readonly<Record<string, string>> = {
  '==': '_==_',
  '!=': '_!=_',
  in: '@in',
  '<': '_<_',
  '<=': '_<=_',
  '>': '_>_',
  '>=': '_>=_',
  '+': '_+_',
  '-': '_-_',
  '*': '_*_',
  '/': '_/_',
  '%': '_%_',
}

/** Where what is broken stands, as cel-go has it: before the first character. */
const nowhere = -1

export const parse: Parse = (given, libraries, limits = parseLimits) => {
  // Halves of characters are none to Go.
  const text = given.toWellFormed()
  const source = newSource(text)
  const issues = newIssues(source)
  let expr: Expr | undefined
  const macroCalls = new Map<number, Expr>()
  if (source.length > longestExpression) {
    issues.report(undefined, `expression code point size exceeds limit: size: ${source.length}, limit ${longestExpression}`)
  } else {
    try {
      const fail = syntaxErrors(issues.report)
      const tree = parseSyntax(newLexer(source, fail), fail, limits)
      expr = build(tree, macrosOf(libraries), issues, macroCalls, limits)
    } catch (limit) {
      if (!(limit instanceof ParseLimit)) throw limit
      if (limit.report) issues.report(undefined, limit.message)
    }
  }
  issues.throwIfAny()
  return { source: text, expr: expr!, macroCalls }
}

const macroKey = (name: string, member: boolean, args: number | 'any'): string => `${name}:${args}:${member}`

const macrosOf = (libraries: Parameters<Parse>[1]): ReadonlyMap<string, Macro> =>
  new Map(libraries.flatMap(({ macros }) => macros ?? []).map((macro) => [macroKey(macro.name, macro.member, macro.arguments), macro]))

/** A macro's word that its call is not well formed. */
class Refusal extends Error {
  readonly offset: number
  constructor(offset: number, message: string) {
    super(message)
    this.offset = offset
  }
}

/** Makes the expression of a syntax tree, expanding macros. Ids are given in the order in which cel-go gives them: messages and costs name them. */
const build = (
  root: Tree | undefined,
  macros: ReadonlyMap<string, Macro>,
  issues: { readonly count: number; report(offset: number | undefined, message: string): void },
  macroCalls: Map<number, Expr>,
  limits: ParseLimits,
): Expr => {
  let lastId = 0
  let depth = 0

  const literal = (offset: number, value: Literal['value']): Expr => ({ kind: 'literal', id: ++lastId, offset, value })
  /** What stands where the source is broken: it is never looked at, for there is an issue. */
  const broken = (offset = nowhere): Expr => literal(offset, null)
  const fail = (offset: number, message: string): Expr => {
    issues.report(offset, message)
    return broken(offset)
  }
  const read = (offset: number, reading: Reading<Literal['value']>): Expr =>
    'wrong' in reading ? fail(offset, reading.wrong) : literal(offset, reading.value)

  const makerAt = (offset: number): MacroMaker => {
    const node = () => ({ id: ++lastId, offset })
    return {
      ident: (name, at) => ({ kind: 'ident', ...node(), ...(at && { offset: at.offset }), name }),
      literal: (value) => literal(offset, value),
      call: (name, ...args) => ({ kind: 'call', ...node(), function: name, args }),
      member: (target, name, ...args) => ({ kind: 'call', ...node(), function: name, target, args }),
      list: (...elements) => ({ kind: 'list', ...node(), elements }),
      map: () => ({ kind: 'map', ...node(), entries: [] }),
      select: (operand, field, testOnly) => ({ kind: 'select', ...node(), operand, field, ...(testOnly && { testOnly }) }),
      fold: (parts) => ({ kind: 'comprehension', ...node(), ...parts }),
      accumulator: '@result',
      fail: (at, message) => {
        throw new Refusal(at.offset, message)
      },
    }
  }

  /** A call, or what stands in its place when a macro has its name. */
  const callOrMacro = (id: number, offset: number, name: string, target: Expr | undefined, args: Expr[]): Expr => {
    const call: Call = { kind: 'call', id, offset, function: name, ...(target && { target }), args }
    const macro = macros.get(macroKey(name, target !== undefined, args.length)) ?? macros.get(macroKey(name, target !== undefined, 'any'))
    if (!macro) return call
    const give = (): void => {
      if (id === lastId) lastId--
    }
    const tooMany = (): Expr | undefined => {
      if (lastId <= mostParts) return undefined
      give()
      return fail(offset, `expression count exceeds limit of ${mostParts} while expanding macro '${name}'`)
    }
    const refused = tooMany()
    if (refused) return refused
    let expanded: Expr | undefined
    try {
      expanded = macro.expand(makerAt(offset), target, args)
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal
      const over = tooMany()
      if (over) return over
      give()
      return fail(refusal.offset, refusal.message)
    }
    const over = tooMany()
    if (over) return over
    if (!expanded) return call
    macroCalls.set(expanded.id, { ...call, id: 0 })
    give()
    return expanded
  }

  const callAt = (op: Token, name: string, target: Tree | undefined, args: Tree[]): Expr => {
    const operand = target && visit(target)
    const id = ++lastId
    return callOrMacro(id, op.offset, name, operand, args.map(visit))
  }

  /** Terms of a long `||` or `&&` become a balanced tree, so that no expression is too deep for having many terms. */
  const balanced = (name: string, terms: Expr[], ops: { id: number; offset: number }[], low = 0, high = ops.length - 1): Expr => {
    const middle = (low + high + 1) >> 1
    const left = middle === low ? terms[middle]! : balanced(name, terms, ops, low, middle - 1)
    const right = middle === high ? terms[middle + 1]! : balanced(name, terms, ops, middle + 1, high)
    return { kind: 'call', ...ops[middle]!, function: name, args: [left, right] }
  }

  const fieldName = (field: Field): string | undefined => (field.token?.kind === 'ESC_IDENTIFIER' ? field.token.text.slice(1, -1) : field.token?.text)

  const entriesOf = <Key, Entry>(entries: Entries<Key>, make: (key: Key, value: Tree, id: number, offset: number, first: Key) => Entry): Entry[] => {
    const made: Entry[] = []
    for (const [index, colon] of entries.colons.entries()) {
      const id = ++lastId
      const [key, value] = [entries.keys[index], entries.values[index]]
      if (!key || !value) return []
      made.push(make(key, value, id, colon.offset, entries.keys[0]!))
    }
    return made
  }

  const visit = (tree: Tree | undefined): Expr => {
    if (!tree) return broken()
    if (!nests.has(tree.is)) return visitPart(tree)
    if (++depth > limits.recursion) throw new ParseLimit('max recursion depth exceeded', true)
    const expr = visitPart(tree)
    depth--
    return expr
  }
  const visitPart = (tree: Tree): Expr => {
    const { offset } = tree.start
    switch (tree.is) {
      case 'conditional': {
        const test = visit(tree.test)
        const id = ++lastId
        const yes = visit(tree.yes)
        return callOrMacro(id, tree.op.offset, '_?_:_', undefined, [test, yes, visit(tree.no)])
      }
      case 'logic': {
        const terms = [visit(tree.terms[0])]
        const ops: { id: number; offset: number }[] = []
        for (const [index, op] of tree.ops.entries()) {
          if (!tree.terms[index + 1]) return fail(offset, `unexpected character, wanted '${tree.function.slice(1, -1)}'`)
          terms.push(visit(tree.terms[index + 1]))
          ops.push({ id: ++lastId, offset: op.offset })
        }
        return balanced(tree.function, terms, ops)
      }
      case 'binary': {
        const left = visit(tree.left)
        const id = ++lastId
        return callOrMacro(id, tree.op.offset, binaries[tree.op.text]!, undefined, [left, visit(tree.right)])
      }
      case 'unary':
        return tree.ops.length % 2 === 0 ? visit(tree.operand) : callAt(tree.ops[0]!, tree.function, undefined, [tree.operand!])
      case 'select':
        return visitSelect(tree)
      case 'member call':
        return callAt(tree.open, tree.id.text, tree.operand, tree.args)
      case 'index': {
        const operand = visit(tree.operand)
        const id = ++lastId
        return callOrMacro(id, tree.op.offset, tree.optional ? '_[?_]' : '_[_]', undefined, [operand, visit(tree.index)])
      }
      case 'ident': {
        if (!tree.id) return broken(offset)
        if (reserved.has(tree.id.text)) return fail(offset, `reserved identifier: ${tree.id.text}`)
        return { kind: 'ident', id: ++lastId, offset: tree.id.offset, name: (tree.dot ? '.' : '') + tree.id.text }
      }
      case 'call':
        if (reserved.has(tree.id.text)) return fail(offset, `reserved identifier: ${tree.id.text}`)
        return callAt(tree.open, (tree.dot ? '.' : '') + tree.id.text, undefined, tree.args)
      case 'list': {
        const id = ++lastId
        const elements = tree.elements.map(({ expr }) => visit(expr))
        const optional = tree.elements.flatMap((element, index) => (element.optional ? [index] : []))
        return { kind: 'list', id, offset: tree.op.offset, elements, ...(optional.length > 0 && { optional }) }
      }
      case 'map': {
        const id = ++lastId
        return { kind: 'map', id, offset: tree.op.offset, entries: entriesOf<Element, MapEntry>(tree.entries, mapEntry) }
      }
      case 'message': {
        const id = ++lastId
        const name = (tree.dot ? '.' : '') + tree.ids.map(({ text }) => text).join('.')
        return { kind: 'struct', id, offset: (tree.op ?? tree.start).offset, name, entries: entriesOf<Field, StructEntry>(tree.entries, structEntry) }
      }
      case 'literal':
        return visitLiteral(offset, tree.sign, tree.token)
      case 'broken':
        return tree.rule === 'unary' ? literal(offset, '<<error>>') : broken()
      default:
        throw new Error(tree satisfies never)
    }
  }

  type MapEntry = Extract<Expr, { kind: 'map' }>['entries'][number]
  const mapEntry = (key: Element, value: Tree, id: number, offset: number): MapEntry => ({
    id,
    offset,
    key: visit(key.expr),
    value: visit(value),
    ...(key.optional && { optional: true }),
  })

  type StructEntry = Extract<Expr, { kind: 'struct' }>['entries'][number]
  const structEntry = (key: Field, value: Tree, id: number, offset: number, first: Field): StructEntry => {
    const field = fieldName(key)
    if (field === undefined) return { id, offset, field: '', value: fail(first.start.offset, 'unsupported ident kind') }
    return { id, offset, field, value: visit(value), ...(key.optional && { optional: true }) }
  }

  const visitSelect = (tree: Extract<Tree, { is: 'select' }>): Expr => {
    const operand = visit(tree.operand)
    if (!tree.id || !tree.op) return broken(tree.start.offset)
    const field = fieldName(tree.id)
    if (field === undefined) fail(tree.id.start.offset, 'unsupported ident kind')
    if (!tree.optional) return { kind: 'select', id: ++lastId, offset: tree.op.offset, operand, field: field ?? '' }
    const name = literal(tree.id.start.offset, field ?? '')
    return { kind: 'call', id: ++lastId, offset: tree.op.offset, function: '_?._', args: [operand, name] }
  }

  const visitLiteral = (offset: number, sign: Token | undefined, { kind, text }: Token): Expr => {
    switch (kind) {
      case 'NUM_INT':
        return read(offset, readInt(text, sign !== undefined))
      case 'NUM_UINT':
        return read(offset, readUint(text))
      case 'NUM_FLOAT':
        return read(offset, readDouble((sign ? '-' : '') + text))
      case 'STRING':
        return read(offset, readString(text))
      case 'BYTES':
        return read(offset, readBytes(text.slice(1)))
      case "'true'":
      case "'false'":
        return literal(offset, kind === "'true'")
      default:
        return literal(offset, null)
    }
  }

  return visit(root)
}
