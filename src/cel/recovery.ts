import { type State, grammar } from './grammar.ts'
import { type Lexer, type Token, type TokenKind, tokenNames } from './lexer.ts'

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
 * Goes through tokens as ANTLR's parsers do, and after a mistake goes on as they do: a token too many is passed over, a missing one is thought of, and
 * else tokens are passed over up to one that may follow. So what is reported agrees with cel-go, whose parser ANTLR makes.
 */
export const newReader = (lexer: Lexer, fail: (offset: number, message: string) => void, limits: ParseLimits) => {
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

  return {
    token,
    kind,
    /** The token after the next. */
    second: (): Token => lexer.at(place + 1),
    sync,
    match,
    noAlternative,
    enter,
    leave,
    recover,
  }
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
