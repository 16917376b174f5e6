import type { apps } from '#api'
import { findCondition, withCondition } from '#api'
import { rollingLimits } from './plan.ts'
import type { Deployment, ReplicaSet } from './revision.ts'

const sum = (sets: readonly ReplicaSet[], of: (set: ReplicaSet) => number | undefined) => sets.reduce((n, set) => n + (of(set) ?? 0), 0)

export interface StatusInput {
  deployment: Deployment
  newSet: ReplicaSet | undefined
  oldSets: readonly ReplicaSet[]
  collisionCount: number | undefined
  now: number
  /** A new set was made in this round, or found again after a roll-back. */
  progress?: { reason: 'NewReplicaSetCreated' | 'FoundNewReplicaSet' | 'ReplicaSetUpdated'; message: string }
}

/** The status to write, and when the progress deadline passes (milliseconds from now), where one runs. */
export function deploymentStatus(input: StatusInput): { status: apps.DeploymentStatus; recheckAfter?: number } {
  const { deployment, newSet, oldSets } = input
  const all = newSet ? [...oldSets, newSet] : oldSets
  const replicas = sum(all, (s) => s.status?.replicas)
  const available = sum(all, (s) => s.status?.availableReplicas)
  const wanted = deployment.spec.replicas ?? 1
  const counts = {
    replicas,
    updatedReplicas: newSet?.status?.replicas ?? 0,
    readyReplicas: sum(all, (s) => s.status?.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(sum(all, (s) => s.spec.replicas ?? 1) - available, 0),
  }
  const status: apps.DeploymentStatus = {
    observedGeneration: deployment.metadata.generation!,
    ...Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0)),
    ...(input.collisionCount === undefined ? {} : { collisionCount: input.collisionCount }),
  }
  const stamp = new Date(input.now).toISOString().slice(0, 19) + 'Z'
  const isUp = available >= wanted - rollingLimits(deployment).maxUnavailable
  let conditions = [...(deployment.status?.conditions ?? [])] as apps.DeploymentCondition[]
  const set = (type: string, value: string, reason: string, message: string, touch = true) => {
    const before = findCondition(conditions, type)
    if (before?.status === value && before.reason === reason && !touch) return
    const same = before?.status === value && before.reason === reason && before.message === message
    conditions = withCondition<apps.DeploymentCondition>(
      conditions,
      { type, status: value, reason, message, lastUpdateTime: same && !touch ? before.lastUpdateTime! : stamp },
      stamp,
    ).slice()
  }
  if (isUp) set('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.', false)
  else set('Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.', false)

  const recheckAfter = progressing(input, counts, set, () => conditions)
  const failure = newSet && findCondition(newSet.status?.conditions, 'ReplicaFailure')
  if (failure) set('ReplicaFailure', failure.status, failure.reason ?? '', failure.message ?? '', false)
  else conditions = conditions.filter((c) => c.type !== 'ReplicaFailure')
  return { status: { ...status, conditions }, ...(recheckAfter === undefined ? {} : { recheckAfter }) }
}

type SetCondition = (type: string, value: string, reason: string, message: string, touch?: boolean) => void

/** The Progressing condition (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status). */
function progressing(
  input: StatusInput,
  counts: { updatedReplicas: number; replicas: number; readyReplicas: number; availableReplicas: number },
  set: SetCondition,
  conditions: () => apps.DeploymentCondition[],
): number | undefined {
  const { deployment, newSet } = input
  const name = newSet ? `ReplicaSet "${newSet.metadata.name}"` : `Deployment "${deployment.metadata.name}"`
  if (deployment.spec.paused) {
    const before = findCondition(conditions(), 'Progressing')
    if (before?.reason !== 'ProgressDeadlineExceeded') set('Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused', false)
    return undefined
  }
  const deadline = deployment.spec.progressDeadlineSeconds
  // the largest deadline stands for none
  if (deadline === undefined || deadline === 2 ** 31 - 1) return undefined
  const before = findCondition(conditions(), 'Progressing')
  const wanted = deployment.spec.replicas ?? 1
  const complete =
    counts.updatedReplicas === wanted &&
    counts.replicas === wanted &&
    counts.availableReplicas === wanted &&
    (deployment.status?.observedGeneration ?? 0) >= 0
  const was = deployment.status ?? {}
  const progressed =
    counts.updatedReplicas > (was.updatedReplicas ?? 0) ||
    counts.replicas - counts.updatedReplicas < (was.replicas ?? 0) - (was.updatedReplicas ?? 0) ||
    counts.readyReplicas > (was.readyReplicas ?? 0) ||
    counts.availableReplicas > (was.availableReplicas ?? 0)
  if (input.progress) set('Progressing', 'True', input.progress.reason, input.progress.message)
  else if (complete && newSet) {
    set('Progressing', 'True', 'NewReplicaSetAvailable', `${name} has successfully progressed.`, before?.reason !== 'NewReplicaSetAvailable')
    return undefined
  } else if (progressed && before?.reason !== 'NewReplicaSetAvailable') set('Progressing', 'True', 'ReplicaSetUpdated', `${name} is progressing.`)
  else if (progressed || !before) set('Progressing', 'True', 'ReplicaSetUpdated', `${name} is progressing.`)
  const current = findCondition(conditions(), 'Progressing')
  // a finished rollout that merely lost a pod has no deadline
  if (!current || current.reason === 'NewReplicaSetAvailable' || current.reason === 'ProgressDeadlineExceeded') return undefined
  const left = Date.parse(current.lastUpdateTime ?? '') + deadline * 1000 - input.now
  if (left > 0) return left
  set('Progressing', 'False', 'ProgressDeadlineExceeded', `${name} has timed out progressing.`)
  return undefined
}
