import type { DeepReadonly, core } from '#api'
import type { TableDefinition } from '../strategy.ts'
import { ageColumn, column, nameColumn, wide } from './columns.ts'
import { age } from './duration.ts'

export const namespaceTable: TableDefinition<core.Namespace> = {
  columns: [nameColumn, column('Status'), ageColumn],
  cells: ({ metadata, status }, now) => [metadata.name, status?.phase ?? '', age(metadata.creationTimestamp, now)],
}

export const nodeTable: TableDefinition<core.Node> = {
  columns: [
    nameColumn,
    column('Status'),
    column('Roles'),
    ageColumn,
    column('Version'),
    wide('Internal-IP'),
    wide('External-IP'),
    wide('OS-Image'),
    wide('Kernel-Version'),
    wide('Container-Runtime'),
  ],
  cells(node, now) {
    const info = node.status?.nodeInfo
    return [
      node.metadata.name,
      nodeStatus(node),
      nodeRoles(node.metadata.labels),
      age(node.metadata.creationTimestamp, now),
      info?.kubeletVersion ?? '',
      addressOf(node, 'InternalIP'),
      addressOf(node, 'ExternalIP'),
      info?.osImage || '<unknown>',
      info?.kernelVersion || '<unknown>',
      info?.containerRuntimeVersion || '<unknown>',
    ]
  },
}

function nodeStatus({ spec, status }: DeepReadonly<core.Node>): string {
  const ready = status?.conditions?.find((condition) => condition.type === 'Ready')
  const text = ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown'
  return spec.unschedulable ? `${text},SchedulingDisabled` : text
}

const rolePrefix = 'node-role.kubernetes.io/'

function nodeRoles(labels: DeepReadonly<Record<string, string>> | undefined): string {
  const roles = new Set<string>()
  for (const key in labels) {
    if (key.startsWith(rolePrefix)) roles.add(key.slice(rolePrefix.length))
    else if (key === 'kubernetes.io/role') roles.add(labels[key]!)
  }
  roles.delete('')
  return roles.size === 0 ? '<none>' : [...roles].sort().join(',')
}

const addressOf = ({ status }: DeepReadonly<core.Node>, type: string) => status?.addresses?.find((one) => one.type === type)?.address ?? '<none>'

export const configMapTable: TableDefinition<core.ConfigMap> = {
  columns: [nameColumn, column('Data'), ageColumn],
  cells: ({ metadata, data, binaryData }, now) => [metadata.name, count(data) + count(binaryData), age(metadata.creationTimestamp, now)],
}

export const secretTable: TableDefinition<core.Secret> = {
  columns: [nameColumn, column('Type'), column('Data'), ageColumn],
  cells: ({ metadata, type, data }, now) => [metadata.name, type ?? '', count(data), age(metadata.creationTimestamp, now)],
}

const count = (map: object | undefined) => (map ? Object.keys(map).length : 0)

export const serviceAccountTable: TableDefinition<core.ServiceAccount> = {
  columns: [nameColumn, column('Secrets'), ageColumn],
  cells: ({ metadata, secrets }, now) => [metadata.name, secrets?.length ?? 0, age(metadata.creationTimestamp, now)],
}

export const limitRangeTable: TableDefinition<core.LimitRange> = {
  columns: [nameColumn, column('Created At', 'date')],
  cells: ({ metadata }) => [metadata.name, metadata.creationTimestamp ?? null],
}

export const resourceQuotaTable: TableDefinition<core.ResourceQuota> = {
  columns: [nameColumn, column('Request'), column('Limit'), ageColumn],
  cells({ metadata, status }, now) {
    const requests: string[] = []
    const limits: string[] = []
    for (const name of Object.keys(status?.hard ?? {}).sort()) {
      const text = `${name}: ${status!.used?.[name] ?? '0'}/${status!.hard![name]}`
      ;(name.startsWith('limits.') ? limits : requests).push(text)
    }
    return [metadata.name, requests.join(', '), limits.join(', '), age(metadata.creationTimestamp, now)]
  },
}

export const eventTable: TableDefinition<core.Event> = {
  columns: [
    column('Last Seen'),
    column('Type'),
    column('Reason'),
    column('Object'),
    wide('Subobject'),
    wide('Source'),
    column('Message'),
    wide('First Seen'),
    wide('Count'),
    wide('Name', 'string', 'name'),
  ],
  cells(event, now) {
    const first = age(event.firstTimestamp || event.eventTime, now)
    const last = event.series ? age(event.series.lastObservedTime, now) : event.lastTimestamp ? age(event.lastTimestamp, now) : first
    const times = event.series ? (event.series.count ?? 0) : event.count || 1
    const { kind = '', name, fieldPath } = event.involvedObject ?? {}
    return [
      last,
      event.type ?? '',
      event.reason ?? '',
      name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase(),
      fieldPath ?? '',
      [event.source?.component || event.reportingComponent || '', event.source?.host || event.reportingInstance || '']
        .filter((s, i) => i === 0 || s)
        .join(', '),
      event.message?.trim() ?? '',
      first,
      times,
      event.metadata.name,
    ]
  },
}

export const componentStatusTable: TableDefinition<core.ComponentStatus> = {
  columns: [nameColumn, column('Status'), column('Message'), column('Error')],
  cells({ metadata, conditions }) {
    const healthy = conditions?.find((condition) => condition.type === 'Healthy')
    const status = healthy ? (healthy.status === 'True' ? 'Healthy' : 'Unhealthy') : 'Unknown'
    return [metadata.name, status, healthy?.message ?? '', healthy?.error ?? '']
  },
}
