import type { DeepReadonly, core } from '#api'
import type { Node, Pod, SchedulerPlugin } from '../framework.ts'
import { normalizeScores, unresolvable } from '../framework.ts'

type Term = DeepReadonly<core.NodeSelectorTerm>

/** Whether the node matches one of the terms; a term's requirements must all hold, and an empty term matches nothing. */
export function matchesAnyTerm(terms: readonly Term[], node: Node): boolean {
  return terms.some((term) => matchesTerm(term, node))
}

function matchesTerm(term: Term, node: Node): boolean {
  const expressions = term.matchExpressions ?? []
  const fields = term.matchFields ?? []
  if (expressions.length === 0 && fields.length === 0) return false
  const labels = node.metadata.labels ?? {}
  return (
    expressions.every((r) => matchesRequirement(r, labels[r.key])) &&
    fields.every((r) => r.key === 'metadata.name' && matchesRequirement(r, node.metadata.name))
  )
}

function matchesRequirement(r: DeepReadonly<core.NodeSelectorRequirement>, value: string | undefined): boolean {
  switch (r.operator) {
    case 'In':
      return value !== undefined && (r.values ?? []).includes(value)
    case 'NotIn':
      return value === undefined || !(r.values ?? []).includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return value !== undefined && isInteger(value) && Number(value) > Number(r.values?.[0])
    case 'Lt':
      return value !== undefined && isInteger(value) && Number(value) < Number(r.values?.[0])
    default:
      return false
  }
}

const isInteger = (text: string) => /^-?\d+$/.test(text)

/** Whether the node has what the pod's node selector and required node affinity ask for. */
export function nodeFits(pod: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {}
  for (const [key, value] of Object.entries(pod.spec.nodeSelector ?? {})) if (labels[key] !== value) return false
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return !required || matchesAnyTerm(required.nodeSelectorTerms, node)
}

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
  filter: (_, pod, info) => (nodeFits(pod, info.node) ? undefined : unresolvable("node(s) didn't match Pod's node affinity/selector")),
  preScore: (_, pod) => (pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.length ? undefined : 'skip'),
  score: (_, pod, info) => {
    let score = 0
    for (const { weight, preference } of pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [])
      if (matchesTerm(preference, info.node)) score += weight
    return score
  },
  normalize: (_, __, scores) => normalizeScores(scores),
}
