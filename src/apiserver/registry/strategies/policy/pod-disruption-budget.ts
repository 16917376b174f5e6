import type { policy } from '#api'
import { pathSegmentName } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, invalid, nonNegative, optionalOneOf } from '../../validation/causes.ts'
import { groupForms } from '../../validation/group-forms.ts'
import { internalForm } from '../../validation/internal-form.ts'
import { validateConditions } from '../../validation/conditions.ts'
import { validateLabelSelector } from '../../validation/selectors.ts'
import { validateAtMostHundredPercent, validateIntOrPercent } from '../../validation/workload.ts'
import { keepAllButStatus, keepStatus } from '../status.ts'

export const podDisruptionBudgetStrategy: ResourceStrategy<policy.PodDisruptionBudget> = {
  validateName: (name) => pathSegmentName(name),
  looseFinalizers: true,
  prepareForCreate(object) {
    object.spec ??= {}
    object.status = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatus,
  validate({ spec }) {
    const causes: Causes = []
    const { minAvailable, maxUnavailable } = spec
    if (minAvailable !== undefined && maxUnavailable !== undefined)
      causes.push(invalid('spec', internalForm(spec, groupForms.disruptionBudgetSpec), 'minAvailable and maxUnavailable cannot be both set'))
    for (const [field, value] of [
      ['minAvailable', minAvailable],
      ['maxUnavailable', maxUnavailable],
    ] as const) {
      if (value === undefined) continue
      validateIntOrPercent(causes, `spec.${field}`, value)
      validateAtMostHundredPercent(causes, `spec.${field}`, value)
    }
    validateLabelSelector(causes, 'spec.selector', spec.selector)
    optionalOneOf(causes, 'spec.unhealthyPodEvictionPolicy', spec.unhealthyPodEvictionPolicy, ['AlwaysAllow', 'IfHealthyBudget'])
    return causes
  },
  validateStatusUpdate({ status }, _old, apiVersion) {
    const causes: Causes = []
    validateConditions(causes, 'status.conditions', status?.conditions)
    // the beta never looked at the numbers
    if (apiVersion === 'policy/v1beta1') return causes
    for (const field of ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const)
      nonNegative(causes, `status.${field}`, status?.[field])
    return causes
  },
  // A budget that is deleted and made anew must not be updated blindly by a controller that knew the old one.
  allowUnconditionalUpdate: false,
}
