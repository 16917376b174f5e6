import type { DeepReadonly, core } from '#api'
import { selectorFromLabelSelector } from '#api'
import type { ClusterReader, CycleState, Pod, SchedulerPlugin } from '../framework.ts'
import { maxScore, unresolvable, unschedulable } from '../framework.ts'
import type { NodeInfo, Tally } from '../snapshot.ts'

type RawTerm = DeepReadonly<core.PodAffinityTerm>

interface Term extends Tally {
  topologyKey: string
}

interface WeightedTerm {
  term: Term
  weight: number
}

/** A pod's terms, ready to be asked. */
interface Terms {
  affinity: readonly Term[]
  antiAffinity: readonly Term[]
  /** Affinity preferred with a weight above zero, anti-affinity with one below. */
  preferred: readonly WeightedTerm[]
}

/** How often pods of a node have a term. */
interface TermSum {
  term: Term
  antiAffinity: number
  /** The weights of those that prefer pods that match, or require them. */
  weight: number
}

/** Numbers by topology key and value, over those of a base that does not change. */
class DomainCounts {
  readonly #base: DomainCounts | undefined
  readonly #byKey = new Map<string, Map<string, number>>()

  constructor(base?: DomainCounts) {
    this.#base = base
  }

  add(topologyKey: string, info: NodeInfo, by: number): void {
    const value = info.node.metadata.labels?.[topologyKey]
    if (value === undefined || by === 0) return
    let values = this.#byKey.get(topologyKey)
    if (!values) this.#byKey.set(topologyKey, (values = new Map()))
    values.set(value, (values.get(value) ?? 0) + by)
  }

  get(topologyKey: string, value: string): number {
    return (this.#byKey.get(topologyKey)?.get(value) ?? 0) + (this.#base?.get(topologyKey, value) ?? 0)
  }

  keys(): Iterable<string> {
    return this.#base ? new Set([...this.#byKey.keys(), ...this.#base.keys()]) : this.#byKey.keys()
  }

  get empty(): boolean {
    return this.#byKey.size === 0 && (this.#base?.empty ?? true)
  }

  /** Whether any domain has more than nothing. */
  get positive(): boolean {
    for (const key of this.keys()) for (const value of this.#values(key)) if (this.get(key, value) > 0) return true
    return false
  }

  *#values(key: string): Iterable<string> {
    yield* this.#byKey.get(key)?.keys() ?? []
    if (this.#base) yield* this.#base.#values(key)
  }
}

interface FilterState {
  terms: Terms
  /** Pods there are that match all of this pod's affinity terms. */
  near: DomainCounts
  /** Pods there are that match one of its anti-affinity terms. */
  far: DomainCounts
  /** Domains that pods there are keep this pod out of. */
  keptOut: DomainCounts
  /** Whether nobody is there that the pod wants to be near, and it would be such a one itself; worked out when it matters. */
  isFirst?: boolean
  /** The what-if question that may change these counts. */
  owner?: CycleState
}

const key = 'InterPodAffinity'
const scoreKey = 'InterPodAffinity/score'
/** What a required affinity of a pod there is counts for in the score. */
const hardWeight = 1

/** Places pods near or far from other pods (core/v1 PodAffinity and PodAntiAffinity). */
export function interPodAffinity(reader: ClusterReader): SchedulerPlugin {
  const known = new WeakMap<Pod, Terms>()
  /** A pod's terms never change as long as it is the same object. */
  const termsOf = (pod: Pod): Terms => {
    let terms = known.get(pod)
    if (!terms) known.set(pod, (terms = compileAll(pod, reader)))
    return terms
  }

  /** The terms of all pods of a node, equal ones together. */
  function summarise(affine: Iterable<Pod>): readonly TermSum[] {
    const sums = new Map<string | Term, TermSum>()
    const sumOf = (term: Term) => {
      const id = term.key === undefined ? term : `${term.topologyKey} ${term.key}`
      let sum = sums.get(id)
      if (!sum) sums.set(id, (sum = { term, antiAffinity: 0, weight: 0 }))
      return sum
    }
    for (const pod of affine) {
      const terms = termsOf(pod)
      for (const term of terms.antiAffinity) sumOf(term).antiAffinity++
      for (const term of terms.affinity) sumOf(term).weight += hardWeight
      for (const { term, weight } of terms.preferred) sumOf(term).weight += weight
    }
    return [...sums.values()]
  }

  function adjust(cycle: CycleState, pod: Pod, other: Pod, info: NodeInfo, by: 1 | -1): void {
    const state = cycle.get(key) as FilterState | undefined
    if (!state) return
    // the state is shared with the cycle it was copied from: what moves is laid over it
    const own = state.owner === cycle ? state : overlay(state, cycle)
    delete own.isFirst
    const { terms, near, far, keptOut } = own
    if (terms.affinity.length > 0 && terms.affinity.every((t) => t.matches(other))) for (const t of terms.affinity) near.add(t.topologyKey, info, by)
    for (const t of terms.antiAffinity) if (t.matches(other)) far.add(t.topologyKey, info, by)
    for (const t of termsOf(other).antiAffinity) if (t.matches(pod)) keptOut.add(t.topologyKey, info, by)
  }

  return {
    name: 'InterPodAffinity',
    events: ['nodeAdded', 'nodeChanged', 'podAdded', 'podGone', 'podChanged'],
    weight: 2,
    preFilter: (cycle, pod, snapshot) => {
      const terms = termsOf(pod)
      const state: FilterState = { terms, near: new DomainCounts(), far: new DomainCounts(), keptOut: new DomainCounts() }
      if (terms.affinity.length > 0 || terms.antiAffinity.length > 0) countOwn(state, snapshot.nodes)
      const matches = onceEach(pod)
      for (const info of snapshot.affineNodes)
        for (const { term, antiAffinity } of info.summary(summarise))
          if (antiAffinity > 0 && matches(term)) state.keptOut.add(term.topologyKey, info, antiAffinity)
      if (terms.affinity.length === 0 && terms.antiAffinity.length === 0 && state.keptOut.empty) return 'skip'
      cycle.set(key, state)
      return undefined
    },
    filter: (cycle, pod, info) => {
      const state = cycle.get(key) as FilterState
      const { terms, near, far, keptOut } = state
      const labels = info.node.metadata.labels ?? {}
      const here = (counts: DomainCounts, topologyKey: string) =>
        labels[topologyKey] !== undefined && counts.get(topologyKey, labels[topologyKey]) > 0
      if (terms.affinity.length > 0) {
        if (terms.affinity.some((t) => labels[t.topologyKey] === undefined)) return unresolvable("node(s) didn't match pod affinity rules")
        if (!terms.affinity.every((t) => here(near, t.topologyKey))) {
          // the first pod of a group that wants to be near itself must be let in somewhere
          state.isFirst ??= terms.affinity.every((t) => t.matches(pod)) && !near.positive
          if (!state.isFirst) return unresolvable("node(s) didn't match pod affinity rules")
        }
      }
      for (const t of terms.antiAffinity) if (here(far, t.topologyKey)) return unschedulable("node(s) didn't match pod anti-affinity rules")
      for (const topologyKey of keptOut.keys())
        if (here(keptOut, topologyKey)) return unschedulable("node(s) didn't satisfy existing pods anti-affinity rules")
      return undefined
    },
    addPod: (cycle, pod, other, info) => adjust(cycle, pod, other, info, 1),
    removePod: (cycle, pod, other, info) => adjust(cycle, pod, other, info, -1),
    preScore: (cycle, pod, _, snapshot) => {
      const { preferred } = termsOf(pod)
      const scores = new DomainCounts()
      if (preferred.length > 0)
        for (const info of snapshot.nodes)
          if (info.pods.size > 0) for (const { term, weight } of preferred) scores.add(term.topologyKey, info, weight * info.count(term))
      const matches = onceEach(pod)
      for (const info of snapshot.affineNodes)
        for (const { term, weight } of info.summary(summarise)) if (weight !== 0 && matches(term)) scores.add(term.topologyKey, info, weight)
      if (scores.empty) return 'skip'
      cycle.set(scoreKey, scores)
      return undefined
    },
    score: (cycle, _, info) => {
      const scores = cycle.get(scoreKey) as DomainCounts
      let score = 0
      for (const topologyKey of scores.keys()) {
        const value = info.node.metadata.labels?.[topologyKey]
        if (value !== undefined) score += scores.get(topologyKey, value)
      }
      return score
    },
    normalize: (_, __, scores) => {
      let [min, max] = [Infinity, -Infinity]
      for (const score of scores) {
        if (score < min) min = score
        if (score > max) max = score
      }
      for (let i = 0; i < scores.length; i++) scores[i] = max === min ? 0 : Math.floor((maxScore * (scores[i]! - min)) / (max - min))
    },
  }
}

/** Counts the pods that the pod's own terms are about. */
function countOwn({ terms, near, far }: FilterState, nodes: readonly NodeInfo[]): void {
  const together = all(terms.affinity)
  for (const info of nodes) {
    if (info.pods.size === 0) continue
    if (together) {
      const count = info.count(together)
      for (const t of terms.affinity) near.add(t.topologyKey, info, count)
    }
    for (const t of terms.antiAffinity) far.add(t.topologyKey, info, info.count(t))
  }
}

function overlay({ terms, near, far, keptOut }: FilterState, owner: CycleState): FilterState {
  const state = { terms, near: new DomainCounts(near), far: new DomainCounts(far), keptOut: new DomainCounts(keptOut), owner }
  owner.set(key, state)
  return state
}

/** Whether terms match the pod; equal terms are asked once. */
function onceEach(pod: Pod): (term: Term) => boolean {
  const known = new Map<string, boolean>()
  return (term) => {
    if (term.key === undefined) return term.matches(pod)
    let answer = known.get(term.key)
    if (answer === undefined) known.set(term.key, (answer = term.matches(pod)))
    return answer
  }
}

/** One question for all terms together. */
function all(terms: readonly Term[]): Tally | undefined {
  if (terms.length <= 1) return terms[0]
  const keys = terms.map((t) => t.key)
  return {
    ...(keys.includes(undefined) ? {} : { key: `all of ${keys.join(' and ')}` }),
    matches: (other) => terms.every((t) => t.matches(other)),
  }
}

function compileAll(pod: Pod, reader: ClusterReader): Terms {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {}
  const required = (terms: readonly RawTerm[] | undefined) => (terms ?? []).map((term) => compile(term, pod, reader))
  const weighted = (terms: readonly DeepReadonly<core.WeightedPodAffinityTerm>[] | undefined, sign: 1 | -1) =>
    (terms ?? []).map((t) => ({ term: compile(t.podAffinityTerm, pod, reader), weight: sign * t.weight }))
  return {
    affinity: required(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    antiAffinity: required(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferred: [
      ...weighted(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution, 1),
      ...weighted(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution, -1),
    ],
  }
}

function compile(term: RawTerm, owner: Pod, reader: ClusterReader): Term {
  const extra = (keys: readonly string[] | undefined, operator: 'In' | 'NotIn') =>
    (keys ?? []).flatMap((k) => (owner.metadata.labels?.[k] === undefined ? [] : [{ key: k, operator, values: [owner.metadata.labels[k]] }]))
  const more = [...extra(term.matchLabelKeys, 'In'), ...extra(term.mismatchLabelKeys, 'NotIn')]
  const labelSelector =
    term.labelSelector && more.length > 0
      ? { ...term.labelSelector, matchExpressions: [...(term.labelSelector.matchExpressions ?? []), ...more] }
      : term.labelSelector
  const selector = selectorFromLabelSelector(labelSelector)
  const namespaces = new Set(term.namespaces ?? [])
  const byLabels = term.namespaceSelector ? selectorFromLabelSelector(term.namespaceSelector) : undefined
  if (namespaces.size === 0 && !byLabels) namespaces.add(owner.metadata.namespace!)
  // namespaces may be labelled anew: then the answer changes without a change of the node's pods
  const tally = byLabels ? {} : { key: `near ${[...namespaces].join()}/${selector.requirements ? selector.toString() : 'nothing'}` }
  return {
    topologyKey: term.topologyKey,
    ...tally,
    matches: (other) => {
      const namespace = other.metadata.namespace!
      return (namespaces.has(namespace) || (byLabels?.matches(reader.namespaceLabels(namespace)) ?? false)) && selector.matches(other.metadata.labels)
    },
  }
}
