import type { DeepReadonly, ci } from '#api'

/** What a notification can say; the names are those of templates. Empty where there is nothing to say. */
export interface NotificationFacts {
  event: ci.NotificationEvent
  status: string
  namespace: string
  project: string
  pipeline: string
  number: string
  /** The branch or the tag. */
  ref: string
  branch: string
  tag: string
  revision: string
  /** The first seven characters of the revision. */
  short: string
  actor: string
  author: string
  subject: string
  /** The failing job and step, and where the step stands in the configuration. */
  job: string
  step: string
  exitCode: string
  file: string
  line: string
  /** What the pipeline or the step says about its end. */
  message: string
  duration: string
  url: string
  /** Shows the log. */
  command: string
}

const failedPhases = new Set<string | undefined>(['Failed', 'TimedOut', 'InfrastructureFailed', 'Unauthorized'])

/** The job that a reader wants to see first: the one that failed first, of the newest try of its workflow. */
export function failingJob(jobs: readonly DeepReadonly<ci.Job>[]): DeepReadonly<ci.Job> | undefined {
  const newest = new Map<string, DeepReadonly<ci.Job>>()
  const age = (job: DeepReadonly<ci.Job>) => job.status?.number ?? 0
  for (const job of jobs) {
    const known = newest.get(job.spec.job)
    if (!known || age(job) > age(known)) newest.set(job.spec.job, job)
  }
  return [...newest.values()]
    .filter((job) => failedPhases.has(job.status?.phase))
    .sort((a, b) => (a.status?.completionTime ?? '~').localeCompare(b.status?.completionTime ?? '~') || age(a) - age(b))[0]
}

export function factsOf(
  event: ci.NotificationEvent,
  pipeline: DeepReadonly<ci.Pipeline>,
  jobs: readonly DeepReadonly<ci.Job>[],
  address: string,
): NotificationFacts {
  const { metadata, spec, status } = pipeline
  const ended = event === 'Failure' || event === 'Errored' ? failingJob(jobs) : undefined
  const failure = ended?.status?.failure
  const problem = status?.problems?.[0]
  const revision = status?.revision ?? spec.revision ?? ''
  const commit = status?.commit ?? spec.trigger?.commit
  const handle = status?.number ? String(status.number) : metadata.name
  return {
    event,
    status: status?.phase ?? '',
    namespace: metadata.namespace ?? '',
    project: spec.projectName,
    pipeline: metadata.name,
    number: status?.number ? String(status.number) : '',
    ref: spec.tag ?? spec.branch ?? '',
    branch: spec.branch ?? '',
    tag: spec.tag ?? '',
    revision,
    short: revision.slice(0, 7),
    actor: spec.actor ?? '',
    author: commit?.author ?? '',
    subject: commit?.subject ?? '',
    job: ended?.spec.job ?? '',
    step: failure?.name ?? '',
    exitCode: failure?.exitCode === undefined ? '' : String(failure.exitCode),
    file: failure?.source?.file ?? problem?.file ?? '',
    line: String(failure?.source?.line ?? problem?.line ?? ''),
    message: failure?.message ?? ended?.status?.message ?? problem?.message ?? status?.message ?? '',
    duration: durationOf(status),
    url: address,
    command: `k8ts ci logs ${handle}${ended ? ' --failed' : ''}`,
  }
}

function durationOf(status: DeepReadonly<ci.PipelineStatus> | undefined): string {
  if (!status?.startTime || !status.completionTime) return ''
  const seconds = Math.max(0, Math.round((Date.parse(status.completionTime) - Date.parse(status.startTime)) / 1000))
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes}m${seconds % 60}s` : `${Math.floor(minutes / 60)}h${minutes % 60}m`
}
