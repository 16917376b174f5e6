import type { DeepReadonly, ci } from '#api'
import { resources } from '#api'
import { type Controller, mapped, primary } from '#runtime'
import type { WorkflowJob } from '../config/compiled.ts'
import { labels } from '../names.ts'
import { ciCaches, createOnce, keyOf, ownerReference, patchStatus, timestamp } from './context.ts'
import { keptJobs, planWorkflow } from './workflow-plan.ts'

/** Starts the jobs of workflows, each when those before it have ended, and says how the whole stands. */
export function workflowController(): Controller {
  return {
    name: 'ci-workflow',
    setup(context) {
      const { client, clock, events } = context
      const { workflows, jobs } = ciCaches(context)

      /** The jobs of a workflow: its own, or those of the one that it repeats. */
      function definitionOf(workflow: DeepReadonly<ci.Workflow>, depth = 0): readonly DeepReadonly<WorkflowJob>[] | undefined {
        const own = (workflow.spec.definition as { jobs?: WorkflowJob[] } | undefined)?.jobs
        if (own) return own
        const before = workflow.spec.rerunOf ? workflows.get(keyOf(workflow.metadata.namespace, workflow.spec.rerunOf)) : undefined
        return before && depth < 100 ? definitionOf(before, depth + 1) : undefined
      }

      async function reconcile(key: string): Promise<void> {
        const workflow = workflows.get(key)
        if (!workflow || workflow.metadata.deletionTimestamp) return
        const { spec, metadata } = workflow
        const definition = definitionOf(workflow)
        if (!definition) {
          const message = `the workflow ${spec.rerunOf} that this one repeats does not exist`
          return patchStatus(client, resources.ciWorkflows, workflow, {
            phase: 'Errored',
            message,
            completionTime: workflow.status?.completionTime ?? timestamp(clock.now()),
          })
        }
        const before = spec.rerunOf ? workflows.get(keyOf(metadata.namespace, spec.rerunOf)) : undefined
        const own = jobs.byIndex('workflow', key).filter((job) => job.metadata.ownerReferences?.some((o) => o.uid === metadata.uid))
        const plan = planWorkflow({
          name: metadata.name,
          jobs: definition,
          objects: new Map(own.map((job) => [job.spec.job, job])),
          kept: before ? keptJobs(definition, before.status?.jobs ?? [], spec.rerunFrom ?? 'start', spec.rerunJobs) : new Map(),
          cancel: spec.cancel ?? false,
        })
        for (const { job, name, workspaces } of plan.create) await createOnce(client, resources.ciJobs, jobObject(workflow, job, name, workspaces))
        for (const name of plan.cancel) await client.resource(resources.ciJobs).patch(name, metadata.namespace, 'merge', { spec: { cancel: true } })
        const ended = !['Running', 'OnHold'].includes(plan.phase)
        if (plan.phase !== workflow.status?.phase && (ended || plan.phase === 'OnHold')) {
          const waiting = plan.jobs.filter((job) => job.phase === 'OnHold').map((job) => job.name)
          const failed = plan.jobs
            .filter((job) => ['Failed', 'TimedOut', 'InfrastructureFailed', 'Unauthorized'].includes(job.phase!))
            .map((job) => job.name)
          if (plan.phase === 'OnHold') events.event(workflow, 'Normal', 'OnHold', `Waiting for the approval of ${waiting.join(', ')}`)
          else if (plan.phase === 'Failed') events.event(workflow, 'Warning', 'Failed', `Failed jobs: ${failed.join(', ')}`)
          else events.event(workflow, 'Normal', plan.phase, `The workflow ended as ${plan.phase}`)
        }
        await patchStatus(client, resources.ciWorkflows, workflow, {
          observedGeneration: metadata.generation,
          phase: plan.phase,
          jobs: plan.jobs,
          startTime: workflow.status?.startTime ?? timestamp(clock.now()),
          completionTime: ended ? (workflow.status?.completionTime ?? timestamp(clock.now())) : null,
        })
      }

      return {
        reconcile,
        watches: [primary(workflows), mapped(jobs, (job) => [keyOf(job.metadata.namespace, job.spec.workflowName)])],
      }
    },
  }
}

function jobObject(workflow: DeepReadonly<ci.Workflow>, job: DeepReadonly<WorkflowJob>, name: string, workspaces: string[]): ci.Job {
  const { projectName, pipelineName } = workflow.spec
  return {
    apiVersion: 'ci.k8ts.dev/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace: workflow.metadata.namespace!,
      labels: { [labels.project]: projectName, [labels.pipeline]: pipelineName, [labels.workflow]: workflow.metadata.name },
      ownerReferences: [ownerReference(workflow)],
    },
    spec: {
      projectName,
      pipelineName,
      workflowName: workflow.metadata.name,
      job: job.name,
      type: job.type,
      ...(job.job ? { definition: structuredClone(job.job) as never } : {}),
      contexts: [...job.contexts],
      ...(job.serialGroup ? { serialGroup: job.serialGroup } : {}),
      requires: job.requires.map((r) => r.job),
      workspaces,
    },
  }
}
