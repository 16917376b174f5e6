import type { DeepReadonly, ci } from '#api'
import { isStatus, resources } from '#api'
import { describeError } from '#base'
import { TransportError } from '#client'
import { type Controller, type Settled, mapped, primary } from '#runtime'
import type { CompiledWorkflow } from '../config/compiled.ts'
import { isEnded, labels, projectKey } from '../names.ts'
import { type CiOptions, ciCaches, createOnce, deleteIfThere, keyOf, ownerReference, patchStatus, takeNumber, timestamp } from './context.ts'
import { childName } from './object-names.ts'
import { pipelinePhase } from './pipeline-plan.ts'

/** How long a repository may be out of reach before its pipeline is given up, milliseconds. */
const repositoryPatience = 5 * 60_000

/** Reads what a pipeline is to do from its project's repository, makes its workflows, and says how they stand. */
export function pipelineController(options: CiOptions): Controller {
  const { git, compile, publicUrl } = options
  return {
    name: 'ci-pipeline',
    setup(context) {
      const { client, clock, events } = context
      const { projects, pipelines, workflows } = ciCaches(context)
      const now = () => timestamp(clock.now())

      async function reconcile(key: string): Promise<Settled> {
        const pipeline = pipelines.get(key)
        if (!pipeline || pipeline.metadata.deletionTimestamp) return
        const own = workflows.byIndex('pipeline', key)
        if (own.length > 0 || pipeline.status?.startTime) return follow(pipeline, own)
        if (isEnded(pipeline)) return
        const project = projects.get(keyOf(pipeline.metadata.namespace, pipeline.spec.projectName))
        if (!project)
          return end(pipeline, 'Errored', `there is no project ${pipeline.spec.projectName} in the namespace ${pipeline.metadata.namespace}`)
        if (!pipeline.status?.number) {
          // a project whose address is not written yet gets it with its first pipeline
          const number = await takeNumber(client, project.metadata.namespace!, project.metadata.name, 'lastPipelineNumber')
          return patchStatus(client, resources.ciPipelines, pipeline, { number, phase: 'Pending' })
        }
        if (pipeline.spec.cancel) return end(pipeline, 'Canceled', 'canceled before it began')
        if (project.spec.suspend) return end(pipeline, 'Errored', `the project ${project.metadata.name} is suspended`)
        try {
          await begin(pipeline, project)
        } catch (error) {
          // what the API server answers is tried again as always; a repository that cannot be read is said, and not for ever
          if (isStatus(error) || error instanceof TransportError) throw error
          const message = `the configuration cannot be read: ${describeError(error)}`
          if (clock.now() - Date.parse(pipeline.metadata.creationTimestamp ?? '') > repositoryPatience) return end(pipeline, 'Errored', message)
          events.event(pipeline, 'Warning', 'NotRead', message)
          await patchStatus(client, resources.ciPipelines, pipeline, { message })
          return { requeueAfter: 10_000 }
        }
      }

      async function begin(pipeline: DeepReadonly<ci.Pipeline>, project: DeepReadonly<ci.Project>): Promise<void> {
        const { spec, metadata } = pipeline
        const commit = await git.resolve(project, {
          ...(spec.revision ? { revision: spec.revision } : {}),
          ...(spec.branch ? { branch: spec.branch } : {}),
          ...(spec.tag ? { tag: spec.tag } : {}),
        })
        const ref = spec.revision
          ? `the commit ${spec.revision}`
          : spec.tag
            ? `the tag ${spec.tag}`
            : `the branch ${spec.branch || project.spec.defaultBranch}`
        if (!commit) return end(pipeline, 'Errored', `the repository has not ${ref}`)
        const about = { revision: commit.revision, commit: { subject: commit.subject.slice(0, 200), author: commit.author } }
        const file = project.spec.configPath!
        const text = spec.config || (await git.readFile(project, commit.revision, file))
        if (text === undefined) return end(pipeline, 'Errored', `there is no ${file} at ${commit.revision.slice(0, 8)}`, about)
        const branch = spec.branch || (spec.tag ? undefined : project.spec.defaultBranch)
        const result = compile({
          file,
          text,
          parameters: (spec.parameters ?? {}) as Record<string, string | number | boolean>,
          pipeline: {
            id: metadata.uid!,
            number: pipeline.status!.number!,
            triggerSource: spec.trigger?.type ?? 'api',
            project: { name: project.metadata.name, gitUrl: project.spec.repository?.url ?? repositoryUrl(publicUrl, project) },
            git: {
              ...(branch ? { branch } : {}),
              ...(spec.tag ? { tag: spec.tag } : {}),
              revision: commit.revision,
              ...(spec.baseRevision ? { baseRevision: spec.baseRevision } : {}),
            },
            actor: spec.actor ?? '',
          },
        })
        if (!result.ok) {
          const first = result.problems[0]!
          const more = result.problems.length > 1 ? ` (and ${result.problems.length - 1} more)` : ''
          return end(pipeline, 'Errored', `${first.file}:${first.line}: ${first.message}${more}`, { ...about, problems: result.problems })
        }
        const wanted = result.config.workflows.filter((workflow) => (!spec.workflow || workflow.name === spec.workflow) && workflow.jobs.length > 0)
        for (const workflow of wanted) await createOnce(client, resources.ciWorkflows, workflowObject(pipeline, workflow))
        if (project.spec.triggers?.autoCancelRedundant && spec.branch && spec.trigger?.type === 'webhook') await cancelRedundant(pipeline)
        const nothing = wanted.length === 0
        const what = spec.workflow ? `workflow ${spec.workflow}` : 'workflow'
        if (nothing) events.event(pipeline, 'Normal', 'NothingToRun', `No ${what} runs for ${ref}`)
        else events.event(pipeline, 'Normal', 'Started', `Started ${wanted.map((w) => w.name).join(', ')}`)
        const message = nothing ? `no ${what} runs for ${ref}` : null
        const status = {
          ...about,
          phase: nothing ? 'Succeeded' : 'Running',
          message,
          startTime: now(),
          ...(nothing ? { completionTime: now() } : {}),
          ...(result.warnings.length > 0 ? { warnings: result.warnings } : {}),
        }
        await patchStatus(client, resources.ciPipelines, pipeline, status)
        await note(pipeline, status.phase as ci.PipelinePhase)
      }

      /** Older pipelines of the same branch have nothing to say once this one is there. */
      async function cancelRedundant({ metadata, spec, status }: DeepReadonly<ci.Pipeline>): Promise<void> {
        for (const other of pipelines.byIndex('project', keyOf(metadata.namespace, spec.projectName))) {
          if (other.spec.branch !== spec.branch || isEnded(other) || (other.status?.number ?? Infinity) >= status!.number! || other.spec.cancel)
            continue
          await client.resource(resources.ciPipelines).patch(other.metadata.name, metadata.namespace, 'merge', { spec: { cancel: true } })
          events.event(other, 'Normal', 'Redundant', `Pipeline ${status!.number} runs for a newer commit of ${spec.branch}`)
        }
      }

      async function follow(pipeline: DeepReadonly<ci.Pipeline>, own: readonly DeepReadonly<ci.Workflow>[]): Promise<void> {
        if (own.length === 0) return
        if (pipeline.spec.cancel)
          for (const workflow of own)
            if (!isEnded(workflow) && !workflow.spec.cancel)
              await client
                .resource(resources.ciWorkflows)
                .patch(workflow.metadata.name, pipeline.metadata.namespace, 'merge', { spec: { cancel: true } })
        const { phase, workflows: states } = pipelinePhase(own)
        const ended = !['Pending', 'Running', 'OnHold'].includes(phase)
        if (ended && phase !== pipeline.status?.phase)
          events.event(pipeline, phase === 'Succeeded' || phase === 'Canceled' ? 'Normal' : 'Warning', phase, `The pipeline ended as ${phase}`)
        await patchStatus(client, resources.ciPipelines, pipeline, {
          observedGeneration: pipeline.metadata.generation,
          phase,
          workflows: states,
          startTime: pipeline.status?.startTime ?? now(),
          completionTime: ended ? (isEnded(pipeline) && pipeline.status?.completionTime ? pipeline.status.completionTime : now()) : null,
        })
        await note(pipeline, phase)
      }

      async function end(
        pipeline: DeepReadonly<ci.Pipeline>,
        phase: ci.PipelinePhase,
        message: string,
        more: Record<string, unknown> = {},
      ): Promise<void> {
        events.event(pipeline, phase === 'Errored' ? 'Warning' : 'Normal', phase, message)
        await patchStatus(client, resources.ciPipelines, pipeline, { ...more, phase, message, completionTime: now() })
        await note(pipeline, phase)
      }

      /** The project shows its newest pipeline. */
      async function note(pipeline: DeepReadonly<ci.Pipeline>, phase: ci.PipelinePhase): Promise<void> {
        const project = projects.get(keyOf(pipeline.metadata.namespace, pipeline.spec.projectName))
        const { number = 0 } = pipeline.status ?? {}
        if (!project || number < (project.status?.lastPipeline?.number ?? 0)) return
        const lastPipeline = {
          name: pipeline.metadata.name,
          number,
          branch: pipeline.spec.tag || pipeline.spec.branch || project.spec.defaultBranch!,
          phase,
        }
        if (isEnded({ status: { phase } })) await forgetOld(project)
        if (JSON.stringify(lastPipeline) === JSON.stringify(project.status?.lastPipeline)) return
        await client
          .resource(resources.ciProjects)
          .patch(project.metadata.name, project.metadata.namespace, 'merge', { status: { lastPipeline } }, { subresource: 'status' })
      }

      /** Old pipelines go, and with them their jobs' logs and artifacts. */
      async function forgetOld(project: DeepReadonly<ci.Project>): Promise<void> {
        const ended = pipelines.byIndex('project', projectKey(project)).filter(isEnded)
        const old = ended.toSorted((a, b) => (b.status?.number ?? 0) - (a.status?.number ?? 0)).slice(project.spec.historyLimit ?? 200)
        for (const { metadata } of old) await deleteIfThere(client, resources.ciPipelines, metadata.name, metadata.namespace!)
      }

      return {
        reconcile,
        watches: [primary(pipelines), mapped(workflows, (workflow) => [keyOf(workflow.metadata.namespace, workflow.spec.pipelineName)])],
      }
    },
  }
}

/** Tells a project where its built-in repository answers. */
export function projectController({ publicUrl }: Pick<CiOptions, 'publicUrl'>): Controller {
  return {
    name: 'ci-project',
    setup(context) {
      const { projects } = ciCaches(context)
      return {
        async reconcile(key) {
          const project = projects.get(key)
          if (!project || project.metadata.deletionTimestamp) return
          await patchStatus(context.client, resources.ciProjects, project, {
            observedGeneration: project.metadata.generation,
            gitURL: repositoryUrl(publicUrl, project),
          })
        },
        watches: [primary(projects)],
      }
    },
  }
}

export const repositoryUrl = (base: string, project: DeepReadonly<ci.Project>): string => `${base}/git/${projectKey(project)}.git`

function workflowObject(pipeline: DeepReadonly<ci.Pipeline>, workflow: CompiledWorkflow): ci.Workflow {
  const { projectName } = pipeline.spec
  return {
    apiVersion: 'ci.k8ts.dev/v1',
    kind: 'Workflow',
    metadata: {
      name: childName(pipeline.metadata.name, workflow.name),
      namespace: pipeline.metadata.namespace!,
      labels: { [labels.project]: projectName, [labels.pipeline]: pipeline.metadata.name },
      ownerReferences: [ownerReference(pipeline)],
    },
    spec: { projectName, pipelineName: pipeline.metadata.name, workflow: workflow.name, definition: { jobs: workflow.jobs } },
  }
}
