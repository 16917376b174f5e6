import type { DeepReadonly, apps, autoscaling, batch, core } from '#api'
import type { TableDefinition } from '../strategy.ts'
import { ageColumn, column, nameColumn, wide } from './columns.ts'
import { age, humanDuration } from './duration.ts'
import { containerCells, labelsText, selectorText } from './labels.ts'

const containerColumns = [wide('Containers'), wide('Images')]

export const deploymentTable: TableDefinition<apps.Deployment> = {
  columns: [nameColumn, column('Ready'), column('Up-to-date'), column('Available'), ageColumn, ...containerColumns, wide('Selector')],
  cells: ({ metadata, spec, status = {} }, now) => [
    metadata.name,
    `${status.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    status.updatedReplicas ?? 0,
    status.availableReplicas ?? 0,
    age(metadata.creationTimestamp, now),
    ...containerCells(spec.template),
    selectorText(spec.selector),
  ],
}

const replicaColumns = [
  nameColumn,
  column('Desired', 'integer'),
  column('Current', 'integer'),
  column('Ready', 'integer'),
  ageColumn,
  ...containerColumns,
  wide('Selector'),
]

export const replicaSetTable: TableDefinition<apps.ReplicaSet> = {
  columns: replicaColumns,
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    spec.replicas ?? 0,
    status?.replicas ?? 0,
    status?.readyReplicas ?? 0,
    age(metadata.creationTimestamp, now),
    ...containerCells(spec.template),
    selectorText(spec.selector),
  ],
}

export const replicationControllerTable: TableDefinition<core.ReplicationController> = {
  columns: replicaColumns,
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    spec.replicas ?? 0,
    status?.replicas ?? 0,
    status?.readyReplicas ?? 0,
    age(metadata.creationTimestamp, now),
    ...containerCells(spec.template),
    labelsText(spec.selector),
  ],
}

export const statefulSetTable: TableDefinition<apps.StatefulSet> = {
  columns: [nameColumn, column('Ready'), ageColumn, ...containerColumns],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    age(metadata.creationTimestamp, now),
    ...containerCells(spec.template),
  ],
}

export const daemonSetTable: TableDefinition<apps.DaemonSet> = {
  columns: [
    nameColumn,
    column('Desired', 'integer'),
    column('Current', 'integer'),
    column('Ready', 'integer'),
    column('Up-to-date', 'integer'),
    column('Available', 'integer'),
    column('Node Selector'),
    ageColumn,
    ...containerColumns,
    wide('Selector'),
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    status?.desiredNumberScheduled ?? 0,
    status?.currentNumberScheduled ?? 0,
    status?.numberReady ?? 0,
    status?.updatedNumberScheduled ?? 0,
    status?.numberAvailable ?? 0,
    labelsText(spec.template.spec?.nodeSelector),
    age(metadata.creationTimestamp, now),
    ...containerCells(spec.template),
    selectorText(spec.selector),
  ],
}

export const controllerRevisionTable: TableDefinition<apps.ControllerRevision> = {
  columns: [nameColumn, column('Controller'), column('Revision'), ageColumn],
  cells({ metadata, revision }, now) {
    const owner = metadata.ownerReferences?.find((one) => one.controller)
    const group = owner?.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : ''
    return [
      metadata.name,
      owner ? `${owner.kind.toLowerCase()}${group}/${owner.name}` : '<none>',
      revision ?? 0,
      age(metadata.creationTimestamp, now),
    ]
  },
}

export const podTemplateTable: TableDefinition<core.PodTemplate> = {
  columns: [nameColumn, column('Containers'), column('Images'), column('Pod Labels')],
  cells: ({ metadata, template }) => [metadata.name, ...containerCells(template), labelsText(template?.metadata?.labels)],
}

export const jobTable: TableDefinition<batch.Job> = {
  columns: [nameColumn, column('Status'), column('Completions'), column('Duration'), ageColumn, ...containerColumns, wide('Selector')],
  cells: (job, now) => [
    job.metadata.name,
    jobStatus(job),
    jobCompletions(job),
    jobDuration(job, now),
    age(job.metadata.creationTimestamp, now),
    ...containerCells(job.spec.template),
    selectorText(job.spec.selector),
  ],
}

function jobStatus({ metadata, status }: DeepReadonly<batch.Job>): string {
  const is = (type: string) => status?.conditions?.some((condition) => condition.type === type && condition.status === 'True')
  if (is('Complete')) return 'Complete'
  if (is('Failed')) return 'Failed'
  if (metadata.deletionTimestamp) return 'Terminating'
  if (is('Suspended')) return 'Suspended'
  if (is('FailureTarget')) return 'FailureTarget'
  if (is('SuccessCriteriaMet')) return 'SuccessCriteriaMet'
  return 'Running'
}

function jobCompletions({ spec, status }: DeepReadonly<batch.Job>): string {
  const succeeded = status?.succeeded ?? 0
  if (spec.completions !== undefined && spec.completions !== null) return `${succeeded}/${spec.completions}`
  return (spec.parallelism ?? 0) > 1 ? `${succeeded}/1 of ${spec.parallelism}` : `${succeeded}/1`
}

function jobDuration({ status }: DeepReadonly<batch.Job>, now: number): string {
  if (!status?.startTime) return ''
  return humanDuration((status.completionTime ? Date.parse(status.completionTime) : now) - Date.parse(status.startTime))
}

export const cronJobTable: TableDefinition<batch.CronJob> = {
  columns: [
    nameColumn,
    column('Schedule'),
    column('Timezone'),
    column('Suspend', 'boolean'),
    column('Active', 'integer'),
    column('Last Schedule'),
    ageColumn,
    ...containerColumns,
    wide('Selector'),
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    spec.schedule,
    spec.timeZone ?? '<none>',
    spec.suspend === undefined ? '<unset>' : spec.suspend ? 'True' : 'False',
    status?.active?.length ?? 0,
    status?.lastScheduleTime ? age(status.lastScheduleTime, now) : '<none>',
    age(metadata.creationTimestamp, now),
    ...containerCells(spec.jobTemplate.spec?.template),
    selectorText(spec.jobTemplate.spec?.selector),
  ],
}

export const horizontalPodAutoscalerTable: TableDefinition<autoscaling.HorizontalPodAutoscaler> = {
  columns: [nameColumn, column('Reference'), column('Targets'), column('MinPods'), column('MaxPods'), column('Replicas'), ageColumn],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
    metricsText(spec.metrics, status?.currentMetrics),
    spec.minReplicas === undefined ? '<unset>' : `${spec.minReplicas}`,
    spec.maxReplicas,
    status?.currentReplicas ?? 0,
    age(metadata.creationTimestamp, now),
  ],
}

const shownMetrics = 2

type Current = DeepReadonly<autoscaling.MetricValueStatus> | undefined

function metricsText(
  specs: DeepReadonly<autoscaling.MetricSpec[]> | undefined,
  statuses: DeepReadonly<autoscaling.MetricStatus[]> | undefined,
): string {
  if (!specs?.length) return '<none>'
  const texts = specs.slice(0, shownMetrics).map((spec, i) => metricText(spec, statuses?.[i]))
  const text = texts.join(', ')
  return specs.length > shownMetrics ? `${text} + ${specs.length - shownMetrics} more...` : text
}

function metricText(spec: DeepReadonly<autoscaling.MetricSpec>, status: DeepReadonly<autoscaling.MetricStatus> | undefined): string {
  if (spec.resource) return resourceText(spec.resource.name, spec.resource.target, status?.resource?.current)
  if (spec.containerResource) return resourceText(spec.containerResource.name, spec.containerResource.target, status?.containerResource?.current)
  if (spec.pods) return `${status?.pods?.current.averageValue ?? '<unknown>'}/${spec.pods.target.averageValue}`
  if (spec.object) return valueText(spec.object.target, status?.object?.current)
  if (spec.external) return valueText(spec.external.target, status?.external?.current)
  return '<unknown type>'
}

function resourceText(name: string, target: DeepReadonly<autoscaling.MetricTarget>, current: Current): string {
  if (target.averageValue !== undefined) return `${name}: ${current?.averageValue ?? '<unknown>'}/${target.averageValue}`
  const now = current?.averageUtilization === undefined ? '<unknown>' : `${current.averageUtilization}%`
  return `${name}: ${now}/${target.averageUtilization === undefined ? '<auto>' : `${target.averageUtilization}%`}`
}

function valueText(target: DeepReadonly<autoscaling.MetricTarget>, current: Current): string {
  if (target.averageValue !== undefined) return `${current?.averageValue ?? '<unknown>'}/${target.averageValue} (avg)`
  return `${current?.value ?? '<unknown>'}/${target.value ?? ''}`
}
