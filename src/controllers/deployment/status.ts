import type { apps } from '#api'
import { findCondition, formatTime, withCondition } from '#api'
import { rollingLimits } from './plan.ts'
import type { Deployment, ReplicaSet } from './revision.ts'

const sum = (sets: readonly ReplicaSet[], of: (set: ReplicaSet) => number | undefined) => sets.reduce((n, set) => n + (of(set) ?? 0), 0)

export interface Progress {
  status: 'True' | 'False'
  reason: 'NewReplicaSetCreated' | 'FoundNewReplicaSet' | 'ReplicaSetCreateError'
  message: string
}

export interface StatusInput {
  deployment: Deployment
  newSet: ReplicaSet | undefined
  oldSets: readonly ReplicaSet[]
  collisionCount: number | undefined
  /** Wall time, milliseconds. */
  now: number
  /** Whether a rollout may be going on: then its progress is judged. Not so while it is paused or only the size changes. */
  rollout: boolean
  /** A new set was made in this round, or could not be, or was found again after a roll-back. */
  progress?: Progress
}

/** Milliseconds beyond the progress deadline until it is looked at again: the times in conditions have whole seconds. */
const grace = 1000

/** The status to write, and when the progress deadline passes (milliseconds from now), where one runs. */
export function deploymentStatus(input: StatusInput): { status: apps.DeploymentStatus; recheckAfter?: number } {
  const { deployment, newSet, oldSets } = input
  const all = newSet ? [...oldSets, newSet] : oldSets
  const available = sum(all, (s) => s.status?.availableReplicas)
  const wanted = deployment.spec.replicas ?? 1
  const counts = {
    replicas: sum(all, (s) => s.status?.replicas),
    updatedReplicas: newSet?.status?.replicas ?? 0,
    readyReplicas: sum(all, (s) => s.status?.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(sum(all, (s) => s.spec.replicas ?? 1) - available, 0),
  }
  const conditions = conditionList(deployment, input.now)
  pausedOrResumed(deployment, conditions)
  if (available >= wanted - rollingLimits(deployment).maxUnavailable)
    conditions.set('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.')
  else conditions.set('Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.')
  if (input.progress && hasDeadline(deployment)) conditions.set('Progressing', input.progress.status, input.progress.reason, input.progress.message)
  const recheckAfter = input.rollout ? judgeProgress(input, counts, conditions) : undefined
  const failure = newestFailure(newSet, oldSets)
  if (failure) conditions.set('ReplicaFailure', failure.status, failure.reason ?? '', failure.message ?? '')
  else conditions.remove('ReplicaFailure')
  const terminating = all.every((s) => s.status?.terminatingReplicas !== undefined)
  const status: apps.DeploymentStatus = {
    observedGeneration: deployment.metadata.generation!,
    ...Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0)),
    // a zero is written: clients tell it from a controller that does not count
    ...(terminating && all.length > 0 ? { terminatingReplicas: sum(all, (s) => s.status?.terminatingReplicas) } : {}),
    ...(input.collisionCount === undefined ? {} : { collisionCount: input.collisionCount }),
    conditions: conditions.list(),
  }
  return { status, ...(recheckAfter === undefined ? {} : { recheckAfter }) }
}

interface Conditions {
  get(type: string): Readonly<apps.DeploymentCondition> | undefined
  /** Changes nothing when status and reason are as they were. */
  set(type: string, status: string, reason: string, message: string): void
  /** As `set`, and notes the time in any case. */
  touch(type: string, status: string, reason: string, message: string): void
  remove(type: string): void
  list(): apps.DeploymentCondition[]
}

function conditionList(deployment: Deployment, ms: number): Conditions {
  const now = formatTime(ms)
  let list = (deployment.status?.conditions ?? []) as readonly apps.DeploymentCondition[]
  const conditions: Conditions = {
    get: (type) => findCondition(list, type),
    set(type, status, reason, message) {
      const before = conditions.get(type)
      if (before?.status !== status || before.reason !== reason) conditions.touch(type, status, reason, message)
    },
    touch(type, status, reason, message) {
      list = withCondition<apps.DeploymentCondition>(list, { type, status, reason, message, lastUpdateTime: now }, now)
    },
    remove(type) {
      list = list.filter((c) => c.type !== type)
    },
    list: () => [...list],
  }
  return conditions
}

/** The largest deadline stands for none. */
const hasDeadline = ({ spec }: Deployment) => spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds < 2 ** 31 - 1

/** A pause stops the clock of the deadline; what failed before stays failed. */
function pausedOrResumed(deployment: Deployment, conditions: Conditions): void {
  const before = conditions.get('Progressing')
  if (!hasDeadline(deployment) || before?.reason === 'ProgressDeadlineExceeded') return
  if (deployment.spec.paused) conditions.set('Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused')
  else if (before?.reason === 'DeploymentPaused') conditions.set('Progressing', 'Unknown', 'DeploymentResumed', 'Deployment is resumed')
}

type Counts = Record<'updatedReplicas' | 'replicas' | 'readyReplicas' | 'availableReplicas', number>

/** The Progressing condition (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status). */
function judgeProgress({ deployment, newSet, now }: StatusInput, counts: Counts, conditions: Conditions): number | undefined {
  if (!hasDeadline(deployment)) {
    conditions.remove('Progressing')
    return undefined
  }
  const name = newSet ? `ReplicaSet "${newSet.metadata.name}"` : `Deployment "${deployment.metadata.name}"`
  const before = conditions.get('Progressing')
  // a finished rollout whose pods come and go makes no progress and misses no deadline
  if (before?.reason === 'NewReplicaSetAvailable' && counts.replicas === counts.updatedReplicas) return undefined
  const wanted = deployment.spec.replicas ?? 1
  if (counts.updatedReplicas === wanted && counts.replicas === wanted && counts.availableReplicas === wanted) {
    conditions.set('Progressing', 'True', 'NewReplicaSetAvailable', `${name} has successfully progressed.`)
    return undefined
  }
  const deadline = deployment.spec.progressDeadlineSeconds! * 1000
  const left = (condition: Readonly<apps.DeploymentCondition>) => Date.parse(condition.lastUpdateTime ?? '') + deadline - now
  if (hasProgressed(deployment, counts)) conditions.touch('Progressing', 'True', 'ReplicaSetUpdated', `${name} is progressing.`)
  else if (before && (before.reason === 'ProgressDeadlineExceeded' || (before.reason !== 'NewReplicaSetAvailable' && left(before) < 0)))
    conditions.set('Progressing', 'False', 'ProgressDeadlineExceeded', `${name} has timed out progressing.`)
  const current = conditions.get('Progressing')
  if (!current || current.reason === 'NewReplicaSetAvailable' || current.reason === 'ProgressDeadlineExceeded') return undefined
  return Math.max(left(current), 0) + grace
}

function hasProgressed(deployment: Deployment, counts: Counts): boolean {
  const was = deployment.status ?? {}
  return (
    counts.updatedReplicas > (was.updatedReplicas ?? 0) ||
    counts.replicas - counts.updatedReplicas < (was.replicas ?? 0) - (was.updatedReplicas ?? 0) ||
    counts.readyReplicas > (was.readyReplicas ?? 0) ||
    counts.availableReplicas > (was.availableReplicas ?? 0)
  )
}

/** Why pods cannot be made; the new set's reason before those of the old. */
function newestFailure(newSet: ReplicaSet | undefined, oldSets: readonly ReplicaSet[]) {
  for (const set of newSet ? [newSet, ...oldSets] : oldSets) {
    const failure = findCondition(set.status?.conditions, 'ReplicaFailure')
    if (failure) return failure
  }
  return undefined
}

/** Whether all pods are of the new template and available, as far as the sets have told. */
export function isComplete(deployment: Deployment, newSet: ReplicaSet, oldSets: readonly ReplicaSet[]): boolean {
  const wanted = deployment.spec.replicas ?? 1
  return (
    (newSet.status?.replicas ?? 0) === wanted &&
    (newSet.status?.availableReplicas ?? 0) === wanted &&
    oldSets.every((set) => (set.status?.replicas ?? 0) === 0)
  )
}
