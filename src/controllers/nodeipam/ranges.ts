import { BlockList, isIPv6 } from 'node:net'

/** A CIDR cut into equal blocks, e.g. 10.244.0.0/16 into /24s; at most 2^16 of them are handed out. */
export interface BlockRange {
  cidr: string
  /** Bits of a block's prefix. */
  blockBits: number
}

const maxBlocks = 2 ** 16

function toNumber(ip: string): bigint {
  if (!isIPv6(ip)) return ip.split('.').reduce((n, part) => (n << 8n) | BigInt(part), 0n)
  const [head = '', tail] = ip.split('::')
  const left = head ? head.split(':') : []
  const right = tail ? tail.split(':') : []
  const groups = tail === undefined ? left : [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
  return groups.reduce((n, group) => (n << 16n) | BigInt(`0x${group || '0'}`), 0n)
}

function toText(n: bigint, v6: boolean): string {
  if (!v6) return [24n, 16n, 8n, 0n].map((shift) => (n >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => ((n >> BigInt(112 - 16 * i)) & 0xffffn).toString(16))
  // the longest run of two or more zero groups is written as ::
  let [from, length] = [0, 1]
  for (let i = 0; i < 8; i++) {
    let run = 0
    while (groups[i + run] === '0') run++
    if (run > length) [from, length] = [i, run]
  }
  return length < 2 ? groups.join(':') : `${groups.slice(0, from).join(':')}::${groups.slice(from + length).join(':')}`
}

/** The blocks of a range in order. Throws RangeError where the range is none. */
export function* blocks({ cidr, blockBits }: BlockRange): Generator<string> {
  const [ip = '', prefix = ''] = cidr.split('/')
  const v6 = isIPv6(ip)
  const width = v6 ? 128 : 32
  const bits = Number(prefix)
  if (!(bits <= blockBits && blockBits <= width)) throw new RangeError(`${cidr} has no blocks of /${blockBits}`)
  const start = (toNumber(ip) >> BigInt(width - bits)) << BigInt(width - bits)
  const count = Math.min(2 ** (blockBits - bits), maxBlocks)
  for (let i = 0; i < count; i++) yield `${toText(start + (BigInt(i) << BigInt(width - blockBits)), v6)}/${blockBits}`
}

/** The first block of the range that overlaps with none of `used`. */
export function firstFree(range: BlockRange, used: Iterable<string>): string | undefined {
  const taken = new Set(used)
  const list = new BlockList()
  for (const cidr of taken) {
    const [ip = '', bits = ''] = cidr.split('/')
    list.addSubnet(ip, Number(bits), isIPv6(ip) ? 'ipv6' : 'ipv4')
  }
  for (const block of blocks(range)) {
    const ip = block.split('/')[0]!
    if (!taken.has(block) && !list.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4')) return block
  }
  return undefined
}
