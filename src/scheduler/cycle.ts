import type { Random } from '#base'
import type { ClusterEvent, CycleState, Pod, Rejection, SchedulerPlugin } from './framework.ts'
import type { NodeInfo, Snapshot } from './snapshot.ts'

/** Upstream's `percentageOfNodesToScore`: with many nodes it is enough to look until some share of them was found to fit. */
const fewNodes = 100
const smallestShare = 5

/** How many fitting nodes are worth comparing. */
export function enoughNodes(total: number): number {
  if (total <= fewNodes) return total
  const share = Math.max(50 - Math.floor(total / 125), smallestShare)
  return Math.max(Math.floor((total * share) / 100), fewNodes)
}

export interface Profile {
  plugins: readonly SchedulerPlugin[]
  random: Random
}

/** Whose filters and scores are worth calling for this pod. */
export interface Prepared {
  state: CycleState
  filters: readonly SchedulerPlugin[]
  /** The only nodes worth looking at; all when absent. */
  only?: ReadonlySet<string>
}

export type Outcome =
  | { result: 'fits'; node: string; state: CycleState; evaluated: number }
  | {
      result: 'unschedulable'
      rejections: ReadonlyMap<string, Rejection>
      prepared: Prepared | undefined
      rejectedBy: ReadonlySet<string>
      message: string
    }

/**
 * Finds the best node for a pod, from a snapshot that does not change meanwhile. Pure but for the plugins' caches and `random`, which breaks ties. `start` is where to begin
 * looking, so that successive pods look at different nodes; `nominated` are pods that were promised a node by preemption.
 */
export function schedule(pod: Pod, snapshot: Snapshot, profile: Profile, start: number, nominated: (node: string) => readonly Pod[]): Outcome {
  const prepared = prepare(pod, snapshot, profile.plugins)
  if ('rejection' in prepared) {
    const { rejection } = prepared
    const all = new Map(snapshot.nodes.map((info) => [info.name, rejection]))
    return {
      result: 'unschedulable',
      rejections: all,
      prepared: undefined,
      rejectedBy: new Set([rejection.plugin!]),
      message: noFit(all, snapshot.nodes.length),
    }
  }
  const rejections = new Map<string, Rejection>()
  const feasible: NodeInfo[] = []
  const { nodes } = snapshot
  const enough = enoughNodes(nodes.length)
  let evaluated = 0
  for (let i = 0; i < nodes.length && feasible.length < enough; i++) {
    const info = nodes[(start + i) % nodes.length]!
    evaluated++
    if (prepared.only && !prepared.only.has(info.name)) {
      rejections.set(info.name, { code: 'unresolvable', reasons: ["node(s) didn't match Pod's node affinity/selector"], plugin: 'NodeAffinity' })
      continue
    }
    const rejection = fits(pod, info, prepared, nominated)
    if (rejection) rejections.set(info.name, rejection)
    else feasible.push(info)
  }
  if (feasible.length === 0) {
    const rejectedBy = new Set([...rejections.values()].map((r) => r.plugin!))
    return { result: 'unschedulable', rejections, prepared, rejectedBy, message: noFit(rejections, nodes.length) }
  }
  return { result: 'fits', node: best(pod, feasible, snapshot, prepared.state, profile).name, state: prepared.state, evaluated }
}

export function prepare(pod: Pod, snapshot: Snapshot, plugins: readonly SchedulerPlugin[]): Prepared | { rejection: Rejection } {
  const state: CycleState = new Map()
  const filters: SchedulerPlugin[] = []
  let only: ReadonlySet<string> | undefined
  for (const plugin of plugins) {
    const answer = plugin.preFilter?.(state, pod, snapshot)
    if (answer === 'skip') continue
    if (answer && 'code' in answer) return { rejection: { ...answer, plugin: plugin.name } }
    if (answer) only = only ? new Set([...only].filter((name) => answer.nodes.has(name))) : answer.nodes
    if (plugin.filter) filters.push(plugin)
  }
  return only ? { state, filters, only } : { state, filters }
}

/** The first objection to the node, also with the pods that were promised it and are as important as this one. */
export function fits(pod: Pod, info: NodeInfo, prepared: Prepared, nominated: (node: string) => readonly Pod[]): Rejection | undefined {
  const promised = nominated(info.name).filter((p) => p.metadata.uid !== pod.metadata.uid && (p.spec.priority ?? 0) >= (pod.spec.priority ?? 0))
  if (promised.length > 0) {
    const with_ = info.clone()
    const state = new Map(prepared.state)
    for (const other of promised) {
      with_.add(other)
      for (const plugin of prepared.filters) plugin.addPod?.(state, pod, other, with_)
    }
    const rejection = firstRejection(pod, with_, state, prepared.filters)
    if (rejection) return rejection
  }
  return firstRejection(pod, info, prepared.state, prepared.filters)
}

export function firstRejection(pod: Pod, info: NodeInfo, state: CycleState, filters: readonly SchedulerPlugin[]): Rejection | undefined {
  for (const plugin of filters) {
    const rejection = plugin.filter!(state, pod, info)
    if (rejection) return { ...rejection, plugin: plugin.name }
  }
  return undefined
}

function best(pod: Pod, feasible: readonly NodeInfo[], snapshot: Snapshot, state: CycleState, { plugins, random }: Profile): NodeInfo {
  if (feasible.length === 1) return feasible[0]!
  const totals = new Float64Array(feasible.length)
  for (const plugin of plugins) {
    if (!plugin.score || plugin.preScore?.(state, pod, feasible, snapshot) === 'skip') continue
    const scores: number[] = Array.from({ length: feasible.length })
    for (let i = 0; i < feasible.length; i++) scores[i] = plugin.score(state, pod, feasible[i]!)
    plugin.normalize?.(state, pod, scores, feasible)
    const weight = plugin.weight ?? 1
    for (let i = 0; i < scores.length; i++) totals[i] = totals[i]! + scores[i]! * weight
  }
  let chosen = 0
  let ties = 1
  for (let i = 1; i < totals.length; i++) {
    if (totals[i]! > totals[chosen]!) {
      chosen = i
      ties = 1
    } else if (totals[i] === totals[chosen] && random() < 1 / ++ties) chosen = i
  }
  return feasible[chosen]!
}

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {…}.` */
export function noFit(rejections: ReadonlyMap<string, Rejection>, total: number): string {
  const counts = new Map<string, number>()
  for (const { reasons } of rejections.values()) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  const prefix = `0/${total} nodes are available`
  if (counts.size === 0) return total === 0 ? 'no nodes available to schedule pods' : `${prefix}.`
  return `${prefix}: ${[...counts]
    .map(([reason, n]) => `${n} ${reason}`)
    .sort()
    .join(', ')}.`
}

/** Which plugins care for an event. */
export function interestedPlugins(plugins: readonly SchedulerPlugin[]): (event: ClusterEvent) => ReadonlySet<string> {
  const byEvent = new Map<ClusterEvent, Set<string>>()
  for (const plugin of plugins)
    for (const event of plugin.events ?? []) {
      const names = byEvent.get(event) ?? new Set()
      byEvent.set(event, names.add(plugin.name))
    }
  const none = new Set<string>()
  return (event) => byEvent.get(event) ?? none
}
