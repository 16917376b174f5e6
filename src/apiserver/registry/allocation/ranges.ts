import { isIP } from 'node:net'

/** A range of integers that stand for addresses or ports; `first` and `last` are both usable. */
export interface NumberRange {
  first: bigint
  last: bigint
  /** Dynamic allocation starts here: what lies below is left to those who ask for a certain number, until the rest is full. */
  dynamicFrom: bigint
}

export interface AddressRange extends NumberRange {
  cidr: string
  family: 4 | 6
}

/** No IPv6 range of services is larger: 64 bits are left for addresses. */
const shortestPrefix = { 4: 0, 6: 64 }

/**
 * The usable addresses of a CIDR: without its network address and (IPv4) broadcast address. The lower band of 16 to 256 addresses is left for
 * static requests (KEP-3070).
 */
export function addressRange(cidr: string): AddressRange {
  const range = usableRange(cidr)
  if (!range) throw new Error(`${cidr} is not a usable range of service addresses`)
  return range
}

/** Like `addressRange`; undefined where no service can have an address of it. */
export function usableRange(cidr: string): AddressRange | undefined {
  const [address = '', bits = ''] = cidr.split('/')
  const family = isIP(address) as 4 | 6
  const length = family === 6 ? 128 : 32
  if (!family || !/^[0-9]{1,3}$/.test(bits) || Number(bits) > length || Number(bits) < shortestPrefix[family]) return undefined
  const hostBits = BigInt(length - Number(bits))
  const base = (addressNumber(address) >> hostBits) << hostBits
  const first = base + 1n
  const last = base + (1n << hostBits) - (family === 4 ? 2n : 1n)
  const count = last - first + 1n
  if (count <= 0n) return undefined
  const band = count < 32n ? 0n : clamp(count / 16n, 16n, 256n)
  return { cidr, family, first, last, dynamicFrom: first + band }
}

export function portRange(first: number, last: number): NumberRange {
  const count = last - first + 1
  const band = count < 32 ? 0 : Math.min(Math.max(Math.floor(count / 32), 16), 128)
  return { first: BigInt(first), last: BigInt(last), dynamicFrom: BigInt(first + band) }
}

const clamp = (value: bigint, low: bigint, high: bigint) => (value < low ? low : value > high ? high : value)

/** An IP address as a number; the text must be valid. */
export function addressNumber(address: string): bigint {
  if (isIP(address) === 4) return address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n)
  const [head = '', tail] = address.split('::')
  const groups = (text: string) =>
    text === ''
      ? []
      : text.split(':').flatMap((group) => {
          if (!group.includes('.')) return [BigInt(`0x${group}`)]
          const number = addressNumber(group)
          return [number >> 16n, number & 0xffffn]
        })
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const middle = Array.from({ length: 8 - left.length - right.length }, () => 0n)
  return [...left, ...middle, ...right].reduce((sum, group) => (sum << 16n) | group, 0n)
}

/** The canonical text of an address. */
export function addressText(number: bigint, family: 4 | 6): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => ((number >> BigInt(112 - 16 * i)) & 0xffffn).toString(16)).join(':')
  // The URL parser knows the canonical form.
  return new URL(`http://[${groups}]`).hostname.slice(1, -1)
}
