import { goQuote } from '../go/quote.ts'
import { CelError, Duration, List, MapValue, Timestamp, Uint, type Value } from '../values.ts'
import { toText } from '../values/conversions.ts'
import { typeName, typeOf } from '../values/names.ts'
import { exponential, fixed, grouped } from './decimal.ts'
import { limitLength } from './limits.ts'

/** What is wrong with a format, or with an argument for it, in the words of cel-go. */
export class FormatError extends Error {
  override name = 'FormatError'
}

/** The verbs of a format; `precision` is undefined where it has none. */
export type Verb = 's' | 'd' | 'f' | 'e' | 'b' | 'x' | 'X' | 'o'

export const verbMessages = {
  s: 'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
  d: 'decimal clause can only be used on integers',
  f: 'fixed-point clause can only be used on doubles',
  e: 'scientific clause can only be used on doubles',
  b: 'only integers and bools can be formatted as binary',
  x: 'only integers, byte buffers, and strings can be formatted as hex',
  X: 'only integers, byte buffers, and strings can be formatted as hex',
  o: 'octal clause can only be used on integers',
} as const satisfies Record<Verb, string>

/**
 * Takes a format apart: texts, and clauses for the arguments in order. Each clause is given to `clause` at once, so that of several faults the first
 * one is told; `ahead` of evaluation a format that ends too early is told before arguments that are missing. Throws FormatError.
 */
export function parseFormat(
  format: string,
  count: number,
  clause: (verb: Verb, precision: number | undefined, index: number) => string,
  ahead = false,
): string {
  let out = ''
  let index = 0
  for (let i = 0; i < format.length;) {
    const percent = format.indexOf('%', i)
    if (percent < 0) return out + format.slice(i)
    out += format.slice(i, percent)
    i = percent + 1
    if (format[i] === '%') {
      out += '%'
      i++
      continue
    }
    if (i >= format.length && (ahead || index < count)) throw new FormatError('unexpected end of string')
    if (index >= count) throw new FormatError(`index ${index} out of range`)
    const { precision, end } = parsePrecision(format, i)
    const verb = format[end]!
    if (!Object.hasOwn(verbMessages, verb)) {
      // cel-go looks at the first byte of what stands there
      const byte = String.fromCharCode(Buffer.from(String.fromCodePoint(format.codePointAt(end)!))[0]!)
      throw new FormatError(`could not parse formatting clause: unrecognized formatting clause "${byte}"`)
    }
    out += clause(verb as Verb, precision, index)
    limitLength(out.length)
    index++
    i = end + 1
  }
  return out
}

function parsePrecision(format: string, start: number): { precision: number | undefined; end: number } {
  if (format[start] !== '.') return { precision: undefined, end: start }
  const wrong = (message: string) => new FormatError(`could not parse formatting clause: error while parsing precision: ${message}`)
  const digits = /[0-9]*/y
  digits.lastIndex = start + 1
  const [text] = digits.exec(format)!
  const end = start + 1 + text.length
  if (end >= format.length) throw wrong('could not find end of precision specifier')
  const atoi = (problem: string) => wrong(`error while converting precision to integer: strconv.Atoi: parsing "${text}": ${problem}`)
  if (text === '') throw atoi('invalid syntax')
  if (Number(text) > 2 ** 63 - 1024 && BigInt(text) >= 2n ** 63n) throw atoi('value out of range')
  return { precision: Number(text), end }
}

/** `format.format(args)`; a CelError for what cannot be formatted. */
export function formatText(format: string, args: List): string | CelError {
  try {
    return parseFormat(format, args.length, (verb, precision, index) => {
      const value = args.at(index)
      try {
        return clauseOf(verb, precision, value)
      } catch (error) {
        throw error instanceof FormatError ? new FormatError(`error during formatting: ${error.message}`) : error
      }
    })
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return new CelError(error.message)
  }
}

const defaultPrecision = 6

const refuse = (verb: Verb, value: Value): FormatError => new FormatError(`${verbMessages[verb]}, was given ${typeName(typeOf(value))}`)

function clauseOf(verb: Verb, precision: number | undefined, value: Value): string {
  switch (verb) {
    case 's':
      return textOf(value)
    case 'd':
      return integerOf(verb, value).toString()
    case 'o':
      return integerOf(verb, value).toString(8)
    case 'b':
      return typeof value === 'boolean' ? (value ? '1' : '0') : integerOf(verb, value).toString(2)
    case 'x':
      return hexOf(verb, value)
    case 'X':
      return hexOf(verb, value).toUpperCase()
    case 'f':
      return fixedText(doubleOf(verb, value), precision)
    case 'e':
      return scientific(doubleOf(verb, value), precision)
    default:
      return verb satisfies never
  }
}

function integerOf(verb: Verb, value: Value): bigint {
  if (typeof value === 'bigint') return value
  if (value instanceof Uint) return value.value
  throw refuse(verb, value)
}

function hexOf(verb: Verb, value: Value): string {
  if (typeof value === 'string') return Buffer.from(value).toString('hex')
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')
  return integerOf(verb, value).toString(16)
}

/** Texts that name what numbers JSON has none for are numbers too. */
const named: Record<string, number> = { NaN: NaN, Infinity: Infinity, '-Infinity': -Infinity }

function doubleOf(verb: Verb, value: Value): number {
  if (typeof value === 'number') return value
  const number = typeof value === 'string' && Object.hasOwn(named, value) ? named[value] : undefined
  if (number === undefined) throw refuse(verb, value)
  return number
}

// Beyond this the precision is no number any more to the one who prints.
const mostPrecision = 10_000_009

/** What numbers that are none look like; undefined for others. */
function unusual(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? undefined : value < 0 ? '-∞' : '∞'
}

const noVerb = '%!(NOVERB)'

/**
 * Numbers are written as in English. Where it prints them upstream keeps of the precision 8 bits, for the zeros that are wanted, and 16 with a sign, for
 * the digits that are allowed; none are allowed fewer than the shortest that say the number.
 */
function fixedText(value: number, precision = defaultPrecision): string {
  if (precision > mostPrecision) return noVerb
  const text = unusual(value)
  if (text !== undefined) return text
  const least = precision & 0xff
  const most = (precision << 16) >> 16
  // no double has more digits than this after its point
  const [whole, fraction = ''] = grouped(fixed(value, most < 0 ? undefined : Math.min(most, 1100))).split('.') as [string, string?]
  const kept = fraction.replace(/0+$/, '').padEnd(least, '0')
  return kept === '' ? whole : `${whole}.${kept}`
}

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/** The precision is a width to upstream: there are six digits, with spaces before them; of the width it keeps 16 bits. */
function scientific(value: number, width = defaultPrecision): string {
  return width > mostPrecision ? noVerb : (unusual(value) ?? scientificText(value)).padStart(width & 0xffff)
}

function scientificText(value: number): string {
  const { mantissa, exponent } = exponential(value, defaultPrecision)
  const digits = [...String(Math.abs(exponent)).padStart(2, '0')].map((d) => superscripts[Number(d)]).join('')
  return `${mantissa}×10${exponent < 0 ? '⁻' : ''}${digits}`
}

function textOf(value: Value): string {
  if (value instanceof List) return listText(value, 0)
  if (value instanceof MapValue && value.type === undefined) return mapText(value, 0)
  if (value instanceof MapValue || !hasText(value)) throw refuse('s', value)
  return plainText(value)
}

const textKinds = new Set(['int', 'uint', 'double', 'bool', 'string', 'timestamp', 'bytes', 'duration', 'type', 'null'])
const hasText = (value: Value): boolean => textKinds.has(typeOf(value).kind)

function plainText(value: Value): string {
  const text = toText(value)
  if (text instanceof CelError) throw new FormatError(`could not convert argument ${goQuote(text.message)} to string`)
  return text as string
}

// Values from JSON are not nested deeper; what is cannot be told at a glance anyway.
const deepest = 1000

/** A value within a list or map, as a literal of CEL. */
function literalText(value: Value, depth: number): string {
  if (depth > deepest) throw new FormatError('the value is nested too deeply')
  if (value instanceof List) return listText(value, depth)
  if (value instanceof MapValue && value.type === undefined) return mapText(value, depth)
  if (typeof value === 'number') return Number.isFinite(value) ? fixed(value, defaultPrecision, true) : goQuote(plainText(value))
  if (value instanceof MapValue || !hasText(value)) throw new FormatError(`no formatting function for ${typeName(typeOf(value))}`)
  const text = plainText(value)
  if (typeof value === 'string') return goQuote(text)
  if (value instanceof Uint8Array) return `b${goQuote(text)}`
  if (value instanceof Timestamp) return `timestamp(${goQuote(text)})`
  return value instanceof Duration ? `duration(${goQuote(text)})` : text
}

function listText(list: List, depth: number): string {
  const texts: string[] = []
  let length = 0
  for (let i = 0; i < list.length; i++) {
    const text = literalText(list.at(i), depth + 1)
    texts.push(text)
    length += text.length
    limitLength(length)
  }
  return `[${texts.join(', ')}]`
}

const keyKinds = new Set(['string', 'bool', 'int', 'uint'])

/** Entries stand in the order of their keys' texts. */
function mapText(map: MapValue, depth: number): string {
  const entries: [key: string, text: string][] = []
  let length = 0
  for (const key of map.keys()) {
    const type = typeOf(key)
    if (!keyKinds.has(type.kind)) throw new FormatError(`no formatting function for map key of type ${typeName(type)}`)
    const entry: [string, string] = [literalText(key, depth + 1), literalText(map.get(key)!, depth + 1)]
    entries.push(entry)
    length += entry[1].length
    limitLength(length)
  }
  const bytes = (text: string) => Buffer.from(text)
  entries.sort(([a], [b]) => Buffer.compare(bytes(a), bytes(b)))
  return `{${entries.map(([key, text]) => `${key}:${text}`).join(', ')}}`
}
