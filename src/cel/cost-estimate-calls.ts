import type { CallEstimate, EstimatedArgument, SizeEstimate } from './library.ts'
import { add, exactly, multiply, regexFactor, scale, traversalFactor } from './libraries/costs.ts'

export interface SizedArgument extends EstimatedArgument {
  /** Whether anything tells the size. */
  sized: boolean
}

const one = exactly(1)

/** Values of Kubernetes' own types are equal or not at a glance, but for formats and URLs, which are compared as texts. */
const atAGlance = new Set([
  'net.IP',
  'net.CIDR',
  'kubernetes.Quantity',
  'kubernetes.Semver',
  'kubernetes.authorization.Authorizer',
  'kubernetes.authorization.PathCheck',
  'kubernetes.authorization.GroupCheck',
  'kubernetes.authorization.ResourceCheck',
  'kubernetes.authorization.Decision',
])
const longestFormat = 64n

export function estimateEquality(name: string, [a, b]: readonly SizedArgument[]): CallEstimate | undefined {
  if (name !== '_==_' || a?.type.kind !== 'opaque' || b?.type.kind !== 'opaque' || a.type.name !== b.type.name) return undefined
  if (atAGlance.has(a.type.name)) return { cost: one }
  if (a.type.name === 'kubernetes.NamedFormat') return { cost: scale({ min: 1n, max: longestFormat }, traversalFactor) }
  if (a.type.name !== 'kubernetes.URL') return undefined
  return { cost: scale({ min: 1n, max: b.sized ? b.size.max : 1n }, traversalFactor) }
}

const wrapping = (value: bigint): bigint => BigInt.asUintN(64, value)

/** What overloads of the standard library cost; undefined for those that cost one, or need to be looked at as a whole. */
export function estimateStandard(id: string, args: readonly SizedArgument[]): CallEstimate | undefined {
  const [first, second] = args.map(({ size }) => size) as [SizeEstimate, SizeEstimate]
  const reading = (size: SizeEstimate) => scale(size, traversalFactor)
  switch (id) {
    case 'string_to_bytes':
      return { cost: reading(first), result: { min: first.min, max: wrapping(first.max * 4n) } }
    case 'bytes_to_string':
      return { cost: reading(first), result: { min: first.min / 4n, max: first.max } }
    case 'starts_with_string':
    case 'ends_with_string':
      return { cost: reading(second) }
    case 'in_list':
      return { cost: scale(second, 1) }
    case 'matches':
    case 'matches_string':
      return { cost: multiply(reading(add(first, one)), scale(second, regexFactor)) }
    case 'contains_string':
      return { cost: multiply(reading(first), reading(second)) }
    case 'less_string':
    case 'greater_string':
    case 'less_equals_string':
    case 'greater_equals_string':
    case 'less_bytes':
    case 'greater_bytes':
    case 'less_equals_bytes':
    case 'greater_equals_bytes':
    case 'equals':
    case 'not_equals': {
      const max = first.max < second.max ? first.max : second.max
      return { cost: reading({ min: max > 0n ? 1n : 0n, max }) }
    }
    default:
      return undefined
  }
}
