import { parseQuantity, quantityValue } from '#api'

/** Signals that the kubelet watches, by upstream's names. */
export const evictionSignals = ['memory.available', 'nodefs.available', 'nodefs.inodesFree', 'imagefs.available', 'pid.available'] as const
export type EvictionSignal = (typeof evictionSignals)[number]

/** Below this, pods are evicted: a quantity (`100Mi`) or a share of the capacity (`10%`). A signal that is left out is not watched. */
export type EvictionThresholds = Readonly<Partial<Record<EvictionSignal, string>>>

/** Upstream's defaults for Linux. */
export const defaultThresholds: EvictionThresholds = {
  'memory.available': '100Mi',
  'nodefs.available': '10%',
  'nodefs.inodesFree': '5%',
  'imagefs.available': '15%',
}

export interface Observation {
  available: number
  capacity: number
}

export type Observations = Readonly<Partial<Record<EvictionSignal, Observation>>>

/** A threshold in the unit of its signal. Throws RangeError for what is neither a quantity nor a percentage. */
export function thresholdValue(threshold: string, capacity: number): number {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(threshold)
  if (percent) return (capacity * Number(percent[1])) / 100
  try {
    return quantityValue(parseQuantity(threshold))
  } catch (cause) {
    throw new RangeError(`eviction threshold "${threshold}" is neither a quantity nor a percentage`, { cause })
  }
}

/** The signals whose thresholds are crossed. */
export function crossed(thresholds: EvictionThresholds, observed: Observations): EvictionSignal[] {
  return evictionSignals.filter((signal) => {
    const threshold = thresholds[signal]
    const now = observed[signal]
    return threshold !== undefined && now !== undefined && now.available < thresholdValue(threshold, now.capacity)
  })
}
