import type { DeepReadonly, core } from '#api'
import { matchesNode, selectorFromLabelSelector, toleratesTaint } from '#api'
import type { ClusterReader, Pod, SchedulerPlugin } from '../framework.ts'
import { maxScore, unresolvable, unschedulable } from '../framework.ts'
import type { NodeInfo } from '../snapshot.ts'

interface Constraint {
  topologyKey: string
  maxSkew: number
  minDomains: number
  matches(labels: Readonly<Record<string, string>> | undefined): boolean
  honourAffinity: boolean
  honourTaints: boolean
  /** Pods that match, per domain. */
  counts: Map<string, number>
  matchesSelf: boolean
}

const key = 'PodTopologySpread'
const scoreKey = 'PodTopologySpread/score'

/** Constraints that a pod without any gets, if a service or a controller selects it (upstream's cluster defaults); they only prefer. */
const systemDefaults = [
  { topologyKey: 'kubernetes.io/hostname', maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', maxSkew: 5 },
]

/** Keeps pods that match a selector evenly spread over zones, nodes, … (KEP-895). */
export function podTopologySpread(reader: ClusterReader): SchedulerPlugin {
  return {
    name: 'PodTopologySpread',
    events: ['nodeAdded', 'nodeChanged', 'podAdded', 'podGone', 'podChanged'],
    weight: 2,
    preFilter: (state, pod, snapshot) => {
      const constraints = (pod.spec.topologySpreadConstraints ?? [])
        .filter((c) => c.whenUnsatisfiable === 'DoNotSchedule')
        .map((c) => compile(c, pod))
      if (constraints.length === 0) return 'skip'
      for (const info of snapshot.nodes) if (hasAllKeys(info, constraints)) for (const c of constraints) if (counts(c, pod, info)) count(c, pod, info)
      state.set(key, constraints)
      return undefined
    },
    filter: (state, pod, info) => {
      for (const c of state.get(key) as Constraint[]) {
        const domain = info.node.metadata.labels?.[c.topologyKey]
        if (domain === undefined) return unresolvable("node(s) didn't match pod topology spread constraints (missing required label)")
        const least = c.counts.size < c.minDomains ? 0 : Math.min(...c.counts.values())
        const skew = (c.counts.get(domain) ?? 0) + (c.matchesSelf ? 1 : 0) - (Number.isFinite(least) ? least : 0)
        if (skew > c.maxSkew) return unschedulable("node(s) didn't match pod topology spread constraints")
      }
      return undefined
    },
    addPod: (state, pod, other, info) => adjust(state, pod, other, info, 1),
    removePod: (state, pod, other, info) => adjust(state, pod, other, info, -1),
    preScore: (state, pod, nodes, snapshot) => {
      const constraints = softConstraints(pod, reader)
      if (constraints.length === 0) return 'skip'
      const wanted = new Set(nodes)
      for (const info of snapshot.nodes) {
        if (!wanted.has(info) && !matchesNode(pod.spec, info.node)) continue
        for (const c of constraints) if (info.node.metadata.labels?.[c.topologyKey] !== undefined) count(c, pod, info)
      }
      state.set(scoreKey, constraints)
      return undefined
    },
    score: (state, _, info) => {
      let score = 0
      for (const c of state.get(scoreKey) as Constraint[]) {
        const domain = info.node.metadata.labels?.[c.topologyKey]
        // more domains make one pod more in a domain matter more
        if (domain !== undefined) score += (c.counts.get(domain) ?? 0) * Math.log(c.counts.size + 2) + (c.maxSkew - 1)
      }
      return score
    },
    normalize: (state, _, scores, nodes) => {
      const constraints = state.get(scoreKey) as Constraint[]
      const eligible = nodes.map((info) => constraints.every((c) => info.node.metadata.labels?.[c.topologyKey] !== undefined))
      const counted = scores.filter((_, i) => eligible[i])
      const min = Math.min(...counted)
      const max = Math.max(...counted)
      for (const i of scores.keys()) scores[i] = !eligible[i] ? 0 : max === 0 ? maxScore : Math.floor((maxScore * (max + min - scores[i]!)) / max)
    },
  }
}

function compile(c: DeepReadonly<core.TopologySpreadConstraint>, pod: Pod): Constraint {
  const selector = selectorFromLabelSelector(withMatchLabelKeys(c, pod))
  const labels = pod.metadata.labels
  return {
    topologyKey: c.topologyKey,
    maxSkew: c.maxSkew,
    minDomains: c.minDomains ?? 1,
    matches: (other) => selector.matches(other),
    honourAffinity: c.nodeAffinityPolicy !== 'Ignore',
    honourTaints: c.nodeTaintsPolicy === 'Honor',
    counts: new Map(),
    matchesSelf: selector.matches(labels),
  }
}

/** `matchLabelKeys` adds the pod's own values of these labels to the selector. */
function withMatchLabelKeys(c: DeepReadonly<core.TopologySpreadConstraint>, pod: Pod) {
  const own = (c.matchLabelKeys ?? []).flatMap((k) => (pod.metadata.labels?.[k] === undefined ? [] : [[k, pod.metadata.labels[k]] as const]))
  return own.length === 0 ? c.labelSelector : { ...c.labelSelector, matchLabels: { ...c.labelSelector?.matchLabels, ...Object.fromEntries(own) } }
}

function softConstraints(pod: Pod, reader: ClusterReader): Constraint[] {
  const own = pod.spec.topologySpreadConstraints ?? []
  if (own.length > 0) return own.filter((c) => c.whenUnsatisfiable === 'ScheduleAnyway').map((c) => compile(c, pod))
  const labelSelector = defaultSelector(pod, reader)
  return labelSelector ? systemDefaults.map((d) => compile({ ...d, whenUnsatisfiable: 'ScheduleAnyway', labelSelector }, pod)) : []
}

/** The selectors of the services and the replica set that the pod belongs to, merged. */
function defaultSelector(pod: Pod, reader: ClusterReader): { matchLabels: Record<string, string> } | undefined {
  const matchLabels: Record<string, string> = {}
  for (const service of reader.services(pod.metadata.namespace!)) {
    const selector = Object.entries(service.spec.selector ?? {})
    if (selector.length > 0 && selector.every(([k, v]) => pod.metadata.labels?.[k] === v)) Object.assign(matchLabels, service.spec.selector)
  }
  const owner = pod.metadata.ownerReferences?.find((o) => o.controller && o.kind === 'ReplicaSet')
  if (owner) Object.assign(matchLabels, reader.replicaSet(pod.metadata.namespace!, owner.name)?.spec.selector.matchLabels)
  return Object.keys(matchLabels).length > 0 ? { matchLabels } : undefined
}

const hasAllKeys = (info: NodeInfo, constraints: Constraint[]) => constraints.every((c) => info.node.metadata.labels?.[c.topologyKey] !== undefined)

/** Whether the node's pods count for the constraint. */
function counts(c: Constraint, pod: Pod, info: NodeInfo): boolean {
  if (c.honourAffinity && !matchesNode(pod.spec, info.node)) return false
  return !c.honourTaints || (info.node.spec?.taints ?? []).every((t) => t.effect === 'PreferNoSchedule' || toleratesTaint(pod.spec.tolerations, t))
}

function count(c: Constraint, pod: Pod, info: NodeInfo): void {
  const domain = info.node.metadata.labels![c.topologyKey]!
  let matching = c.counts.get(domain) ?? 0
  for (const other of info.pods.values())
    if (other.metadata.namespace === pod.metadata.namespace && !other.metadata.deletionTimestamp && c.matches(other.metadata.labels)) matching++
  c.counts.set(domain, matching)
}

function adjust(state: Map<string, unknown>, pod: Pod, other: Pod, info: NodeInfo, by: 1 | -1): void {
  const constraints = state.get(key) as Constraint[] | undefined
  if (!constraints || other.metadata.namespace !== pod.metadata.namespace) return
  // the state is shared with the cycle it was copied from: replace, never change
  state.set(
    key,
    constraints.map((c) => {
      const domain = info.node.metadata.labels?.[c.topologyKey]
      if (domain === undefined || !c.counts.has(domain) || !c.matches(other.metadata.labels)) return c
      return { ...c, counts: new Map(c.counts).set(domain, c.counts.get(domain)! + by) }
    }),
  )
}
