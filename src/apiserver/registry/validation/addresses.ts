import { isIP } from 'node:net'
import { addressNumber, addressText } from '../allocation/ranges.ts'
import { type Causes, invalid } from './causes.ts'

/** An address as read: its number and family as Go sees it (an IPv6 address that stands for an IPv4 one is one). */
interface Address {
  number: bigint
  family: 4 | 6
  /** Written as `::ffff:1.2.3.4`. */
  mapped: boolean
  /** Parts of an IPv4 address begin with zeros, which others read as octal. */
  padded: boolean
}

function readAddress(text: string): Address | undefined {
  const start = text.lastIndexOf(':') + 1
  const dotted = text.slice(start)
  const bare = dotted.includes('.') ? text.slice(0, start) + dotted.replace(/(^|\.)0+(?=\d)/g, '$1') : text
  const family = isIP(bare)
  if (family === 0 || bare.includes('%')) return undefined
  const number = addressNumber(bare)
  const mapped = family === 6 && number >> 32n === 0xffffn
  return { number: mapped ? number & 0xffffffffn : number, family: mapped ? 4 : (family as 4 | 6), mapped, padded: bare !== text }
}

/** What is wrong with the text of an address that has to be in its one canonical form. */
export function addressProblems(text: string): string[] {
  const address = readAddress(text)
  if (!address) return ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']
  if (address.padded) return ['must not have leading 0s']
  if (address.mapped) return ['must not be an IPv4-mapped IPv6 address']
  const canonical = addressText(address.number, address.family)
  return text === canonical ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`]
}

/** A range of addresses, such as 192.168.1.0/24, in canonical form. */
export function validateRange(causes: Causes, path: string, text: string): void {
  for (const problem of rangeProblems(text)) causes.push(invalid(path, text, problem))
}

function rangeProblems(text: string): string[] {
  const prefix = readPrefix(text)
  if (!prefix) return ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']
  const { address, length, padded, bits } = prefix
  if (address.padded || padded) return ['must not have leading 0s in IP or prefix length']
  if (address.mapped) return ['must not have an IPv4-mapped IPv6 address']
  const rest = BigInt(bits - length)
  if ((address.number >> rest) << rest !== address.number) return ['must not have bits set beyond the prefix length']
  const canonical = `${addressText(address.number, address.family)}/${length}`
  return text === canonical ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`]
}

/** An address of an interface with the length of its network, such as 192.168.1.5/24, in canonical form. */
export function validateInterfaceAddress(causes: Causes, path: string, text: string): void {
  const prefix = readPrefix(text)
  if (!prefix) {
    causes.push(invalid(path, text, 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)'))
    return
  }
  const { address, length } = prefix
  const canonical = `${addressText(address.number, address.family)}/${address.mapped && length > 32 ? length - 96 : length}`
  if (text !== canonical) causes.push(invalid(path, text, `must be in canonical form (${JSON.stringify(canonical)})`))
}

function readPrefix(text: string): { address: Address; length: number; bits: number; padded: boolean } | undefined {
  const slash = text.lastIndexOf('/')
  const address = slash < 0 ? undefined : readAddress(text.slice(0, slash))
  const digits = text.slice(slash + 1)
  if (!address || !/^\d+$/.test(digits)) return undefined
  const length = Number(digits)
  const bits = address.family === 4 && !address.mapped ? 32 : 128
  return length > bits ? undefined : { address, length, bits, padded: digits.length > 1 && digits.startsWith('0') }
}
