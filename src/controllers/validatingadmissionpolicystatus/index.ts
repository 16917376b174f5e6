import { resources } from '#api'
import { type Controller, primary } from '#runtime'

const fieldManager = 'validatingadmissionpolicy-status-controller'

/** Says in the status of policies what their expressions get wrong about the kinds that they are for, once for each generation. */
export const validatingAdmissionPolicyStatusController: Controller = {
  name: 'validatingadmissionpolicy-status',
  setup({ client, cache }) {
    const policies = cache(resources.validatingAdmissionPolicies)
    const api = client.resource(resources.validatingAdmissionPolicies)
    return {
      watches: [primary(policies)],
      async reconcile(name, signal) {
        const policy = policies.get(name)
        const { generation = 0 } = policy?.metadata ?? {}
        if (!policy || generation <= (policy.status?.observedGeneration ?? 0)) return
        // most clusters have no policies: their controller loads nothing
        const { typeWarnings } = await import('./type-check.ts')
        const warnings = typeWarnings(policy)
        const { apiVersion, kind } = policy
        const status = { observedGeneration: generation, typeChecking: warnings.length > 0 ? { expressionWarnings: warnings } : {} }
        await api.apply({ apiVersion, kind, metadata: { name }, status }, { fieldManager, force: true, subresource: 'status', signal })
      },
    }
  },
}
