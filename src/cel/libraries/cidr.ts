import { NetworkError, type Prefix, formatPrefix, isMapped, maskPrefix, parsePrefix, prefixContains } from '../go/netip.ts'
import { goQuote } from '../go/quote.ts'
import type { Library, Overload, SizeEstimate } from '../library.ts'
import { type CelType, types } from '../types.ts'
import { CelError, Opaque, TypeValue, type Value } from '../values.ts'
import { add, estimates, estimatesReading, exactly, reading, readsFirst, scale, traversalFactor } from './costs.ts'
import { sizeOf } from '../values/size.ts'
import { IpValue, ipType, parseIp } from './ip.ts'

export const cidrType = types.opaque('net.CIDR')

/** A prefix, with the bits after it that it was written with; its size is the bytes of its mask that are not empty. */
export class CidrValue extends Opaque {
  readonly type: CelType = cidrType
  readonly prefix: Prefix

  constructor(prefix: Prefix) {
    super()
    this.prefix = prefix
  }

  override equals(other: Opaque): boolean {
    return (
      other instanceof CidrValue &&
      other.prefix.length === this.prefix.length &&
      other.prefix.address.family === this.prefix.address.family &&
      other.prefix.address.bits === this.prefix.address.bits
    )
  }

  override size(): number {
    return Math.ceil(this.prefix.length / 8)
  }

  override toString(): string {
    return formatPrefix(this.prefix)
  }
}

const noSuchOverload = new CelError('no such overload')

const parseWrong = 'network address parse error during conversion from string:'

export function parseCidr(text: string): CidrValue | CelError {
  let prefix: Prefix
  try {
    prefix = parsePrefix(text)
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error
    // upstream says it twice
    return new CelError(`${parseWrong} ${parseWrong} ${error.message}`)
  }
  return isMapped(prefix.address) ? new CelError(`${parseWrong} IPv4-mapped IPv6 address ${goQuote(text)} is not allowed`) : new CidrValue(prefix)
}

const containsIp = ({ prefix }: CidrValue, other: IpValue): boolean => prefixContains(prefix, other.address)
const containsCidr = ({ prefix }: CidrValue, { prefix: inner }: CidrValue): boolean =>
  prefix.length <= inner.length && prefixContains(prefix, inner.address)

/** Compares the bytes of the mask with as many of the other's, of which a network is masked first. What is given as text is parsed before. */
const comparing = (prefixSize: number, isCidr: boolean, parsed: Value | undefined): number =>
  reading(prefixSize, 2) + (isCidr ? reading(prefixSize) + 1 : 0) + (parsed === undefined ? 0 : reading(sizeOf(parsed)))

const addressSize: SizeEstimate = { min: 4n, max: 16n }
const comparingEstimate = scale(add(addressSize, addressSize), traversalFactor)
const comparingCidrEstimate = add(add(comparingEstimate, scale(addressSize, traversalFactor)), exactly(1))

const contains = (id: string, other: CelType, call: Overload['call']): Overload => ({
  id,
  parameters: [cidrType, other],
  result: types.bool,
  member: true,
  call,
  cost: ([cidr, argument], _, undecided) =>
    comparing(sizeOf(cidr!), isCidrOverload(id), other.kind === 'string' && !undecided ? argument! : undefined),
  estimate: ([, argument]) => {
    const base = isCidrOverload(id) ? comparingCidrEstimate : comparingEstimate
    return { cost: other.kind === 'string' ? add(base, scale(argument!.size, traversalFactor)) : base }
  },
})
const isCidrOverload = (id: string): boolean => id.startsWith('cidr_contains_cidr')

const accessor = (id: string, result: CelType, call: (value: CidrValue) => Value): Overload => ({
  id,
  parameters: [cidrType],
  result,
  member: true,
  call: (value) => call(value as CidrValue),
  cost: () => 1,
  estimate: estimates(1),
})

/** `kubernetes.net.cidr`: networks. */
export const cidr: Library = {
  name: 'kubernetes.net.cidr',
  constants: { 'net.CIDR': { type: types.type(cidrType), value: new TypeValue(cidrType) } },
  functions: {
    cidr: [
      {
        id: 'string_to_cidr',
        parameters: [types.string],
        result: cidrType,
        call: (text) => parseCidr(text as string),
        cost: readsFirst(),
        estimate: estimatesReading(),
      },
    ],
    isCIDR: [
      {
        id: 'is_cidr',
        parameters: [types.string],
        result: types.bool,
        call: (text) => parseCidr(text as string) instanceof CidrValue,
        cost: readsFirst(),
        estimate: estimatesReading(),
      },
    ],
    containsIP: [
      contains('cidr_contains_ip_string', types.string, (value, text) => {
        const other = parseIp(text as string)
        // what is wrong with the text upstream does not say here
        return other instanceof CelError ? noSuchOverload : containsIp(value as CidrValue, other)
      }),
      contains('cidr_contains_ip_ip', ipType, (value, other) => containsIp(value as CidrValue, other as IpValue)),
    ],
    containsCIDR: [
      contains('cidr_contains_cidr_string', types.string, (value, text) => {
        const other = parseCidr(text as string)
        return other instanceof CelError ? other : containsCidr(value as CidrValue, other)
      }),
      contains('cidr_contains_cidr', cidrType, (value, other) => containsCidr(value as CidrValue, other as CidrValue)),
    ],
    ip: [accessor('cidr_ip', ipType, ({ prefix }) => new IpValue(prefix.address))],
    prefixLength: [accessor('cidr_prefix_length', types.int, ({ prefix }) => BigInt(prefix.length))],
    masked: [accessor('cidr_masked', cidrType, ({ prefix }) => new CidrValue(maskPrefix(prefix)))],
    string: [{ id: 'cidr_to_string', parameters: [cidrType], result: types.string, call: (value) => (value as CidrValue).toString() }],
  },
}
