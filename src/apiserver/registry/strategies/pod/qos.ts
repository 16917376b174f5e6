import type { DeepReadonly, core } from '#api'
import { compareQuantities, isZeroQuantity } from '../../validation/quantities.ts'

const counted = ['cpu', 'memory'] as const

/**
 * The pod's quality of service (https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/): Guaranteed when every container's
 * limits of CPU and memory are set and equal its requests, BestEffort when nothing is set, Burstable in between. Pod-level
 * resources, when set, decide alone.
 */
export function podQosClass(spec: DeepReadonly<core.PodSpec>): core.PodQOSClass {
  if (spec.resources && (spec.resources.limits || spec.resources.requests)) return combine([classOf(spec.resources)])
  const classes = spec.containers.map((container) => classOf(container.resources))
  if (spec.initContainers) for (const container of spec.initContainers) classes.push(classOf(container.resources))
  return combine(classes)
}

function combine(classes: core.PodQOSClass[]): core.PodQOSClass {
  let [guaranteed, bestEffort] = [true, true]
  for (const one of classes) {
    if (one !== 'Guaranteed') guaranteed = false
    if (one !== 'BestEffort') bestEffort = false
  }
  return bestEffort ? 'BestEffort' : guaranteed ? 'Guaranteed' : 'Burstable'
}

function classOf(resources: DeepReadonly<core.ResourceRequirements> | undefined): core.PodQOSClass {
  const { limits, requests } = resources ?? {}
  if (!limits && !requests) return 'BestEffort'
  let any = false
  let guaranteed = true
  for (const name of counted) {
    const limit = positive(limits?.[name])
    const request = positive(requests?.[name])
    if (limit !== undefined || request !== undefined) any = true
    if (limit === undefined || (request !== undefined && compareQuantities(request, limit) !== 0)) guaranteed = false
  }
  return !any ? 'BestEffort' : guaranteed ? 'Guaranteed' : 'Burstable'
}

const positive = (quantity: string | undefined) => (quantity === undefined || isZeroQuantity(quantity) ? undefined : quantity)
