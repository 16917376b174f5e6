/** What a plain scalar that is no string stands for; a box, because null is one of the values. */
export interface Resolved {
  value: null | boolean | number
}

const words = new Map<string, Resolved>()
for (const [value, texts] of [
  [true, 'y Y yes Yes YES true True TRUE on On ON'],
  [false, 'n N no No NO false False FALSE off Off OFF'],
  [null, '~ null Null NULL'],
  [NaN, '.nan .NaN .NAN'],
  [Infinity, '.inf .Inf .INF +.inf +.Inf +.INF'],
  [-Infinity, '-.inf -.Inf -.INF'],
] as const)
  for (const text of texts.split(' ')) words.set(text, { value })
words.set('', { value: null })

const longestWord = 5

// which first characters can lead to something else than a string
const starts = new Uint8Array(128)
const word = 1
const number = 2
for (const c of 'yYnNtTfFoO~') starts[c.charCodeAt(0)] = word
for (const c of '+-.0123456789') starts[c.charCodeAt(0)] = word | number

const integer = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9][0-9]*)$/
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
/** 2 ** 64: integers from here on are no integers to Go, whatever base they are written in. */
const tooLarge = 18446744073709551616n

/**
 * A plain scalar as Go's YAML parser for Kubernetes resolves it, which is YAML 1.1 with 1.2's octals: `yes` and `on` are booleans, 0644 and 0o644
 * are octal, 1_000 is a number, dates are strings. Undefined for a string.
 */
export function resolveScalar(text: string): Resolved | undefined {
  if (text === '') return words.get('')
  const kind = starts[text.charCodeAt(0)]
  if (!kind) return undefined
  if (text.length <= longestWord) {
    const known = words.get(text)
    if (known) return known
  }
  if (kind === word) return undefined
  const digits = text.includes('_') && text[0] !== '.' ? text.replaceAll('_', '') : text
  if (integer.test(digits)) return wholeNumber(digits)
  if (!float.test(digits)) return undefined
  const value = Number(digits)
  // beyond what a double holds it stays a string
  return Number.isFinite(value) ? { value } : undefined
}

function wholeNumber(text: string): Resolved | undefined {
  const negative = text[0] === '-'
  let digits = negative || text[0] === '+' ? text.slice(1) : text
  if (digits.length > 1 && digits[0] === '0' && digits[1]! >= '0' && digits[1]! <= '7') digits = `0o${digits.slice(1)}`
  const value = Number(digits)
  if (digits[0] === '0' && digits.length > 12 && BigInt(digits) >= tooLarge) return undefined
  return Number.isFinite(value) ? { value: negative ? -value || 0 : value } : undefined
}
