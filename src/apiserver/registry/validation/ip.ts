import { isIPv6 } from 'node:net'
import { addressNumber, addressText } from '../allocation/ranges.ts'
import { type Causes, invalid } from './causes.ts'

/** An address as Go's sloppy parser understands it. */
export interface ParsedIP {
  /** 4 also for IPv4 addresses that are mapped into IPv6. */
  family: 4 | 6
  number: bigint
  /** Written with zeros in front of an octet, which some programs read as octal. */
  leadingZeros: boolean
  /** IPv4 in the form of IPv6, `::ffff:1.2.3.4`. */
  mapped: boolean
}

export interface ParsedCidr {
  address: ParsedIP
  bits: number
  /** Length of the addresses of this family. */
  length: 32 | 128
  leadingZeros: boolean
}

const mappedPrefix = 0xffffn

/** Undefined where it is no address, with every leniency that upstream has for what was stored earlier. */
export function parseIP(text: string): ParsedIP | undefined {
  if (!text.includes(':')) {
    const octets = dottedQuad(text)
    return octets && { family: 4, number: octets.number, leadingZeros: octets.leadingZeros, mapped: false }
  }
  if (text.includes('%')) return undefined
  const at = text.lastIndexOf(':') + 1
  const tail = text.slice(at)
  const octets = tail.includes('.') ? dottedQuad(tail) : undefined
  if (tail.includes('.') && !octets) return undefined
  const plain = octets ? text.slice(0, at) + addressText(octets.number, 4) : text
  if (!isIPv6(plain)) return undefined
  const number = addressNumber(plain)
  const mapped = number >> 32n === mappedPrefix
  return { family: mapped ? 4 : 6, number: mapped ? number & 0xffffffffn : number, leadingZeros: octets?.leadingZeros ?? false, mapped }
}

function dottedQuad(text: string): { number: bigint; leadingZeros: boolean } | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^[0-9]+$/.test(part) && Number(part) <= 255)) return undefined
  return {
    number: parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n),
    leadingZeros: parts.some((part) => part.length > 1 && part[0] === '0'),
  }
}

export function parseCidr(text: string): ParsedCidr | undefined {
  const slash = text.indexOf('/')
  if (slash < 0) return undefined
  const address = parseIP(text.slice(0, slash))
  const prefix = text.slice(slash + 1)
  if (!address || !/^[0-9]+$/.test(prefix)) return undefined
  const written = address.mapped ? 128 : address.family === 4 ? 32 : 128
  let bits = Number(prefix)
  if (bits > written) return undefined
  if (address.mapped) bits = Math.max(bits - 96, 0)
  const leadingZeros = address.leadingZeros || (prefix.length > 1 && prefix[0] === '0')
  return { address, bits, length: address.family === 4 ? 32 : 128, leadingZeros }
}

/** The first address of the range. */
const networkOf = ({ address, bits, length }: ParsedCidr) => (address.number >> BigInt(length - bits)) << BigInt(length - bits)

const cidrText = (cidr: ParsedCidr) => `${addressText(networkOf(cidr), cidr.address.family)}/${cidr.bits}`

/** Whether `inner` lies in `outer` and is smaller. */
export const isStrictSubset = (inner: ParsedCidr, outer: ParsedCidr) =>
  inner.length === outer.length &&
  inner.bits > outer.bits &&
  inner.address.number >> BigInt(outer.length - outer.bits) === outer.address.number >> BigInt(outer.length - outer.bits)

const noIP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
const noCidr = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'

/**
 * apimachinery's IsValidIPForLegacyField as of 1.36, where StrictIPCIDRValidation is on. What the object had before (`old`) may
 * stay, however it is written.
 */
export function validateIP(causes: Causes, path: string, text: string, old?: readonly string[]): boolean {
  if (old?.includes(text)) return true
  const ip = parseIP(text)
  if (!ip) causes.push(invalid(path, text, noIP))
  else if (ip.leadingZeros) causes.push(invalid(path, text, 'must not have leading 0s'))
  else if (ip.mapped) causes.push(invalid(path, text, 'must not be an IPv4-mapped IPv6 address'))
  else return true
  return false
}

/** apimachinery's IsValidCIDRForLegacyField, likewise. */
export function validateCidr(causes: Causes, path: string, text: string, old?: readonly string[]): void {
  if (old?.includes(text)) return
  const cidr = parseCidr(text)
  if (!cidr) causes.push(invalid(path, text, noCidr))
  else if (cidr.leadingZeros) causes.push(invalid(path, text, 'must not have leading 0s in IP or prefix length'))
  else if (cidr.address.mapped) causes.push(invalid(path, text, 'must not have an IPv4-mapped IPv6 address'))
  else if (networkOf(cidr) !== cidr.address.number) causes.push(invalid(path, text, 'must not have bits set beyond the prefix length'))
}

const within = (ip: ParsedIP, family: 4 | 6, prefix: bigint, bits: number) =>
  ip.family === family && ip.number >> BigInt((family === 4 ? 32 : 128) - bits) === prefix

/** Endpoints and external addresses may not point into the node, nor at everybody on its link. */
export function validateNonSpecialIP(causes: Causes, path: string, text: string): void {
  const ip = parseIP(text)
  if (!ip) {
    causes.push(invalid(path, text, 'must be a valid IP address'))
    return
  }
  if (ip.number === 0n) causes.push(invalid(path, text, `may not be unspecified (${text})`))
  if (within(ip, 4, 127n, 8) || (ip.family === 6 && ip.number === 1n))
    causes.push(invalid(path, text, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'))
  if (within(ip, 4, 0xa9fen, 16) || within(ip, 6, 0xfe80n >> 6n, 10))
    causes.push(invalid(path, text, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'))
  if (within(ip, 4, 0xe00000n, 24) || (ip.family === 6 && (ip.number >> 112n) & 0xff0fn) === 0xff02n)
    causes.push(invalid(path, text, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'))
}

/** What to tell a client about an address that is valid but written in an unusual way. */
export function ipWarnings(path: string, text: string): string[] {
  const ip = parseIP(text)
  if (!ip) return []
  const canonical = addressText(ip.number, ip.family)
  if (ip.leadingZeros || ip.mapped) return [`${path}: non-standard IP address ${JSON.stringify(text)} is invalid: use ${JSON.stringify(canonical)}`]
  if (ip.family === 6 && canonical !== text)
    return [`${path}: IPv6 address ${JSON.stringify(text)} should be in RFC 5952 canonical format (${JSON.stringify(canonical)})`]
  return []
}

export function cidrWarnings(path: string, text: string): string[] {
  const cidr = parseCidr(text)
  if (!cidr) return []
  const warnings: string[] = []
  const quoted = JSON.stringify(text)
  const canonical = JSON.stringify(cidrText(cidr))
  if (networkOf(cidr) !== cidr.address.number)
    warnings.push(
      `${path}: CIDR value ${quoted} is ambiguous in this context (should be ${canonical} or "${addressText(cidr.address.number, cidr.address.family)}/${cidr.length}"?)`,
    )
  if (cidr.leadingZeros || cidr.address.mapped) warnings.push(`${path}: non-standard CIDR value ${quoted} is invalid: use ${canonical}`)
  if (warnings.length === 0 && cidr.address.family === 6 && canonical !== quoted)
    warnings.push(`${path}: IPv6 CIDR value ${quoted} should be in RFC 5952 canonical format (${canonical})`)
  return warnings
}
