const escapes: Record<string, string> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
}

/** Letters, marks, numbers, punctuation and symbols, and of all spaces the plain one: what Go prints as it is. */
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u

/** Most texts have nothing to escape. */
const plain = /^[ !#-[\]-~]*$/

/** A text as Go's `%q` writes it. */
export function goQuote(text: string): string {
  if (plain.test(text)) return `"${text}"`
  let quoted = '"'
  for (const character of text) {
    const escape = escapes[character]
    if (escape !== undefined) quoted += escape
    else if (printable.test(character)) quoted += character
    else quoted += escapeOf(character.codePointAt(0)!)
  }
  return `${quoted}"`
}

function escapeOf(point: number): string {
  if (point < 0x80) return `\\x${hex(point, 2)}`
  // half a surrogate pair is no text: Go has the replacement character in its place
  if (point >= 0xd800 && point < 0xe000) return '�'
  return point < 0x10000 ? `\\u${hex(point, 4)}` : `\\U${hex(point, 8)}`
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')
