import { matchesNode, matchesNodeSelectorTerm } from '#api'
import type { SchedulerPlugin } from '../framework.ts'
import { normalizeScores, unresolvable } from '../framework.ts'

/** The node selector, required and preferred node affinity. */
export const nodeAffinity: SchedulerPlugin = {
  name: 'NodeAffinity',
  events: ['nodeAdded', 'nodeChanged'],
  weight: 2,
  preFilter: (_, pod) => {
    const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
    if (!required && !pod.spec.nodeSelector) return 'skip'
    // a term that names nodes (as daemon pods do) makes looking at all the others unnecessary
    const named = new Set<string>()
    for (const term of required?.nodeSelectorTerms ?? []) {
      const names = term.matchFields?.find((f) => f.key === 'metadata.name' && f.operator === 'In')?.values
      if (!names) return undefined
      for (const name of names) named.add(name)
    }
    return named.size > 0 ? { nodes: named } : undefined
  },
  filter: (_, pod, info) => (matchesNode(pod.spec, info.node) ? undefined : unresolvable("node(s) didn't match Pod's node affinity/selector")),
  preScore: (_, pod) => (pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.length ? undefined : 'skip'),
  score: (_, pod, info) => {
    let score = 0
    for (const { weight, preference } of pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [])
      if (matchesNodeSelectorTerm(preference, info.node)) score += weight
    return score
  },
  normalize: (_, __, scores) => normalizeScores(scores),
}
