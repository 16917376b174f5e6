import { createHash } from 'node:crypto'
import { type DeepReadonly, type ci, isStatus, resources } from '#api'
import type { Client } from '#client'
import { labels } from '../names.ts'
import type { RefChange } from './plan.ts'

/** The Pipeline that a change asks for. With a `delivery` its name is derived from it: the same delivery again names the same pipeline. */
export function pipelineFor(project: DeepReadonly<ci.Project>, change: RefChange, delivery?: string): ci.Pipeline {
  const { name, namespace } = project.metadata
  const prefix = name.slice(0, 50).replace(/-+$/, '')
  return {
    apiVersion: 'ci.k8ts.dev/v1',
    kind: 'Pipeline',
    metadata: {
      ...(delivery === undefined ? { generateName: `${prefix}-` } : { name: `${prefix}-${shortHash(delivery)}` }),
      namespace: namespace!,
      labels: { [labels.project]: name },
      // a pipeline goes with its project
      ownerReferences: [{ apiVersion: project.apiVersion, kind: project.kind, name, uid: project.metadata.uid! }],
    } as ci.Pipeline['metadata'],
    spec: {
      projectName: name,
      ...(change.branch === undefined ? {} : { branch: change.branch }),
      ...(change.tag === undefined ? {} : { tag: change.tag }),
      revision: change.revision,
      ...(change.baseRevision === undefined ? {} : { baseRevision: change.baseRevision }),
      trigger: {
        type: 'webhook',
        commit: { subject: change.message.split('\n')[0]!.slice(0, 200), ...(change.author ? { author: change.author } : {}) },
      },
      actor: change.actor,
    },
  }
}

/** Letters that a name may end in, and enough of them that two deliveries do not meet. */
const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12)

/** Creates the pipeline, or answers the one that the same delivery has made before. */
export async function createPipeline(client: Client, pipeline: ci.Pipeline): Promise<{ pipeline: DeepReadonly<ci.Pipeline>; created: boolean }> {
  const pipelines = client.resource(resources.ciPipelines)
  try {
    return { pipeline: await pipelines.create(pipeline), created: true }
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists') || !pipeline.metadata.name) throw error
    return { pipeline: await pipelines.get(pipeline.metadata.name, pipeline.metadata.namespace), created: false }
  }
}

/** The pipeline once it has its number, or as it is when that takes longer than `withinMs`. */
export async function numbered(
  client: Client,
  pipeline: DeepReadonly<ci.Pipeline>,
  withinMs: number,
  signal?: AbortSignal,
): Promise<DeepReadonly<ci.Pipeline>> {
  if (pipeline.status?.number) return pipeline
  const { name, namespace, resourceVersion } = pipeline.metadata
  const limit = AbortSignal.any([AbortSignal.timeout(withinMs), ...(signal ? [signal] : [])])
  const events = client
    .resource(resources.ciPipelines)
    .watch({ namespace: namespace!, fieldSelector: `metadata.name=${name}`, resourceVersion: resourceVersion!, signal: limit })
  for await (const event of events) if (event.type === 'MODIFIED' && event.object.status?.number) return event.object
  return pipeline
}
