import type { DeepReadonly } from './object.ts'
import { selectorFromLabelSelector } from './selectors.ts'
import type { meta, rbac } from './types/index.ts'

interface Aggregating {
  readonly metadata: { readonly name: string }
  readonly aggregationRule?: { readonly clusterRoleSelectors?: readonly DeepReadonly<meta.LabelSelector>[] }
}

interface Aggregated {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly rules?: readonly DeepReadonly<rbac.PolicyRule>[]
}

/**
 * The rules of a ClusterRole that is put together from others: those of all roles that its selectors match, in the order of their names, each rule once.
 * (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles)
 */
export function aggregateRules(role: Aggregating, roles: readonly Aggregated[]): DeepReadonly<rbac.PolicyRule>[] {
  const found = new Map<string, DeepReadonly<rbac.PolicyRule>>()
  for (const labelSelector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const selector = selectorFromLabelSelector(labelSelector as meta.LabelSelector)
    const chosen = roles
      // it must not feed on itself
      .filter(({ metadata }) => metadata.name !== role.metadata.name && selector.matches({ ...metadata.labels }))
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    for (const { rules = [] } of chosen)
      for (const rule of rules) {
        // the order in which fields were written means nothing
        const { apiGroups, resources, resourceNames, nonResourceURLs, verbs } = rule
        const id = JSON.stringify([verbs, apiGroups, resources, resourceNames, nonResourceURLs])
        if (!found.has(id)) found.set(id, rule)
      }
  }
  return [...found.values()]
}
