import { isDeepStrictEqual } from 'node:util'
import { type DeepReadonly, type rbac, resources, selectorFromLabelSelector } from '#api'
import type { Controller, Watch } from '#runtime'

type ClusterRole = DeepReadonly<rbac.ClusterRole>

/** The rules of a role that is put together from others, each once, in the order of the others' names; undefined when it has its own. */
export function aggregatedRules(role: ClusterRole, all: readonly ClusterRole[]): DeepReadonly<rbac.PolicyRule>[] | undefined {
  if (!role.aggregationRule) return undefined
  const selectors = (role.aggregationRule.clusterRoleSelectors ?? []).map((s) => selectorFromLabelSelector(s))
  const sorted = all.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  const rules: DeepReadonly<rbac.PolicyRule>[] = []
  const seen = new Set<string>()
  for (const selector of selectors) {
    for (const other of sorted) {
      // it must not feed on itself
      if (other.metadata.name === role.metadata.name || !selector.matches(other.metadata.labels ?? {})) continue
      for (const rule of other.rules ?? []) {
        const { apiGroups, resources, resourceNames, nonResourceURLs, verbs } = rule
        const id = JSON.stringify([verbs, apiGroups, resources, resourceNames, nonResourceURLs])
        if (!seen.has(id)) rules.push(rule)
        seen.add(id)
      }
    }
  }
  return rules
}

/** Keeps cluster roles with an aggregation rule in step with the roles they select. */
export const clusterRoleAggregationController: Controller = {
  name: 'clusterroleaggregation',
  setup({ client, cache }) {
    const roles = cache(resources.clusterRoles)
    const api = client.resource(resources.clusterRoles)
    const aggregated = new Set<string>()
    const changes: Watch = {
      ready: (signal) => roles.ready(signal),
      subscribe: (enqueue) =>
        roles.subscribe(({ type, object }) => {
          const { name } = object.metadata
          if (type !== 'deleted' && object.aggregationRule) aggregated.add(name)
          else aggregated.delete(name)
          for (const role of aggregated) enqueue(role)
        }),
    }
    return {
      watches: [changes],
      async reconcile(name, signal) {
        const role = roles.get(name)
        const rules = role && aggregatedRules(role, roles.list())
        if (!rules || isDeepStrictEqual(rules, role.rules ?? [])) return
        await api.update({ ...role, rules: rules as rbac.PolicyRule[] }, { signal })
      },
    }
  },
}
