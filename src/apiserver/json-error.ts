/**
 * What Go's encoding/json says of a text that is no JSON: clients and people know these texts. Undefined when there is nothing wrong. A scanner that keeps no
 * values: it is asked only once `JSON.parse` has refused.
 */
export function jsonError(text: string): string | undefined {
  try {
    const scanner = new Scanner(text)
    scanner.space()
    scanner.value()
    scanner.space()
    if (scanner.at < text.length) scanner.fail('after top-level value')
    return undefined
  } catch (error) {
    if (error instanceof Refused) return error.message
    throw error
  }
}

class Refused extends Error {}

/** Nothing nests deeper than Go goes. */
const deepest = 10_000

class Scanner {
  at = 0
  #depth = 0
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }

  fail(where: string): never {
    const found = this.#text[this.at]
    if (found === undefined) throw new Refused('unexpected end of JSON input')
    throw new Refused(`invalid character ${quoted(found)} ${where}`)
  }

  space(): void {
    while (' \t\r\n'.includes(this.#text[this.at] ?? 'x')) this.at++
  }

  value(): void {
    const first = this.#text[this.at]
    if (first === '{') this.#members()
    else if (first === '[') this.#elements()
    else if (first === '"') this.#string()
    else if (first === 't') this.#literal('true')
    else if (first === 'f') this.#literal('false')
    else if (first === 'n') this.#literal('null')
    else if (first === '-' || (first !== undefined && first >= '0' && first <= '9')) this.#number()
    else this.fail('looking for beginning of value')
  }

  #enter(): void {
    if (++this.#depth > deepest) throw new Refused('exceeded max depth')
    this.at++
    this.space()
  }

  #members(): void {
    this.#enter()
    if (this.#text[this.at] === '}') return this.#leave()
    for (;;) {
      if (this.#text[this.at] !== '"') this.fail('looking for beginning of object key string')
      this.#string()
      this.space()
      if (this.#text[this.at] !== ':') this.fail('after object key')
      this.at++
      this.space()
      this.value()
      this.space()
      if (this.#text[this.at] === '}') return this.#leave()
      if (this.#text[this.at] !== ',') this.fail('after object key:value pair')
      this.at++
      this.space()
    }
  }

  #elements(): void {
    this.#enter()
    if (this.#text[this.at] === ']') return this.#leave()
    for (;;) {
      this.value()
      this.space()
      if (this.#text[this.at] === ']') return this.#leave()
      if (this.#text[this.at] !== ',') this.fail('after array element')
      this.at++
      this.space()
    }
  }

  #leave(): void {
    this.#depth--
    this.at++
  }

  #literal(word: string): void {
    this.at++
    for (const expected of word.slice(1)) {
      if (this.#text[this.at] !== expected) this.fail(`in literal ${word} (expecting '${expected}')`)
      this.at++
    }
  }

  #string(): void {
    for (this.at++; this.#text[this.at] !== '"'; this.at++) {
      const next = this.#text[this.at]
      if (next === undefined || next < ' ') this.fail('in string literal')
      if (next !== '\\') continue
      this.at++
      if (this.#text[this.at] === 'u') {
        for (let digit = 0; digit < 4; digit++) {
          this.at++
          if (!/[0-9a-fA-F]/.test(this.#text[this.at] ?? '')) this.fail('in \\u hexadecimal character escape')
        }
      } else if (!'"\\/bfnrt'.includes(this.#text[this.at] ?? ' ')) this.fail('in string escape code')
    }
    this.at++
  }

  #digits(where: string): void {
    if (!isDigit(this.#text[this.at])) this.fail(where)
    while (isDigit(this.#text[this.at])) this.at++
  }

  #number(): void {
    if (this.#text[this.at] === '-') this.at++
    if (this.#text[this.at] === '0') this.at++
    else this.#digits('in numeric literal')
    if (this.#text[this.at] === '.') {
      this.at++
      this.#digits('after decimal point in numeric literal')
    }
    if (this.#text[this.at] !== 'e' && this.#text[this.at] !== 'E') return
    this.at++
    if (this.#text[this.at] === '+' || this.#text[this.at] === '-') this.at++
    this.#digits('in exponent of numeric literal')
  }
}

const isDigit = (text: string | undefined) => text !== undefined && text >= '0' && text <= '9'

/** A character as Go shows it. */
function quoted(char: string): string {
  if (char === "'") return `'\\''`
  if (char === '"') return `'"'`
  const code = char.charCodeAt(0)
  const text = code >= 0x7f && code < 0xa0 ? `\\u00${code.toString(16)}` : JSON.stringify(char).slice(1, -1)
  return `'${text}'`
}
