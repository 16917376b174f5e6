import { scaledValue } from '#api'
import type { Deployment, ReplicaSet } from './revision.ts'
import { annotation, byCreation, revisionOf } from './revision.ts'

/** Sets and the sizes they should have; sets that stay are left out. */
export type Scaling = { set: ReplicaSet; replicas: number }[]

const sizeOf = (set: ReplicaSet) => set.spec.replicas ?? 1
const total = (sets: readonly ReplicaSet[]) => sets.reduce((n, set) => n + sizeOf(set), 0)
const available = (sets: readonly ReplicaSet[]) => sets.reduce((n, set) => n + (set.status?.availableReplicas ?? 0), 0)
const active = (sets: readonly ReplicaSet[]) => sets.filter((set) => sizeOf(set) > 0)

/** How many pods may be there beyond the wanted number, and how many may be missing, while a rolling update goes on. */
export function rollingLimits(deployment: Deployment): { maxSurge: number; maxUnavailable: number } {
  const replicas = deployment.spec.replicas ?? 1
  if (deployment.spec.strategy?.type === 'Recreate' || replicas === 0) return { maxSurge: 0, maxUnavailable: 0 }
  const rolling = deployment.spec.strategy?.rollingUpdate
  const maxSurge = scaledValue(rolling?.maxSurge ?? '25%', replicas, 'up')
  const maxUnavailable = Math.min(scaledValue(rolling?.maxUnavailable ?? '25%', replicas, 'down'), replicas)
  // both zero would stand still for ever
  return { maxSurge, maxUnavailable: maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable }
}

/**
 * The next step of a rolling update: at first the new set grows as far as the surge allows; then the old ones shrink as far as
 * availability allows, their unhealthy pods first.
 */
export function planRollingUpdate(deployment: Deployment, newSet: ReplicaSet, oldSets: readonly ReplicaSet[]): Scaling {
  const up = growNew(deployment, newSet, oldSets)
  if (up !== sizeOf(newSet)) return [{ set: newSet, replicas: up }]
  return shrinkOld(deployment, newSet, oldSets)
}

/** How large the new set may be now. */
export function growNew(deployment: Deployment, newSet: ReplicaSet | undefined, oldSets: readonly ReplicaSet[]): number {
  const replicas = deployment.spec.replicas ?? 1
  const size = newSet ? sizeOf(newSet) : 0
  if (deployment.spec.strategy?.type === 'Recreate') return replicas
  if (size >= replicas) return replicas
  const { maxSurge } = rollingLimits(deployment)
  const room = replicas + maxSurge - total(oldSets) - size
  return room <= 0 ? size : size + Math.min(room, replicas - size)
}

function shrinkOld(deployment: Deployment, newSet: ReplicaSet, oldSets: readonly ReplicaSet[]): Scaling {
  const olds = active(oldSets).toSorted(byCreation)
  if (olds.length === 0) return []
  const replicas = deployment.spec.replicas ?? 1
  const minAvailable = replicas - rollingLimits(deployment).maxUnavailable
  const newUnavailable = sizeOf(newSet) - (newSet.status?.availableReplicas ?? 0)
  let spare = total([...olds, newSet]) - minAvailable - newUnavailable
  if (spare <= 0) return []
  const sizes = new Map(olds.map((set) => [set, sizeOf(set)]))
  // pods that do not serve cost nothing
  for (const set of olds) {
    const unhealthy = sizes.get(set)! - (set.status?.availableReplicas ?? 0)
    const cut = Math.min(spare, Math.max(unhealthy, 0))
    sizes.set(set, sizes.get(set)! - cut)
    spare -= cut
  }
  let cuttable = available([...olds, newSet]) - minAvailable
  for (const set of olds) {
    const cut = Math.min(sizes.get(set)!, Math.max(cuttable, 0))
    sizes.set(set, sizes.get(set)! - cut)
    cuttable -= cut
  }
  return changes([...sizes])
}

/** Recreate: the old pods go first, and the new ones come when the last has ended. */
export function planRecreate(
  deployment: Deployment,
  newSet: ReplicaSet | undefined,
  oldSets: readonly ReplicaSet[],
  oldPodsRun: boolean,
): { scale: Scaling; mayCreate: boolean } {
  const olds = active(oldSets)
  if (olds.length > 0) return { scale: olds.map((set) => ({ set, replicas: 0 })), mayCreate: false }
  if (oldPodsRun) return { scale: [], mayCreate: false }
  const replicas = deployment.spec.replicas ?? 1
  return { scale: newSet && sizeOf(newSet) !== replicas ? [{ set: newSet, replicas }] : [], mayCreate: true }
}

/**
 * The sizes when only the wanted number changes. One set alone (or the newest, when all are empty) gets it all; once the new set serves in full, the old ones go; in the middle of a
 * rollout every set grows or shrinks by its share, the larger ones first, and what rounding leaves goes to the largest.
 */
export function planScale(deployment: Deployment, newSet: ReplicaSet | undefined, oldSets: readonly ReplicaSet[]): Scaling {
  const replicas = deployment.spec.replicas ?? 1
  const actives = active(newSet ? [...oldSets, newSet] : oldSets)
  if (actives.length <= 1) {
    const only = actives[0] ?? newSet ?? oldSets.toSorted(byCreation).at(-1)
    return only ? changes([[only, replicas]]) : []
  }
  if (newSet && isSaturated(deployment, newSet)) return changes(active(oldSets).map((set) => [set, 0]))
  if (deployment.spec.strategy?.type === 'Recreate') return []
  const allowed = replicas > 0 ? replicas + rollingLimits(deployment).maxSurge : 0
  const toAdd = allowed - total(actives)
  if (toAdd === 0) return []
  const newestFirst = (a: ReplicaSet, b: ReplicaSet) => byCreation(b, a)
  const ordered = actives.toSorted((a, b) => sizeOf(b) - sizeOf(a) || (toAdd > 0 ? newestFirst(a, b) : byCreation(a, b)))
  let added = 0
  const sizes = ordered.map((set) => {
    const left = toAdd - added
    const share = shareOf(deployment, set, allowed)
    const change = left === 0 ? 0 : toAdd > 0 ? Math.min(share, left) : Math.max(share, left)
    added += change
    return sizeOf(set) + change
  })
  sizes[0] = Math.max(sizes[0]! + toAdd - added, 0)
  return changes(ordered.map((set, i) => [set, sizes[i]!]))
}

const changes = (sizes: [ReplicaSet, number][]): Scaling =>
  sizes.filter(([set, size]) => size !== sizeOf(set)).map(([set, replicas]) => ({ set, replicas }))

function isSaturated(deployment: Deployment, newSet: ReplicaSet): boolean {
  const replicas = deployment.spec.replicas ?? 1
  const sizedFor = Number(newSet.metadata.annotations?.[annotation.desired] ?? NaN)
  return sizeOf(newSet) === replicas && sizedFor === replicas && newSet.status?.availableReplicas === replicas
}

/** By how much a set should change to keep its share of what all sets together were allowed when it was last sized. */
function shareOf(deployment: Deployment, set: ReplicaSet, allowed: number): number {
  if (allowed === 0) return -sizeOf(set)
  const before = Number(set.metadata.annotations?.[annotation.max]) || deployment.status?.replicas
  return before ? Math.round((sizeOf(set) * allowed) / before) - sizeOf(set) : 0
}

/** Whether only the wanted number changed since the sets were last sized. */
export function isScaling(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  return active(sets).some((set) => {
    const desired = set.metadata.annotations?.[annotation.desired]
    return desired !== undefined && Number(desired) !== (deployment.spec.replicas ?? 1)
  })
}

/** Old sets beyond the history limit that have nothing left; the oldest go first. */
export function planCleanup(deployment: Deployment, oldSets: readonly ReplicaSet[]): ReplicaSet[] {
  const limit = deployment.spec.revisionHistoryLimit ?? 10
  const idle = oldSets.filter((set) => !set.metadata.deletionTimestamp)
  const excess = idle.length - limit
  if (excess <= 0) return []
  const finished = (set: ReplicaSet) =>
    (set.status?.replicas ?? 0) === 0 && sizeOf(set) === 0 && (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0)
  return idle
    .toSorted((a, b) => Number(revisionOf(a) - revisionOf(b)))
    .slice(0, excess)
    .filter(finished)
}
