import type { Literal } from './ast.ts'

/** What a literal says, or what is wrong with it. */
export type Reading<T> = { value: T } | { wrong: string }

const wrong = (message: string): { wrong: string } => ({ wrong: message })

export const readInt = (text: string, negative: boolean): Reading<bigint> => {
  const magnitude = BigInt(text)
  const value = negative ? -magnitude : magnitude
  return value === BigInt.asIntN(64, value) ? { value } : wrong('invalid int literal')
}

export const readUint = (text: string): Reading<Literal['value']> => {
  const value = BigInt(text.slice(0, -1))
  return value === BigInt.asUintN(64, value) ? { value: { uint: value } } : wrong('invalid uint literal')
}

export const readDouble = (text: string): Reading<number> => {
  const value = Number(text)
  return Number.isFinite(value) ? { value } : wrong('invalid double literal')
}

/** The text that a token with its quotes stands for. */
export const readString = (token: string): Reading<string> => {
  const { body, raw } = unquote(token)
  if (raw || !body.includes('\\')) return { value: body }
  let value = ''
  for (const part of parts(body)) {
    if (typeof part === 'string') value += part
    else if ('wrong' in part) return part
    else if (part.code > 0x10ffff || (part.code >= 0xd800 && part.code < 0xe000)) return wrong('invalid unicode code point')
    else value += String.fromCodePoint(part.code)
  }
  return { value }
}

/** The bytes that a token, without its `b`, stands for: text in UTF-8, escapes by number as bytes. */
export const readBytes = (token: string): Reading<Uint8Array> => {
  const { body, raw } = unquote(token)
  const chunks: Uint8Array[] = []
  for (const part of raw ? [body] : parts(body)) {
    if (typeof part === 'string') chunks.push(Buffer.from(part))
    else if ('wrong' in part) return part
    else if (part.unicode) return wrong('unable to unescape string')
    else chunks.push(Uint8Array.of(part.code))
  }
  return { value: new Uint8Array(Buffer.concat(chunks)) }
}

/** Lines of a text end in `\n`, however its source is stored. */
const unquote = (token: string): { body: string; raw: boolean } => {
  const raw = /^[rR]/.test(token)
  const text = (raw ? token.slice(1) : token).replaceAll('\r\n', '\n').replaceAll('\r', '\n')
  const width = text.length >= 6 && /^("""|''')/.test(text) ? 3 : 1
  return { body: text.slice(width, -width), raw }
}

type Escape = { code: number; unicode?: true } | { wrong: string }

const named: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }
const pattern =
  /\\(?:(?<named>[abfnrtv])|[xX](?<hex>[0-9a-fA-F]{2})|(?:u(?<four>[0-9a-fA-F]{4})|U(?<eight>[0-9a-fA-F]{8}))|(?<octal>[0-3][0-7]{2})|(?<other>[^]))/gu

/** Splits the text between quotes into what stands for itself and the numbers of escapes. */
function* parts(body: string): Generator<string | Escape> {
  let position = 0
  for (const match of body.matchAll(pattern)) {
    if (match.index > position) yield body.slice(position, match.index)
    position = match.index + match[0].length
    const { named: name, hex, four, eight, octal, other } = match.groups!
    if (name) yield named[name]!
    else if (hex) yield { code: Number.parseInt(hex, 16) }
    else if (octal) yield { code: Number.parseInt(octal, 8) }
    else if (four ?? eight) yield { code: Number.parseInt((four ?? eight)!, 16), unicode: true }
    else if (other && '\\\'"`?'.includes(other)) yield other
    else yield wrong('unable to unescape string')
  }
  if (position < body.length) yield body.slice(position)
}
