import type { Clock } from '#base'
import { apiVersionOf, kindOf } from '#api'
import type { Authorizer } from '../../authz/authorizer.ts'
import type { ObjectReader } from '../../object-reader.ts'
import { conversions } from '../../registry/conversions/index.ts'
import { strategies } from '../../registry/strategies/index.ts'
import type { AdmissionPlugin } from '../admission.ts'
import type { Attributes } from './attributes.ts'
import { evaluation } from './lazy-evaluation.ts'
import type { PolicyEnvironmentOptions } from '#cel'
import { mutatingAdmissionPolicy } from './mutating-plugin.ts'
import type { PolicyMetrics } from './policy-metrics.ts'
import { validatingAdmissionPolicy } from './validating-plugin.ts'

export type { PolicyMetrics } from './policy-metrics.ts'
export { policyMetrics } from './policy-metrics.ts'

export interface AdmissionPoliciesOptions {
  reader: ObjectReader
  authorizer: Authorizer
  clock: Clock
  metrics: PolicyMetrics
}

/** The plugins that do what policies in the API say. */
export function admissionPolicies({ reader, authorizer, clock, metrics }: AdmissionPoliciesOptions): {
  mutating: AdmissionPlugin
  validating: AdmissionPlugin
} {
  const options = {
    reader,
    conversions,
    clock,
    metrics,
    makeEnvironment: (wanted: PolicyEnvironmentOptions) => evaluation().cel.policyEnvironment(wanted),
    authorizerFor: (attributes: Attributes) => evaluation().authorizerValues(authorizer, attributes),
  }
  return {
    mutating: mutatingAdmissionPolicy({
      ...options,
      setDefaults({ kind }, object) {
        // what is about an object (its Scale) has no strategy
        const known = kindOf(apiVersionOf(kind), kind.kind)
        if (known) strategies[`${known.group || 'core'}/${known.resource}`]?.default?.(object)
      },
    }),
    validating: validatingAdmissionPolicy(options),
  }
}
