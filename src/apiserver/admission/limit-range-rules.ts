import type { DeepReadonly, Quantity, core } from '#api'
import { addQuantity, approximateValue, canonicalQuantity, compareQuantity, formatQuantity, parseQuantity } from '#api'

type Amounts = Readonly<Record<string, string>>
type LimitItem = DeepReadonly<core.LimitRangeItem>

interface Asked {
  requests: Amounts
  limits: Amounts
}

/** What one item of a limit range has against a pod or a claim, worded as upstream. */
export function limitProblems(
  item: LimitItem,
  subject: { pod?: DeepReadonly<core.Pod>; claim?: DeepReadonly<core.PersistentVolumeClaim> },
): string[] {
  const { pod, claim } = subject
  if (item.type === 'PersistentVolumeClaim' && claim) {
    const requests = claim.spec?.resources?.requests ?? {}
    return [
      ...each(item.min, (name, bound) => minProblem(item.type, name, bound, { requests, limits: {} })),
      ...each(item.max, (name, bound) => maxRequestProblem(item.type, name, bound, requests)),
    ]
  }
  if (!pod?.spec) return []
  if (item.type === 'Container') {
    return [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])].flatMap(({ resources }) =>
      boundProblems(item, { requests: resources?.requests ?? {}, limits: resources?.limits ?? {} }),
    )
  }
  if (item.type === 'Pod') return boundProblems(item, { requests: podTotal(pod, 'requests'), limits: podTotal(pod, 'limits') })
  return []
}

function boundProblems(item: LimitItem, asked: Asked): string[] {
  return [
    ...each(item.min, (name, bound) => minProblem(item.type, name, bound, asked)),
    ...each(item.max, (name, bound) => maxProblem(item.type, name, bound, asked)),
    ...each(item.maxLimitRequestRatio, (name, bound) => ratioProblem(item.type, name, bound, asked)),
  ]
}

function each(bounds: Amounts | undefined, check: (name: string, bound: string) => string | undefined): string[] {
  return Object.entries(bounds ?? {}).flatMap(([name, bound]) => check(name, bound) ?? [])
}

function minProblem(type: string, name: string, bound: string, { requests, limits }: Asked): string | undefined {
  const rule = `minimum ${name} usage per ${type} is ${canonicalQuantity(bound)}`
  const [request, limit] = [requests[name], limits[name]]
  if (request === undefined) return `${rule}.  No request is specified`
  if (compareQuantity(request, bound) < 0) return `${rule}, but request is ${canonicalQuantity(request)}`
  return limit !== undefined && compareQuantity(limit, bound) < 0 ? `${rule}, but limit is ${canonicalQuantity(limit)}` : undefined
}

function maxProblem(type: string, name: string, bound: string, { requests, limits }: Asked): string | undefined {
  const rule = `maximum ${name} usage per ${type} is ${canonicalQuantity(bound)}`
  const [request, limit] = [requests[name], limits[name]]
  if (limit === undefined) return `${rule}.  No limit is specified`
  if (compareQuantity(limit, bound) > 0) return `${rule}, but limit is ${canonicalQuantity(limit)}`
  return request !== undefined && compareQuantity(request, bound) > 0 ? `${rule}, but request is ${canonicalQuantity(request)}` : undefined
}

function maxRequestProblem(type: string, name: string, bound: string, requests: Amounts): string | undefined {
  const rule = `maximum ${name} usage per ${type} is ${canonicalQuantity(bound)}`
  const request = requests[name]
  if (request === undefined) return `${rule}.  No request is specified`
  return compareQuantity(request, bound) > 0 ? `${rule}, but request is ${canonicalQuantity(request)}` : undefined
}

function ratioProblem(type: string, name: string, bound: string, { requests, limits }: Asked): string | undefined {
  const rule = `${name} max limit to request ratio per ${type} is ${canonicalQuantity(bound)}`
  const request = approximateValue(requests[name] ?? '0')
  const limit = approximateValue(limits[name] ?? '0')
  if (request === 0) return `${rule}, but no request is specified or request is 0`
  if (limit === 0) return `${rule}, but no limit is specified or limit is 0`
  const ratio = limit / request
  return ratio > approximateValue(bound) ? `${rule}, but provided ratio is ${ratio.toFixed(6)}` : undefined
}

/**
 * What a pod asks for as a whole: the sum over its containers of every resource that all of them name, or an init container's where
 * that is more.
 */
function podTotal({ spec }: DeepReadonly<core.Pod>, which: 'requests' | 'limits'): Amounts {
  const containers = (spec?.containers ?? []).map(({ resources }) => resources?.[which] ?? {})
  const names = new Set(containers.flatMap((amounts) => Object.keys(amounts)))
  const total = new Map<string, Quantity>()
  for (const name of names) {
    if (!containers.every((amounts) => amounts[name] !== undefined)) continue
    total.set(name, containers.map((amounts) => parseQuantity(amounts[name]!)).reduce(addQuantity))
  }
  for (const { resources } of spec?.initContainers ?? []) {
    for (const [name, amount] of Object.entries(resources?.[which] ?? {})) {
      const known = total.get(name)
      if (!known || compareQuantity(amount, known) > 0) total.set(name, parseQuantity(amount))
    }
  }
  return Object.fromEntries([...total].map(([name, quantity]) => [name, formatQuantity(quantity)]))
}
