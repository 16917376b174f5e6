import type { core } from '#api'
import { aggregateContainers } from '../../validation/pod/aggregate.ts'
import { isHugePages } from '../../validation/resources.ts'

const isOvercommittable = (name: string) => name === 'cpu' || name === 'memory'
const isOfPods = (name: string) => isOvercommittable(name) || isHugePages(name)

/**
 * What a pod as a whole requests and may use, where only one of both is said, follows from its containers, whose own defaults
 * are there by now (https://kep.k8s.io/2837).
 */
export function defaultPodResources(spec: core.PodSpec): void {
  const resources = spec.resources!
  if (isEmpty(resources.limits) && isEmpty(resources.requests)) return
  const ofContainers = aggregateContainers(spec, 'limits')
  const { limits = {}, requests = {} } = resources
  for (const name in ofContainers) if (isHugePages(name) && !(name in requests)) limits[name] ??= ofContainers[name]!
  if (!isEmpty(limits)) defaultRequests(spec, limits, requests)
  else
    for (const name in ofContainers)
      if (isOvercommittable(name) && Object.keys(requests).some(isOfPods) && allLimited(spec, name)) limits[name] = ofContainers[name]!
  if (!isEmpty(limits)) resources.limits = limits
  if (!isEmpty(requests)) resources.requests = requests
}

function defaultRequests(spec: core.PodSpec, limits: Record<string, string>, requests: Record<string, string>): void {
  const ofContainers = aggregateContainers(spec, 'requests')
  for (const name in ofContainers) if (isOvercommittable(name)) requests[name] ??= ofContainers[name]!
  for (const name in limits) if (isOfPods(name)) requests[name] ??= limits[name]!
}

const allLimited = ({ containers, initContainers = [] }: core.PodSpec, name: string) =>
  [...containers, ...initContainers].every(({ resources }) => resources?.limits?.[name] !== undefined)

function isEmpty(amounts: object | undefined): boolean {
  for (const _ in amounts) return false
  return true
}
