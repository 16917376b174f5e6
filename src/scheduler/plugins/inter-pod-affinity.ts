import type { DeepReadonly, core } from '#api'
import { selectorFromLabelSelector } from '#api'
import type { ClusterReader, Pod, SchedulerPlugin } from '../framework.ts'
import { maxScore, unresolvable, unschedulable } from '../framework.ts'
import type { NodeInfo } from '../snapshot.ts'

type RawTerm = DeepReadonly<core.PodAffinityTerm>

interface Term {
  topologyKey: string
  matches(other: Pod): boolean
}

/** Matching pods per `topologyKey=value`. */
type Counts = Map<string, number>

interface FilterState {
  affinity: Term[]
  antiAffinity: Term[]
  /** Pods there are that match all of this pod's affinity terms. */
  near: Counts
  /** Pods there are that match one of its anti-affinity terms. */
  far: Counts
  /** Domains that pods there are keep this pod out of. */
  keptOut: Counts
}

const key = 'InterPodAffinity'
const scoreKey = 'InterPodAffinity/score'
/** What a required affinity of a pod there is counts for in the score. */
const hardWeight = 1

/** Places pods near or far from other pods (core/v1 PodAffinity and PodAntiAffinity). */
export function interPodAffinity(reader: ClusterReader): SchedulerPlugin {
  const compileAll = (terms: readonly RawTerm[] | undefined, owner: Pod): Term[] => (terms ?? []).map((term) => compile(term, owner, reader))
  const requiredAffinity = (pod: Pod) => compileAll(pod.spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution, pod)
  const requiredAntiAffinity = (pod: Pod) => compileAll(pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution, pod)

  function record(state: FilterState, pod: Pod, other: Pod, info: NodeInfo, by: 1 | -1): void {
    if (state.affinity.length > 0 && state.affinity.every((t) => t.matches(other)))
      for (const t of state.affinity) bump(state.near, t.topologyKey, info, by)
    for (const t of state.antiAffinity) if (t.matches(other)) bump(state.far, t.topologyKey, info, by)
    if (other.spec.affinity?.podAntiAffinity)
      for (const t of requiredAntiAffinity(other)) if (t.matches(pod)) bump(state.keptOut, t.topologyKey, info, by)
  }

  function adjust(cycle: Map<string, unknown>, pod: Pod, other: Pod, info: NodeInfo, by: 1 | -1): void {
    const state = cycle.get(key) as FilterState | undefined
    if (!state) return
    const copy = { ...state, near: new Map(state.near), far: new Map(state.far), keptOut: new Map(state.keptOut) }
    record(copy, pod, other, info, by)
    cycle.set(key, copy)
  }

  return {
    name: 'InterPodAffinity',
    events: ['nodeAdded', 'nodeChanged', 'podAdded', 'podGone', 'podChanged'],
    weight: 2,
    preFilter: (cycle, pod, snapshot) => {
      const state: FilterState = {
        affinity: requiredAffinity(pod),
        antiAffinity: requiredAntiAffinity(pod),
        near: new Map(),
        far: new Map(),
        keptOut: new Map(),
      }
      const own = state.affinity.length > 0 || state.antiAffinity.length > 0
      for (const info of snapshot.nodes) if (own || info.affine > 0) for (const other of info.pods.values()) record(state, pod, other, info, 1)
      if (!own && state.keptOut.size === 0) return 'skip'
      cycle.set(key, state)
      return undefined
    },
    filter: (cycle, pod, info) => {
      const state = cycle.get(key) as FilterState
      const labels = info.node.metadata.labels ?? {}
      const here = (counts: Counts, topologyKey: string) =>
        labels[topologyKey] !== undefined && (counts.get(`${topologyKey}=${labels[topologyKey]}`) ?? 0) > 0
      if (state.affinity.length > 0) {
        if (state.affinity.some((t) => labels[t.topologyKey] === undefined)) return unresolvable("node(s) didn't match pod affinity rules")
        // the first pod of a group that wants to be near itself must be let in somewhere
        const first = ![...state.near.values()].some((n) => n > 0) && state.affinity.every((t) => t.matches(pod))
        if (!first && !state.affinity.every((t) => here(state.near, t.topologyKey))) return unresolvable("node(s) didn't match pod affinity rules")
      }
      if (state.antiAffinity.some((t) => here(state.far, t.topologyKey))) return unschedulable("node(s) didn't match pod anti-affinity rules")
      for (const [domain, n] of state.keptOut) {
        const split = domain.indexOf('=')
        if (n > 0 && labels[domain.slice(0, split)] === domain.slice(split + 1))
          return unschedulable("node(s) didn't satisfy existing pods anti-affinity rules")
      }
      return undefined
    },
    addPod: (cycle, pod, other, info) => adjust(cycle, pod, other, info, 1),
    removePod: (cycle, pod, other, info) => adjust(cycle, pod, other, info, -1),
    preScore: (cycle, pod, _, snapshot) => {
      const weighted = (terms: readonly DeepReadonly<core.WeightedPodAffinityTerm>[] | undefined, sign: 1 | -1, owner: Pod) =>
        (terms ?? []).map((t) => ({ term: compile(t.podAffinityTerm, owner, reader), weight: sign * t.weight }))
      const preferences = (owner: Pod) => [
        ...weighted(owner.spec.affinity?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution, 1, owner),
        ...weighted(owner.spec.affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution, -1, owner),
      ]
      const own = preferences(pod)
      const scores: Counts = new Map()
      for (const info of snapshot.nodes) {
        if (own.length === 0 && info.affine === 0) continue
        for (const other of info.pods.values()) {
          for (const { term, weight } of own) if (term.matches(other)) bump(scores, term.topologyKey, info, weight)
          if (!other.spec.affinity) continue
          for (const term of requiredAffinity(other)) if (term.matches(pod)) bump(scores, term.topologyKey, info, hardWeight)
          for (const { term, weight } of preferences(other)) if (term.matches(pod)) bump(scores, term.topologyKey, info, weight)
        }
      }
      if (scores.size === 0) return 'skip'
      cycle.set(scoreKey, scores)
      return undefined
    },
    score: (cycle, _, info) => {
      let score = 0
      for (const [domain, weight] of cycle.get(scoreKey) as Counts) {
        const split = domain.indexOf('=')
        if (info.node.metadata.labels?.[domain.slice(0, split)] === domain.slice(split + 1)) score += weight
      }
      return score
    },
    normalize: (_, __, scores) => {
      const min = Math.min(...scores)
      const range = Math.max(...scores) - min
      for (const i of scores.keys()) scores[i] = range === 0 ? 0 : Math.floor((maxScore * (scores[i]! - min)) / range)
    },
  }
}

function bump(counts: Counts, topologyKey: string, info: NodeInfo, by: number): void {
  const value = info.node.metadata.labels?.[topologyKey]
  if (value === undefined) return
  const domain = `${topologyKey}=${value}`
  counts.set(domain, (counts.get(domain) ?? 0) + by)
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
  return {
    topologyKey: term.topologyKey,
    matches: (other) => {
      const namespace = other.metadata.namespace!
      return (namespaces.has(namespace) || (byLabels?.matches(reader.namespaceLabels(namespace)) ?? false)) && selector.matches(other.metadata.labels)
    },
  }
}
