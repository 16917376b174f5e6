import type { DeepReadonly, ci, core } from '#api'
import { isStatus, resources } from '#api'
import { type Controller, type Settled, mapped, primary } from '#runtime'
import type { AgentPlan } from '../agent/plan.ts'
import type { CompiledJob } from '../config/compiled.ts'
import { circleEnvironment } from '../config/index.ts'
import { contextOf, environmentSecretName, isEnded, labels } from '../names.ts'
import { type CiOptions, ciCaches, createOnce, deleteIfThere, keyOf, patchStatus, secretVariables, takeNumber, timestamp } from './context.ts'
import { buildsImages, jobPod, planSecret, podName, programMap, pullSecretFor } from './job-pod.ts'
import { planJob, slotFor } from './job-plan.ts'
import { repositoryUrl } from './pipeline.ts'

/** How long the pod of a job that has ended may take to end, milliseconds. */
const lastWords = 20_000

/** When a start may begin that follows a failure of the infrastructure: what failed is given a moment, each time twice as long. Milliseconds since the epoch. */
function pauseBefore({ status }: DeepReadonly<ci.Job>): number {
  const last = status?.infrastructureFailures?.at(-1)
  return last?.time ? Date.parse(last.time) + 1000 * 2 ** ((last.attempt ?? 1) - 1) : 0
}

/** Runs jobs: a pod for each copy, again when the infrastructure failed it, and gone when its time is over. */
export function jobController(options: CiOptions): Controller {
  const { reports, tokens, service, publicUrl, toolImage, builder, program } = options
  return {
    name: 'ci-job',
    concurrency: 8,
    setup(context) {
      const { client, clock, events } = context
      const { projects, pipelines, workflows, jobs } = ciCaches(context)
      const pods = context.cache(resources.pods, {
        ciJob: (pod) => (pod.metadata.labels?.[labels.job] ? [keyOf(pod.metadata.namespace, pod.metadata.labels[labels.job]!)] : []),
      })
      const secrets = context.cache(resources.secrets, {
        ciJob: (secret) => (secret.metadata.labels?.[labels.job] ? [keyOf(secret.metadata.namespace, secret.metadata.labels[labels.job]!)] : []),
        ciContext: (secret) => {
          const name = contextOf(secret)
          return name ? [keyOf(secret.metadata.namespace, name)] : []
        },
      })
      const byUid = new Map<string, string>()
      /** Jobs that were given their turn, and that the cache may still show as queued. */
      const taken = new Map<string, DeepReadonly<ci.Job>>()
      const patch = (job: DeepReadonly<ci.Job>, status: Record<string, unknown>) => patchStatus(client, resources.ciJobs, job, status)
      const time = () => timestamp(clock.now())

      async function reconcile(key: string): Promise<Settled> {
        const job = jobs.get(key)
        if (!job || job.metadata.deletionTimestamp) return
        byUid.set(job.metadata.uid!, key)
        if (isEnded(job)) return retire(job)
        if (job.spec.type === 'approval') return decide(job)
        const project = projects.get(keyOf(job.metadata.namespace, job.spec.projectName))
        if (!project) return finish(job, 'InfrastructureFailed', { message: `there is no project ${job.spec.projectName} any more` })
        const phase = job.status?.phase ?? 'Queued'
        if (phase === 'Queued') return queue(job, project)
        taken.delete(job.metadata.uid!)
        if (!job.status?.instances?.length) return start(job, project)
        return follow(job, project)
      }

      async function decide(job: DeepReadonly<ci.Job>): Promise<void> {
        if (job.spec.approved) {
          events.event(job, 'Normal', 'Approved', `Approved by ${job.spec.approvedBy}`)
          await finish(job, 'Succeeded', { message: `approved by ${job.spec.approvedBy}` })
        } else if (job.spec.cancel) await finish(job, 'Canceled', { message: 'canceled' })
      }

      async function queue(job: DeepReadonly<ci.Job>, project: DeepReadonly<ci.Project>): Promise<Settled> {
        if (job.spec.cancel) return finish(job, 'Canceled', { message: 'canceled before it began' })
        if (taken.has(job.metadata.uid!)) return
        const others = jobs.byIndex('project', keyOf(job.metadata.namespace, job.spec.projectName))
        const builds = others.filter((other) => (other.spec.type ?? 'build') === 'build' && !isEnded(other))
        const isTaken = (other: DeepReadonly<ci.Job>) => taken.has(other.metadata.uid!)
        const slot = slotFor(job, project, {
          active: builds.filter((other) => isTaken(other) || (other.status?.phase ?? 'Queued') !== 'Queued'),
          queued: builds.filter((other) => !isTaken(other) && (other.status?.phase ?? 'Queued') === 'Queued'),
        })
        if (!slot.free) return patch(job, { message: slot.why, queuedTime: job.status?.queuedTime ?? time() })
        // its turn is taken before anything is waited for
        taken.set(job.metadata.uid!, job)
        try {
          const missing = (job.spec.contexts ?? []).filter((name) => secrets.byIndex('ciContext', keyOf(job.metadata.namespace, name)).length === 0)
          if (missing.length > 0) {
            const message = `there is no context ${missing.join(', ')}: \`k8ts ci context create\` makes one`
            events.event(job, 'Warning', 'Unauthorized', message)
            return await finish(job, 'Unauthorized', { message })
          }
          const number = job.status?.number ?? (await takeNumber(client, project.metadata.namespace!, project.metadata.name, 'lastJobNumber'))
          await patch(job, { phase: 'Starting', number, attempt: 1, startTime: time(), message: null })
        } catch (error) {
          taken.delete(job.metadata.uid!)
          throw error
        }
      }

      /** Makes the pods of a start; again and again the same ones, until the status names them. */
      async function start(job: DeepReadonly<ci.Job>, project: DeepReadonly<ci.Project>): Promise<Settled> {
        const wait = pauseBefore(job) - clock.now()
        if (wait > 0 && !job.spec.cancel) return { requeueAfter: wait }
        await removePods(job, job.status?.attempt ?? 1)
        const definition = structuredClone(job.spec.definition) as unknown as CompiledJob
        const attempt = job.status?.attempt ?? 1
        const namespace = job.metadata.namespace!
        const indexes = Array.from({ length: definition.parallelism }, (_, index) => index)
        const { environment, secretValues } = variablesOf(job, project)
        await createOnce(client, resources.configMaps, programMap(program, namespace))
        const pull = pullSecretFor(job, definition, environment)
        if (pull) await createOnce(client, resources.secrets, pull)
        const parts = buildsImages(definition, toolImage) ? { builder: await builder(namespace) } : {}
        try {
          await Promise.all(
            indexes.map(async (index) => {
              const plan = planFor(job, project, definition, { attempt, index, environment, secretValues })
              await createOnce(client, resources.secrets, planSecret(job, attempt, plan))
              const pod = jobPod({
                job,
                project,
                definition,
                attempt,
                index,
                toolImage,
                program,
                ...parts,
                ...(pull ? { pullSecret: pull.metadata.name } : {}),
              })
              await createOnce(client, resources.pods, pod)
            }),
          )
        } catch (error) {
          // what the API server refuses it will refuse again
          if (!isStatus(error, 'Invalid') && !isStatus(error, 'Forbidden')) throw error
          await removePods(job)
          return finish(job, 'InfrastructureFailed', { message: `the pod cannot be made: ${error.message}` })
        }
        events.event(
          job,
          'Normal',
          'Started',
          `Started ${indexes.length === 1 ? `the pod ${podName(job, attempt, 0)}` : `${indexes.length} pods`}${attempt > 1 ? `, start ${attempt}` : ''}`,
        )
        await patch(job, { instances: indexes.map((index) => ({ index, podName: podName(job, attempt, index), phase: 'Starting' })) })
      }

      async function follow(job: DeepReadonly<ci.Job>, project: DeepReadonly<ci.Project>): Promise<Settled> {
        const attempt = job.status?.attempt ?? 1
        const instances = job.status?.instances ?? []
        const state = {
          job,
          project,
          now: clock.now(),
          pods: await Promise.all(instances.map(({ podName: name }) => podOf(job, name!))),
          reports: await Promise.all(instances.map(({ index }) => reports.get(job.metadata.uid!, attempt, index))),
        }
        const plan = planJob(state)
        const status = { instances: plan.instances, failure: plan.failure ?? null, tests: plan.tests ?? null, message: plan.message ?? null }
        if (plan.kind === 'goes on') {
          await patch(job, { ...status, phase: plan.phase })
          return Number.isFinite(plan.lookAgainAfter) ? { requeueAfter: Math.max(50, plan.lookAgainAfter) } : undefined
        }
        if (plan.kind === 'restart') {
          const last = plan.failures.at(-1)!
          events.event(job, 'Warning', 'InfrastructureFailure', `${last.message}; the job starts again (${attempt + 1})`)
          await patch(job, {
            phase: 'Starting',
            attempt: attempt + 1,
            instances: null,
            failure: null,
            tests: null,
            infrastructureFailures: plan.failures,
            message: `starts again: ${last.message}`,
          })
          return removePods(job, attempt + 1)
        }
        await finish(job, plan.phase, status)
        if (plan.removePods) await removePods(job)
        else await removeSecrets(job)
      }

      async function finish(job: DeepReadonly<ci.Job>, phase: ci.JobPhase, status: Record<string, unknown>): Promise<void> {
        const type = phase === 'Succeeded' || phase === 'Canceled' ? 'Normal' : 'Warning'
        await patch(job, { ...status, phase, completionTime: time(), startTime: job.status?.startTime ?? time() })
        events.event(job, type, phase, (status['message'] as string | undefined) ?? `The job ended as ${phase}`)
        taken.delete(job.metadata.uid!)
      }

      /** What is left of a job that has ended goes after its time. */
      async function retire(job: DeepReadonly<ci.Job>): Promise<Settled> {
        taken.delete(job.metadata.uid!)
        // what a crash may have kept from going at the job's end
        if (secretsOf(job).length > 0) await removeSecrets(job)
        const own = podsOf(job)
        if (own.length === 0) return
        const project = projects.get(keyOf(job.metadata.namespace, job.spec.projectName))
        const since = clock.now() - Date.parse(job.status?.completionTime ?? '')
        const running = own.some((pod) => !['Succeeded', 'Failed'].includes(pod.status?.phase ?? '') && !pod.metadata.deletionTimestamp)
        // an agent that has said its last word ends by itself
        const patience = running ? lastWords : (project?.spec.podRetentionSeconds ?? 600) * 1000
        if (since < patience) return { requeueAfter: patience - since }
        await removePods(job)
      }

      const isOwned = (job: DeepReadonly<ci.Job>) => (object: DeepReadonly<core.Pod | core.Secret>) =>
        object.metadata.ownerReferences?.some((o) => o.uid === job.metadata.uid) ?? false
      const podsOf = (job: DeepReadonly<ci.Job>) => pods.byIndex('ciJob', keyOf(job.metadata.namespace, job.metadata.name)).filter(isOwned(job))
      const secretsOf = (job: DeepReadonly<ci.Job>) => secrets.byIndex('ciJob', keyOf(job.metadata.namespace, job.metadata.name)).filter(isOwned(job))
      const attemptOf = (object: DeepReadonly<core.Pod | core.Secret>) => Number(object.metadata.labels?.[labels.attempt] ?? 0)

      /** Of the starts before `attempt`, or of all. */
      async function removePods(job: DeepReadonly<ci.Job>, before = Infinity): Promise<void> {
        const cached = podsOf(job).filter((pod) => attemptOf(pod) < before && !pod.metadata.deletionTimestamp)
        const known = before === Infinity ? (job.status?.instances ?? []).flatMap((instance) => instance.podName ?? []) : []
        for (const name of new Set([...cached.map((pod) => pod.metadata.name), ...known]))
          await deleteIfThere(client, resources.pods, name, job.metadata.namespace!)
        await removeSecrets(job, before)
      }

      async function removeSecrets(job: DeepReadonly<ci.Job>, before = Infinity): Promise<void> {
        for (const secret of secretsOf(job))
          if (attemptOf(secret) < before) await deleteIfThere(client, resources.secrets, secret.metadata.name, job.metadata.namespace!)
      }

      /** The cache may not have a pod yet that was made this moment: a pod is gone when the API server says so. */
      async function podOf(job: DeepReadonly<ci.Job>, name: string): Promise<DeepReadonly<core.Pod> | undefined> {
        const cached = pods.get(keyOf(job.metadata.namespace, name))
        if (cached) return cached.metadata.ownerReferences?.some((o) => o.uid === job.metadata.uid) ? cached : undefined
        try {
          return await client.resource(resources.pods).get(name, job.metadata.namespace)
        } catch (error) {
          if (isStatus(error, 'NotFound')) return undefined
          throw error
        }
      }

      /** Variables of the project and of the contexts, the later winning; their values are not to be seen. */
      function variablesOf(
        job: DeepReadonly<ci.Job>,
        project: DeepReadonly<ci.Project>,
      ): { environment: Record<string, string>; secretValues: string[] } {
        const environment = secretVariables(secrets.get(keyOf(job.metadata.namespace, environmentSecretName(project))))
        for (const name of job.spec.contexts ?? [])
          for (const secret of secrets.byIndex('ciContext', keyOf(job.metadata.namespace, name))) Object.assign(environment, secretVariables(secret))
        return { environment, secretValues: Object.values(environment) }
      }

      function planFor(
        job: DeepReadonly<ci.Job>,
        project: DeepReadonly<ci.Project>,
        definition: CompiledJob,
        {
          attempt,
          index,
          environment,
          secretValues,
        }: { attempt: number; index: number; environment: Record<string, string>; secretValues: string[] },
      ): AgentPlan {
        const { namespace, name, uid } = job.metadata as { namespace: string; name: string; uid: string }
        const pipeline = pipelines.get(keyOf(namespace, job.spec.pipelineName))
        const workflow = workflows.get(keyOf(namespace, job.spec.workflowName))
        const tag = pipeline?.spec.tag
        const branch = pipeline?.spec.branch || (tag ? undefined : project.spec.defaultBranch)
        const revision = pipeline?.status?.revision ?? pipeline?.spec.revision ?? ''
        const token = tokens.issue({ namespace, name, uid, project: project.metadata.name, attempt, index })
        const number = job.status?.number ?? 0
        const circle = circleEnvironment({
          organization: namespace,
          repository: project.metadata.name,
          repositoryUrl: project.spec.repository?.url ?? repositoryUrl(publicUrl, project),
          revision,
          ...(branch ? { branch } : {}),
          ...(tag ? { tag } : {}),
          buildNum: number,
          buildUrl: `${publicUrl}/api/v1/namespaces/${namespace}/jobs/${name}/log`,
          job: job.spec.job,
          node: { index, total: definition.parallelism },
          pipelineId: pipeline?.metadata.uid ?? '',
          pipelineNumber: pipeline?.status?.number ?? 0,
          workflowId: workflow?.metadata.uid ?? '',
          workflowJobId: uid,
          workspaceId: workflow?.metadata.uid ?? '',
          projectId: project.metadata.uid!,
          workingDirectory: definition.workingDirectory,
          username: pipeline?.spec.actor ?? '',
        })
        return {
          service: { url: service.url, token, ca: service.ca },
          job: { namespace, name, index, attempt },
          number,
          definition,
          environment: { ...environment, ...circle },
          secrets: [...secretValues, token],
          git: { url: repositoryUrl(service.url, project), ...(branch ? { branch } : {}), ...(tag ? { tag } : {}), revision },
        }
      }

      return {
        reconcile,
        watches: [
          primary(jobs),
          // a job that ends gives its turn to one that waits
          mapped(jobs, (job) =>
            isEnded(job)
              ? jobs
                  .byIndex('project', keyOf(job.metadata.namespace, job.spec.projectName))
                  .filter((other) => (other.status?.phase ?? 'Queued') === 'Queued')
                  .map((other) => keyOf(other.metadata.namespace, other.metadata.name))
              : [],
          ),
          mapped(pods, (pod) => (pod.metadata.labels?.[labels.job] ? [keyOf(pod.metadata.namespace, pod.metadata.labels[labels.job]!)] : [])),
          {
            ready: () => Promise.resolve(),
            subscribe: (enqueue) =>
              reports.subscribe((uid) => {
                const key = byUid.get(uid)
                if (key) enqueue(key)
              }),
          },
          // a project with more room lets more jobs run
          mapped(projects, (project) =>
            jobs
              .byIndex('project', keyOf(project.metadata.namespace, project.metadata.name))
              .flatMap((job) => (isEnded(job) ? [] : [keyOf(job.metadata.namespace, job.metadata.name)])),
          ),
          // secrets are read when a job starts; they only have to be there
          { ready: (signal) => secrets.ready(signal), subscribe: () => () => {} },
          { ready: (signal) => pipelines.ready(signal), subscribe: () => () => {} },
          { ready: (signal) => workflows.ready(signal), subscribe: () => () => {} },
        ],
      }
    },
  }
}
