import type { DeepReadonly, autoscaling, autoscalingV1 } from '#api'
import type { Conversion } from '../registry.ts'

// v1 has a field for one metric only: the others, conditions and behavior travel as JSON in annotations, as upstream names them.
const metricsKey = 'autoscaling.alpha.kubernetes.io/metrics'
const statusesKey = 'autoscaling.alpha.kubernetes.io/current-metrics'
const conditionsKey = 'autoscaling.alpha.kubernetes.io/conditions'
const behaviorKey = 'autoscaling.alpha.kubernetes.io/behavior'

type V1 = autoscalingV1.HorizontalPodAutoscaler
type V2 = autoscaling.HorizontalPodAutoscaler
type MetricSpec = autoscaling.MetricSpec
type MetricStatus = autoscaling.MetricStatus

/** HorizontalPodAutoscaler of autoscaling/v1, stored as v2. */
export const horizontalPodAutoscalerV1: Conversion = {
  toStorage: (object) => toV2(object as V1),
  fromStorage: (object) => toV1(object as DeepReadonly<V2>),
}

function toV2(object: V1): V2 {
  const { targetCPUUtilizationPercentage: cpu, ...spec } = object.spec ?? ({} as V1['spec'])
  const annotations = { ...object.metadata.annotations }
  const take = <T>(key: string): T | undefined => {
    const text = annotations[key]
    delete annotations[key]
    try {
      return text === undefined ? undefined : (JSON.parse(text) as T)
    } catch {
      return undefined
    }
  }
  const metrics = take<autoscalingV1.MetricSpec[]>(metricsKey)?.map(specToV2) ?? []
  const statuses = take<autoscalingV1.MetricStatus[]>(statusesKey)?.map(statusToV2) ?? []
  const conditions = take<autoscaling.HorizontalPodAutoscalerCondition[]>(conditionsKey)
  const behavior = take<autoscaling.HorizontalPodAutoscalerBehavior>(behaviorKey)
  if (cpu !== undefined) metrics.unshift({ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: cpu } } })
  const metadata = { ...object.metadata }
  if (Object.keys(annotations).length > 0) metadata.annotations = annotations
  else delete metadata.annotations
  const result: V2 = {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata,
    spec: { ...spec, ...(metrics.length > 0 ? { metrics } : {}), ...(behavior ? { behavior } : {}) },
  } as V2
  if (!object.status) return result
  const { currentCPUUtilizationPercentage: current, ...status } = object.status
  // the annotation has the number too, with its raw value
  if (current !== undefined && !statuses.some(({ resource }) => resource?.name === 'cpu' && resource.current.averageUtilization !== undefined))
    statuses.unshift({ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: current, averageValue: '0' } } })
  result.status = { ...status, ...(statuses.length > 0 ? { currentMetrics: statuses } : {}), ...(conditions ? { conditions } : {}) }
  return result
}

function toV1(object: DeepReadonly<V2>): DeepReadonly<V1> {
  const { metrics = [], behavior, ...spec } = object.spec
  const annotations: Record<string, string> = { ...object.metadata.annotations }
  const cpu = metrics.findIndex((m) => m.resource?.name === 'cpu' && m.resource.target.averageUtilization !== undefined)
  const others = metrics.filter((_, i) => i !== cpu)
  if (others.length > 0) annotations[metricsKey] = JSON.stringify(others.map(specToV1))
  if (behavior) annotations[behaviorKey] = JSON.stringify(behavior)
  const { currentMetrics = [], conditions = [], ...status } = object.status ?? ({} as DeepReadonly<NonNullable<V2['status']>>)
  const current = currentMetrics.findIndex((m) => m.resource?.name === 'cpu' && m.resource.current.averageUtilization !== undefined)
  if (currentMetrics.length > 0) annotations[statusesKey] = JSON.stringify(currentMetrics.map(statusToV1))
  if (conditions.length > 0) annotations[conditionsKey] = JSON.stringify(conditions)
  return {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata: Object.keys(annotations).length > 0 ? { ...object.metadata, annotations } : object.metadata,
    spec: { ...spec, ...(cpu >= 0 ? { targetCPUUtilizationPercentage: metrics[cpu]!.resource!.target.averageUtilization! } : {}) },
    ...(object.status
      ? {
          status: {
            ...status,
            currentReplicas: status.currentReplicas ?? 0,
            ...(current >= 0 ? { currentCPUUtilizationPercentage: currentMetrics[current]!.resource!.current.averageUtilization! } : {}),
          },
        }
      : {}),
  } as DeepReadonly<V1>
}

function target(value: string | undefined, averageValue: string | undefined, averageUtilization?: number): autoscaling.MetricTarget {
  if (averageUtilization !== undefined) return { type: 'Utilization', averageUtilization }
  if (averageValue !== undefined) return { type: 'AverageValue', averageValue }
  return { type: 'Value', ...(value !== undefined ? { value } : {}) }
}

const identifier = (name: string, selector: MetricIdentifier['selector'] | undefined): MetricIdentifier => ({
  name,
  ...(selector ? { selector } : {}),
})
type MetricIdentifier = autoscaling.MetricIdentifier

function specToV2(metric: autoscalingV1.MetricSpec): MetricSpec {
  const { type, resource, containerResource, pods, object, external } = metric
  return {
    type,
    ...(resource
      ? { resource: { name: resource.name, target: target(undefined, resource.targetAverageValue, resource.targetAverageUtilization) } }
      : {}),
    ...(containerResource
      ? {
          containerResource: {
            name: containerResource.name,
            container: containerResource.container,
            target: target(undefined, containerResource.targetAverageValue, containerResource.targetAverageUtilization),
          },
        }
      : {}),
    ...(pods ? { pods: { metric: identifier(pods.metricName, pods.selector), target: target(undefined, pods.targetAverageValue) } } : {}),
    ...(object
      ? {
          object: {
            describedObject: object.target,
            metric: identifier(object.metricName, object.selector),
            target: target(object.targetValue, object.averageValue),
          },
        }
      : {}),
    ...(external
      ? {
          external: {
            metric: identifier(external.metricName, external.metricSelector),
            target: target(external.targetValue, external.targetAverageValue),
          },
        }
      : {}),
  }
}

function specToV1(metric: DeepReadonly<MetricSpec>): object {
  const { type, resource, containerResource, pods, object, external } = metric
  return {
    type,
    resource: resource && { name: resource.name, ...flatTarget(resource.target) },
    containerResource: containerResource && {
      name: containerResource.name,
      container: containerResource.container,
      ...flatTarget(containerResource.target),
    },
    pods: pods && { metricName: pods.metric.name, selector: pods.metric.selector, targetAverageValue: pods.target.averageValue },
    object: object && {
      target: object.describedObject,
      metricName: object.metric.name,
      selector: object.metric.selector,
      targetValue: object.target.value ?? '0',
      averageValue: object.target.averageValue,
    },
    external: external && {
      metricName: external.metric.name,
      metricSelector: external.metric.selector,
      targetValue: external.target.value,
      targetAverageValue: external.target.averageValue,
    },
  }
}

const flatTarget = ({ averageUtilization, averageValue }: DeepReadonly<autoscaling.MetricTarget>) => ({
  targetAverageUtilization: averageUtilization,
  targetAverageValue: averageValue,
})

function statusToV2(metric: autoscalingV1.MetricStatus): MetricStatus {
  const { type, resource, containerResource, pods, object, external } = metric
  const current = (value: string | undefined, averageValue?: string, averageUtilization?: number): autoscaling.MetricValueStatus => ({
    ...(value === undefined ? {} : { value }),
    ...(averageValue === undefined ? {} : { averageValue }),
    ...(averageUtilization === undefined ? {} : { averageUtilization }),
  })
  return {
    type,
    ...(resource
      ? { resource: { name: resource.name, current: current(undefined, resource.currentAverageValue, resource.currentAverageUtilization) } }
      : {}),
    ...(containerResource
      ? {
          containerResource: {
            name: containerResource.name,
            container: containerResource.container,
            current: current(undefined, containerResource.currentAverageValue, containerResource.currentAverageUtilization),
          },
        }
      : {}),
    ...(pods ? { pods: { metric: identifier(pods.metricName, pods.selector), current: current(undefined, pods.currentAverageValue) } } : {}),
    ...(object
      ? {
          object: {
            describedObject: object.target,
            metric: identifier(object.metricName, object.selector),
            current: current(object.currentValue, object.averageValue),
          },
        }
      : {}),
    ...(external
      ? {
          external: {
            metric: identifier(external.metricName, external.metricSelector),
            current: current(external.currentValue, external.currentAverageValue),
          },
        }
      : {}),
  }
}

function statusToV1(metric: DeepReadonly<MetricStatus>): object {
  const { type, resource, containerResource, pods, object, external } = metric
  const flat = (current: DeepReadonly<autoscaling.MetricValueStatus>) => ({
    currentAverageUtilization: current.averageUtilization,
    currentAverageValue: current.averageValue ?? '0',
  })
  return {
    type,
    resource: resource && { name: resource.name, ...flat(resource.current) },
    containerResource: containerResource && {
      name: containerResource.name,
      container: containerResource.container,
      ...flat(containerResource.current),
    },
    pods: pods && { metricName: pods.metric.name, selector: pods.metric.selector, currentAverageValue: pods.current.averageValue ?? '0' },
    object: object && {
      target: object.describedObject,
      metricName: object.metric.name,
      selector: object.metric.selector,
      currentValue: object.current.value ?? '0',
      averageValue: object.current.averageValue,
    },
    external: external && {
      metricName: external.metric.name,
      metricSelector: external.metric.selector,
      currentValue: external.current.value ?? '0',
      currentAverageValue: external.current.averageValue,
    },
  }
}
