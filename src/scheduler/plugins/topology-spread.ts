import type { DeepReadonly, core } from '#api'
import { matchesNode, selectorFromLabelSelector, toleratesTaint } from '#api'
import type { ClusterReader, CycleState, Pod, SchedulerPlugin } from '../framework.ts'
import { maxScore, unresolvable, unschedulable } from '../framework.ts'
import type { NodeInfo, Tally } from '../snapshot.ts'

type RawConstraint = DeepReadonly<core.TopologySpreadConstraint>

interface Constraint {
  topologyKey: string
  maxSkew: number
  minDomains: number
  /** Counts the pods of a node that the constraint is about. */
  tally: Tally
  honourAffinity: boolean
  honourTaints: boolean
  matchesSelf: boolean
}

/** Pods that match, per domain, and the two domains with the fewest: what is moved in a what-if question is in one domain. */
interface Spread {
  constraint: Constraint
  counts: ReadonlyMap<string, number>
  lowest: { domain: string; count: number } | undefined
  second: number
  /** What-if: so many more in this domain. */
  moved?: { domain: string; by: number }
}

const key = 'PodTopologySpread'
const scoreKey = 'PodTopologySpread/score'
const hostname = 'kubernetes.io/hostname'

/** Constraints that a pod without any gets, if a service or a controller selects it (upstream's cluster defaults); they only prefer. */
const systemDefaults = [
  { topologyKey: hostname, maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', maxSkew: 5 },
]

/** Keeps pods that match a selector evenly spread over zones, nodes, … (KEP-895). */
export function podTopologySpread(reader: ClusterReader): SchedulerPlugin {
  return {
    name: 'PodTopologySpread',
    events: ['nodeAdded', 'nodeChanged', 'podAdded', 'podGone', 'podChanged'],
    weight: 2,
    preFilter: (state, pod, snapshot) => {
      const hard = (pod.spec.topologySpreadConstraints ?? []).filter((c) => c.whenUnsatisfiable === 'DoNotSchedule').map((c) => compile(c, pod))
      if (hard.length === 0) return 'skip'
      state.set(
        key,
        hard.map((constraint) => countDomains(constraint, pod, snapshot.nodes, hard)),
      )
      return undefined
    },
    filter: (state, _, info) => {
      for (const spread of state.get(key) as Spread[]) {
        const { constraint } = spread
        const domain = info.node.metadata.labels?.[constraint.topologyKey]
        if (domain === undefined) return unresolvable("node(s) didn't match pod topology spread constraints (missing required label)")
        const skew = countIn(spread, domain) + (constraint.matchesSelf ? 1 : 0) - least(spread)
        if (skew > constraint.maxSkew) return unschedulable("node(s) didn't match pod topology spread constraints")
      }
      return undefined
    },
    addPod: (state, _, other, info) => move(state, other, info, 1),
    removePod: (state, _, other, info) => move(state, other, info, -1),
    preScore: (state, pod, nodes, snapshot) => {
      const { constraints, requireAll } = softConstraints(pod, reader)
      if (constraints.length === 0) return 'skip'
      state.set(scoreKey, scoring(constraints, requireAll, pod, nodes, snapshot.nodes))
      return undefined
    },
    score: (state, _, info) => {
      const { weighted } = state.get(scoreKey) as Scoring
      let score = 0
      for (const { constraint, counts, weight } of weighted) {
        const domain = info.node.metadata.labels?.[constraint.topologyKey]
        if (domain === undefined) continue
        const count = counts ? (counts.get(domain) ?? 0) : info.count(constraint.tally)
        score += count * weight + (constraint.maxSkew - 1)
      }
      return score
    },
    normalize: (state, _, scores, nodes) => {
      const { weighted, requireAll } = state.get(scoreKey) as Scoring
      const hasKey = (info: NodeInfo) => (c: { constraint: Constraint }) => info.node.metadata.labels?.[c.constraint.topologyKey] !== undefined
      let min = Infinity
      let max = 0
      const eligible: boolean[] = []
      for (const [i, info] of nodes.entries()) {
        eligible[i] = !requireAll || weighted.every(hasKey(info))
        if (!eligible[i]) continue
        min = Math.min(min, scores[i]!)
        max = Math.max(max, scores[i]!)
      }
      for (let i = 0; i < scores.length; i++)
        scores[i] = !eligible[i] ? 0 : max === 0 ? maxScore : Math.floor((maxScore * (max + min - scores[i]!)) / max)
    },
  }
}

function compile(c: RawConstraint, pod: Pod): Constraint {
  const selector = selectorFromLabelSelector(withMatchLabelKeys(c, pod))
  const namespace = pod.metadata.namespace!
  return {
    topologyKey: c.topologyKey,
    maxSkew: c.maxSkew,
    minDomains: c.minDomains ?? 1,
    tally: {
      key: `spread ${namespace}/${selector.requirements ? selector.toString() : 'nothing'}`,
      matches: (other) => other.metadata.namespace === namespace && !other.metadata.deletionTimestamp && selector.matches(other.metadata.labels),
    },
    honourAffinity: c.nodeAffinityPolicy !== 'Ignore',
    honourTaints: c.nodeTaintsPolicy === 'Honor',
    matchesSelf: selector.matches(pod.metadata.labels),
  }
}

/** `matchLabelKeys` adds the pod's own values of these labels to the selector. */
function withMatchLabelKeys(c: RawConstraint, pod: Pod) {
  const own = (c.matchLabelKeys ?? []).flatMap((k) => (pod.metadata.labels?.[k] === undefined ? [] : [[k, pod.metadata.labels[k]] as const]))
  return own.length === 0 ? c.labelSelector : { ...c.labelSelector, matchLabels: { ...c.labelSelector?.matchLabels, ...Object.fromEntries(own) } }
}

function countDomains(constraint: Constraint, pod: Pod, nodes: readonly NodeInfo[], all: readonly Constraint[]): Spread {
  const counts = new Map<string, number>()
  for (const info of nodes) {
    const { labels } = info.node.metadata
    if (!all.every((c) => labels?.[c.topologyKey] !== undefined) || !includes(constraint, pod, info)) continue
    const domain = labels![constraint.topologyKey]!
    counts.set(domain, (counts.get(domain) ?? 0) + info.count(constraint.tally))
  }
  let lowest: Spread['lowest']
  let second = Infinity
  for (const [domain, count] of counts) {
    if (!lowest || count < lowest.count) {
      second = lowest?.count ?? Infinity
      lowest = { domain, count }
    } else if (count < second) second = count
  }
  return { constraint, counts, lowest, second }
}

/** Whether the node's pods count for the constraint. */
function includes(c: Constraint, pod: Pod, info: NodeInfo): boolean {
  if (c.honourAffinity && !matchesNode(pod.spec, info.node)) return false
  return !c.honourTaints || info.taints.every((t) => t.effect === 'PreferNoSchedule' || toleratesTaint(pod.spec.tolerations, t))
}

const countIn = ({ counts, moved }: Spread, domain: string) => (counts.get(domain) ?? 0) + (moved?.domain === domain ? moved.by : 0)

/** The fewest that any domain has; none while there are fewer domains than there should be. */
function least({ constraint, counts, lowest, second, moved }: Spread): number {
  if (counts.size < constraint.minDomains || !lowest) return 0
  if (!moved) return lowest.count
  const others = moved.domain === lowest.domain ? second : lowest.count
  return Math.min(others, (counts.get(moved.domain) ?? Infinity) + moved.by)
}

function move(state: CycleState, other: Pod, info: NodeInfo, by: 1 | -1): void {
  const spreads = state.get(key) as Spread[] | undefined
  if (!spreads) return
  // the state is shared with the cycle it was copied from: replace, never change
  state.set(
    key,
    spreads.map((spread) => {
      const domain = info.node.metadata.labels?.[spread.constraint.topologyKey]
      if (domain === undefined || !spread.counts.has(domain) || !spread.constraint.tally.matches(other)) return spread
      return { ...spread, moved: { domain, by: (spread.moved?.by ?? 0) + by } }
    }),
  )
}

interface Scoring {
  weighted: {
    constraint: Constraint
    /** By domain; absent where every node is a domain of its own: then the node knows. */
    counts?: ReadonlyMap<string, number>
    weight: number
  }[]
  /** Whether nodes without one of the labels are the worst. */
  requireAll: boolean
}

function scoring(constraints: readonly Constraint[], requireAll: boolean, pod: Pod, nodes: readonly NodeInfo[], all: readonly NodeInfo[]): Scoring {
  const weighted = constraints.map((constraint) => {
    // more domains make one pod more in a domain matter more
    if (constraint.topologyKey === hostname) return { constraint, weight: Math.log(nodes.length + 2) }
    const counts = new Map<string, number>()
    for (const info of nodes) {
      const domain = info.node.metadata.labels?.[constraint.topologyKey]
      if (domain !== undefined && !counts.has(domain)) counts.set(domain, 0)
    }
    for (const info of all) {
      const domain = info.node.metadata.labels?.[constraint.topologyKey]
      const count = domain === undefined ? undefined : counts.get(domain)
      if (count !== undefined && includes(constraint, pod, info)) counts.set(domain!, count + info.count(constraint.tally))
    }
    return { constraint, counts, weight: Math.log(counts.size + 2) }
  })
  return { weighted, requireAll }
}

function softConstraints(pod: Pod, reader: ClusterReader): { constraints: Constraint[]; requireAll: boolean } {
  const own = pod.spec.topologySpreadConstraints ?? []
  if (own.length > 0)
    return { constraints: own.filter((c) => c.whenUnsatisfiable === 'ScheduleAnyway').map((c) => compile(c, pod)), requireAll: true }
  const labelSelector = defaultSelector(pod, reader)
  const constraints = labelSelector ? systemDefaults.map((d) => compile({ ...d, whenUnsatisfiable: 'ScheduleAnyway', labelSelector }, pod)) : []
  // nodes of a small cluster have no zone: they are spread over all the same
  return { constraints, requireAll: false }
}

/** The selectors of the services and of the controller that the pod belongs to, merged. */
function defaultSelector(pod: Pod, reader: ClusterReader): DeepReadonly<{ matchLabels: Record<string, string> }> | undefined {
  const matchLabels: Record<string, string> = {}
  for (const service of reader.services(pod.metadata.namespace!)) {
    const { selector } = service.spec
    if (selector && includesAll(pod.metadata.labels, selector)) Object.assign(matchLabels, selector)
  }
  const owner = pod.metadata.ownerReferences?.find((o) => o.controller)
  if (owner) Object.assign(matchLabels, reader.controllerSelector(pod.metadata.namespace!, owner.kind, owner.name))
  return Object.keys(matchLabels).length > 0 ? { matchLabels } : undefined
}

function includesAll(labels: Readonly<Record<string, string>> | undefined, wanted: Readonly<Record<string, string>>): boolean {
  let any = false
  for (const name in wanted) {
    if (labels?.[name] !== wanted[name]) return false
    any = true
  }
  return any
}
