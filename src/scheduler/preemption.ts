import type { DeepReadonly, policy } from '#api'
import { selectorFromLabelSelector } from '#api'
import type { Pod, Rejection } from './framework.ts'
import { priorityOf } from './framework.ts'
import type { Nominated, Prepared } from './cycle.ts'
import { firstRejection } from './cycle.ts'
import type { NodeInfo, Snapshot } from './snapshot.ts'

export interface Victims {
  node: string
  /** Most important first. */
  pods: Pod[]
  /** How many evictions break a disruption budget. */
  violations: number
}

type Budget = DeepReadonly<policy.PodDisruptionBudget>

/** So many nodes are compared at most, or a tenth of them: more would hardly be better, and every one costs a what-if. */
const fewestCandidates = 100

/**
 * Which pods would have to go, and where, for this pod to fit (https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/): the node that
 * breaks the fewest budgets, then loses the least important pods, the smallest sum, the fewest pods, the youngest. `start` is where among the nodes to begin.
 */
export function planPreemption(
  pod: Pod,
  snapshot: Snapshot,
  prepared: Prepared,
  rejections: ReadonlyMap<string, Rejection>,
  budgets: readonly Budget[],
  nominated: Nominated = () => undefined,
  start = 0,
): Victims | undefined {
  if (pod.spec.preemptionPolicy === 'Never') return undefined
  const names = [...rejections].filter(([, rejection]) => rejection.code === 'unschedulable').map(([name]) => name)
  const enough = Math.max(Math.floor(names.length / 10), fewestCandidates)
  let chosen: Victims | undefined
  for (let i = 0, found = 0; i < names.length && found < enough; i++) {
    const info = snapshot.get(names[(start + i) % names.length]!)
    const victims = info && victimsOn(pod, info, prepared, budgets, nominated)
    if (!victims) continue
    found++
    if (!chosen || isBetter(victims, chosen)) chosen = victims
  }
  return chosen
}

/** Whether pods that this pod displaced earlier are still on their way out of the node it was promised: then it waits for them. */
export function awaitsVictims(pod: Pod, promised: string | undefined, snapshot: Snapshot): boolean {
  const info = promised === undefined ? undefined : snapshot.get(promised)
  return info !== undefined && [...info.pods.values()].some((p) => p.metadata.deletionTimestamp && priorityOf(p) < priorityOf(pod))
}

function victimsOn(pod: Pod, info: NodeInfo, prepared: Prepared, budgets: readonly Budget[], nominated: Nominated): Victims | undefined {
  const lower = [...info.pods.values()].filter((p) => priorityOf(p) < priorityOf(pod))
  if (lower.length === 0) return undefined
  const without = info.clone()
  const state = new Map(prepared.state)
  const move = (other: Pod, direction: 'add' | 'remove') => {
    if (direction === 'add') without.add(other)
    else without.remove(other)
    for (const plugin of prepared.filters) (direction === 'add' ? plugin.addPod : plugin.removePod)?.(state, pod, other, without)
  }
  // what was promised to others at least as important counts as if it were there
  for (const other of nominated(info.name) ?? [])
    if (other.metadata.uid !== pod.metadata.uid && priorityOf(other) >= priorityOf(pod)) move(other, 'add')
  for (const other of lower) move(other, 'remove')
  if (firstRejection(pod, without, state, prepared.filters)) return undefined

  // give back as many as possible: those whose eviction breaks a budget first, the most important first
  const byImportance = lower.sort(moreImportant)
  const violating = violators(byImportance, budgets)
  const victims: Pod[] = []
  let violations = 0
  for (const other of [...byImportance.filter((p) => violating.has(p)), ...byImportance.filter((p) => !violating.has(p))]) {
    move(other, 'add')
    if (!firstRejection(pod, without, state, prepared.filters)) continue
    move(other, 'remove')
    victims.push(other)
    if (violating.has(other)) violations++
  }
  return victims.length === 0 ? undefined : { node: info.name, pods: victims.sort(moreImportant), violations }
}

const startOf = (pod: Pod) => pod.status?.startTime ?? '9999'
const moreImportant = (a: Pod, b: Pod) => priorityOf(b) - priorityOf(a) || (startOf(a) < startOf(b) ? -1 : 1)

/** Pods whose eviction goes beyond what their budgets allow, when they are evicted in this order. */
function violators(pods: readonly Pod[], budgets: readonly Budget[]): ReadonlySet<Pod> {
  const left = budgets.map((budget) => ({
    budget,
    allowed: budget.status?.disruptionsAllowed ?? 0,
    selector: selectorFromLabelSelector(budget.spec.selector),
  }))
  const violating = new Set<Pod>()
  for (const pod of pods)
    for (const each of left) {
      if (each.budget.metadata.namespace !== pod.metadata.namespace || each.selector.empty || !each.selector.matches(pod.metadata.labels)) continue
      if (each.budget.status?.disruptedPods?.[pod.metadata.name]) continue
      if (--each.allowed < 0) violating.add(pod)
    }
  return violating
}

function isBetter(a: Victims, b: Victims): boolean {
  const top = (v: Victims) => priorityOf(v.pods[0]!)
  const sum = (v: Victims) => v.pods.reduce((total, p) => total + priorityOf(p) + 2 ** 31, 0)
  const youngest = (v: Victims) =>
    v.pods
      .filter((p) => priorityOf(p) === top(v))
      .map(startOf)
      .sort()[0]!
  const order = a.violations - b.violations || top(a) - top(b) || sum(a) - sum(b) || a.pods.length - b.pods.length
  return order !== 0 ? order < 0 : youngest(a) > youngest(b)
}
