import type { Source } from './source.ts'

/** The tokens of the grammar, in the order of cel-go's, which is the order in which messages list them. */
export const tokenNames = [
  '<EOF>',
  "'=='",
  "'!='",
  "'in'",
  "'<'",
  "'<='",
  "'>='",
  "'>'",
  "'&&'",
  "'||'",
  "'['",
  "']'",
  "'{'",
  "'}'",
  "'('",
  "')'",
  "'.'",
  "','",
  "'-'",
  "'!'",
  "'?'",
  "':'",
  "'+'",
  "'*'",
  "'/'",
  "'%'",
  "'true'",
  "'false'",
  "'null'",
  'NUM_FLOAT',
  'NUM_INT',
  'NUM_UINT',
  'STRING',
  'BYTES',
  'IDENTIFIER',
  'ESC_IDENTIFIER',
] as const

export type TokenKind = (typeof tokenNames)[number]

export interface Token {
  /** `hidden` tokens, white space and comments, are in no rule but in the texts of messages. */
  kind: TokenKind | 'hidden'
  text: string
  offset: number
  /** Its place among all tokens, hidden ones too. */
  index: number
}

/** Gives tokens as they are asked for, so that what comes after the parser gave up is not looked at. */
export interface Lexer {
  /** The token at a place among those that are not hidden; after the last, the end. */
  at(place: number): Token
  /** The text from one token to another, as messages have it: without what is no token. */
  text(from: Token, to: Token): string
}

const operators: Readonly<Record<string, TokenKind>> = Object.fromEntries(
  ['==', '!=', '<', '<=', '>=', '>', '&&', '||', '[', ']', '{', '}', '(', ')', '.', ',', '-', '!', '?', ':', '+', '*', '/', '%'].map((text) => [
    text,
    `'${text}'` as TokenKind,
  ]),
)
const words: Readonly<Record<string, TokenKind>> = { __proto__: null as never, in: "'in'", true: "'true'", false: "'false'", null: "'null'" }

const isDigit = (point: string | undefined): boolean => point !== undefined && point >= '0' && point <= '9'
const isHex = (point: string | undefined): boolean => point !== undefined && /^[0-9a-fA-F]$/.test(point)
const isLetter = (point: string | undefined): boolean => point !== undefined && /^[a-zA-Z_]$/.test(point)
const isSpace = (point: string | undefined): boolean => point === ' ' || point === '\t' || point === '\n' || point === '\r' || point === '\f'

/** Where a token ends, or where the text stopped being one. */
type Scan = { end: number } | { failed: number }

export const newLexer = (source: Source, fail: (offset: number, message: string) => void): Lexer => {
  const { points } = source
  const all: Token[] = []
  const shown: Token[] = []
  let position = 0

  const span = (start: number, test: (point: string | undefined) => boolean): number => {
    let end = start
    while (test(points[end])) end++
    return end
  }

  /** The end of an escape sequence whose backslash is at `start`. */
  const escape = (start: number): Scan => {
    const point = points[start + 1]
    const digits = point === 'x' || point === 'X' ? 2 : point === 'u' ? 4 : point === 'U' ? 8 : 0
    for (let at = start + 2; at < start + 2 + digits; at++) if (!isHex(points[at])) return { failed: at }
    if (digits > 0) return { end: start + 2 + digits }
    if (point !== undefined && point >= '0' && point <= '3') {
      for (const at of [start + 2, start + 3]) if (!(points[at] !== undefined && points[at] >= '0' && points[at] <= '7')) return { failed: at }
      return { end: start + 4 }
    }
    return point !== undefined && `abfnrtv"'\`\\?`.includes(point) ? { end: start + 2 } : { failed: start + 1 }
  }

  const quoted = (start: number, quote: string, raw: boolean): Scan => {
    const triple = quote.length === 3
    for (let at = start + quote.length; ;) {
      const point = points[at]
      if (point === undefined) return { failed: at }
      if (point === quote[0] && (!triple || (points[at + 1] === point && points[at + 2] === point))) return { end: at + quote.length }
      if (!triple && (point === '\n' || point === '\r')) return { failed: at }
      if (point === '\\' && !raw) {
        const escaped = escape(at)
        if ('failed' in escaped) return escaped
        at = escaped.end
      } else at++
    }
  }

  const string = (start: number, raw: boolean): Scan => {
    const quote = points[start]!
    if (points[start + 1] !== quote) return quoted(start, quote, raw)
    const triple = points[start + 2] === quote ? quoted(start, quote.repeat(3), raw) : undefined
    return triple && 'end' in triple ? triple : { end: start + 2 }
  }

  const number = (start: number): [TokenKind, number] => {
    const unsigned = (end: number): [TokenKind, number] => (points[end] === 'u' || points[end] === 'U' ? ['NUM_UINT', end + 1] : ['NUM_INT', end])
    if (points[start] === '0' && points[start + 1] === 'x' && isHex(points[start + 2])) return unsigned(span(start + 2, isHex))
    const exponent = (end: number): number => {
      if (points[end] !== 'e' && points[end] !== 'E') return end
      const digits = points[end + 1] === '+' || points[end + 1] === '-' ? end + 2 : end + 1
      return isDigit(points[digits]) ? span(digits, isDigit) : end
    }
    const whole = span(start, isDigit)
    if (points[whole] === '.' && isDigit(points[whole + 1])) return ['NUM_FLOAT', exponent(span(whole + 1, isDigit))]
    const end = exponent(whole)
    return end > whole ? ['NUM_FLOAT', end] : unsigned(whole)
  }

  /** The string that begins here after its prefixes, if any does. */
  const literal = (start: number): { kind: TokenKind; scan: Scan; prefix: boolean } | undefined => {
    let at = start
    const bytes = points[at] === 'b' || points[at] === 'B'
    if (bytes) at++
    const raw = points[at] === 'r' || points[at] === 'R'
    if (raw) at++
    if (points[at] !== '"' && points[at] !== "'") return undefined
    return { kind: bytes ? 'BYTES' : 'STRING', scan: string(at, raw), prefix: at > start }
  }

  const scan = (start: number): { kind: Token['kind']; end: number } | { failed: number } => {
    const point = points[start]!
    const text = literal(start)
    if (text && 'end' in text.scan) return { kind: text.kind, end: text.scan.end }
    if (text && !text.prefix) return text.scan as { failed: number }
    if (isLetter(point)) {
      const end = span(start, (next) => isLetter(next) || isDigit(next))
      const word = end - start <= 5 ? words[points.slice(start, end).join('')] : undefined
      return { kind: word ?? 'IDENTIFIER', end }
    }
    if (isDigit(point) || (point === '.' && isDigit(points[start + 1]))) {
      const [kind, end] = number(start)
      return { kind, end }
    }
    if (isSpace(point)) return { kind: 'hidden', end: span(start, isSpace) }
    if (point === '/' && points[start + 1] === '/') return { kind: 'hidden', end: span(start, (next) => next !== undefined && next !== '\n') }
    if (point === '`') {
      const end = span(start + 1, (next) => next !== undefined && /^[a-zA-Z0-9_./ -]$/.test(next))
      return points[end] === '`' && end > start + 1 ? { kind: 'ESC_IDENTIFIER', end: end + 1 } : { failed: end }
    }
    const two = operators[point + (points[start + 1] ?? '')]
    if (two && points[start + 1] !== undefined) return { kind: two, end: start + 2 }
    const one = operators[point]
    if (one) return { kind: one, end: start + 1 }
    return { failed: '=&|'.includes(point) ? start + 1 : start }
  }

  const push = (kind: Token['kind'], start: number, end: number): void => {
    const token: Token = { kind, text: points.slice(start, end).join(''), offset: start, index: all.length }
    all.push(token)
    if (kind !== 'hidden') shown.push(token)
    position = end
  }

  const advance = (): void => {
    if (position >= points.length) return push('<EOF>', points.length, points.length)
    const start = position
    const found = scan(start)
    if ('end' in found) return push(found.kind, start, found.end)
    // The character that does not fit is passed over too, as ANTLR's lexers do.
    position = found.failed + 1
    fail(start, `token recognition error at: '${points.slice(start, position).join('')}'`)
  }

  return {
    at(place) {
      while (shown.length <= place && shown.at(-1)?.kind !== '<EOF>') advance()
      return shown[place] ?? shown.at(-1)!
    },
    text: (from, to) =>
      all
        .slice(from.index, to.index + 1)
        .filter(({ kind }) => kind !== '<EOF>')
        .map(({ text }) => text)
        .join(''),
  }
}
