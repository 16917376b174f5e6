import { type State, expressions, grammar, primaries, products, relationOperators, sums } from './grammar.ts'
import type { Lexer, Token } from './lexer.ts'
import { newReader, parseLimits } from './recovery.ts'

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

/** Reads an expression, each rule of the grammar by a function; `fail` is told of mistakes. Throws ParseLimit. */
export const parseSyntax = (lexer: Lexer, fail: (offset: number, message: string) => void, limits = parseLimits): Tree | undefined => {
  const { token, kind, second, sync, match, noAlternative, enter, leave, recover } = newReader(lexer, fail, limits)

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
    if (!primaries.has(kind(1))) throw noAlternative(token(), second())
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
        } else throw noAlternative(token(), second())
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
    if (dotted && kind(1) !== 'IDENTIFIER') throw noAlternative(start, second())
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
        if (kind(1) !== 'NUM_INT' && kind(1) !== 'NUM_FLOAT') throw noAlternative(token(), second())
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
