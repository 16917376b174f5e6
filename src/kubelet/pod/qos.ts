import { compareQuantity } from '#api'
import type { Pod } from './names.ts'

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort'

const counted = ['cpu', 'memory'] as const

/**
 * The pod's quality of service class: Guaranteed when every container has cpu and memory limits equal to its requests, BestEffort when none has
 * any, else Burstable. Resources of the pod as a whole, where given, decide alone.
 */
export function qosClass(pod: Pod): QosClass {
  const spec = pod.spec
  const all = spec?.resources ? [spec] : [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]
  const amount = (list: Readonly<Record<string, string>> | undefined, name: string) => {
    const value = list?.[name]
    return value !== undefined && compareQuantity(value, 0) > 0 ? value : undefined
  }
  let any = false
  let guaranteed = true
  for (const { resources } of all) {
    for (const name of counted) {
      const request = amount(resources?.requests, name)
      const limit = amount(resources?.limits, name)
      if (request !== undefined || limit !== undefined) any = true
      if (limit === undefined || (request !== undefined && compareQuantity(request, limit) !== 0)) guaranteed = false
    }
  }
  if (!any) return 'BestEffort'
  return guaranteed ? 'Guaranteed' : 'Burstable'
}
