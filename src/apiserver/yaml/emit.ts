import { resolveScalar } from './scalar.ts'

/** A JSON value as YAML, in the form that upstream writes: keys sorted, lists not indented below their key, plain scalars where they stay strings. */
export function emitYaml(value: unknown): string {
  const out: string[] = []
  emit(value, '', out, true)
  return out.join('')
}

/** Writes a value after what leads to it; `inline`: it may begin where the output stands (at the start, after `- `). */
function emit(value: unknown, indent: string, out: string[], inline: boolean): void {
  if (Array.isArray(value)) {
    if (value.length === 0) return void out.push(inline ? '[]\n' : ' []\n')
    // below a key, the items stand in the column of the key
    if (!inline) out.push('\n')
    for (const [i, item] of value.entries()) {
      out.push(i === 0 && inline ? '- ' : `${indent}- `)
      emit(item, `${indent}  `, out, true)
    }
    return
  }
  if (typeof value === 'object' && value !== null) {
    const keys = Object.keys(value).filter((key) => (value as Record<string, unknown>)[key] !== undefined)
    if (keys.length === 0) return void out.push(inline ? '{}\n' : ' {}\n')
    if (!inline) out.push('\n')
    for (const [i, key] of keys.sort(compareKeys).entries()) {
      const child = (value as Record<string, unknown>)[key]
      const start = i === 0 && inline ? '' : indent
      // a key that is long cannot be told from a value without a mark
      if (Buffer.byteLength(key) > longestKey) out.push(`${start}? ${scalar(key, indent, true)}\n${indent}:`)
      else out.push(`${start}${scalar(key, indent, true)}:`)
      if (typeof child === 'object' && child !== null) emit(child, Array.isArray(child) ? indent : `${indent}  `, out, false)
      else out.push(' ', scalar(child, indent, false), '\n')
    }
    return
  }
  out.push(scalar(value, inline && indent.length >= 2 ? indent.slice(2) : indent, false), '\n')
}

const longestKey = 128

// numbers in keys count as numbers, letters come after everything else: the order of Go's YAML
function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    if (a[i] === b[i]) continue
    const x = isLetter(a[i]!)
    const y = isLetter(b[i]!)
    if (x && y) return a[i]! < b[i]! ? -1 : 1
    if (x || y) {
      // after digits a shorter run of them comes first, whatever follows it
      const digits = i > 0 && isDigit(a[i - 1]!)
      return digits ? (isDigit(x ? b[i]! : a[i]!) === x ? -1 : 1) : x ? 1 : -1
    }
    const [m, n] = [numberAt(a, i), numberAt(b, i)]
    if (m.value !== n.value) return m.value < n.value ? -1 : 1
    if (m.length !== n.length) return m.length - n.length
    return a[i]! < b[i]! ? -1 : 1
  }
  return a.length - b.length
}

const isDigit = (c: string) => c >= '0' && c <= '9'
const isLetter = (c: string) => /\p{L}/u.test(c)

function numberAt(text: string, at: number): { value: number; length: number } {
  let value = 0
  let length = 0
  while (at + length < text.length && isDigit(text[at + length]!)) value = value * 10 + Number(text[at + length++])
  return { value, length }
}

function scalar(value: unknown, indent: string, key: boolean): string {
  if (typeof value !== 'string') return typeof value === 'number' ? String(value) : value === undefined ? 'null' : String(value)
  if (simple.test(value) && !ambiguous(value)) return value
  if (value.includes('\n')) return key || !isBlock(value) ? doubleQuoted(value) : literal(value, indent)
  if (ambiguous(value) || (key && value === '<<') || !printable.test(value)) return doubleQuoted(value)
  return value === '' || !isPlain(value) ? `'${value.replaceAll("'", "''")}'` : value
}

/** Most strings: nothing in them means anything to YAML. */
const simple = /^[A-Za-z/_][\w./-]*$/
/** Numbers to the base 60 and times are quoted: other parsers read them as such. */
const base60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/
const timestamp = /^\d{4}-\d{1,2}-\d{1,2}(?:$|[Tt ]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:$|Z|[-+]\d\d:\d\d$))/

const ambiguous = (text: string) => resolveScalar(text) !== undefined || base60.test(text) || timestamp.test(text)

// eslint-disable-next-line no-misleading-character-class
const printable = /^[\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]*$/u

function isPlain(text: string): boolean {
  if (/^[#,[\]{}&*!|>'"%@`]|^[-?:](?: |$)|^---|^\.\.\./.test(text)) return false
  return !/: |:$| #|^ | $|[\u2028\u2029]/.test(text)
}

/** Whether a text of several lines can stand as it is: no line ends with a space, nothing needs an escape. */
const isBlock = (text: string) => !/ \n| $/.test(text) && printable.test(text) && !/[\u2028\u2029\u0085]/.test(text)

function literal(text: string, indent: string): string {
  const hint = text[0] === ' ' || text[0] === '\n' ? '2' : ''
  const chomping = !text.endsWith('\n') ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : ''
  const lines = text.endsWith('\n') ? text.slice(0, -1).split('\n') : text.split('\n')
  return `|${hint}${chomping}\n${lines.map((line) => (line === '' ? '' : `${indent}  ${line}`)).join('\n')}`
}

const escapes: Record<string, string> = { '\0': '0', '\x07': 'a', '\b': 'b', '\t': 't', '\n': 'n', '\v': 'v', '\f': 'f', '\r': 'r', '\x1b': 'e', '"': '"', '\\': '\\', '\x85': 'N', '\xa0': '_', '\u2028': 'L', '\u2029': 'P' } // prettier-ignore

function doubleQuoted(text: string): string {
  let out = ''
  for (const character of text) {
    const known = escapes[character]
    if (known !== undefined) out += `\\${known}`
    else if (character !== '\ufeff' && printable.test(character)) out += character
    else {
      const code = character.codePointAt(0)!
      // half a pair is no character: what Go's JSON makes of it
      if (code >= 0xd800 && code < 0xe000) out += '\ufffd'
      else if (code < 0x100) out += `\\x${hex(code, 2)}`
      else out += code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`
    }
  }
  return `"${out}"`
}

const hex = (code: number, digits: number) => code.toString(16).toUpperCase().padStart(digits, '0')
