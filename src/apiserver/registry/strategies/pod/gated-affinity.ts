import type { DeepReadonly, core } from '#api'
import { type Causes, invalid, same } from '../../validation/causes.ts'
import { internalForm, internalForms } from '../../validation/internal-form.ts'

type NodeAffinity = DeepReadonly<core.NodeAffinity> | undefined
type Term = DeepReadonly<core.NodeSelectorTerm>

/**
 * What the node affinity of a pod may become while scheduling gates hold it back: preferences as one likes; of what is required,
 * each term may ask for more, and where nothing was required, anything.
 */
export function validateAffinityNarrowed(causes: Causes, path: string, affinity: NodeAffinity, before: NodeAffinity): void {
  const had = before?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  if (had.length === 0) return
  const at = `${path}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`
  const terms = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  if (terms.length !== had.length) {
    const shown = terms.length === 0 ? null : internalForm(terms, internalForms.nodeSelectorTerm)
    causes.push(invalid(at, shown, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed'))
    return
  }
  had.forEach((term, i) => {
    if (!extendsTerm(terms[i]!, term))
      causes.push(
        invalid(`${at}[${i}]`, internalForm(terms[i], internalForms.nodeSelectorTerm), 'only additions are allowed (no mutations or deletions)'),
      )
  })
}

/** An empty term matches nothing, so that asking for more would make it match something. */
function extendsTerm(term: Term, before: Term): boolean {
  const isEmpty = ({ matchExpressions, matchFields }: Term) => !matchExpressions?.length && !matchFields?.length
  if (isEmpty(before)) return isEmpty(term)
  return beginsWith(term.matchExpressions, before.matchExpressions) && beginsWith(term.matchFields, before.matchFields)
}

function beginsWith(list: readonly unknown[] | undefined, start: readonly unknown[] | undefined): boolean {
  return same(list?.slice(0, start?.length ?? 0), start)
}
