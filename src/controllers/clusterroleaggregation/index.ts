import { isDeepStrictEqual } from 'node:util'
import { aggregateRules, type rbac, resources } from '#api'
import type { Controller, Watch } from '#runtime'

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
        if (!role?.aggregationRule) return
        const rules = aggregateRules(role, roles.list())
        if (isDeepStrictEqual(rules, role.rules ?? [])) return
        await api.update({ ...role, rules: rules as rbac.PolicyRule[] }, { signal })
      },
    }
  },
}
