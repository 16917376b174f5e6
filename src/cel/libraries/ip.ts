import { type Address, NetworkError, formatAddress, isMapped, parseAddress, widthOf } from '../go/netip.ts'
import { goQuote } from '../go/quote.ts'
import type { Library, Overload } from '../library.ts'
import { type CelType, types } from '../types.ts'
import { CelError, Opaque, TypeValue, type Value } from '../values.ts'
import { estimates, estimatesReading, readsFirst } from './costs.ts'

export const ipType = types.opaque('net.IP')

/** An address; its size is its bytes. */
export class IpValue extends Opaque {
  readonly type: CelType = ipType
  readonly address: Address

  constructor(address: Address) {
    super()
    this.address = address
  }

  override equals(other: Opaque): boolean {
    return other instanceof IpValue && other.address.family === this.address.family && other.address.bits === this.address.bits
  }

  override size(): number {
    return widthOf(this.address) / 8
  }

  override toString(): string {
    return formatAddress(this.address)
  }
}

/** Parses an address as the library takes it: without a zone, and not IPv4 in the form of IPv6. */
export function parseIp(text: string): IpValue | CelError {
  let address: Address
  try {
    address = parseAddress(text)
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error
    return new CelError(`IP Address ${goQuote(text)} parse error during conversion from string: ${error.message}`)
  }
  if (address.zone !== '') return new CelError(`IP address ${goQuote(text)} with zone value is not allowed`)
  if (isMapped(address)) return new CelError(`IPv4-mapped IPv6 address ${goQuote(text)} is not allowed`)
  return new IpValue(address)
}

const octet = (bits: bigint, index: number): bigint => (bits >> BigInt(24 - 8 * index)) & 255n
const field = (bits: bigint, index: number): bigint => (bits >> BigInt(112 - 16 * index)) & 0xffffn

const isLoopback = ({ family, bits }: Address): boolean => (family === 4 ? octet(bits, 0) === 127n : bits === 1n)
const isLinkLocalUnicast = ({ family, bits }: Address): boolean =>
  family === 4 ? octet(bits, 0) === 169n && octet(bits, 1) === 254n : (field(bits, 0) & 0xffc0n) === 0xfe80n
const isLinkLocalMulticast = ({ family, bits }: Address): boolean =>
  family === 4 ? bits >> 8n === 0xe00000n : (field(bits, 0) & 0xff0fn) === 0xff02n
const isMulticast = ({ family, bits }: Address): boolean => (family === 4 ? bits >> 28n === 0xen : bits >> 120n === 0xffn)
const isGlobalUnicast = (address: Address): boolean =>
  address.bits !== 0n &&
  !(address.family === 4 && address.bits === 0xffffffffn) &&
  !isLoopback(address) &&
  !isMulticast(address) &&
  !isLinkLocalUnicast(address)

const test = (id: string, holds: (address: Address) => boolean): Overload[] => [
  {
    id,
    parameters: [ipType],
    result: types.bool,
    member: true,
    call: (ip) => holds((ip as IpValue).address),
    cost: () => 1,
    estimate: estimates(1),
  },
]

/** `kubernetes.net.ip`: IP addresses. */
export const ip: Library = {
  name: 'kubernetes.net.ip',
  constants: { 'net.IP': { type: types.type(ipType), value: new TypeValue(ipType) } },
  functions: {
    ip: [
      {
        id: 'string_to_ip',
        parameters: [types.string],
        result: ipType,
        call: (text) => parseIp(text as string),
        cost: readsFirst(),
        estimate: estimatesReading(),
      },
    ],
    isIP: [
      {
        id: 'is_ip',
        parameters: [types.string],
        result: types.bool,
        call: (text) => parseIp(text as string) instanceof IpValue,
        cost: readsFirst(),
        estimate: estimatesReading(),
      },
    ],
    'ip.isCanonical': [
      {
        id: 'ip_is_canonical',
        parameters: [types.string],
        result: types.bool,
        call: (text): Value => {
          const parsed = parseIp(text as string)
          return parsed instanceof CelError ? parsed : parsed.toString() === text
        },
        cost: readsFirst(2),
        estimate: estimatesReading(2),
      },
    ],
    family: [
      {
        id: 'ip_family',
        parameters: [ipType],
        result: types.int,
        member: true,
        call: (value) => BigInt((value as IpValue).address.family),
        cost: () => 1,
        estimate: estimates(1),
      },
    ],
    isUnspecified: test('ip_is_unspecified', ({ bits }) => bits === 0n),
    isLoopback: test('ip_is_loopback', isLoopback),
    isLinkLocalMulticast: test('ip_is_link_local_multicast', isLinkLocalMulticast),
    isLinkLocalUnicast: test('ip_is_link_local_unicast', isLinkLocalUnicast),
    isGlobalUnicast: test('ip_is_global_unicast', isGlobalUnicast),
    string: [{ id: 'ip_to_string', parameters: [ipType], result: types.string, call: (value) => (value as IpValue).toString() }],
  },
}
