import type { DeepReadonly, ci } from '#api'
import type { TableDefinition } from '../strategy.ts'
import { ageColumn, column, nameColumn, wide } from './columns.ts'
import { age, humanDuration } from './duration.ts'

export const projectTable: TableDefinition<ci.Project> = {
  columns: [nameColumn, column('Last'), column('Status'), column('Branch'), ageColumn, wide('Repository'), wide('Config')],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    status?.lastPipeline?.number ? `#${status.lastPipeline.number}` : '<none>',
    spec.suspend ? 'Suspended' : (status?.lastPipeline?.phase ?? ''),
    status?.lastPipeline?.branch ?? '',
    age(metadata.creationTimestamp, now),
    spec.repository?.url ?? status?.gitURL ?? '<built-in>',
    spec.configPath ?? '',
  ],
}

export const pipelineTable: TableDefinition<ci.Pipeline> = {
  columns: [
    nameColumn,
    column('Project'),
    column('Number', 'integer'),
    column('Status'),
    column('Ref'),
    column('Revision'),
    column('Duration'),
    ageColumn,
    wide('Actor'),
    wide('Message'),
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    spec.projectName,
    status?.number ?? 0,
    status?.phase ?? 'Pending',
    spec.tag || spec.branch || '<default>',
    (status?.revision ?? spec.revision ?? '').slice(0, 8),
    duration(status, now),
    age(metadata.creationTimestamp, now),
    spec.actor ?? '',
    status?.message ?? status?.commit?.subject ?? '',
  ],
}

export const workflowTable: TableDefinition<ci.Workflow> = {
  columns: [nameColumn, column('Pipeline'), column('Workflow'), column('Status'), column('Jobs'), column('Duration'), ageColumn, wide('Message')],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    spec.pipelineName,
    spec.workflow,
    status?.phase ?? 'Pending',
    `${(status?.jobs ?? []).filter((job) => job.phase === 'Succeeded').length}/${status?.jobs?.length ?? 0}`,
    duration(status, now),
    age(metadata.creationTimestamp, now),
    status?.message ?? '',
  ],
}

export const ciJobTable: TableDefinition<ci.Job> = {
  columns: [
    nameColumn,
    column('Job'),
    column('Number', 'integer'),
    column('Status'),
    column('Failed Step'),
    column('Duration'),
    ageColumn,
    wide('Workflow'),
    wide('Message'),
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    spec.job,
    status?.number ?? 0,
    status?.phase ?? 'Queued',
    failedStep(status),
    duration(status, now),
    age(metadata.creationTimestamp, now),
    spec.workflowName,
    status?.message ?? '',
  ],
}

function failedStep(status: DeepReadonly<ci.JobStatus> | undefined): string {
  const failure = status?.failure
  if (!failure?.name) return ''
  return failure.source?.file ? `${failure.name} (${failure.source.file}:${failure.source.line})` : failure.name
}

function duration(status: DeepReadonly<{ startTime?: string; completionTime?: string }> | undefined, now: number): string {
  if (!status?.startTime) return ''
  return humanDuration((status.completionTime ? Date.parse(status.completionTime) : now) - Date.parse(status.startTime))
}
