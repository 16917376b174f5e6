import type { DeepReadonly, autoscaling } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, forbidden, invalid, nonNegative } from '../../validation/causes.ts'
import { keepAllButStatus, keepStatus } from '../status.ts'
import { defaultBehavior, validateRules } from './behavior.ts'
import { validateMetric } from './metrics.ts'
import { type Leniency, apiVersionProblem, validateReference } from './references.ts'

type Spec = DeepReadonly<autoscaling.HorizontalPodAutoscalerSpec>

export const horizontalPodAutoscalerStrategy: ResourceStrategy<autoscaling.HorizontalPodAutoscaler> = {
  default(object) {
    const spec = (object.spec ??= {} as autoscaling.HorizontalPodAutoscalerSpec)
    spec.minReplicas ??= 1
    if (!spec.metrics?.length)
      spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }]
    if (spec.behavior) defaultBehavior(spec.behavior)
  },
  prepareForCreate(object) {
    object.status = { desiredReplicas: 0 }
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatus,
  validate({ spec }, _apiVersion, old) {
    const causes: Causes = []
    const { minReplicas = 1, maxReplicas = 0, metrics = [], behavior } = spec
    // Scaling to zero is an alpha feature in 1.36; autoscalers that have it keep it.
    const least = old?.spec.minReplicas === 0 ? 0 : 1
    if (minReplicas < least) causes.push(invalid('spec.minReplicas', minReplicas, `must be greater than or equal to ${least}`))
    if (maxReplicas < 1) causes.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0'))
    if (maxReplicas < minReplicas) causes.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'))
    validateReference(causes, 'spec.scaleTargetRef', spec.scaleTargetRef, targetLeniency(spec, old?.spec))
    const leniency = metricLeniency(old?.spec)
    for (const [i, metric] of metrics.entries()) validateMetric(causes, `spec.metrics[${i}]`, metric, leniency)
    if (minReplicas === 0 && !metrics.some(({ type }) => type === 'Object' || type === 'External'))
      causes.push(forbidden('spec.metrics', 'must specify at least one Object or External metric to support scaling to zero replicas'))
    for (const direction of ['scaleUp', 'scaleDown'] as const) validateRules(causes, `spec.behavior.${direction}`, behavior?.[direction])
    return causes
  },
  validateStatusUpdate({ status }) {
    const causes: Causes = []
    nonNegative(causes, 'status.currentReplicas', status?.currentReplicas)
    nonNegative(causes, 'status.desiredReplicas', status?.desiredReplicas)
    return causes
  },
}

/** What can be scaled is in a group, but for the one kind of the core; a target that stays what it is need not be right. */
function targetLeniency({ scaleTargetRef: target }: Spec, old: Spec | undefined): Leniency {
  const before = old?.scaleTargetRef
  if (before && before.kind === target?.kind && (before.apiVersion ?? '') === (target.apiVersion ?? '')) return 'any'
  return target?.kind === 'ReplicationController' ? 'group optional' : 'group required'
}

function metricLeniency(old: Spec | undefined): Leniency {
  const wasWrong = old?.metrics?.some(
    ({ type, object }) => type === 'Object' && object && apiVersionProblem(object.describedObject, 'group optional'),
  )
  return wasWrong ? 'any' : 'group optional'
}
