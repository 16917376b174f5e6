import type { DeepReadonly, core, meta, policy } from '#api'
import { controllerOf, formatTime, scaledValue, withCondition } from '#api'
import type { Pod } from '../workload/pods.ts'
import { isReady } from '../workload/pods.ts'

export type Budget = DeepReadonly<policy.PodDisruptionBudget>

/** A pod whose eviction was granted is expected to be gone after this time, milliseconds. */
export const evictionTimeout = 2 * 60_000

/** How many pods a budget's pods should be, as their controllers say. */
export interface Scale {
  expected: number
  /** Pods that nobody controls: nobody knows how many of them there should be. */
  unmanaged: readonly Pod[]
}

/** Whether the scale of the pods' controllers has to be known. */
export const needsScale = ({ spec }: Budget): boolean => spec?.maxUnavailable !== undefined || typeof spec?.minAvailable === 'string'

export interface BudgetInput {
  budget: Budget
  pods: readonly Pod[]
  /** Where `needsScale`. */
  scale?: Scale
  now: number
}

export interface BudgetPlan {
  status: policy.PodDisruptionBudgetStatus
  /** Pods that should have been gone by now. */
  notDeleted: Pod[]
  /** Milliseconds until an eviction that was granted is forgotten. */
  recheckAfter?: number
}

/** The status of a budget (https://kubernetes.io/docs/tasks/run-application/configure-pdb/): how many of its pods may be evicted now. */
export function planBudget({ budget, pods, scale, now }: BudgetInput): BudgetPlan {
  const { maxUnavailable, minAvailable } = budget.spec ?? {}
  const expected = scale ? scale.expected : pods.length
  let desired = 0
  if (maxUnavailable !== undefined) desired = Math.max(expected - scaledValue(maxUnavailable, expected, 'up'), 0)
  else if (minAvailable !== undefined) desired = scaledValue(minAvailable, expected, 'up')

  const { disrupted, notDeleted, recheckAfter } = pendingEvictions(budget, pods, now)
  const healthy = pods.filter((pod) => !pod.metadata.deletionTimestamp && !(pod.metadata.name in disrupted) && isReady(pod)).length
  const allowed = expected <= 0 ? 0 : Math.max(healthy - desired, 0)
  const status: policy.PodDisruptionBudgetStatus = {
    ...(budget.metadata.generation === undefined ? {} : { observedGeneration: budget.metadata.generation }),
    ...(Object.keys(disrupted).length > 0 ? { disruptedPods: disrupted } : {}),
    disruptionsAllowed: allowed,
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: expected,
    conditions: conditions(budget, allowed > 0 ? 'True' : 'False', allowed > 0 ? 'SufficientPods' : 'InsufficientPods', '', now),
  }
  return { status, notDeleted, ...(recheckAfter === undefined ? {} : { recheckAfter }) }
}

/** The status when it cannot be told how many pods there should be: better no eviction than one too many. */
export function failedStatus(budget: Budget, message: string, now: number): policy.PodDisruptionBudgetStatus {
  const { disruptedPods, ...before } = budget.status ?? {}
  return {
    ...(before as policy.PodDisruptionBudgetStatus),
    ...(disruptedPods ? { disruptedPods: { ...disruptedPods } } : {}),
    disruptionsAllowed: 0,
    conditions: conditions(budget, 'False', 'SyncFailed', message, now),
  }
}

function conditions(budget: Budget, status: 'True' | 'False', reason: string, message: string, now: number): meta.Condition[] {
  const list = (budget.status?.conditions ?? []) as readonly meta.Condition[]
  const observedGeneration = budget.metadata.generation
  const condition = { type: 'DisruptionAllowed', status, reason, message, ...(observedGeneration === undefined ? {} : { observedGeneration }) }
  return [...withCondition<meta.Condition>(list, condition as meta.Condition, formatTime(now))]
}

/** Evictions that the API server has granted and whose pods are still there. */
function pendingEvictions(
  budget: Budget,
  pods: readonly Pod[],
  now: number,
): { disrupted: Record<string, string>; notDeleted: Pod[]; recheckAfter?: number } {
  const disrupted: Record<string, string> = {}
  const notDeleted: Pod[] = []
  let recheckAfter: number | undefined
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata
    const granted = budget.status?.disruptedPods?.[name]
    if (deletionTimestamp || granted === undefined) continue
    const left = Date.parse(granted) + evictionTimeout - now
    if (left < 0) notDeleted.push(pod)
    else {
      disrupted[name] = granted
      recheckAfter = Math.min(recheckAfter ?? Infinity, left + 1)
    }
  }
  return { disrupted, notDeleted, ...(recheckAfter === undefined ? {} : { recheckAfter }) }
}

/** Adds up what the controllers of the pods want; `sizeOf` answers undefined for a controller that has no size. Throws in upstream's words. */
export async function scaleOf(
  pods: readonly Pod[],
  sizeOf: (owner: DeepReadonly<meta.OwnerReference>, pod: Pod) => Promise<{ uid: string; size: number } | undefined>,
): Promise<Scale> {
  const sizes = new Map<string, number>()
  const seen = new Set<string>()
  const unmanaged: Pod[] = []
  for (const pod of pods) {
    const owner = controllerOf(pod)
    if (!owner) {
      unmanaged.push(pod)
      continue
    }
    if (seen.has(owner.uid)) continue
    seen.add(owner.uid)
    const found = await sizeOf(owner, pod)
    if (!found) throw new Error(`found no controllers for pod ${JSON.stringify(pod.metadata.name)}`)
    sizes.set(found.uid, found.size)
  }
  return { expected: [...sizes.values()].reduce((sum, size) => sum + size, 0), unmanaged }
}

/**
 * The condition of a pod that was to be disrupted and was not: it is taken back. Answers undefined while there is nothing to take back, and the milliseconds until there may
 * be.
 */
export function staleDisruption(pod: Pod, now: number): { condition: core.PodCondition } | { after: number } | undefined {
  const condition = pod.status?.conditions?.find((c) => c.type === 'DisruptionTarget' && c.status === 'True')
  const finished = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
  if (!condition || finished || pod.metadata.deletionTimestamp) return undefined
  const left = Date.parse(condition.lastTransitionTime ?? '') + evictionTimeout - now
  if (left > 0) return { after: left }
  return { condition: { type: 'DisruptionTarget', status: 'False', lastTransitionTime: formatTime(now) } }
}
