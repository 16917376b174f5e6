import { type DeepReadonly, type ci, resources } from '#api'
import { isEnded, labels } from '../names.ts'
import { viewPipeline } from '../view/follow.ts'
import { type CiSession, UsageError } from './session.ts'

/** Ends a pipeline and everything that runs for it. False when it has ended already. */
export async function cancelPipeline({ client }: CiSession, pipeline: DeepReadonly<ci.Pipeline>): Promise<boolean> {
  if (isEnded(pipeline)) return false
  const { name, namespace } = pipeline.metadata
  await client.resource(resources.ciPipelines).patch(name, namespace, 'merge', { spec: { cancel: true } })
  return true
}

/** The newest run of each workflow of a pipeline. */
export function newestRuns(workflows: readonly DeepReadonly<ci.Workflow>[]): DeepReadonly<ci.Workflow>[] {
  const repeated = new Set(workflows.map((workflow) => workflow.spec.rerunOf))
  return workflows.filter((workflow) => !repeated.has(workflow.metadata.name))
}

export interface RerunOptions {
  /** Only what failed and what depends on it; everything when false. */
  fromFailed: boolean
  /** One workflow by its name; all that ended when absent. */
  workflow?: string
}

/** Runs the workflows of a pipeline again. Answers the new runs. */
export async function rerunPipeline(
  session: CiSession,
  pipeline: DeepReadonly<ci.Pipeline>,
  options: RerunOptions,
): Promise<DeepReadonly<ci.Workflow>[]> {
  const { fromFailed, workflow: named } = options
  const { name, namespace } = pipeline.metadata
  const view = await viewPipeline(session.client, namespace!, name)
  const runs = newestRuns(view?.workflows ?? []).filter((each) => named === undefined || each.spec.workflow === named)
  const title = `pipeline #${pipeline.status?.number ?? name}`
  if (runs.length === 0)
    throw new UsageError(
      named ? `${title} has no workflow ${named}` : `${title} ran no workflow: ${pipeline.status?.message ?? 'there is nothing to run again'}`,
    )
  const running = runs.filter((each) => !isEnded(each))
  if (running.length > 0)
    throw new UsageError(`${title} still runs ${running.map((each) => each.spec.workflow).join(', ')}: cancel it first with \`k8ts ci cancel\``)
  const wanted = fromFailed ? runs.filter((each) => each.status?.phase !== 'Succeeded') : runs
  if (wanted.length === 0) throw new UsageError(`nothing of ${title} failed: leave --from-failed out to run all of it again`)
  return Promise.all(
    wanted.map((each) =>
      session.client.resource(resources.ciWorkflows).create({
        apiVersion: 'ci.k8ts.dev/v1',
        kind: 'Workflow',
        metadata: {
          generateName: `${each.metadata.name.slice(0, 50).replace(/-+$/, '')}-`,
          namespace: namespace!,
          labels: { [labels.project]: each.spec.projectName, [labels.pipeline]: name },
          ownerReferences: [
            { apiVersion: pipeline.apiVersion, kind: pipeline.kind, name, uid: pipeline.metadata.uid!, controller: true, blockOwnerDeletion: true },
          ],
        },
        spec: {
          projectName: each.spec.projectName,
          pipelineName: name,
          workflow: each.spec.workflow,
          rerunOf: each.metadata.name,
          rerunFrom: fromFailed ? 'failed' : 'start',
        },
      } as never),
    ),
  )
}

/** Lets what waits for an approval go on: the job of that name, or the only one that waits. */
export async function approve(session: CiSession, pipeline: DeepReadonly<ci.Pipeline>, named: string | undefined): Promise<DeepReadonly<ci.Job>> {
  const { name, namespace } = pipeline.metadata
  const view = await viewPipeline(session.client, namespace!, name)
  const waiting = (view?.jobs ?? []).filter((job) => job.spec.type === 'approval' && job.status?.phase === 'OnHold' && !job.spec.approved)
  const title = `pipeline #${pipeline.status?.number ?? name}`
  const found = named === undefined ? waiting : waiting.filter((job) => job.spec.job === named || job.metadata.name === named)
  const names = waiting.map((job) => job.spec.job).join(', ')
  if (found.length === 0)
    throw new UsageError(waiting.length === 0 ? `nothing of ${title} waits for an approval` : `${title} has no ${named}; what waits: ${names}`)
  if (found.length > 1) throw new UsageError(`several jobs of ${title} wait: name one of ${names}`)
  const [job] = found
  return session.client.resource(resources.ciJobs).patch(job!.metadata.name, namespace, 'merge', { spec: { approved: true } })
}
