import { type DeepReadonly, type KubeObject, type ci, isStatus, resources } from '#api'
import { type Client, type ResourceRef, TransportError } from '#client'
import { isEnded, labels } from '../names.ts'
import { type LogStyle, createLogText } from './log-text.ts'
import type { PipelineView } from './report.ts'
import { patiently } from './resume.ts'

/** The bytes of the log of one copy of a job, to its end with `follow`. */
export type ReadLog = (
  job: DeepReadonly<ci.Job>,
  options: { attempt: number; index: number; follow: boolean; signal: AbortSignal },
) => AsyncIterable<Uint8Array>

export interface FollowOptions {
  client: Client
  readLog: ReadLog
  namespace: string
  name: string
  write(text: string): Promise<void> | void
  style?: LogStyle
  /** Only these; all jobs when absent. */
  jobs?: (job: DeepReadonly<ci.Job>) => boolean
  /** False: what there is now, without waiting for more. */
  follow?: boolean
  signal: AbortSignal
}

/** A pipeline with its workflows and jobs, as of now; undefined when it is not there. */
export async function viewPipeline(
  client: Client,
  namespace: string,
  name: string,
  signal?: AbortSignal,
): Promise<(PipelineView & Versions) | undefined> {
  const query = { namespace, labelSelector: `${labels.pipeline}=${name}`, ...(signal ? { signal } : {}) }
  let pipeline
  try {
    pipeline = await client.resource(resources.ciPipelines).get(name, namespace, signal ? { signal } : {})
  } catch (error) {
    if (isStatus(error, 'NotFound')) return undefined
    throw error
  }
  const [workflows, jobs] = await Promise.all([client.resource(resources.ciWorkflows).list(query), client.resource(resources.ciJobs).list(query)])
  const oldestFirst = <T extends DeepReadonly<KubeObject>>(a: T, b: T) =>
    (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '')
  return {
    pipeline,
    workflows: workflows.items.toSorted(oldestFirst),
    jobs: jobs.items.toSorted((a, b) => (a.status?.number ?? Infinity) - (b.status?.number ?? Infinity)),
    versions: { pipeline: pipeline.metadata.resourceVersion!, jobs: jobs.metadata.resourceVersion! },
  }
}

interface Versions {
  /** Where watches go on from. */
  versions: { pipeline: string; jobs: string }
}

/** A pause is not the end: an approval may take days, and who follows goes home. */
const waits = (pipeline: DeepReadonly<ci.Pipeline>) => pipeline.status?.phase === 'OnHold'

/**
 * Writes the logs of a pipeline's jobs as they come, each line with its job's name before it, until the pipeline has ended or waits for an approval. Answers how
 * it stood then; undefined when it is gone.
 */
export async function followPipeline(options: FollowOptions): Promise<PipelineView | undefined> {
  const { client, readLog, namespace, name, write, style, jobs: wanted = () => true, follow = true, signal } = options
  const streams = new Map<string, Promise<void>>()
  const stop = new AbortController()
  const ended = AbortSignal.any([signal, stop.signal])
  let queue = Promise.resolve()
  // chunks of many jobs, each whole
  const say = (text: string) => (queue = queue.then(() => (text === '' ? undefined : write(text))))
  let width = 0

  async function stream(job: DeepReadonly<ci.Job>, attempt: number, index: number): Promise<void> {
    const copies = job.status?.instances?.length ?? 1
    const label = copies > 1 ? `${job.spec.job}/${index}` : job.spec.job
    width = Math.max(width, label.length)
    const text = createLogText({ prefix: `${label.padEnd(width)} | `, ...(style ? { style } : {}) })
    for await (const bytes of readLog(job, { attempt, index, follow, signal: ended })) await say(text.push(bytes))
    await say(text.end())
  }

  try {
    for (;;) {
      const view = await patiently(() => viewPipeline(client, namespace, name, ended), { signal: ended })
      if (!view) return undefined
      for (const job of view.jobs.filter(wanted)) {
        const { attempt = 0, instances = [] } = job.status ?? {}
        if (attempt === 0 || job.spec.type === 'approval') continue
        for (const { index } of instances) {
          const key = `${job.metadata.uid}/${attempt}/${index}`
          if (!streams.has(key)) streams.set(key, stream(job, attempt, index))
        }
      }
      const over = !follow || isEnded(view.pipeline) || waits(view.pipeline)
      if (over) {
        await Promise.all(streams.values())
        await queue
        return view
      }
      await changed(client, namespace, name, view.versions, ended, streams.values())
    }
  } finally {
    stop.abort()
    await Promise.allSettled(streams.values())
  }
}

/** Resolves with the first change after what has been seen; rejects when a log that is being read does. */
async function changed(
  client: Client,
  namespace: string,
  name: string,
  versions: Versions['versions'],
  signal: AbortSignal,
  streams: Iterable<Promise<void>>,
): Promise<void> {
  const enough = new AbortController()
  const limit = AbortSignal.any([signal, enough.signal])
  const first = async <T extends KubeObject>(ref: ResourceRef<T>, resourceVersion: string, selector: object) => {
    try {
      for await (const event of client.resource(ref).watch({ namespace, resourceVersion, ...selector, signal: limit }))
        if (event.type !== 'BOOKMARK') return
    } catch (error) {
      // a server that went away: looking again waits for it
      if (!(error instanceof TransportError)) throw error
    }
  }
  try {
    await Promise.race([
      first(resources.ciPipelines, versions.pipeline, { fieldSelector: `metadata.name=${name}` }),
      first(resources.ciJobs, versions.jobs, { labelSelector: `${labels.pipeline}=${name}` }),
      ...[...streams].map((stream) => stream.then(() => new Promise<void>(() => {}))),
    ])
  } finally {
    enough.abort()
  }
  signal.throwIfAborted()
}
