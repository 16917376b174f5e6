import { BlockList, isIPv6 } from 'node:net'
import { type DeepReadonly, type meta, type networking, findCondition, withCondition } from '#api'

type ServiceCidr = DeepReadonly<networking.ServiceCIDR>
type IPAddress = DeepReadonly<networking.IPAddress>

export const finalizer = 'networking.k8s.io/service-cidr-finalizer'
const managerLabel = 'ipaddress.kubernetes.io/managed-by'
const manager = 'ipallocator.k8s.io'

/** For so long after its deletion a range stays, milliseconds: allocators that have not heard of it may still give away an address of it. */
const graceMs = 10_000

/** What to do about one range. */
export type ServiceCidrPlan =
  | { action: 'nothing' }
  /** Keep it from going, and say that it is ready. */
  | { action: 'keep'; finalizers?: string[]; conditions?: meta.Condition[] }
  /** It goes, but not yet: addresses of it are in use. */
  | { action: 'hold'; conditions?: meta.Condition[] }
  | { action: 'wait'; milliseconds: number }
  /** Nothing needs it any more. */
  | { action: 'release'; finalizers: string[] }

export interface ServiceCidrView {
  cidr: ServiceCidr
  /** All ranges, this one among them. */
  all: readonly ServiceCidr[]
  addresses: readonly IPAddress[]
  /** Milliseconds since the epoch. */
  now: number
}

export function planServiceCidr({ cidr, all, addresses, now }: ServiceCidrView): ServiceCidrPlan {
  const { deletionTimestamp, finalizers = [] } = cidr.metadata
  const conditions = (condition: Omit<meta.Condition, 'type' | 'lastTransitionTime'>) => {
    const before = cidr.status?.conditions as meta.Condition[] | undefined
    const after = withCondition(before, { type: 'Ready', ...condition }, new Date(now).toISOString().slice(0, 19) + 'Z')
    return after === before ? {} : { conditions: [...after] as meta.Condition[] }
  }
  if (!deletionTimestamp) {
    const protect = finalizers.includes(finalizer) ? {} : { finalizers: [...finalizers, finalizer] }
    const ready = findCondition(cidr.status?.conditions, 'Ready')?.status === 'True'
    const status = ready ? {} : conditions({ status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' })
    return Object.keys({ ...protect, ...status }).length === 0 ? { action: 'nothing' } : { action: 'keep', ...protect, ...status }
  }
  if (!finalizers.includes(finalizer)) return { action: 'nothing' }
  const others = all.filter((one) => one.metadata.name !== cidr.metadata.name && !one.metadata.deletionTimestamp)
  const covered = (cidr.spec.cidrs ?? []).every((range) => others.some((one) => one.spec.cidrs?.some((other) => containsRange(other, range))))
  const needed = (address: IPAddress) =>
    address.metadata.labels?.[managerLabel] === manager &&
    contains(cidr, address.metadata.name) &&
    !others.some((one) => contains(one, address.metadata.name))
  if (!covered && addresses.some(needed))
    return {
      action: 'hold',
      ...conditions({
        status: 'False',
        reason: 'Terminating',
        message: 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
      }),
    }
  const milliseconds = Date.parse(deletionTimestamp) + graceMs - now
  if (milliseconds > 0) return { action: 'wait', milliseconds }
  return { action: 'release', finalizers: finalizers.filter((one) => one !== finalizer) }
}

/** Whether the range can give away the address: not the network's own, nor (IPv4) that of all. */
export function contains(cidr: ServiceCidr, address: string): boolean {
  return cidr.spec.cidrs?.some((range) => inside(range, address) && !isEdge(range, address)) ?? false
}

function containsRange(outer: string, inner: string): boolean {
  const [address = '', bits = ''] = inner.split('/')
  return Number(outer.split('/')[1]) <= Number(bits) && inside(outer, address)
}

function inside(range: string, address: string): boolean {
  const [base = '', bits = ''] = range.split('/')
  if (isIPv6(base) !== isIPv6(address)) return false
  const type = isIPv6(base) ? 'ipv6' : 'ipv4'
  const list = new BlockList()
  list.addSubnet(base, Number(bits), type)
  return list.check(address, type)
}

function isEdge(range: string, address: string): boolean {
  const [base = '', bits = ''] = range.split('/')
  if (isIPv6(base)) return base === address
  const host = address.split('.').reduce((number, part) => number * 256 + Number(part), 0) % 2 ** (32 - Number(bits))
  return host === 0 || host === 2 ** (32 - Number(bits)) - 1
}
