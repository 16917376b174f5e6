import type { DeepReadonly, networking } from '#api'
import { findCondition } from '#api'
import type { ObjectReader } from '../../object-reader.ts'
import type { AddressRange } from './ranges.ts'
import { addressRange, usableRange } from './ranges.ts'

/** The ServiceCIDR that the API server makes of its own range. */
export const defaultServiceCidr = 'kubernetes'

type ServiceCidr = DeepReadonly<networking.ServiceCIDR>

export interface ServiceRangesOptions {
  reader(): ObjectReader
  /** The API server's own range, which says the family of services. */
  configured: string
}

/**
 * The ranges that services get addresses from, as the ServiceCIDRs say now: those of the family, ready and not on their way out; the server's own comes
 * first, also while it has no object.
 */
export function serviceRanges({ reader, configured }: ServiceRangesOptions): () => readonly AddressRange[] {
  const own = addressRange(configured)
  let current: readonly AddressRange[] | undefined
  let follows = false
  return () => {
    const source = reader()
    if (!follows) source.onChange('networking.k8s.io', 'servicecidrs', () => (current = undefined))
    follows = true
    return (current ??= rangesOf(source.list<networking.ServiceCIDR>('networking.k8s.io', 'servicecidrs'), own))
  }
}

export function rangesOf(objects: readonly ServiceCidr[], own: AddressRange): AddressRange[] {
  const ranges = new Map<string, AddressRange>()
  const add = (range: AddressRange | undefined) => {
    if (range?.family === own.family && !ranges.has(range.cidr)) ranges.set(range.cidr, range)
  }
  if (!objects.some(({ metadata }) => metadata.name === defaultServiceCidr)) add(own)
  for (const object of [...objects].sort(byName)) if (isUsable(object)) for (const cidr of object.spec.cidrs ?? []) add(usableRange(cidr))
  return [...ranges.values()]
}

function byName(a: ServiceCidr, b: ServiceCidr): number {
  const [x, y] = [a.metadata.name, b.metadata.name]
  if (x === defaultServiceCidr || y === defaultServiceCidr) return x === y ? 0 : x === defaultServiceCidr ? -1 : 1
  return x < y ? -1 : x > y ? 1 : 0
}

/** Ready where nobody says otherwise: also while no controller runs. */
const isUsable = ({ metadata, status }: ServiceCidr) =>
  !metadata.deletionTimestamp && (findCondition(status?.conditions, 'Ready')?.status ?? 'True') === 'True'
