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

const operators: ReadonlyMap<string, TokenKind> = new Map(
  ['==', '!=', '<', '<=', '>=', '>', '&&', '||', '[', ']', '{', '}', '(', ')', '.', ',', '-', '!', '?', ':', '+', '*', '/', '%'].map((text) => [
    text,
    `'${text}'` as TokenKind,
  ]),
)
const words: ReadonlyMap<string, TokenKind> = new Map<string, TokenKind>([
  ['in', "'in'"],
  ['true', "'true'"],
  ['false', "'false'"],
  ['null', "'null'"],
])

/** Classes of characters, by their code; a code of NaN, after the end, is in none. */
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
const isLetter = (code: number): boolean => (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f
const isWord = (code: number): boolean => isLetter(code) || isDigit(code)
const isHex = (code: number): boolean => isDigit(code) || (code >= 0x61 && code <= 0x66) || (code >= 0x41 && code <= 0x46)
const isOctal = (code: number): boolean => code >= 0x30 && code <= 0x37
const isSpace = (code: number): boolean => code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0c || code === 0x0d
const isLine = (code: number): boolean => code === code && code !== 0x0a
const isEscapable = (code: number): boolean => isWord(code) || code === 0x20 || (code >= 0x2d && code <= 0x2f)

/** Where a token ends, or, as a negative number, less one, where the text stopped being one. */
type Scan = number
const failed = (at: number): Scan => -1 - at

export const newLexer = (source: Source, fail: (offset: number, message: string) => void): Lexer => {
  const { text, offsetOf } = source
  const all: Token[] = []
  const shown: Token[] = []
  let position = 0

  const code = (at: number): number => text.charCodeAt(at)
  const span = (start: number, test: (code: number) => boolean): number => {
    let end = start
    while (test(text.charCodeAt(end))) end++
    return end
  }

  /** The end of an escape sequence whose backslash is at `start`. */
  const escape = (start: number): Scan => {
    const letter = text[start + 1]
    const digits = letter === 'x' || letter === 'X' ? 2 : letter === 'u' ? 4 : letter === 'U' ? 8 : 0
    for (let at = start + 2; at < start + 2 + digits; at++) if (!isHex(code(at))) return failed(at)
    if (digits > 0) return start + 2 + digits
    if (letter !== undefined && letter >= '0' && letter <= '3') {
      for (const at of [start + 2, start + 3]) if (!isOctal(code(at))) return failed(at)
      return start + 4
    }
    return letter !== undefined && `abfnrtv"'\`\\?`.includes(letter) ? start + 2 : failed(start + 1)
  }

  const quoted = (start: number, width: 1 | 3, raw: boolean): Scan => {
    const quote = code(start)
    for (let at = start + width; ;) {
      const unit = code(at)
      if (unit !== unit) return failed(at)
      if (unit === quote && (width === 1 || (code(at + 1) === quote && code(at + 2) === quote))) return at + width
      if (width === 1 && (unit === 0x0a || unit === 0x0d)) return failed(at)
      if (unit === 0x5c && !raw) {
        const escaped = escape(at)
        if (escaped < 0) return escaped
        at = escaped
      } else at++
    }
  }

  const string = (start: number, raw: boolean): Scan => {
    const quote = code(start)
    if (code(start + 1) !== quote) return quoted(start, 1, raw)
    const triple = code(start + 2) === quote ? quoted(start, 3, raw) : -1
    return triple >= 0 ? triple : start + 2
  }

  const push = (kind: Token['kind'], start: number, end: number): void => {
    const token: Token = { kind, text: text.slice(start, end), offset: offsetOf(start), index: all.length }
    all.push(token)
    if (kind !== 'hidden') shown.push(token)
    position = end
  }

  const number = (start: number): void => {
    const unsigned = (end: number): void => (text[end] === 'u' || text[end] === 'U' ? push('NUM_UINT', start, end + 1) : push('NUM_INT', start, end))
    if (text[start] === '0' && text[start + 1] === 'x' && isHex(code(start + 2))) return unsigned(span(start + 2, isHex))
    const exponent = (end: number): number => {
      if (text[end] !== 'e' && text[end] !== 'E') return end
      const digits = text[end + 1] === '+' || text[end + 1] === '-' ? end + 2 : end + 1
      return isDigit(code(digits)) ? span(digits, isDigit) : end
    }
    const whole = span(start, isDigit)
    if (text[whole] === '.' && isDigit(code(whole + 1))) return push('NUM_FLOAT', start, exponent(span(whole + 1, isDigit)))
    const end = exponent(whole)
    return end > whole ? push('NUM_FLOAT', start, end) : unsigned(whole)
  }

  /** Passes over what is no token, with the character that does not fit, as ANTLR's lexers do. */
  const reject = (start: number, at: number): void => {
    position = at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1)
    fail(offsetOf(start), `token recognition error at: '${text.slice(start, position)}'`)
  }

  const advance = (): void => {
    const start = position
    if (start >= text.length) return push('<EOF>', text.length, text.length)
    const unit = code(start)
    if (isSpace(unit)) return push('hidden', start, span(start, isSpace))
    let at = start
    const bytes = unit === 0x62 || unit === 0x42
    if (bytes) at++
    const raw = text[at] === 'r' || text[at] === 'R'
    if (raw) at++
    if (text[at] === '"' || text[at] === "'") {
      const end = string(at, raw)
      if (end >= 0) return push(bytes ? 'BYTES' : 'STRING', start, end)
      // The prefix of a string that is none is a name.
      if (at === start) return reject(start, -1 - end)
    }
    if (isLetter(unit)) {
      const end = span(start, isWord)
      return push((end - start <= 5 ? words.get(text.slice(start, end)) : undefined) ?? 'IDENTIFIER', start, end)
    }
    if (isDigit(unit) || (unit === 0x2e && isDigit(code(start + 1)))) return number(start)
    if (unit === 0x2f && code(start + 1) === 0x2f) return push('hidden', start, span(start, isLine))
    if (unit === 0x60) {
      const end = span(start + 1, isEscapable)
      return code(end) === 0x60 && end > start + 1 ? push('ESC_IDENTIFIER', start, end + 1) : reject(start, end)
    }
    const two = operators.get(text.slice(start, start + 2))
    if (two) return push(two, start, start + two.length - 2)
    const one = operators.get(text[start]!)
    if (one) return push(one, start, start + 1)
    reject(start, '=&|'.includes(text[start]!) ? start + 1 : start)
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
        .map(({ text: part }) => part)
        .join(''),
  }
}
