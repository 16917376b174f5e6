import type { DeepReadonly, autoscaling, policy } from '#api'
import { pathSegmentName } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, forbidden, invalid, invalidEach, nonNegative, notSupported, optionalOneOf, required } from '../../validation/causes.ts'
import { compareQuantities } from '../../validation/quantities.ts'
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
      causes.push(invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set'))
    for (const [field, value] of [
      ['minAvailable', minAvailable],
      ['maxUnavailable', maxUnavailable],
    ] as const) {
      if (value === undefined) continue
      validateIntOrPercent(causes, `spec.${field}`, value)
      validateAtMostHundredPercent(causes, `spec.${field}`, value)
    }
    validateLabelSelector(causes, 'spec.selector', spec.selector)
    if (spec.unhealthyPodEvictionPolicy !== undefined)
      optionalOneOf(causes, 'spec.unhealthyPodEvictionPolicy', spec.unhealthyPodEvictionPolicy, ['AlwaysAllow', 'IfHealthyBudget'])
    return causes
  },
  validateStatusUpdate({ status }, _old, apiVersion) {
    const causes: Causes = []
    // the beta never looked
    if (apiVersion === 'policy/v1beta1') return causes
    for (const field of ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const)
      nonNegative(causes, `status.${field}`, status?.[field])
    return causes
  },
  // A budget that is deleted and made anew must not be updated blindly by a controller that knew the old one.
  allowUnconditionalUpdate: false,
}

type Spec = autoscaling.HorizontalPodAutoscalerSpec
type Metric = DeepReadonly<autoscaling.MetricSpec>

export const horizontalPodAutoscalerStrategy: ResourceStrategy<autoscaling.HorizontalPodAutoscaler> = {
  default(object) {
    const spec = (object.spec ??= {} as Spec)
    spec.minReplicas ??= 1
    if (!spec.metrics?.length)
      spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }]
    if (spec.behavior) {
      const up = (spec.behavior.scaleUp ??= {})
      up.stabilizationWindowSeconds ??= 0
      up.selectPolicy ??= 'Max'
      up.policies ??= [
        { type: 'Pods', value: 4, periodSeconds: 15 },
        { type: 'Percent', value: 100, periodSeconds: 15 },
      ]
      const down = (spec.behavior.scaleDown ??= {})
      down.selectPolicy ??= 'Max'
      down.policies ??= [{ type: 'Percent', value: 100, periodSeconds: 15 }]
    }
  },
  prepareForCreate(object) {
    object.status = { desiredReplicas: 0 }
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatus,
  validate({ spec }) {
    const causes: Causes = []
    const { minReplicas = 1, maxReplicas = 0, scaleTargetRef: target } = spec
    // Zero replicas make sense only with a metric that exists without pods.
    const toZero = spec.metrics?.some((metric) => metric.type === 'Object' || metric.type === 'External')
    const least = toZero && minReplicas === 0 ? 0 : 1
    if (minReplicas < least) causes.push(invalid('spec.minReplicas', minReplicas, `must be greater than or equal to ${least}`))
    if (minReplicas === 0 && !toZero)
      causes.push(forbidden('spec.metrics', 'must specify at least one Object or External metric to support scaling to zero replicas'))
    if (maxReplicas < 1) causes.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0'))
    if (maxReplicas < minReplicas) causes.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'))
    validateReference(causes, 'spec.scaleTargetRef', target)
    spec.metrics?.forEach((metric, i) => validateMetric(causes, `spec.metrics[${i}]`, metric))
    for (const direction of ['scaleUp', 'scaleDown'] as const) validateRules(causes, `spec.behavior.${direction}`, spec.behavior?.[direction])
    return causes
  },
  validateStatusUpdate({ status }) {
    const causes: Causes = []
    nonNegative(causes, 'status.currentReplicas', status?.currentReplicas)
    nonNegative(causes, 'status.desiredReplicas', status?.desiredReplicas)
    return causes
  },
}

function validateReference(causes: Causes, path: string, ref: DeepReadonly<autoscaling.CrossVersionObjectReference> | undefined): void {
  if (!ref?.kind) causes.push(required(`${path}.kind`))
  else invalidEach(causes, `${path}.kind`, ref.kind, pathSegmentName(ref.kind))
  if (!ref?.name) causes.push(required(`${path}.name`))
  else invalidEach(causes, `${path}.name`, ref.name, pathSegmentName(ref.name))
}

const sources = { Resource: 'resource', ContainerResource: 'containerResource', Pods: 'pods', Object: 'object', External: 'external' } as const

function validateMetric(causes: Causes, path: string, metric: Metric): void {
  if (!metric.type) {
    causes.push(required(`${path}.type`, 'must specify a metric source type'))
    return
  }
  const field = sources[metric.type as keyof typeof sources]
  if (!field) {
    causes.push(notSupported(`${path}.type`, metric.type, ['ContainerResource', 'External', 'Object', 'Pods', 'Resource']))
    return
  }
  for (const other of Object.values(sources))
    if (other !== field && metric[other]) causes.push(forbidden(`${path}.${other}`, 'must populate the given metric source only'))
  const source = metric[field]
  if (!source) {
    causes.push(required(`${path}.${field}`, `must populate information for the given metric source`))
    return
  }
  const at = `${path}.${field}`
  if ('name' in source || field === 'resource' || field === 'containerResource') {
    if (!(source as { name?: string }).name) causes.push(required(`${at}.name`, 'must specify a resource name'))
  } else if (!(source as { metric?: { name?: string } }).metric?.name) causes.push(required(`${at}.metric.name`, 'must specify a metric name'))
  if (field === 'containerResource' && !metric.containerResource!.container) causes.push(required(`${at}.container`, 'must specify a container name'))
  if (field === 'object') validateReference(causes, `${at}.describedObject`, metric.object!.describedObject)
  validateTarget(causes, `${at}.target`, source.target, field)
}

function validateTarget(causes: Causes, path: string, target: DeepReadonly<autoscaling.MetricTarget> | undefined, field: string): void {
  const { type, value, averageValue, averageUtilization } = target ?? {}
  if (!type) causes.push(required(`${path}.type`, 'must specify a metric target type'))
  else if (!['Utilization', 'Value', 'AverageValue'].includes(type))
    causes.push(invalid(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue'))
  if (value !== undefined && compareQuantities(value, '0') <= 0) causes.push(invalid(`${path}.value`, value, 'must be positive'))
  if (averageValue !== undefined && compareQuantities(averageValue, '0') <= 0)
    causes.push(invalid(`${path}.averageValue`, averageValue, 'must be positive'))
  if (averageUtilization !== undefined && averageUtilization < 1)
    causes.push(invalid(`${path}.averageUtilization`, averageUtilization, 'must be greater than 0'))
  if (field === 'resource' || field === 'containerResource') {
    if (averageUtilization !== undefined && averageValue !== undefined)
      causes.push(forbidden(`${path}.averageValue`, 'may not set both a target raw value and a target utilization'))
    if (averageUtilization === undefined && averageValue === undefined)
      causes.push(required(`${path}.averageUtilization`, 'must set either a target raw value or a target utilization'))
  } else if (field === 'pods') {
    if (averageValue === undefined) causes.push(required(`${path}.averageValue`, 'must specify a positive target averageValue'))
  } else if (value === undefined && averageValue === undefined)
    causes.push(required(`${path}.averageValue`, 'must set either a target value or averageValue'))
}

function validateRules(causes: Causes, path: string, rules: DeepReadonly<autoscaling.HPAScalingRules> | undefined): void {
  if (!rules) return
  const window = rules.stabilizationWindowSeconds
  if (window !== undefined && window < 0) causes.push(invalid(`${path}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero'))
  if (window !== undefined && window > 3600) causes.push(invalid(`${path}.stabilizationWindowSeconds`, window, 'must be less than or equal to 3600'))
  optionalOneOf(causes, `${path}.selectPolicy`, rules.selectPolicy, ['Disabled', 'Max', 'Min'])
  if (!rules.policies?.length) causes.push(required(`${path}.policies`, 'must specify at least one Policy'))
  rules.policies?.forEach((policy, i) => {
    const at = `${path}.policies[${i}]`
    if (policy.type !== 'Pods' && policy.type !== 'Percent') causes.push(notSupported(`${at}.type`, policy.type, ['Percent', 'Pods']))
    if (!(policy.value > 0)) causes.push(invalid(`${at}.value`, policy.value, 'must be greater than zero'))
    if (!(policy.periodSeconds > 0)) causes.push(invalid(`${at}.periodSeconds`, policy.periodSeconds, 'must be greater than zero'))
    if (policy.periodSeconds > 1800) causes.push(invalid(`${at}.periodSeconds`, policy.periodSeconds, 'must be less than or equal to 1800'))
  })
}
