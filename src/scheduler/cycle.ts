import type { Random } from '#base'
import type { ClusterEvent, CycleState, Pod, Rejection, SchedulerPlugin } from './framework.ts'
import { priorityOf } from './framework.ts'
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
      /** By node; those that are missing are out of the question. */
      rejections: ReadonlyMap<string, Rejection>
      prepared: Prepared | undefined
      rejectedBy: ReadonlySet<string>
      message: string
    }

/** Pods that preemption promised a node; undefined for most nodes. */
export type Nominated = (node: string) => readonly Pod[] | undefined

/**
 * Finds the best node for a pod, from a snapshot that does not change meanwhile. Pure but for the plugins' caches and `random`, which breaks ties. `start` is where to begin
 * looking, so that successive pods look at different nodes.
 */
export function schedule(pod: Pod, snapshot: Snapshot, profile: Profile, start: number, nominated: Nominated): Outcome {
  const { nodes } = snapshot
  const prepared = prepare(pod, snapshot, profile.plugins)
  if ('rejection' in prepared) {
    const { reasons, plugin } = prepared.rejection
    const message = nodes.length === 0 ? noNodes : `${available(nodes.length)}: ${reasons.join(', ')}.`
    return { result: 'unschedulable', rejections: new Map(), prepared: undefined, rejectedBy: new Set([plugin!]), message }
  }
  const rejections = new Map<string, Rejection>()
  const feasible: NodeInfo[] = []
  const look = (info: NodeInfo) => {
    const rejection = fits(pod, info, prepared, nominated)
    if (rejection) rejections.set(info.name, rejection)
    else feasible.push(info)
  }
  let evaluated = 0
  if (prepared.only) {
    for (const name of prepared.only) {
      const info = snapshot.get(name)
      if (info) look(info)
    }
  } else {
    const enough = enoughNodes(nodes.length)
    for (let i = 0; i < nodes.length && feasible.length < enough; i++) {
      evaluated++
      look(nodes[(start + i) % nodes.length]!)
    }
  }
  if (feasible.length === 0) {
    const rejectedBy = new Set([...rejections.values()].map((r) => r.plugin!))
    // those that were not looked at were ruled out by it
    if (prepared.only) rejectedBy.add('NodeAffinity')
    const message = noFit(rejections, nodes.length, prepared.only ? 'NodeAffinity' : undefined)
    return { result: 'unschedulable', rejections, prepared, rejectedBy, message }
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
export function fits(pod: Pod, info: NodeInfo, prepared: Prepared, nominated: Nominated): Rejection | undefined {
  const promised = nominated(info.name)?.filter((p) => p.metadata.uid !== pod.metadata.uid && priorityOf(p) >= priorityOf(pod))
  if (promised && promised.length > 0) {
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
  const scores: number[] = []
  for (const plugin of plugins) {
    if (!plugin.score || plugin.preScore?.(state, pod, feasible, snapshot) === 'skip') continue
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

const noNodes = 'no nodes available to schedule pods'
const available = (total: number) => `0/${total} nodes are available`

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {…}.` Nodes without a rejection were ruled out by `ruledOutBy`. */
export function noFit(rejections: ReadonlyMap<string, Rejection>, total: number, ruledOutBy?: string): string {
  const counts = new Map<string, number>()
  for (const { reasons } of rejections.values()) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  const absent = total - rejections.size
  if (ruledOutBy && absent > 0) counts.set(`node(s) didn't satisfy plugin(s) [${ruledOutBy}]`, absent)
  if (counts.size === 0) return total === 0 ? noNodes : `${available(total)}.`
  const parts = [...counts].map(([reason, n]) => `${n} ${reason}`).sort()
  return `${available(total)}: ${parts.join(', ')}.`
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
