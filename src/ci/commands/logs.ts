import { type DeepReadonly, type ci, resources } from '#api'
import { failingJob } from '../notify/facts.ts'
import { followPipeline, viewPipeline } from '../view/follow.ts'
import { createLogText } from '../view/log-text.ts'
import { type PipelineView, describeEnd, describeFailure, describePipeline } from '../view/report.ts'
import { type CiSession, UsageError, findPipeline, logReader, serviceOf } from './session.ts'

export interface LogsOptions {
  project: DeepReadonly<ci.Project>
  /** A pipeline (number or name), or a job of the newest one. */
  reference?: string
  /** One job of the pipeline. */
  job?: string
  follow: boolean
  /** The step that failed, and nothing else. */
  failed: boolean
}

/** Prints logs. Answers the pipeline as it stood at the end. */
export async function printLogs(session: CiSession, options: LogsOptions): Promise<PipelineView | undefined> {
  const { project, follow, failed } = options
  const { pipeline, job } = await whichLog(session, options)
  const { base } = await serviceOf(session, project)
  await using reader = logReader(session, base)
  if (failed || (options.reference === undefined && job === undefined && !follow)) return await printFailure(session, pipeline, reader.readLog)
  const wanted = job === undefined ? undefined : (each: DeepReadonly<ci.Job>) => each.spec.job === job || each.metadata.name === job
  const view = await followPipeline({
    client: session.client,
    readLog: reader.readLog,
    namespace: pipeline.metadata.namespace!,
    name: pipeline.metadata.name,
    write: (text) => session.print(text),
    style: session.style,
    ...(wanted ? { jobs: wanted } : {}),
    follow,
    signal: session.signal,
  })
  if (view && wanted && !view.jobs.some(wanted))
    throw new UsageError(`pipeline #${pipeline.status?.number} has no job ${job}: it has ${namesOf(view)}`)
  // a pipeline that never came to a job has its whole story in its status
  if (view && view.jobs.length === 0) session.say(describePipeline(view, session.style))
  return view
}

const namesOf = ({ jobs }: PipelineView): string => jobs.map((job) => job.spec.job).join(', ') || 'none yet'

async function whichLog(session: CiSession, options: LogsOptions): Promise<{ pipeline: DeepReadonly<ci.Pipeline>; job?: string }> {
  const { project, reference, job } = options
  if (reference === undefined) return { pipeline: await findPipeline(session, project, undefined), ...(job ? { job } : {}) }
  try {
    return { pipeline: await findPipeline(session, project, reference), ...(job ? { job } : {}) }
  } catch (error) {
    // what is no pipeline may be a job of the newest one
    if (!(error instanceof UsageError) || /^#?\d+$/.test(reference) || job !== undefined) throw error
    const newest = await findPipeline(session, project, undefined)
    const view = await viewPipeline(session.client, newest.metadata.namespace!, newest.metadata.name)
    if (!view?.jobs.some((each) => each.spec.job === reference || each.metadata.name === reference)) throw error
    return { pipeline: newest, job: reference }
  }
}

/** From a red pipeline to the line: where the failing step stands, and what it printed. */
async function printFailure(
  session: CiSession,
  pipeline: DeepReadonly<ci.Pipeline>,
  readLog: ReturnType<typeof logReader>['readLog'],
): Promise<PipelineView | undefined> {
  const view = await viewPipeline(session.client, pipeline.metadata.namespace!, pipeline.metadata.name)
  if (!view) return undefined
  const job = failingJob(view.jobs)
  const failure = job?.status?.failure
  session.say(`${describeEnd(view, session.style)}\n`)
  if (!job || !failure) {
    // nothing failed in a step: its state says all there is
    session.print(describePipeline(view, session.style))
    return view
  }
  session.say(`${session.style.heading(`${job.spec.job}: ${describeFailure(failure)}`)}\n\n`)
  const attempt = job.status!.attempt ?? 1
  const index = failure.instance ?? 0
  const text = createLogText({ style: session.style, ...(failure.step === undefined ? {} : { only: (step) => step === failure.step }) })
  for await (const bytes of readLog(job, { attempt, index, follow: false, signal: session.signal })) session.print(text.push(bytes))
  session.print(text.end())
  return view
}

/** Follows a pipeline to its end; the result is the exit code of `run -f` and `logs -f`. */
export function exitCodeOf(view: PipelineView | undefined): number {
  const phase = view?.pipeline.status?.phase
  return phase === 'Succeeded' || phase === 'OnHold' || phase === 'Running' || phase === 'Pending' ? 0 : 1
}

/** Follows workflows that were started again: until the pipeline has taken them up, it still stands as it ended before. */
export async function followRerun(
  session: CiSession,
  project: DeepReadonly<ci.Project>,
  pipeline: DeepReadonly<ci.Pipeline>,
  runs: readonly DeepReadonly<ci.Workflow>[],
): Promise<PipelineView | undefined> {
  const { base } = await serviceOf(session, project)
  await using reader = logReader(session, base)
  const { name, namespace, resourceVersion } = pipeline.metadata
  const names = new Set(runs.map((run) => run.metadata.name))
  const query = { namespace: namespace!, fieldSelector: `metadata.name=${name}`, resourceVersion: resourceVersion!, signal: session.signal }
  for await (const event of session.client.resource(resources.ciPipelines).watch(query))
    if (event.type === 'MODIFIED' && event.object.status?.workflows?.some((each) => names.has(each.name))) break
  return await followPipeline({
    client: session.client,
    readLog: reader.readLog,
    namespace: namespace!,
    name,
    write: (text) => session.print(text),
    style: session.style,
    jobs: (job) => names.has(job.spec.workflowName),
    signal: session.signal,
  })
}
