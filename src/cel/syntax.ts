import { type Lexer, type Token, type TokenKind, tokenNames } from './lexer.ts'

/**
 * What the grammar of the language definition makes of a text. Rules that stand for nothing but their only part (`expr` without `?:`, parentheses) are
 * left out. Parts that a syntax error took away are undefined.
 */
export type Tree = { start: Token } & (
  | { is: 'conditional'; op: Token; test?: Tree; yes?: Tree; no?: Tree }
  | { is: 'logic'; function: '_||_' | '_&&_'; ops: Token[]; terms: Tree[] }
  | { is: 'binary'; op: Token; left: Tree; right?: Tree }
  | { is: 'unary'; function: '!_' | '-_'; ops: Token[]; operand?: Tree }
  | { is: 'select'; operand: Tree; op?: Token; optional?: true; id?: Field }
  | { is: 'member call'; operand: Tree; id: Token; open: Token; args: Tree[] }
  | { is: 'index'; operand: Tree; op: Token; optional?: true; index?: Tree }
  | { is: 'ident'; dot?: true; id?: Token }
  | { is: 'call'; dot?: true; id: Token; open: Token; args: Tree[] }
  | { is: 'list'; op: Token; elements: Element[] }
  | { is: 'map'; op: Token; entries: Entries<Element> }
  | { is: 'message'; dot?: true; ids: Token[]; op?: Token; entries: Entries<Field> }
  | { is: 'literal'; sign?: Token; token: Token }
  | { is: 'broken'; rule: 'unary' | 'other' }
)

/** An element of a list or the key of a map. */
export interface Element {
  start: Token
  optional?: true
  expr?: Tree
}

/** The name of a field; its token is undefined after a syntax error. */
export interface Field {
  start: Token
  optional?: true
  token?: Token
}

/** Of as many entries as were read in full all three lists tell. */
export interface Entries<Key> {
  keys: Key[]
  colons: Token[]
  values: Tree[]
}

/** A fault that ends parsing at once. */
export class ParseLimit extends Error {
  /** Whether it is to be reported, without a place; otherwise it has been. */
  readonly report: boolean
  constructor(message: string, report: boolean) {
    super(message)
    this.report = report
  }
}

export interface ParseLimits {
  /** Calls of one rule in one another, and parts of expressions in one another. */
  recursion: number
  /** Mistakes that the parser recovers from. */
  recoveries: number
  /** Tokens that it passes over for one of them. */
  lookahead: number
}

/** Those of cel-go, which Kubernetes keeps. */
export const parseLimits: ParseLimits = { recursion: 250, recoveries: 30, lookahead: 256 }

const syntaxErrorLimit = 100

/** A place in the grammar: which tokens may come next, and whether its rule may end here (then what follows its caller may come too). */
interface State {
  tokens: ReadonlySet<TokenKind>
  mayEnd: boolean
}

const primaryFirst: TokenKind[] = [
  "'['",
  "'{'",
  "'('",
  "'.'",
  "'-'",
  "'true'",
  "'false'",
  "'null'",
  'NUM_FLOAT',
  'NUM_INT',
  'NUM_UINT',
  'STRING',
  'BYTES',
  'IDENTIFIER',
]
const expressionFirst: TokenKind[] = [...primaryFirst, "'!'"]
const relationOperators: TokenKind[] = ["'=='", "'!='", "'in'", "'<'", "'<='", "'>='", "'>'"]
const products: TokenKind[] = ["'*'", "'/'", "'%'"]
const sums: TokenKind[] = ["'+'", "'-'"]
const fieldFirst: TokenKind[] = ['IDENTIFIER', 'ESC_IDENTIFIER']

const before = (...tokens: TokenKind[]): State => ({ tokens: new Set(tokens), mayEnd: false })
const atEndOr = (...tokens: TokenKind[]): State => ({ tokens: new Set(tokens), mayEnd: true })

/** The places of the grammar, by rule. Those with the same tokens are places of their own: recovery tells them apart. */
const grammar = {
  end: before('<EOF>'),
  conditional: { question: atEndOr("'?'"), colon: before("':'"), yes: before(...expressionFirst), no: before(...expressionFirst), end: atEndOr() },
  or: atEndOr("'||'"),
  and: atEndOr("'&&'"),
  logic: before(...expressionFirst),
  relation: { loop: atEndOr(...relationOperators), right: before(...expressionFirst) },
  calc: { loop: atEndOr(...products, ...sums), right: before(...expressionFirst) },
  unary: {
    alternatives: before(...expressionFirst),
    '!': { first: before("'!'"), each: before("'!'"), loop: before("'!'", ...primaryFirst) },
    '-': { first: before("'-'"), each: before("'-'"), loop: before(...primaryFirst) },
    end: atEndOr(),
  },
  member: {
    loop: atEndOr("'.'", "'['"),
    alternatives: before("'.'", "'['"),
    dot: before("'.'"),
    question: before("'?'", ...fieldFirst),
    afterQuestion: before(...fieldFirst),
    callDot: before("'.'"),
    name: before('IDENTIFIER'),
    open: before("'('"),
    args: before("')'", ...expressionFirst),
    close: before("')'"),
    bracket: before("'['"),
    index: before("'?'", ...expressionFirst),
    afterIndexQuestion: before(...expressionFirst),
    closeBracket: before("']'"),
  },
  primary: {
    alternatives: before(...primaryFirst),
    dot: before("'.'", 'IDENTIFIER'),
    name: before('IDENTIFIER'),
    open: before("'('"),
    args: before("')'", ...expressionFirst),
    inner: before(...expressionFirst),
    innerClose: before("')'"),
    close: before("')'"),
    listOpen: before("'['"),
    elements: before("'?'", ...expressionFirst, "','", "']'"),
    listComma: before("','", "']'"),
    listClose: before("']'"),
    mapOpen: before("'{'"),
    entries: before("'?'", ...expressionFirst, "','", "'}'"),
    mapComma: before("','", "'}'"),
    mapClose: before("'}'"),
    names: before("'.'", "'{'"),
    namesLoop: before("'.'", "'{'"),
    messageOpen: before("'{'"),
    fields: before("'?'", ...fieldFirst, "','", "'}'"),
    messageComma: before("','", "'}'"),
    messageClose: before("'}'"),
    end: atEndOr(),
  },
  args: { loop: atEndOr("','"), next: before(...expressionFirst) },
  elements: { loop: atEndOr("','"), next: before("'?'", ...expressionFirst) },
  entries: { colon: before("':'"), value: before(...expressionFirst), loop: atEndOr("','"), key: before("'?'", ...expressionFirst) },
  fields: { colon: before("':'"), value: before(...expressionFirst), loop: atEndOr("','"), key: before("'?'", ...fieldFirst) },
  element: { question: before("'?'", ...expressionFirst), expr: before(...expressionFirst) },
  field: { question: before("'?'", ...fieldFirst), name: before(...fieldFirst) },
  name: { alternatives: before(...fieldFirst), end: atEndOr() },
  literal: {
    alternatives: before(...primaryFirst.filter((kind) => !["'['", "'{'", "'('", "'.'", 'IDENTIFIER'].includes(kind))),
    sign: before("'-'", 'NUM_INT', 'NUM_FLOAT'),
    number: before('NUM_INT', 'NUM_FLOAT'),
    end: atEndOr(),
  },
} satisfies Record<string, State | Record<string, State | Record<string, State>>>

const primaries: ReadonlySet<TokenKind> = new Set(primaryFirst)
const expressions: ReadonlySet<TokenKind> = new Set(expressionFirst)

/** A mistake within a rule, which ends the rule. */
class Mistake extends Error {
  readonly at: Token
  constructor(at: Token, message: string) {
    super(message)
    this.at = at
  }
}

const order = new Map<string, number>(tokenNames.map((name, index) => [name, index]))
const list = (kinds: Iterable<TokenKind>): string => {
  const names = [...new Set(kinds)].toSorted((a, b) => order.get(a)! - order.get(b)!)
  return names.length === 1 ? names[0]! : `{${names.join(', ')}}`
}
const quote = (text: string): string => `'${text.replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r')}'`
const shown = (token: Token): string => quote(token.text || token.kind)

/**
 * Reads an expression as ANTLR's parsers do, and after a mistake goes on as they do: a token too many is passed over, a missing one is thought of, and
 * else tokens are passed over up to one that may follow. So what is reported agrees with cel-go, whose parser ANTLR makes.
 */
export const parseSyntax = (lexer: Lexer, fail: (offset: number, message: string) => void, limits = parseLimits): Tree | undefined => {
  let place = 0
  let state: State = grammar.end
  let recovering = false
  let lastMistake: { place: number; states: Set<State> } | undefined
  let attempts = 0
  /** For each rule that is being read, but the first, what follows it. */
  const follows: State[] = []
  const depths = new Map<string, number>()

  const token = (): Token => lexer.at(place)
  const kind = (ahead = 0): TokenKind => lexer.at(place + ahead).kind as TokenKind
  const consume = (): void => {
    if (kind() !== '<EOF>') place++
  }

  /** What may come at a place, given what its callers wait for. */
  const expected = (at: State): Set<TokenKind> => {
    const found = new Set(at.tokens)
    let following = at
    for (let level = follows.length - 1; level >= 0 && following.mayEnd; level--) {
      following = follows[level]!
      for (const next of following.tokens) found.add(next)
    }
    if (following.mayEnd) found.add('<EOF>')
    return found
  }
  const recoverySet = (): Set<TokenKind> => new Set(follows.flatMap(({ tokens }) => [...tokens]))
  const consumeUntil = (stop: ReadonlySet<TokenKind>, limit = Infinity): void => {
    for (let count = 1; kind() !== '<EOF>' && !stop.has(kind()); count++) {
      if (count > limit) throw new ParseLimit(`error recovery token lookahead limit exceeded: ${limits.lookahead}`, true)
      consume()
    }
  }
  const report = (at: Token, message: string): void => {
    if (recovering) return
    recovering = true
    fail(at.offset, message)
  }
  const mismatch = (): Mistake => new Mistake(token(), `mismatched input ${shown(token())} expecting ${list(expected(state))}`)
  const noAlternative = (from: Token, to: Token): Mistake => {
    const text = from.kind === '<EOF>' ? '<EOF>' : lexer.text(from, to)
    const message = `no viable alternative at input ${quote(text)}`
    return new Mistake(to, message.replace(/no viable alternative at input '.(true|false|null)'/u, "mismatched input '$1' expecting IDENTIFIER"))
  }
  const settle = (): void => {
    recovering = false
    lastMistake = undefined
  }
  const dropUnwanted = (): boolean => {
    if (!expected(state).has(kind(1))) return false
    report(token(), `extraneous input ${shown(token())} expecting ${list(expected(state))}`)
    consume()
    settle()
    return true
  }
  const countAttempt = (): void => {
    if (attempts++ < limits.recoveries) return
    const message = `error recovery attempt limit exceeded: ${limits.recoveries}`
    fail(token().offset, message)
    throw new ParseLimit(message, false)
  }

  /** Before a choice of the grammar: makes sure that the next token is one of the choices. */
  const sync = (at: State, loops = false): void => {
    state = at
    if (recovering || at.mayEnd || at.tokens.has(kind())) return
    if (loops) {
      const next = token()
      const wanted = expected(at)
      report(next, `extraneous input ${shown(next)} expecting ${list(wanted)}`)
      consumeUntil(wanted.union(recoverySet()))
    } else if (!dropUnwanted()) throw mismatch()
  }

  const match = (wanted: TokenKind, at: State, after: State): Token => {
    state = at
    if (kind() === wanted) {
      const found = token()
      settle()
      consume()
      return found
    }
    countAttempt()
    if (dropUnwanted()) {
      const found = token()
      consume()
      return found
    }
    if (expected(after).has(kind())) {
      report(token(), `missing ${list(expected(at))} at ${shown(token())}`)
      return {
        kind: wanted,
        text: wanted.startsWith("'") ? `<missing ${wanted}>` : '<missing undefined>',
        offset: token().offset,
        index: token().index,
      }
    }
    throw mismatch()
  }

  // Each rule is one function that calls enter, and then leave; a mistake in it ends it, with what was read so far. There are no more functions than
  // that because they nest as deep as expressions do.
  const enter = (name: string, follow?: State): void => {
    const depth = (depths.get(name) ?? 0) + 1
    if (depth > limits.recursion) throw new ParseLimit(`expression recursion limit exceeded: ${limits.recursion}`, true)
    depths.set(name, depth)
    if (follow) follows.push(follow)
  }
  const leave = (name: string, follow?: State): void => {
    if (follow) follows.pop()
    depths.set(name, depths.get(name)! - 1)
  }
  const recover = (mistake: unknown): void => {
    if (!(mistake instanceof Mistake)) throw mistake
    report(mistake.at, mistake.message)
    countAttempt()
    if (lastMistake?.place === place && lastMistake.states.has(state)) consume()
    lastMistake ??= { place, states: new Set() }
    lastMistake.place = place
    lastMistake.states.add(state)
    consumeUntil(recoverySet(), limits.lookahead)
  }

  const expression = (follow: State): Tree => {
    enter('expr', follow)
    let tree: Tree = { is: 'broken', rule: 'other', start: token() }
    try {
      const test = logic('or', grammar.conditional.question)
      tree = test
      sync(grammar.conditional.question)
      if (kind() === "'?'") {
        const op = match("'?'", grammar.conditional.question, grammar.conditional.yes)
        const conditional: Tree = { is: 'conditional', start: test.start, op, test }
        tree = conditional
        conditional.yes = logic('or', grammar.conditional.colon)
        match("':'", grammar.conditional.colon, grammar.conditional.no)
        conditional.no = expression(grammar.conditional.end)
      }
    } catch (mistake) {
      recover(mistake)
    }
    leave('expr', follow)
    return tree
  }

  const logic = (name: 'or' | 'and', follow: State): Tree => {
    enter(name, follow)
    const start = token()
    const terms: Tree[] = []
    const ops: Token[] = []
    const loop = grammar[name]
    try {
      terms.push(name === 'or' ? logic('and', loop) : chain('relation', 0, loop))
      sync(loop)
      while (loop.tokens.has(kind())) {
        ops.push(match(kind(), loop, grammar.logic))
        terms.push(name === 'or' ? logic('and', loop) : chain('relation', 0, loop))
        sync(loop, true)
      }
    } catch (mistake) {
      recover(mistake)
    }
    leave(name, follow)
    if (ops.length === 0) return terms[0] ?? { is: 'broken', rule: 'other', start }
    return { is: 'logic', function: name === 'or' ? '_||_' : '_&&_', start, ops, terms }
  }

  /** Operators that stand between parts of their own kind, of at least a precedence. */
  const chain = (name: 'relation' | 'calc', precedence: number, follow: State): Tree => {
    enter(name, follow)
    const { loop, right } = grammar[name]
    let tree: Tree = { is: 'broken', rule: 'other', start: token() }
    try {
      tree = name === 'relation' ? chain('calc', 0, loop) : unary(loop)
      sync(loop)
      for (let next = rightOf(name, precedence); next !== undefined; next = rightOf(name, precedence)) {
        const op = match(kind(), loop, right)
        const binary: Tree = { is: 'binary', start: tree.start, op, left: tree }
        tree = binary
        binary.right = chain(name, next, loop)
        sync(loop, true)
      }
    } catch (mistake) {
      recover(mistake)
    }
    leave(name, follow)
    return tree
  }
  /** The least precedence that the right side of the next operator has; undefined where the chain does not go on. */
  const rightOf = (name: 'relation' | 'calc', precedence: number): number | undefined => {
    const operator = kind()
    if (name === 'relation') return precedence <= 1 && relationOperators.includes(operator) ? 2 : undefined
    if (precedence <= 2 && products.includes(operator)) return 3
    return precedence <= 1 && sums.includes(operator) ? 2 : undefined
  }

  const unary = (follow: State): Tree => {
    enter('unary', follow)
    let tree: Tree = { is: 'broken', rule: 'unary', start: token() }
    try {
      sync(grammar.unary.alternatives)
      const start = token()
      if (kind() === "'!'") {
        const not: Tree = { is: 'unary', function: '!_', start, ops: [] }
        tree = not
        readNots(not.ops)
        not.operand = member(grammar.unary.end)
      } else if (kind() === "'-'" && kind(1) !== 'NUM_INT' && kind(1) !== 'NUM_FLOAT') {
        minusMayStand()
        const negation: Tree = { is: 'unary', function: '-_', start, ops: [] }
        tree = negation
        readMinuses(negation.ops)
        negation.operand = member(grammar.unary.end)
      } else if (primaries.has(kind())) {
        tree = member(grammar.unary.end)
      } else throw noAlternative(start, start)
    } catch (mistake) {
      recover(mistake)
    }
    leave('unary', follow)
    return tree
  }
  const readNots = (ops: Token[]): void => {
    const places = grammar.unary['!']
    sync(places.first)
    do {
      ops.push(match("'!'", places.each, places.loop))
      sync(places.loop, true)
    } while (kind() === "'!'")
  }
  const readMinuses = (ops: Token[]): void => {
    const places = grammar.unary['-']
    sync(places.first)
    do {
      ops.push(match("'-'", places.each, places.loop))
      sync(places.loop, true)
      if (!primaries.has(kind())) throw noAlternative(token(), token())
      if (kind() === "'-'") minusMayStand()
    } while (kind() === "'-'")
  }
  const minusMayStand = (): void => {
    if (!primaries.has(kind(1))) throw noAlternative(token(), lexer.at(place + 1))
  }

  const member = (follow: State): Tree => {
    enter('member', follow)
    const places = grammar.member
    let tree: Tree = { is: 'broken', rule: 'other', start: token() }
    try {
      tree = primary(places.loop)
      sync(places.loop)
      while (kind() === "'.'" || kind() === "'['") {
        sync(places.alternatives)
        const { start } = tree
        const operand = tree
        if (kind() === "'['") {
          const op = match("'['", places.bracket, places.index)
          const index: Tree = { is: 'index', start, operand, op }
          tree = index
          sync(places.index)
          if (kind() === "'?'") {
            match("'?'", places.index, places.afterIndexQuestion)
            index.optional = true
          }
          index.index = expression(places.closeBracket)
          match("']'", places.closeBracket, places.loop)
        } else if (kind(1) === 'IDENTIFIER' && kind(2) === "'('") {
          match("'.'", places.callDot, places.name)
          const id = match('IDENTIFIER', places.name, places.open)
          const open = match("'('", places.open, places.args)
          const args: Tree[] = []
          tree = { is: 'member call', start, operand, id, open, args }
          sync(places.args)
          if (expressions.has(kind())) readArguments(args, places.close)
          match("')'", places.close, places.loop)
        } else if (kind(1) === "'?'" || kind(1) === 'IDENTIFIER' || kind(1) === 'ESC_IDENTIFIER') {
          const select: Tree = { is: 'select', start, operand }
          tree = select
          select.op = match("'.'", places.dot, places.question)
          sync(places.question)
          if (kind() === "'?'") {
            match("'?'", places.question, places.afterQuestion)
            select.optional = true
          }
          select.id = name(places.loop)
        } else throw noAlternative(token(), lexer.at(place + 1))
        sync(places.loop, true)
      }
    } catch (mistake) {
      recover(mistake)
    }
    leave('member', follow)
    return tree
  }

  const readArguments = (args: Tree[], follow: State): void => {
    enter('exprList', follow)
    try {
      args.push(expression(grammar.args.loop))
      sync(grammar.args.loop)
      while (kind() === "','") {
        match("','", grammar.args.loop, grammar.args.next)
        args.push(expression(grammar.args.loop))
        sync(grammar.args.loop, true)
      }
    } catch (mistake) {
      recover(mistake)
    }
    leave('exprList', follow)
  }

  const primary = (follow: State): Tree => {
    enter('primary', follow)
    const places = grammar.primary
    const start = token()
    let tree: Tree = { is: 'broken', rule: 'other', start }
    const give = (part: Tree): void => {
      tree = part
    }
    try {
      sync(places.alternatives)
      if (kind() === "'('") {
        match("'('", places.open, places.inner)
        tree = expression(places.innerClose)
        match("')'", places.innerClose, places.end)
      } else if (kind() === "'['") {
        const elements: Element[] = []
        tree = { is: 'list', start: token(), op: match("'['", places.listOpen, places.elements), elements }
        sync(places.elements)
        if (kind() === "'?'" || expressions.has(kind())) readElements(elements, places.listComma)
        sync(places.listComma)
        if (kind() === "','") match("','", places.listComma, places.listClose)
        match("']'", places.listClose, places.end)
      } else if (kind() === "'{'") {
        const entries: Entries<Element> = { keys: [], colons: [], values: [] }
        tree = { is: 'map', start: token(), op: match("'{'", places.mapOpen, places.entries), entries }
        sync(places.entries)
        if (grammar.entries.key.tokens.has(kind())) readEntries('mapInitializerList', entries, grammar.entries, element, places.mapComma)
        sync(places.mapComma)
        if (kind() === "','") match("','", places.mapComma, places.mapClose)
        match("'}'", places.mapClose, places.end)
      } else if (kind() === "'.'" || kind() === 'IDENTIFIER') readNamed(token(), give)
      else if (primaries.has(kind())) literal(places.end, give)
      else throw noAlternative(token(), token())
    } catch (mistake) {
      recover(mistake)
    }
    leave('primary', follow)
    return tree
  }

  /** A name, a call of a function, or a message: what comes after the names says which. */
  const readNamed = (start: Token, give: (tree: Tree) => void): void => {
    const places = grammar.primary
    const dotted = kind() === "'.'"
    if (dotted && kind(1) !== 'IDENTIFIER') throw noAlternative(start, lexer.at(place + 1))
    let end = dotted ? 2 : 1
    const calls = kind(end) === "'('"
    while (kind(end) === "'.'" && kind(end + 1) === 'IDENTIFIER') end += 2
    const message = kind(end) === "'{'"
    if (dotted) match("'.'", places.dot, places.name)
    const id = match('IDENTIFIER', places.name, places.end)
    const dot = dotted ? { dot: true as const } : {}
    if (calls) {
      const open = match("'('", places.open, places.args)
      const args: Tree[] = []
      give({ is: 'call', start, ...dot, id, open, args })
      sync(places.args)
      if (expressions.has(kind())) readArguments(args, places.close)
      match("')'", places.close, places.end)
    } else if (message) {
      const ids = [id]
      const entries: Entries<Field> = { keys: [], colons: [], values: [] }
      sync(places.names)
      while (kind() === "'.'") {
        match("'.'", places.names, places.name)
        ids.push(match('IDENTIFIER', places.name, places.namesLoop))
        sync(places.namesLoop, true)
      }
      give({ is: 'message', start, ...dot, ids, op: match("'{'", places.messageOpen, places.fields), entries })
      sync(places.fields)
      if (grammar.fields.key.tokens.has(kind())) readEntries('fieldInitializerList', entries, grammar.fields, field, places.messageComma)
      sync(places.messageComma)
      if (kind() === "','") match("','", places.messageComma, places.messageClose)
      match("'}'", places.messageClose, places.end)
    } else give({ is: 'ident', start, ...dot, id })
  }

  const readElements = (elements: Element[], follow: State): void => {
    enter('listInit', follow)
    try {
      elements.push(element(grammar.elements.loop))
      sync(grammar.elements.loop)
      while (kind() === "','" && grammar.elements.next.tokens.has(kind(1))) {
        match("','", grammar.elements.loop, grammar.elements.next)
        elements.push(element(grammar.elements.loop))
        sync(grammar.elements.loop, true)
      }
    } catch (mistake) {
      recover(mistake)
    }
    leave('listInit', follow)
  }

  const readEntries = <Key>(
    name: string,
    { keys, colons, values }: Entries<Key>,
    places: { colon: State; value: State; loop: State; key: State },
    key: (follow: State) => Key,
    follow: State,
  ): void => {
    enter(name, follow)
    try {
      for (let first = true; first || (kind() === "','" && places.key.tokens.has(kind(1))); first = false) {
        if (!first) match("','", places.loop, places.key)
        keys.push(key(places.colon))
        colons.push(match("':'", places.colon, places.value))
        values.push(expression(places.loop))
        sync(places.loop, !first)
      }
    } catch (mistake) {
      recover(mistake)
    }
    leave(name, follow)
  }

  const element = (follow: State): Element => {
    enter('optExpr', follow)
    const found: Element = { start: token() }
    try {
      sync(grammar.element.question)
      if (kind() === "'?'") {
        match("'?'", grammar.element.question, grammar.element.expr)
        found.optional = true
      }
      found.expr = expression(grammar.name.end)
    } catch (mistake) {
      recover(mistake)
    }
    leave('optExpr', follow)
    return found
  }

  const field = (follow: State): Field => {
    enter('optField', follow)
    const found: Field = { start: token() }
    try {
      sync(grammar.field.question)
      if (kind() === "'?'") {
        match("'?'", grammar.field.question, grammar.field.name)
        found.optional = true
      }
      const { token: named } = name(grammar.name.end)
      if (named) found.token = named
    } catch (mistake) {
      recover(mistake)
    }
    leave('optField', follow)
    return found
  }

  const name = (follow: State): Field => {
    enter('escapeIdent', follow)
    const found: Field = { start: token() }
    try {
      sync(grammar.name.alternatives)
      const wanted = kind()
      if (wanted !== 'IDENTIFIER' && wanted !== 'ESC_IDENTIFIER') throw noAlternative(token(), token())
      found.token = match(wanted, grammar.name.alternatives, grammar.name.end)
    } catch (mistake) {
      recover(mistake)
    }
    leave('escapeIdent', follow)
    return found
  }

  const literal = (follow: State, give: (tree: Tree) => void): void => {
    enter('literal', follow)
    const places = grammar.literal
    const start = token()
    try {
      sync(places.alternatives)
      if (kind() === "'-'") {
        if (kind(1) !== 'NUM_INT' && kind(1) !== 'NUM_FLOAT') throw noAlternative(token(), lexer.at(place + 1))
        const sign = match("'-'", places.sign, places.number)
        give({ is: 'literal', start, sign, token: match(kind(), places.number, places.end) })
      } else give({ is: 'literal', start, token: match(kind(), places.alternatives, places.end) })
    } catch (mistake) {
      recover(mistake)
    }
    leave('literal', follow)
  }

  enter('start')
  let tree: Tree | undefined
  try {
    tree = expression(grammar.end)
    match('<EOF>', grammar.end, grammar.end)
  } catch (mistake) {
    recover(mistake)
  }
  return tree
}

/** Reports what the lexer and the parser find, up to as many as cel-go reports; one more ends parsing. */
export const syntaxErrors = (report: (offset: number, message: string) => void): ((offset: number, message: string) => void) => {
  let count = 0
  return (offset, message) => {
    if (count < syntaxErrorLimit) {
      count++
      return report(offset, `Syntax error: ${message}`)
    }
    report(offset, `Syntax error: More than ${syntaxErrorLimit} syntax errors`)
    throw new ParseLimit('too many errors', false)
  }
}
