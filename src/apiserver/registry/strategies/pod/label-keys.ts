import type { DeepReadonly, core, meta } from '#api'

type Labels = DeepReadonly<Record<string, string>> | undefined

/**
 * Keys of a pod's own labels that select other pods (matchLabelKeys, mismatchLabelKeys) become part of the selectors when the pod
 * is made, with the values that its labels have then.
 */
export function mergeLabelKeys({ metadata: { labels }, spec }: core.Pod): void {
  for (const constraint of spec.topologySpreadConstraints ?? []) merge(constraint.labelSelector, constraint.matchLabelKeys, 'In', labels)
  for (const affinity of [spec.affinity?.podAffinity, spec.affinity?.podAntiAffinity]) {
    if (!affinity) continue
    const preferred = affinity.preferredDuringSchedulingIgnoredDuringExecution?.map(({ podAffinityTerm }) => podAffinityTerm) ?? []
    for (const term of [...preferred, ...(affinity.requiredDuringSchedulingIgnoredDuringExecution ?? [])]) {
      merge(term?.labelSelector, term?.matchLabelKeys, 'In', labels)
      merge(term?.labelSelector, term?.mismatchLabelKeys, 'NotIn', labels)
    }
  }
}

function merge(selector: meta.LabelSelector | undefined, keys: readonly string[] | undefined, operator: 'In' | 'NotIn', labels: Labels): void {
  // no selector selects nothing: there is nothing to narrow
  if (!selector || !keys) return
  for (const key of keys) {
    const value = labels?.[key]
    if (value !== undefined) (selector.matchExpressions ??= []).push({ key, operator, values: [value] })
  }
}
