import type { Expr } from '../ast.ts'
import type { CallEstimate, EstimatedArgument, Library, Overload, SizeEstimate } from '../library.ts'
import { type CelType, types } from '../types.ts'
import { partsOf } from '../validation.ts'
import { CelError, type List, type Value } from '../values.ts'
import { listOf } from '../values/collections.ts'
import { show } from '../values/names.ts'
import { characters, sizeOf } from '../values/size.ts'
import { add, estimatesReading, exactly, multiply, reading, readsFirst, scale, traversalFactor, unbounded } from './costs.ts'
import { checkFormat } from './format-check.ts'
import { formatText } from './format-text.ts'
import { limitLength } from './limits.ts'
import { traversalCost, traversalEstimate } from './lists.ts'

const outOfRange = (index: bigint): CelError => new CelError(`index out of range: ${index}`)

/** Places are counted in characters: where all are one unit of UTF-16 each, they need not be taken apart. */
const isPlain = (text: string): boolean => characters(text) === text.length

const part = (text: string, start: number, end?: number): string => (isPlain(text) ? text.slice(start, end) : [...text].slice(start, end).join(''))

function charAt(text: string, index: bigint): Value {
  if (index < 0n || index > BigInt(characters(text))) return outOfRange(index)
  return part(text, Number(index), Number(index) + 1)
}

function substring(text: string, start: bigint, end: bigint | undefined): Value {
  const length = BigInt(characters(text))
  if (end !== undefined && start > end) return new CelError(`invalid substring range. start: ${start}, end: ${end}`)
  for (const index of end === undefined ? [start] : [start, end]) if (index < 0n || index > length) return outOfRange(index)
  return part(text, Number(start), end === undefined ? undefined : Number(end))
}

/** Finds by `search`, which counts in units, and says the place in characters. */
function search(text: string, wanted: string, offset: bigint | undefined, last: boolean): Value {
  const length = characters(text)
  if (offset !== undefined && offset < 0n) return outOfRange(offset)
  if (wanted === '') {
    const place = offset ?? (last ? BigInt(length) : 0n)
    return place > BigInt(length) ? BigInt(length) : place
  }
  const from = offset ?? (last ? BigInt(length - 1) : 0n)
  if (from < 0n || from >= BigInt(length)) return -1n
  const unit = isPlain(text) ? Number(from) : part(text, 0, Number(from)).length
  const found = last ? text.lastIndexOf(wanted, unit) : text.indexOf(wanted, unit)
  return BigInt(found < 0 ? -1 : characters(text.slice(0, found)))
}

/** Replaces the first `limit` places; an empty text is found before each character and at the end. */
function replace(text: string, wanted: string, by: string, limit = -1n): Value {
  if (wanted === by || limit === 0n) return text
  const most = limit < 0n ? Infinity : Number(limit)
  if (wanted === '') {
    const count = Math.min(characters(text) + 1, most)
    limitLength(text.length + count * by.length)
    let index = 0
    let out = ''
    for (const character of text) out += index++ < count ? by + character : character
    return index < count ? out + by : out
  }
  const pieces: string[] = []
  let start = 0
  for (let at = text.indexOf(wanted); at >= 0 && pieces.length < most; at = text.indexOf(wanted, start)) {
    pieces.push(text.slice(start, at))
    start = at + wanted.length
  }
  limitLength(text.length + pieces.length * (by.length - wanted.length))
  return [...pieces, text.slice(start)].join(by)
}

/** At most `limit` parts, the last of them all that is left. */
function split(text: string, separator: string, limit = -1n): Value {
  if (limit === 0n) return listOf([])
  const parts = separator === '' ? [...text] : text.split(separator)
  if (limit < 0n || BigInt(parts.length) <= limit) return listOf(parts)
  const most = Number(limit)
  return listOf([...parts.slice(0, most - 1), parts.slice(most - 1).join(separator)])
}

function join(list: List, separator: string): Value {
  const parts: string[] = []
  let length = separator.length * Math.max(0, list.length - 1)
  for (let i = 0; i < list.length; i++) {
    const value = list.at(i)
    if (typeof value !== 'string') return new CelError(`join: invalid input: ${show(value)}`)
    parts.push(value)
    length += value.length
    limitLength(length)
  }
  return parts.join(separator)
}

/** What Go counts as space. */
const spaces = '[\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]'
const leading = new RegExp(`^${spaces}+`)
const space = new RegExp(spaces)

function trim(text: string): string {
  let end = text.length
  // from the end by hand: an expression that ends in `+$` looks at each run of spaces again and again
  while (end > 0 && space.test(text[end - 1]!)) end--
  return text.slice(0, end).replace(leading, '')
}

const escapes: Record<string, string> = { '\x07': 'a', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't', '\v': 'v', '\\': '\\', '"': '"' }

// oxlint-disable-next-line no-control-regex -- these are what is escaped
const quote = (text: string): string => `"${text.toWellFormed().replace(/[\x07\b\f\n\r\t\v\\"]/g, (c) => `\\${escapes[c]!}`)}"`

const member = (id: string, more: CelType[], result: CelType, call: Overload['call'], costs: Pick<Overload, 'cost' | 'estimate'> = {}): Overload => ({
  id,
  parameters: [types.string, ...more],
  result,
  member: true,
  call,
  ...costs,
})

const reads = { cost: readsFirst(), estimate: estimatesReading(1, true) }
/** Reads, and builds what comes back. */
const rebuilds = { cost: readsFirst(2) }
const searches: Pick<Overload, 'cost' | 'estimate'> = { cost: ([text]) => traversalCost(text!), estimate: traversalEstimate }

const ceilDivide = (a: bigint, b: bigint): bigint =>
  a === unbounded ? BigInt(Math.min(2 ** 64 - 2048, Math.ceil(2 ** 64 / Number(b)))) : (a + b - 1n) / b

function estimateReplace([text, wanted, by]: readonly EstimatedArgument[]): CallEstimate {
  const { size } = text!
  const count: SizeEstimate = { min: 0n, max: 0n }
  const kept: SizeEstimate = { min: 0n, max: 0n }
  // the longest: an empty text is put around every character; else the shortest texts give way to the longest
  if (wanted!.size.min === 0n) {
    count.max = size.max < unbounded ? size.max + 1n : size.max
    kept.max = size.max
  } else if (by!.size.max <= wanted!.size.min) {
    kept.max = size.max
  } else {
    count.max = ceilDivide(size.max, wanted!.size.min)
  }
  if (wanted!.size.max === 0n) {
    count.min = size.min < unbounded ? size.min + 1n : size.min
    kept.min = size.min
  } else if (wanted!.size.max <= by!.size.min) {
    kept.min = size.min
  } else {
    count.min = ceilDivide(size.min, wanted!.size.max)
  }
  return { cost: scale(size, 2 * traversalFactor), result: add(multiply(count, by!.size), kept) }
}

function estimateSplit([text, , limit]: readonly EstimatedArgument[]): CallEstimate {
  const max = typeof limit?.literal === 'bigint' ? BigInt.asUintN(64, limit.literal) : text!.size.max
  return { cost: scale(text!.size, 2 * traversalFactor), result: { min: 0n, max } }
}

function estimateJoin([list, separator]: readonly EstimatedArgument[]): CallEstimate {
  let size = list!.type.kind === 'list' ? multiply(list!.size, list!.element()) : exactly(0)
  if (separator) {
    const gaps = (count: bigint) => (count > 0n ? count - 1n : 0n)
    size = add(size, multiply(separator.size, { min: gaps(list!.size.min), max: gaps(list!.size.max) }))
  }
  return { cost: scale(size, traversalFactor), result: size }
}

const joins = (id: string, more: CelType[]): Overload => ({
  id,
  parameters: [types.list(types.string), ...more],
  result: types.string,
  member: true,
  call: (list, separator) => join(list as List, (separator as string | undefined) ?? ''),
  cost: (_, result) => reading(sizeOf(result), 2),
  estimate: estimateJoin,
})

const index = (id: string, more: CelType[], last: boolean): Overload =>
  member(
    id,
    [types.string, ...more],
    types.int,
    (text, wanted, offset) => search(text as string, wanted as string, offset as bigint | undefined, last),
    searches,
  )

const replaces = (id: string, more: CelType[]): Overload =>
  member(
    id,
    [types.string, types.string, ...more],
    types.string,
    (text, wanted, by, limit) => replace(text as string, wanted as string, by as string, limit as bigint | undefined),
    { ...rebuilds, estimate: estimateReplace },
  )

const splits = (id: string, more: CelType[]): Overload =>
  member(
    id,
    [types.string, ...more],
    types.list(types.string),
    (text, separator, limit) => split(text as string, separator as string, limit as bigint | undefined),
    { ...rebuilds, estimate: estimateSplit },
  )

const substrings = (id: string, more: CelType[]): Overload =>
  member(id, [types.int, ...more], types.string, (text, start, end) => substring(text as string, start as bigint, end as bigint | undefined), reads)

/** `cel.lib.ext.strings`, its second version. */
export const strings: Library = {
  name: 'cel.lib.ext.strings',
  mixedLiterals: ['format'],
  validate: (checked, report) => {
    const visit = (expr: Expr): void => {
      if (expr.kind === 'call' && expr.function === 'format') checkFormat(checked, expr, report)
      for (const part of partsOf(expr)) visit(part)
    }
    visit(checked.expr)
  },
  functions: {
    charAt: [member('string_char_at_int', [types.int], types.string, (text, at) => charAt(text as string, at as bigint))],
    indexOf: [index('string_index_of_string', [], false), index('string_index_of_string_int', [types.int], false)],
    lastIndexOf: [index('string_last_index_of_string', [], true), index('string_last_index_of_string_int', [types.int], true)],
    lowerAscii: [member('string_lower_ascii', [], types.string, (text) => (text as string).replace(/[A-Z]+/g, (c) => c.toLowerCase()), reads)],
    upperAscii: [member('string_upper_ascii', [], types.string, (text) => (text as string).replace(/[a-z]+/g, (c) => c.toUpperCase()), reads)],
    trim: [member('string_trim', [], types.string, (text) => trim(text as string), reads)],
    replace: [replaces('string_replace_string_string', []), replaces('string_replace_string_string_int', [types.int])],
    split: [splits('string_split_string', []), splits('string_split_string_int', [types.int])],
    substring: [substrings('string_substring_int', []), substrings('string_substring_int_int', [types.int])],
    join: [joins('list_join', []), joins('list_join_string', [types.string])],
    format: [
      member('string_format', [types.list(types.dyn)], types.string, (text, args) => formatText(text as string, args as List), {
        cost: readsFirst(),
        estimate: estimatesReading(),
      }),
    ],
    'strings.quote': [
      {
        id: 'strings_quote',
        parameters: [types.string],
        result: types.string,
        call: (text) => quote(text as string),
        cost: readsFirst(),
        estimate: ([text]) => ({
          cost: scale(text!.size, traversalFactor),
          // two quotes, and every character escaped; upstream lets it wrap
          result: { min: BigInt.asUintN(64, text!.size.min + 2n), max: BigInt.asUintN(64, text!.size.max * 2n + 2n) },
        }),
      },
    ],
  },
}
