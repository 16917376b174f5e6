import type { DeepReadonly } from './object.ts'
import type { core } from './types/index.ts'

type Node = DeepReadonly<core.Node>
type NodeSelectorTerm = DeepReadonly<core.NodeSelectorTerm>

/** Whether one of the tolerations covers the taint (https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/). */
export function toleratesTaint(
  tolerations: readonly DeepReadonly<core.Toleration>[] | undefined,
  taint: Pick<DeepReadonly<core.Taint>, 'key' | 'value' | 'effect'>,
): boolean {
  return (tolerations ?? []).some(
    (t) =>
      (!t.effect || t.effect === taint.effect) &&
      (!t.key ? t.operator === 'Exists' : t.key === taint.key) &&
      (t.operator === 'Exists' || (t.value ?? '') === (taint.value ?? '')),
  )
}

/** Whether the node matches one of the terms; a term's requirements must all hold, and an empty term matches nothing. */
export function matchesNodeSelectorTerms(terms: readonly NodeSelectorTerm[], node: Node): boolean {
  return terms.some((term) => matchesNodeSelectorTerm(term, node))
}

export function matchesNodeSelectorTerm(term: NodeSelectorTerm, node: Node): boolean {
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

/** Whether the node has what a pod's node selector and required node affinity ask for. */
export function matchesNode(spec: DeepReadonly<Pick<core.PodSpec, 'nodeSelector' | 'affinity'>>, node: Node): boolean {
  const labels = node.metadata.labels ?? {}
  for (const key in spec.nodeSelector) if (labels[key] !== spec.nodeSelector[key]) return false
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return !required || matchesNodeSelectorTerms(required.nodeSelectorTerms, node)
}
