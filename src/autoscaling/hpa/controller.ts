import { isDeepStrictEqual } from 'node:util'
import type { DeepReadonly, autoscaling, autoscalingV1, core, metrics } from '#api'
import { errors, isStatus, kindOf, milliValue, parseLabelSelector, resources, withCondition } from '#api'
import { describeError } from '#base'
import type { Client } from '#client'
import type { Controller } from '#runtime'
import { primary } from '#runtime'
import type { ScalingHistory } from './behavior.ts'
import { bound, emptyHistory } from './behavior.ts'
import type { PodValues, ReplicaAnswer, TargetInput } from './replicas.ts'
import { MetricError, forAverage, forUtilization } from './replicas.ts'

type Autoscaler = DeepReadonly<autoscaling.HorizontalPodAutoscaler>
type MetricSpec = DeepReadonly<autoscaling.MetricSpec>

export interface AutoscalerOptions {
  /** How often an autoscaler is looked at, milliseconds; 15,000 when absent. Load changes without an event. */
  syncPeriodMs?: number
}

/** Sizes workloads by the use of their pods (autoscaling/v2). */
export function horizontalPodAutoscaler(options: AutoscalerOptions = {}): Controller {
  const period = options.syncPeriodMs ?? 15_000
  return {
    name: 'horizontal-pod-autoscaler',
    setup: ({ client, cache, clock, events }) => {
      const autoscalers = cache<autoscaling.HorizontalPodAutoscaler>(resources.horizontalPodAutoscalers)
      const pods = cache<core.Pod>(resources.pods)
      const autoscalerClient = client.resource(resources.horizontalPodAutoscalers)
      const histories = new Map<string, ScalingHistory>()
      const nextLook = new Map<string, number>()

      async function reconcile(key: string): Promise<{ requeueAfter: number } | void> {
        const autoscaler = autoscalers.get(key)
        if (!autoscaler || autoscaler.metadata.deletionTimestamp) {
          histories.delete(key)
          nextLook.delete(key)
          return
        }
        // our own status writes wake us too: the pace stays that of the period, but a changed spec is looked at now
        const due = nextLook.get(key) ?? 0
        const wait = due - clock.monotonic()
        if (wait > 0 && autoscaler.status?.observedGeneration === autoscaler.metadata.generation) return { requeueAfter: wait }
        nextLook.set(key, clock.monotonic() + period)
        const status = await evaluate(key, autoscaler)
        if (!isDeepStrictEqual(status, autoscaler.status)) await autoscalerClient.updateStatus({ ...autoscaler, status } as Autoscaler)
        return { requeueAfter: period }
      }

      async function evaluate(key: string, autoscaler: Autoscaler): Promise<autoscaling.HorizontalPodAutoscalerStatus> {
        const { spec } = autoscaler
        const { namespace } = autoscaler.metadata
        const now = clock.now()
        const stamp = `${new Date(now).toISOString().slice(0, 19)}Z`
        const status = structuredClone(autoscaler.status ?? { desiredReplicas: 0 }) as autoscaling.HorizontalPodAutoscalerStatus
        if (autoscaler.metadata.generation !== undefined) status.observedGeneration = autoscaler.metadata.generation
        const set = (type: string, value: 'True' | 'False', reason: string, message: string) => {
          status.conditions = withCondition<autoscaling.HorizontalPodAutoscalerCondition>(
            status.conditions,
            { type, status: value, reason, message },
            stamp,
          ).slice()
        }

        let target: Target
        try {
          target = await readScale(client, autoscaler)
        } catch (error) {
          set('AbleToScale', 'False', 'FailedGetScale', `the HPA controller was unable to get the target's current scale: ${describeError(error)}`)
          events.event(autoscaler, 'Warning', 'FailedGetScale', describeError(error))
          return status
        }
        set('AbleToScale', 'True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale")
        const current = target.scale.spec?.replicas ?? 0
        status.currentReplicas = current
        if (current === 0 && (spec.minReplicas ?? 1) !== 0) {
          set('ScalingActive', 'False', 'ScalingDisabled', 'scaling is disabled since the replica count of the target is zero')
          status.desiredReplicas = 0
          return status
        }
        const selector = parseLabelSelector(target.scale.status?.selector ?? '')
        const targets = selector.empty ? [] : pods.list(namespace).filter((pod) => selector.matches(pod.metadata.labels))
        const answers = await Promise.allSettled(
          (spec.metrics ?? []).map((metric) =>
            compute(client, metric, { namespace: namespace!, current, pods: targets, selector: target.scale.status?.selector ?? '', now }),
          ),
        )
        const good = answers.filter((a) => a.status === 'fulfilled').map((a) => a.value)
        const bad = answers.find((a) => a.status === 'rejected')
        const most = good.toSorted((a, b) => b.replicas - a.replicas)[0]
        // one metric that cannot be read must not make the target shrink
        if (!most || (bad && most.replicas < current)) {
          const reason = bad?.reason instanceof MetricError ? bad.reason.reason : 'FailedComputeMetricsReplicas'
          const message = `the HPA was unable to compute the replica count: ${describeError(bad?.reason ?? 'no metrics')}`
          set('ScalingActive', 'False', reason, message)
          events.event(autoscaler, 'Warning', reason, describeError(bad?.reason ?? 'no metrics'))
          status.desiredReplicas = current
          return status
        }
        set('ScalingActive', 'True', 'ValidMetricFound', `the HPA was able to successfully calculate a replica count from ${most.description}`)
        status.currentMetrics = good.map((g) => g.status)

        const history = histories.get(key) ?? emptyHistory()
        histories.set(key, history)
        const { replicas, stabilized, limited } = bound({ spec, current, desired: most.replicas, history, now })
        if (stabilized)
          set(
            'AbleToScale',
            'True',
            most.replicas < current ? 'ScaleDownStabilized' : 'ScaleUpStabilized',
            `recent recommendations were ${most.replicas < current ? 'higher' : 'lower'} than current one, applying the ${most.replicas < current ? 'highest' : 'lowest'} recent recommendation`,
          )
        else set('AbleToScale', 'True', 'ReadyForNewScale', 'recommended size matches current size')
        set(
          'ScalingLimited',
          limited ? 'True' : 'False',
          limited?.reason ?? 'DesiredWithinRange',
          limited?.message ?? 'the desired count is within the acceptable range',
        )
        status.desiredReplicas = replicas
        if (replicas === current) return status

        const why = replicas > current ? `${most.description} above target` : 'All metrics below target'
        try {
          await client.resource(target.kind).updateSubresource(target.name, namespace, 'scale', { ...target.scale, spec: { replicas } })
        } catch (error) {
          set('AbleToScale', 'False', 'FailedUpdateScale', `the HPA controller was unable to update the target scale: ${describeError(error)}`)
          events.event(autoscaler, 'Warning', 'FailedRescale', `New size: ${replicas}; reason: ${why}; error: ${describeError(error)}`)
          status.desiredReplicas = current
          return status
        }
        history.events.push({ at: now, change: replicas - current })
        history.events = history.events.filter((e) => e.at > now - longestPeriod)
        set('AbleToScale', 'True', 'SucceededRescale', `the HPA controller was able to update the target scale to ${replicas}`)
        events.event(autoscaler, 'Normal', 'SuccessfulRescale', `New size: ${replicas}; reason: ${why}`)
        status.lastScaleTime = stamp
        return status
      }

      return { reconcile, watches: [primary(autoscalers)] }
    },
  }
}

/** The longest period that a scaling policy may have, milliseconds. */
const longestPeriod = 1800_000

interface Target {
  kind: NonNullable<ReturnType<typeof kindOf>>
  name: string
  scale: autoscalingV1.Scale
}

async function readScale(client: Client, autoscaler: Autoscaler): Promise<Target> {
  const { apiVersion, kind: kindName, name } = autoscaler.spec.scaleTargetRef
  const kind = kindOf(apiVersion ?? '', kindName)
  if (!kind) throw errors.badRequest(`no matches for kind "${kindName}" in version "${apiVersion ?? ''}"`)
  return { kind, name, scale: await client.resource(kind).getSubresource<autoscalingV1.Scale>(name, autoscaler.metadata.namespace, 'scale') }
}

interface ComputeInput {
  namespace: string
  current: number
  pods: TargetInput['pods']
  /** Of the target's pods, as text. */
  selector: string
  now: number
}

interface Computed {
  replicas: number
  description: string
  status: autoscaling.MetricStatus
}

async function compute(client: Client, metric: MetricSpec, input: ComputeInput): Promise<Computed> {
  switch (metric.type) {
    case 'Resource': {
      const { name, target } = metric.resource!
      const answer = evaluate(target, { ...input, resource: name, values: await podValues(client, input, name) })
      return {
        replicas: answer.replicas,
        description: describe(name, target),
        status: { type: 'Resource', resource: { name, current: currentOf(answer) } },
      }
    }
    case 'ContainerResource': {
      const { name, container, target } = metric.containerResource!
      const answer = evaluate(target, { ...input, resource: name, container, values: await podValues(client, input, name, container) })
      return {
        replicas: answer.replicas,
        description: describe(name, target),
        status: { type: 'ContainerResource', containerResource: { name, container, current: currentOf(answer) } },
      }
    }
    case 'Pods': {
      const { metric: named, target } = metric.pods!
      const answer = forAverage({
        ...input,
        resource: named.name,
        values: await customPodValues(client, input, named.name),
        target: milliValue(target.averageValue!),
      })
      return {
        replicas: answer.replicas,
        description: `pods metric ${named.name}`,
        status: {
          type: 'Pods',
          pods: { metric: structuredClone(named) as autoscaling.MetricIdentifier, current: { averageValue: `${answer.average}m` } },
        },
      }
    }
    case 'Object':
      throw new MetricError('FailedGetObjectMetric', 'unable to get object metric: no custom metrics API (custom.metrics.k8s.io) is registered')
    case 'External':
      throw new MetricError(
        'FailedGetExternalMetric',
        'unable to get external metric: no external metrics API (external.metrics.k8s.io) is registered',
      )
    default:
      throw new MetricError('InvalidMetricSourceType', `unknown metric source type "${metric.type}"`)
  }
}

const describe = (name: string, target: DeepReadonly<autoscaling.MetricTarget>) =>
  target.type === 'Utilization' ? `${name} resource utilization (percentage of request)` : `${name} resource`

function evaluate(target: DeepReadonly<autoscaling.MetricTarget>, input: TargetInput): ReplicaAnswer {
  if (target.type === 'Utilization') return forUtilization({ ...input, target: target.averageUtilization! })
  if (target.averageValue === undefined)
    throw new MetricError('FailedGetResourceMetric', 'invalid resource metric source: neither a utilization target nor a value target was set')
  return forAverage({ ...input, target: milliValue(target.averageValue) })
}

const currentOf = ({ average, utilization }: ReplicaAnswer): autoscaling.MetricValueStatus => ({
  averageValue: `${average}m`,
  ...(utilization === undefined ? {} : { averageUtilization: utilization }),
})

async function podValues(client: Client, { namespace, selector }: ComputeInput, resource: string, container?: string): Promise<PodValues> {
  const list = await ask<metrics.PodMetricsList>(
    client,
    `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods`,
    selector,
    'unable to fetch metrics from resource metrics API',
    'FailedGetResourceMetric',
  )
  const values = new Map<string, { value: number; at: number }>()
  for (const item of list.items) {
    const measured = (item.containers ?? []).filter((c) => !container || c.name === container).map((c) => c.usage?.[resource])
    if (measured.length === 0 || measured.some((m) => m === undefined)) continue
    values.set(item.metadata.name, { value: measured.reduce((sum, m) => sum + milliValue(m!), 0), at: Date.parse(item.timestamp) })
  }
  if (values.size === 0)
    throw new MetricError('FailedGetResourceMetric', `unable to get metrics for resource ${resource}: no metrics returned from resource metrics API`)
  return values
}

async function customPodValues(client: Client, { namespace, selector }: ComputeInput, name: string): Promise<PodValues> {
  const path = `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${namespace}/pods/*/${name}`
  const list = await ask<{ items: { describedObject: { name: string }; timestamp: string; value: string }[] }>(
    client,
    path,
    selector,
    'unable to fetch metrics from custom metrics API',
    'FailedGetPodsMetric',
  )
  return new Map(list.items.map((i) => [i.describedObject.name, { value: milliValue(i.value), at: Date.parse(i.timestamp) }]))
}

async function ask<T>(client: Client, path: string, labelSelector: string, failed: string, reason: string): Promise<T> {
  try {
    return await client.raw<T>('GET', path, undefined, { query: { labelSelector } })
  } catch (error) {
    if (isStatus(error)) throw new MetricError(reason, `${failed}: ${error.message}`)
    throw error
  }
}
