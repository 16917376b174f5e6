import type { apps } from '#api'
import { scaledValue } from '#api'
import type { Revision } from '../workload/history.ts'
import type { Pod } from '../workload/pods.ts'
import { availableAt, isReady } from '../workload/pods.ts'
import type { StatefulSet } from './identity.ts'
import { missingIdentity, ordinalOf, revisionLabel } from './identity.ts'

export interface StatefulSetState {
  set: StatefulSet
  /** What pods below the partition (or not reached by an update yet) are made from. */
  current: Revision
  /** The revision of the set's template. */
  update: Revision
  pods: readonly Pod[]
  /** Whether a claim of the ordinal is about to be deleted, so that its pod cannot be made yet. */
  claimsAreStale?(ordinal: number): boolean
  /** Wall time, milliseconds. */
  now: number
}

export interface StatefulSetPlan {
  create: { ordinal: number; revision: Revision }[]
  delete: Pod[]
  /** Pods that lack labels of their identity. */
  label: { pod: Pod; labels: Record<string, string> }[]
  /** Ordinals of pods that wait for their claims. */
  claims: number[]
  status: apps.StatefulSetStatus
  /** Milliseconds until a ready pod counts as available. */
  recheckAfter?: number
}

const isFinished = (pod: Pod) => pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded'
const isLeaving = (pod: Pod) => pod.metadata.deletionTimestamp !== undefined
const revisionOf = (pod: Pod) => pod.metadata.labels?.[revisionLabel]

/** The ordinals that the set is to have, from `first` up to but not including `end`. */
export function ordinals(set: StatefulSet): { first: number; end: number } {
  const first = set.spec.ordinals?.start ?? 0
  return { first, end: first + (set.spec.replicas ?? 1) }
}

/** What to do for a stateful set (https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#deployment-and-scaling-guarantees). */
export function planStatefulSet(state: StatefulSetState): StatefulSetPlan {
  const { set, current, update, now } = state
  const { first, end } = ordinals(set)
  const plan: StatefulSetPlan = { create: [], delete: [], label: [], claims: [], status: { replicas: 0 } }
  const living = new Map<number, Pod>()
  const condemned: { ordinal: number; pod: Pod }[] = []
  for (const pod of state.pods) {
    const ordinal = ordinalOf(set, pod)
    if (ordinal === undefined) continue
    if (ordinal >= first && ordinal < end) living.set(ordinal, pod)
    else condemned.push({ ordinal, pod })
  }
  condemned.sort((a, b) => b.ordinal - a.ordinal)

  if (!set.metadata.deletionTimestamp) {
    const settled = planLiving(state, living, plan) && planCondemned(state, living, condemned, plan)
    if (settled && set.spec.updateStrategy?.type !== 'OnDelete') planUpdate(state, living, plan)
  }
  plan.status = statusOf(state, plan)
  const times = state.pods.map((pod) => availableAt(pod, set.spec.minReadySeconds ?? 0)).filter((t) => t !== undefined && t > now) as number[]
  if (times.length > 0) plan.recheckAfter = Math.min(...times) - now
  // a rollout is over when all pods are of the new revision and serve
  const { status } = plan
  const replicas = set.spec.replicas ?? 1
  const { updatedReplicas = 0, readyReplicas = 0 } = status
  if (set.spec.updateStrategy?.type !== 'OnDelete' && updatedReplicas === replicas && readyReplicas === replicas && status.replicas === replicas) {
    status.currentRevision = update.metadata.name
    setCount(status, 'currentReplicas', updatedReplicas)
  } else status.currentRevision = current.metadata.name
  return plan
}

const isOrdered = (set: StatefulSet) => set.spec.podManagementPolicy !== 'Parallel'

const isServing = ({ set, now }: StatefulSetState, pod: Pod) =>
  pod.status?.phase === 'Running' && isReady(pod) && (availableAt(pod, set.spec.minReadySeconds ?? 0) ?? Infinity) <= now

/** Makes what is missing, in order. Answers whether all that should be there is there and may be built upon. */
function planLiving(state: StatefulSetState, living: ReadonlyMap<number, Pod>, plan: StatefulSetPlan): boolean {
  const { set } = state
  const { first, end } = ordinals(set)
  const ordered = isOrdered(set)
  let settled = true
  for (let ordinal = first; ordinal < end; ordinal++) {
    const pod = living.get(ordinal)
    const goOn = pod ? keep(state, ordinal, pod, plan) : make(state, ordinal, plan)
    if (!goOn) settled = false
    if (!goOn && ordered) return false
  }
  return ordered ? settled : true
}

function make(state: StatefulSetState, ordinal: number, plan: StatefulSetPlan): boolean {
  if (state.claimsAreStale?.(ordinal)) return false
  plan.create.push({ ordinal, revision: revisionFor(state, ordinal) })
  return false
}

function keep(state: StatefulSetState, ordinal: number, pod: Pod, plan: StatefulSetPlan): boolean {
  // whatever ended it (an eviction, a reboot): a pod of the set is to run
  if (isFinished(pod)) {
    if (!isLeaving(pod)) plan.delete.push(pod)
    return false
  }
  if (pod.status?.phase === 'Pending') plan.claims.push(ordinal)
  const labels = missingIdentity(state.set, pod, ordinal)
  if (labels && !isLeaving(pod)) plan.label.push({ pod, labels })
  return !isLeaving(pod) && isServing(state, pod)
}

/** Below the partition pods are made from the revision that was current, so that a canary stays one when a pod is lost. */
function revisionFor({ set, current, update }: StatefulSetState, ordinal: number): Revision {
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {}
  if (type === 'OnDelete') return update
  const { first } = ordinals(set)
  const kept = rollingUpdate ? (rollingUpdate.partition ?? 0) : (set.status?.currentReplicas ?? 0)
  return ordinal < first + kept ? current : update
}

/** Takes away what is too much, the highest ordinal first. Answers whether nothing is left to take away. */
function planCondemned(
  state: StatefulSetState,
  living: ReadonlyMap<number, Pod>,
  condemned: readonly { ordinal: number; pod: Pod }[],
  plan: StatefulSetPlan,
): boolean {
  if (!isOrdered(state.set)) {
    plan.delete.push(...condemned.map(({ pod }) => pod).filter((pod) => !isLeaving(pod)))
    return true
  }
  // all living pods serve, or we would not be here: the first that does not is among the condemned, by the lowest ordinal
  const firstUnhealthy = [...living.values(), ...condemned.map(({ pod }) => pod).reverse()].find((pod) => isLeaving(pod) || !isServing(state, pod))
  const next = condemned[0]?.pod
  if (!next) return true
  if (!isLeaving(next) && (isServing(state, next) || next === firstUnhealthy)) plan.delete.push(next)
  return false
}

/** Replaces pods of another revision from the highest ordinal down to the partition. */
function planUpdate({ set, update, ...state }: StatefulSetState, living: ReadonlyMap<number, Pod>, plan: StatefulSetPlan): void {
  const { first, end } = ordinals(set)
  const rolling = set.spec.updateStrategy?.rollingUpdate
  const limit = Math.max(rolling?.maxUnavailable === undefined ? 1 : scaledValue(rolling.maxUnavailable, end - first, 'down'), 1)
  let unavailable = 0
  for (let ordinal = end - 1; ordinal >= first + (rolling?.partition ?? 0) && unavailable < limit; ordinal--) {
    const pod = living.get(ordinal)
    if (!pod || isLeaving(pod)) unavailable++
    else if (revisionOf(pod) !== update.metadata.name) {
      if (!plan.delete.includes(pod)) plan.delete.push(pod)
      unavailable++
    } else if (!isServing({ set, update, ...state }, pod)) unavailable++
  }
}

type Count = 'readyReplicas' | 'currentReplicas' | 'updatedReplicas'

function setCount(status: apps.StatefulSetStatus, key: Count, n: number): void {
  if (n > 0) status[key] = n
  else delete status[key]
}

function statusOf(state: StatefulSetState, plan: StatefulSetPlan): apps.StatefulSetStatus {
  const { set, current, update, pods } = state
  const count = { replicas: 0, readyReplicas: 0, availableReplicas: 0, currentReplicas: 0, updatedReplicas: 0 }
  const going = new Set(plan.delete)
  for (const pod of pods) {
    if (ordinalOf(set, pod) === undefined || !pod.status?.phase) continue
    count.replicas++
    if (pod.status.phase === 'Running' && isReady(pod)) count.readyReplicas++
    if (isServing(state, pod)) count.availableReplicas++
    if (isLeaving(pod) || going.has(pod)) continue
    if (revisionOf(pod) === current.metadata.name) count.currentReplicas++
    if (revisionOf(pod) === update.metadata.name) count.updatedReplicas++
  }
  const status: apps.StatefulSetStatus = {
    observedGeneration: set.metadata.generation!,
    replicas: count.replicas,
    availableReplicas: count.availableReplicas,
    updateRevision: update.metadata.name,
    collisionCount: set.status?.collisionCount ?? 0,
    ...(set.status?.conditions ? { conditions: set.status.conditions as apps.StatefulSetCondition[] } : {}),
  }
  for (const key of ['readyReplicas', 'currentReplicas', 'updatedReplicas'] as const) setCount(status, key, count[key])
  return status
}
