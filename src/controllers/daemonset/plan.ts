import type { DeepReadonly, apps, core } from '#api'
import { matchesNode, scaledValue, toleratesTaint } from '#api'
import type { Pod } from '../workload/pods.ts'
import { isAvailable, isReady } from '../workload/pods.ts'
import { tolerationsOf } from './pod.ts'

export type DaemonSet = DeepReadonly<apps.DaemonSet>
export type Node = DeepReadonly<core.Node>

export const hashLabel = 'controller-revision-hash'
export const generationLabel = 'pod-template-generation'
export const generationAnnotation = 'deprecated.daemonset.template.generation'

/** At most this many pods are made or deleted in one go. */
const burst = 250

export interface DaemonSetState {
  set: DaemonSet
  nodes: readonly Node[]
  pods: readonly Pod[]
  /** Hash of the current template. */
  hash: string
  /** Wall time, milliseconds. */
  now: number
}

export interface DaemonSetPlan {
  /** Names of nodes. */
  create: string[]
  delete: Pod[]
  /** Pods among `delete` that ended by themselves. */
  ended: Pod[]
}

/** Whether a pod of the set belongs on the node, and whether one that is there may stay. */
export function placement(set: DaemonSet, node: Node): { run: boolean; stay: boolean } {
  const { spec } = set.spec.template
  const elsewhere = spec?.nodeName && spec.nodeName !== node.metadata.name
  if (elsewhere || !matchesNode(spec ?? {}, node)) return { run: false, stay: false }
  const tolerations = tolerationsOf(set.spec.template)
  const untolerated = (node.spec?.taints ?? []).filter((taint) => taint.effect !== 'PreferNoSchedule' && !toleratesTaint(tolerations, taint))
  return { run: untolerated.length === 0, stay: untolerated.every((taint) => taint.effect !== 'NoExecute') }
}

/** The node a pod is on, or is bound for. */
export function targetOf(pod: Pod): string | undefined {
  if (pod.spec.nodeName) return pod.spec.nodeName
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  return terms.flatMap((term) => term.matchFields ?? []).find((f) => f.key === 'metadata.name' && f.operator === 'In')?.values?.[0]
}

/** Pods by node, without those that have ended and are going. */
function podsByNode(pods: readonly Pod[]): Map<string, Pod[]> {
  const byNode = new Map<string, Pod[]>()
  for (const pod of pods) {
    const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
    const node = targetOf(pod)
    if (node === undefined || (ended && pod.metadata.deletionTimestamp)) continue
    const there = byNode.get(node)
    if (there) there.push(pod)
    else byNode.set(node, [pod])
  }
  for (const there of byNode.values()) there.sort(scheduledAndOldFirst)
  return byNode
}

const scheduledAndOldFirst = (a: Pod, b: Pod) =>
  Number(Boolean(b.spec.nodeName)) - Number(Boolean(a.spec.nodeName)) ||
  ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1)

const isUpdated = (set: DaemonSet, pod: Pod, hash: string): boolean => {
  const generation = set.metadata.annotations?.[generationAnnotation]
  return pod.metadata.labels?.[hashLabel] === hash || (generation !== undefined && pod.metadata.labels?.[generationLabel] === generation)
}

/** Which pods to make and to delete (https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/). */
export function planDaemonSet(state: DaemonSetState): DaemonSetPlan {
  const byNode = podsByNode(state.pods)
  const plan = planPlacement(state, byNode)
  // one thing after the other: pods that are replaced are counted when the placement is right
  if (plan.create.length === 0 && plan.delete.length === 0 && state.set.spec.updateStrategy?.type !== 'OnDelete') {
    const update = planUpdate(state, byNode)
    plan.create = update.create
    plan.delete = update.delete
  }
  return { ...plan, create: plan.create.slice(0, burst), delete: plan.delete.slice(0, burst) }
}

function planPlacement({ set, nodes, pods, hash, now }: DaemonSetState, byNode: ReadonlyMap<string, readonly Pod[]>): DaemonSetPlan {
  const plan: DaemonSetPlan = { create: [], delete: [], ended: [] }
  const known = new Set<string>()
  for (const node of nodes) {
    const { name } = node.metadata
    known.add(name)
    const { run, stay } = placement(set, node)
    const there = byNode.get(name)
    if (run && !there) plan.create.push(name)
    else if (!there) continue
    else if (stay) trim(set, there, hash, now, plan)
    else plan.delete.push(...there.filter((pod) => !pod.metadata.deletionTimestamp))
  }
  // a pod that waits for a node that is gone would wait for ever
  for (const pod of pods) if (!pod.spec.nodeName && !pod.metadata.deletionTimestamp && !known.has(targetOf(pod) ?? '')) plan.delete.push(pod)
  return plan
}

/** Of the pods on one node those that are too many, or have ended. */
function trim(set: DaemonSet, there: readonly Pod[], hash: string, now: number, plan: DaemonSetPlan): void {
  const running: Pod[] = []
  for (const pod of there) {
    if (pod.metadata.deletionTimestamp) continue
    if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') {
      plan.ended.push(pod)
      plan.delete.push(pod)
    } else running.push(pod)
  }
  if (running.length <= 1) return
  if (limitsOf(set, 1).maxSurge === 0) {
    plan.delete.push(...running.slice(1))
    return
  }
  const [newest, ...moreNew] = running.filter((pod) => isUpdated(set, pod, hash))
  const [oldest, ...moreOld] = running.filter((pod) => !isUpdated(set, pod, hash))
  plan.delete.push(...moreNew, ...moreOld)
  // the old pod goes when it serves no more, or the new one serves
  if (newest && oldest && (!isReady(oldest) || isAvailable(newest, set.spec.minReadySeconds ?? 0, now))) plan.delete.push(oldest)
}

/** How many nodes may be without a pod that serves, and how many may have two, while an update goes on. */
function limitsOf(set: DaemonSet, desired: number): { maxSurge: number; maxUnavailable: number } {
  const rolling = set.spec.updateStrategy?.rollingUpdate
  if (set.spec.updateStrategy?.type === 'OnDelete') return { maxSurge: 0, maxUnavailable: 0 }
  const maxSurge = scaledValue(rolling?.maxSurge ?? 0, desired, 'up')
  const maxUnavailable = scaledValue(rolling?.maxUnavailable ?? 1, desired, 'up')
  return { maxSurge, maxUnavailable: maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable }
}

function planUpdate({ set, nodes, hash, now }: DaemonSetState, byNode: ReadonlyMap<string, readonly Pod[]>): { create: string[]; delete: Pod[] } {
  const here = new Map(byNode)
  const wanted = new Set(nodes.filter((node) => placement(set, node).run).map((node) => node.metadata.name))
  for (const name of wanted) if (!here.has(name)) here.set(name, [])
  const { maxSurge, maxUnavailable } = limitsOf(set, wanted.size)
  const serves = (pod: Pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, now)
  const pairs = [...here].map(([node, pods]) => ({ node, ...pairOf(set, pods, hash) }))

  if (maxSurge === 0) {
    let unavailable = 0
    const broken: Pod[] = []
    const candidates: Pod[] = []
    for (const { newPod, oldPod, unclear } of pairs) {
      // what is not settled on a node, placement will settle: until then the node has no pod that serves
      if (unclear || Boolean(newPod) === Boolean(oldPod) || (newPod && !serves(newPod))) unavailable++
      else if (oldPod) (serves(oldPod) ? candidates : broken).push(oldPod)
    }
    return { create: [], delete: [...broken, ...candidates.slice(0, Math.max(maxUnavailable - unavailable, 0))] }
  }

  let surging = 0
  const replaced: Pod[] = []
  const urgent: string[] = []
  const candidates: string[] = []
  for (const { node, newPod, oldPod, unclear } of pairs) {
    if (unclear) surging++
    else if (!oldPod) continue
    else if (!newPod) {
      // where no new pod may run, the old one goes without
      if (!wanted.has(node)) replaced.push(oldPod)
      else (serves(oldPod) ? candidates : urgent).push(node)
    } else if (serves(newPod)) replaced.push(oldPod)
    else surging++
  }
  return { create: [...urgent, ...candidates.slice(0, Math.max(maxSurge - surging, 0))], delete: replaced }
}

/** The updated pod of a node and the old one; unclear when there are several of a kind. */
function pairOf(set: DaemonSet, pods: readonly Pod[], hash: string): { newPod?: Pod; oldPod?: Pod; unclear: boolean } {
  const staying = pods.filter((pod) => !pod.metadata.deletionTimestamp)
  const fresh = staying.filter((pod) => isUpdated(set, pod, hash))
  const old = staying.filter((pod) => !isUpdated(set, pod, hash))
  return {
    unclear: fresh.length > 1 || old.length > 1,
    ...(fresh[0] ? { newPod: fresh[0] } : {}),
    ...(old[0] ? { oldPod: old[0] } : {}),
  }
}

/** The status to write, and when it will change by time alone (milliseconds from now). `observe`: whether this generation has been acted upon. */
export function daemonSetStatus(
  { set, nodes, pods, hash, now }: DaemonSetState,
  observe: boolean,
): { status: apps.DaemonSetStatus; recheckAfter?: number } {
  const byNode = podsByNode(pods)
  const minReady = set.spec.minReadySeconds ?? 0
  const count = { desired: 0, current: 0, misscheduled: 0, ready: 0, updated: 0, available: 0 }
  for (const node of nodes) {
    const [pod] = byNode.get(node.metadata.name) ?? []
    if (!placement(set, node).run) {
      if (pod) count.misscheduled++
      continue
    }
    count.desired++
    if (!pod) continue
    count.current++
    if (isReady(pod)) count.ready++
    if (isAvailable(pod, minReady, now)) count.available++
    if (isUpdated(set, pod, hash)) count.updated++
  }
  const unavailable = count.desired - count.available
  const generation = observe ? set.metadata.generation : set.status?.observedGeneration
  const status: apps.DaemonSetStatus = {
    currentNumberScheduled: count.current,
    numberMisscheduled: count.misscheduled,
    desiredNumberScheduled: count.desired,
    numberReady: count.ready,
    ...(generation ? { observedGeneration: generation } : {}),
    ...(count.updated > 0 ? { updatedNumberScheduled: count.updated } : {}),
    ...(count.available > 0 ? { numberAvailable: count.available } : {}),
    ...(unavailable > 0 ? { numberUnavailable: unavailable } : {}),
    ...(set.status?.collisionCount === undefined ? {} : { collisionCount: set.status.collisionCount }),
    ...(set.status?.conditions ? { conditions: set.status.conditions as apps.DaemonSetCondition[] } : {}),
  }
  return { status, ...(minReady > 0 && count.ready !== count.available ? { recheckAfter: minReady * 1000 } : {}) }
}
