import type { DeepReadonly, apps } from '#api'
import { withCondition } from '#api'
import type { Pod } from '../workload/pods.ts'
import { availableAt, byDispensability, isActive, isReady, isTerminating } from '../workload/pods.ts'

/** At most this many pods are made or deleted in one go. */
const burst = 500

export interface ReplicaPlan {
  create: number
  delete: Pod[]
}

/** How many pods to make, or which to delete. `siblings` are pods of the same deployment, which tell where pods are doubled up. */
export function planReplicas(replicas: number, pods: readonly Pod[], siblings: () => readonly Pod[] = () => pods): ReplicaPlan {
  const active = pods.filter(isActive)
  const missing = replicas - active.length
  if (missing >= 0) return { create: Math.min(missing, burst), delete: [] }
  return { create: 0, delete: byDispensability(active, siblings().filter(isActive)).slice(0, Math.min(-missing, burst)) }
}

export interface ReplicaStatusInput {
  generation: number | undefined
  minReadySeconds: number
  templateLabels: Readonly<Record<string, string>>
  pods: readonly Pod[]
  previous: DeepReadonly<apps.ReplicaSetStatus> | undefined
  /** Why pods could not be made or deleted, if so. */
  failure?: { reason: 'FailedCreate' | 'FailedDelete'; message: string }
  countsTerminating: boolean
  now: number
}

/** The status to write, and when it will change by time alone (milliseconds from now). */
export function replicaStatus(input: ReplicaStatusInput): { status: apps.ReplicaSetStatus; recheckAfter?: number } {
  const active = input.pods.filter(isActive)
  const labels = Object.entries(input.templateLabels)
  const times = active.map((pod) => availableAt(pod, input.minReadySeconds))
  const later = times.filter((t) => t !== undefined && t > input.now) as number[]
  const now = new Date(input.now).toISOString().slice(0, 19) + 'Z'
  let conditions = (input.previous?.conditions ?? []) as apps.ReplicaSetCondition[]
  conditions = input.failure
    ? withCondition<apps.ReplicaSetCondition>(conditions, { type: 'ReplicaFailure', status: 'True', ...input.failure }, now).slice()
    : conditions.filter((c) => c.type !== 'ReplicaFailure')
  const status: apps.ReplicaSetStatus = {
    replicas: active.length,
    ...positive('fullyLabeledReplicas', active.filter((pod) => labels.every(([k, v]) => pod.metadata.labels?.[k] === v)).length),
    ...positive('readyReplicas', active.filter(isReady).length),
    ...positive('availableReplicas', times.filter((t) => t !== undefined && t <= input.now).length),
    // a zero is written: clients tell it from a controller that does not count
    ...(input.countsTerminating ? { terminatingReplicas: input.pods.filter(isTerminating).length } : {}),
    ...(input.generation === undefined ? {} : { observedGeneration: input.generation }),
    ...(conditions.length > 0 ? { conditions } : {}),
  }
  return { status, ...(later.length > 0 ? { recheckAfter: Math.min(...later) - input.now } : {}) }
}

/** Zero counts are left out, as the wire form leaves them out. */
const positive = <K extends string>(key: K, n: number) => (n > 0 ? ({ [key]: n } as Record<K, number>) : {})
