import type { DeepReadonly, ci } from '#api'
import { failingJob } from '../notify/facts.ts'
import { type LogStyle, plainStyle } from './log-text.ts'

/** What is shown of a pipeline: it, and what runs for it. */
export interface PipelineView {
  pipeline: DeepReadonly<ci.Pipeline>
  workflows: readonly DeepReadonly<ci.Workflow>[]
  jobs: readonly DeepReadonly<ci.Job>[]
}

const good = new Set<string | undefined>(['Succeeded'])
const bad = new Set<string | undefined>(['Failed', 'Errored', 'TimedOut', 'InfrastructureFailed', 'Unauthorized'])

/** A pipeline as text: what it builds, how its workflows, jobs and steps stand, and what went wrong where. */
export function describePipeline({ pipeline, workflows, jobs }: PipelineView, style: LogStyle = plainStyle): string {
  const { spec, status } = pipeline
  const shown = (phase: string | undefined) =>
    good.has(phase) ? style.success(phase!) : bad.has(phase) ? style.failure(phase!) : (phase ?? 'Pending')
  const commit = status?.commit ?? spec.trigger?.commit
  const lines = [
    `${style.heading(`Pipeline #${status?.number ?? '?'} of ${spec.projectName}`)}  ${shown(status?.phase)}${status?.message ? `: ${status.message}` : ''}`,
    `  ${spec.tag ?? spec.branch ?? 'default branch'} ${(status?.revision ?? spec.revision ?? '').slice(0, 7)}${commit?.subject ? `  ${commit.subject}` : ''}`,
    `  ${style.faint(`${pipeline.metadata.name}, by ${spec.actor ?? 'nobody'} (${spec.trigger?.type ?? 'api'})`)}`,
  ]
  for (const { file, line, column, message } of status?.problems ?? []) lines.push(`  ${style.failure(`${file}:${line}:${column}`)} ${message}`)
  for (const { file, line, column, message } of status?.warnings ?? []) lines.push(`  ${style.faint(`${file}:${line}:${column} ${message}`)}`)
  for (const workflow of workflows) {
    lines.push(
      '',
      `  ${style.heading(workflow.spec.workflow)}  ${shown(workflow.status?.phase)}${workflow.status?.message ? `: ${workflow.status.message}` : ''}`,
    )
    const width = Math.max(0, ...(workflow.status?.jobs ?? []).map((job) => job.name.length))
    for (const { name, phase, jobName, message } of workflow.status?.jobs ?? []) {
      const job = jobs.find((each) => each.metadata.name === jobName)
      const failure = job?.status?.failure
      const why = failure ? describeFailure(failure) : (message ?? job?.status?.message ?? '')
      lines.push(`    ${name.padEnd(width)}  ${shown(phase)}${why ? `  ${why}` : ''}`)
    }
  }
  const failed = failingJob(jobs)
  const output = failed?.status?.failure?.output ?? []
  if (bad.has(status?.phase) && output.length > 0) {
    lines.push('', `  ${style.failure(`${failed!.spec.job}: ${describeFailure(failed!.status!.failure!)}`)}`)
    for (const line of output) lines.push(`    ${line}`)
  }
  return `${lines.join('\n')}\n`
}

/** `Run tests (.circleci/config.yml:14): exit code 1`. */
export function describeFailure({ name, source, exitCode, message }: DeepReadonly<ci.JobFailure>): string {
  const place = source?.file ? ` (${source.file}:${source.line})` : ''
  const why = message ?? (exitCode === undefined ? '' : `exit code ${exitCode}`)
  // what kept a job from its first step has no step's name
  return [`${name ?? ''}${place}`.trim(), why].filter(Boolean).join(': ')
}

/** One line about how it ended. */
export function describeEnd({ pipeline, jobs }: PipelineView, style: LogStyle = plainStyle): string {
  const { status } = pipeline
  const name = `Pipeline #${status?.number ?? pipeline.metadata.name}`
  if (good.has(status?.phase)) return style.success(`${name} succeeded`)
  const failed = failingJob(jobs)
  const failure = failed?.status?.failure
  const why = failure ? `${failed.spec.job}: ${describeFailure(failure)}` : (status?.message ?? failed?.status?.message ?? '')
  const text = `${name} ${(status?.phase ?? 'ended').toLowerCase()}${why ? `: ${why}` : ''}`
  return bad.has(status?.phase) ? style.failure(text) : text
}
