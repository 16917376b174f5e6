import { goQuote } from './quote.ts'

/** An address as Go's net/netip has it; `bits` is the address itself, of 32 or 128 bits. */
export interface Address {
  family: 4 | 6
  bits: bigint
  /** After `%`; empty for none. */
  zone: string
}

export interface Prefix {
  address: Address
  length: number
}

/** Why a text is no address or prefix, in the words of Go. */
export class NetworkError extends Error {
  override name = 'NetworkError'
}

function fail(text: string, message: string, at = ''): never {
  throw new NetworkError(`ParseAddr(${goQuote(text)}): ${message}${at === '' ? '' : ` (at ${goQuote(at)})`}`)
}

/** Parses `192.0.2.1`, `2001:db8::68` or `fe80::1%eth0`. Throws NetworkError. */
export function parseAddress(text: string): Address {
  switch (/[.:%]/.exec(text)?.[0]) {
    case '.':
      return { family: 4, bits: parseOctets(text, text), zone: '' }
    case ':':
      return parseAddress6(text)
    case '%':
      return fail(text, 'missing IPv6 address')
    default:
      return fail(text, 'unable to parse IP')
  }
}

/** The four octets of `part`, which is the whole text or the end of an IPv6 address. */
function parseOctets(text: string, part: string): bigint {
  const octets: number[] = []
  let value = 0
  let digits = 0
  for (let i = 0; i < part.length; i++) {
    const c = part[i]!
    if (c >= '0' && c <= '9') {
      if (digits === 1 && value === 0) fail(text, 'IPv4 field has octet with leading zero')
      value = value * 10 + Number(c)
      digits++
      if (value > 255) fail(text, 'IPv4 field has value >255')
    } else if (c === '.') {
      if (i === 0 || i === part.length - 1 || part[i - 1] === '.') fail(text, 'IPv4 field must have at least one digit', part.slice(i))
      if (octets.length === 3) fail(text, 'IPv4 address too long')
      octets.push(value)
      value = 0
      digits = 0
    } else {
      fail(text, 'unexpected character', part.slice(i))
    }
  }
  if (octets.length < 3) fail(text, 'IPv4 address too short')
  return [...octets, value].reduce((bits, octet) => (bits << 8n) | BigInt(octet), 0n)
}

function parseAddress6(text: string): Address {
  const percent = text.indexOf('%')
  const zone = percent < 0 ? '' : text.slice(percent + 1)
  if (percent >= 0 && zone === '') fail(text, 'zone must be a non-empty string')
  let rest = percent < 0 ? text : text.slice(0, percent)
  // sixteen-bit fields, and before which of them the fields left out stand
  const fields: bigint[] = []
  let gap = -1
  if (rest.startsWith('::')) {
    gap = 0
    rest = rest.slice(2)
    if (rest === '') return { family: 6, bits: 0n, zone }
  }
  while (fields.length < 8) {
    const digits = /^[0-9a-fA-F]*/.exec(rest)![0]
    if (digits.length > 4) fail(text, 'each group must have 4 or less digits', rest)
    if (digits === '') fail(text, 'each colon-separated field must have at least one digit', rest)
    if (rest[digits.length] === '.') {
      if (gap < 0 && fields.length !== 6) fail(text, 'embedded IPv4 address must replace the final 2 fields of the address', rest)
      if (fields.length > 6) fail(text, 'too many hex fields to fit an embedded IPv4 at the end of the address', rest)
      const octets = parseOctets(text, rest)
      fields.push(octets >> 16n, octets & 0xffffn)
      rest = ''
      break
    }
    fields.push(BigInt(`0x${digits}`))
    rest = rest.slice(digits.length)
    if (rest === '') break
    if (rest[0] !== ':') fail(text, 'unexpected character, want colon', rest)
    if (rest.length === 1) fail(text, 'colon must be followed by more characters', rest)
    rest = rest.slice(1)
    if (rest[0] === ':') {
      if (gap >= 0) fail(text, 'multiple :: in address', rest)
      gap = fields.length
      rest = rest.slice(1)
      if (rest === '') break
    }
  }
  if (rest !== '') fail(text, 'trailing garbage after address', rest)
  if (fields.length < 8) {
    if (gap < 0) fail(text, 'address string too short')
    fields.splice(gap, 0, ...Array.from({ length: 8 - fields.length }, () => 0n))
  } else if (gap >= 0) {
    fail(text, 'the :: must expand to at least one field of zeros')
  }
  return { family: 6, bits: fields.reduce((bits, field) => (bits << 16n) | field, 0n), zone }
}

/** Parses `192.0.2.0/24` or `2001:db8::/32`; bits after the prefix may be set. Throws NetworkError. */
export function parsePrefix(text: string): Prefix {
  const wrong = (message: string) => new NetworkError(`netip.ParsePrefix(${goQuote(text)}): ${message}`)
  const slash = text.lastIndexOf('/')
  if (slash < 0) throw wrong("no '/'")
  let address: Address
  try {
    address = parseAddress(text.slice(0, slash))
  } catch (error) {
    throw error instanceof NetworkError ? wrong(error.message) : error
  }
  if (address.zone !== '') throw wrong('IPv6 zones cannot be present in a prefix')
  const bits = text.slice(slash + 1)
  if (!/^(?:[0-9]|[1-9][0-9]{1,17})$/.test(bits)) throw wrong(`bad bits after slash: ${goQuote(bits)}`)
  const length = Number(bits)
  if (length > widthOf(address)) throw wrong('prefix length out of range')
  return { address, length }
}

/** 32 or 128. */
export const widthOf = ({ family }: Address): number => (family === 4 ? 32 : 128)

/** Whether it is `::ffff:1.2.3.4`, an IPv4 address in the form of IPv6. */
export const isMapped = ({ family, bits }: Address): boolean => family === 6 && bits >> 32n === 0xffffn

/** The canonical text (RFC 5952). */
export function formatAddress({ family, bits, zone }: Address): string {
  if (family === 4) return formatOctets(bits)
  const suffix = zone === '' ? '' : `%${zone}`
  if (bits >> 32n === 0xffffn) return `::ffff:${formatOctets(bits & 0xffffffffn)}${suffix}`
  const fields = Array.from({ length: 8 }, (_, i) => (bits >> BigInt(112 - 16 * i)) & 0xffffn)
  const { start, length } = longestZeros(fields)
  const text = (part: readonly bigint[]) => part.map((field) => field.toString(16)).join(':')
  return (length < 2 ? text(fields) : `${text(fields.slice(0, start))}::${text(fields.slice(start + length))}`) + suffix
}

const formatOctets = (bits: bigint): string => [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join('.')

/** The first of the longest runs of zeros. */
function longestZeros(fields: readonly bigint[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  for (let start = 0; start < fields.length; start++) {
    let length = 0
    while (fields[start + length] === 0n) length++
    if (length > best.length) best = { start, length }
    if (length > 0) start += length
  }
  return best
}

export const formatPrefix = ({ address, length }: Prefix): string => `${formatAddress(address)}/${length}`

/** The prefix without the bits after it. */
export function maskPrefix({ address, length }: Prefix): Prefix {
  const host = BigInt(widthOf(address) - length)
  return { address: { ...address, bits: (address.bits >> host) << host }, length }
}

export function prefixContains({ address, length }: Prefix, other: Address): boolean {
  const host = BigInt(widthOf(address) - length)
  return address.family === other.family && address.bits >> host === other.bits >> host
}
