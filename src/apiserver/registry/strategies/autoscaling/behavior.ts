import type { DeepReadonly, autoscaling } from '#api'
import { type Causes, invalid, notNegative, notSupported, optionalOneOf, required } from '../../validation/causes.ts'
import { isNegativeQuantity, quantityText } from '../../validation/quantities.ts'

const maxWindowSeconds = 3600
const maxPeriodSeconds = 1800

/** What is not said of how an autoscaler acts is said when anything is; a window for scaling down is the controller's own otherwise. */
export function defaultBehavior(behavior: autoscaling.HorizontalPodAutoscalerBehavior): void {
  const up = (behavior.scaleUp ??= {})
  up.stabilizationWindowSeconds ??= 0
  up.selectPolicy ??= 'Max'
  up.policies ??= [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ]
  const down = (behavior.scaleDown ??= {})
  down.selectPolicy ??= 'Max'
  down.policies ??= [{ type: 'Percent', value: 100, periodSeconds: 15 }]
}

export function validateRules(causes: Causes, path: string, rules: DeepReadonly<autoscaling.HPAScalingRules> | undefined): void {
  if (!rules) return
  const { stabilizationWindowSeconds: window, policies = [], tolerance } = rules
  if (window !== undefined && window < 0) causes.push(invalid(`${path}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero'))
  if (window !== undefined && window > maxWindowSeconds)
    causes.push(invalid(`${path}.stabilizationWindowSeconds`, window, `must be less than or equal to ${maxWindowSeconds}`))
  optionalOneOf(causes, `${path}.selectPolicy`, rules.selectPolicy, ['Disabled', 'Max', 'Min'])
  if (policies.length === 0) causes.push(required(`${path}.policies`, 'must specify at least one Policy'))
  for (const [i, { type, value = 0, periodSeconds = 0 }] of policies.entries()) {
    const at = `${path}.policies[${i}]`
    if (type !== 'Pods' && type !== 'Percent') causes.push(notSupported(`${at}.type`, type ?? '', ['Percent', 'Pods']))
    if (value <= 0) causes.push(invalid(`${at}.value`, value, 'must be greater than zero'))
    if (periodSeconds <= 0) causes.push(invalid(`${at}.periodSeconds`, periodSeconds, 'must be greater than zero'))
    if (periodSeconds > maxPeriodSeconds)
      causes.push(invalid(`${at}.periodSeconds`, periodSeconds, `must be less than or equal to ${maxPeriodSeconds}`))
  }
  if (tolerance !== undefined && isNegativeQuantity(tolerance)) causes.push(invalid(`${path}.tolerance`, quantityText(tolerance), notNegative))
}
