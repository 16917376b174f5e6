import type { DeepReadonly, KubeObject, policy } from '#api'
import type { Conversion } from '../registry.ts'

// An empty selector means no pods in v1beta1 and all pods in v1. Upstream stores the first as a selector nothing can match.
const nothing = { matchExpressions: [{ key: 'pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match', operator: 'Exists' }] }

export const podDisruptionBudgetV1beta1: Conversion = {
  toStorage(object) {
    const budget = object as unknown as policy.PodDisruptionBudget
    const { selector } = budget.spec ?? {}
    const empty = selector && !Object.keys(selector.matchLabels ?? {}).length && !selector.matchExpressions?.length
    return { ...budget, apiVersion: 'policy/v1', ...(empty ? { spec: { ...budget.spec, selector: nothing } } : {}) } as KubeObject
  },
  fromStorage(object) {
    const budget = object as DeepReadonly<policy.PodDisruptionBudget>
    const expressions = budget.spec.selector?.matchExpressions
    const empty = expressions?.length === 1 && expressions[0]!.key === nothing.matchExpressions[0]!.key
    return { ...budget, apiVersion: 'policy/v1beta1', ...(empty ? { spec: { ...budget.spec, selector: {} } } : {}) } as DeepReadonly<KubeObject>
  },
}
