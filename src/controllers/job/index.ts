import { isDeepStrictEqual } from 'node:util'
import type { batch, core } from '#api'
import { controllerOf, isStatus, resources } from '#api'
import { describeError } from '#base'
import type { Controller } from '#runtime'
import { createExpectations, mapped, owned, primary } from '#runtime'
import { inBatches } from '../workload/batches.ts'
import { byController, cachedSelector, candidatesFor, claim } from '../workload/claim.ts'
import type { Pod } from '../workload/pods.ts'
import { isNamespaceTerminating, podFromTemplate } from '../workload/pods.ts'
import type { NewPod } from './plan.ts'
import { planJob } from './plan.ts'
import type { Job } from './results.ts'
import { failureCount, ignoredFailureCount, indexAnnotation, isTracked, trackingFinalizer } from './results.ts'

/** Runs a job's pods until enough of them have succeeded, or too many have failed. */
export const jobController: Controller = {
  name: 'job',
  eventSource: 'job-controller',
  setup: ({ client, cache, clock, events }) => {
    const jobs = cache<batch.Job>(resources.jobs)
    const pods = cache<core.Pod>(resources.pods, byController)
    const expectations = createExpectations<core.Pod>(pods)
    const jobClient = client.resource(resources.jobs)
    const podClient = client.resource(resources.pods)

    async function reconcile(key: string): Promise<{ requeueAfter: number } | void> {
      if (key.startsWith(orphan)) return releaseOrphan(key.slice(orphan.length))
      const job = jobs.get(key)
      if (!job || job.metadata.deletionTimestamp) {
        if (!job) expectations.forget(key)
        return releaseAll(key, job)
      }
      if (job.spec.managedBy && job.spec.managedBy !== 'kubernetes.io/job-controller') return
      // a decision on stale pods would count or make some twice; the event that brings the news wakes us
      if (!expectations.satisfied(key)) return { requeueAfter: 1000 }
      const mine = await claim<core.Pod>({
        owner: job,
        selector: cachedSelector(job.spec.selector),
        candidates: candidatesFor(pods, job),
        client: podClient,
        current: () => jobClient.get(job.metadata.name, job.metadata.namespace),
        finalizer: trackingFinalizer,
      })
      const plan = planJob(job, mine, clock.now())

      const creating = await inBatches(plan.create.length, async (i) => create(key, job, plan.create[i]!))
      for (const pod of plan.discard) if (isTracked(pod)) await release(key, pod)
      await Promise.all([...plan.delete, ...plan.discard].map((pod) => remove(key, job, pod)))
      const status = { ...plan.status }
      const active = (status.active ?? 0) + creating.done
      if (active > 0) status.active = active
      if (!isDeepStrictEqual(status, job.status ?? {})) await jobClient.updateStatus({ ...job, status } as Job)
      // their results are written down: now they may go
      await Promise.all(plan.release.map((pod) => release(key, pod)))
      if (plan.event) events.event(job, plan.event.type, plan.event.reason, plan.event.message)
      if (creating.error !== undefined && !isNamespaceTerminating(creating.error)) {
        events.event(job, 'Warning', 'FailedCreate', `Error creating: ${describeError(creating.error)}`)
        throw creating.error
      }
      if (plan.recheckAfter !== undefined) return { requeueAfter: plan.recheckAfter }
    }

    async function create(key: string, job: Job, wanted: NewPod): Promise<void> {
      const created = await podClient.create(jobPod(job, wanted))
      expectations.created(key, created)
      events.event(job, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`)
    }

    async function remove(key: string, job: Job, pod: Pod): Promise<void> {
      try {
        await podClient.delete(pod.metadata.name, pod.metadata.namespace, { preconditions: { uid: pod.metadata.uid! } })
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error
      }
      expectations.deleted(key, pod)
      events.event(job, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
    }

    async function release(key: string, pod: Pod): Promise<void> {
      try {
        const left = await podClient.patch(pod.metadata.name, pod.metadata.namespace, 'strategic', {
          metadata: { uid: pod.metadata.uid, '$deleteFromPrimitiveList/finalizers': [trackingFinalizer] },
        })
        expectations.created(key, left)
      } catch (error) {
        if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error
      }
    }

    /** The job is gone or going: nobody counts its pods any more. */
    async function releaseAll(key: string, job: Job | undefined): Promise<void> {
      const [namespace, name] = key.split('/') as [string, string]
      const mine = job
        ? pods.byIndex('controller', job.metadata.uid!)
        : pods.list(namespace).filter((pod) => controllerOf(pod)?.kind === 'Job' && controllerOf(pod)?.name === name)
      await Promise.all(mine.filter(isTracked).map((pod) => release(key, pod)))
    }

    /** A pod that was orphaned with its job's finalizer still on it. */
    async function releaseOrphan(key: string): Promise<void> {
      const pod = pods.get(key)
      if (pod && isTracked(pod) && !controllerOf(pod)) await release(key, pod)
      expectations.forget(key)
    }

    const parentless = mapped(pods, (pod) => {
      if (controllerOf(pod)) return []
      const takers = jobs.list(pod.metadata.namespace).filter((job) => cachedSelector(job.spec.selector).matches(pod.metadata.labels))
      if (takers.length === 0 && isTracked(pod)) return [`${orphan}${pod.metadata.namespace}/${pod.metadata.name}`]
      return takers.map((job) => `${job.metadata.namespace}/${job.metadata.name}`)
    })
    return { reconcile, watches: [primary(jobs), owned(pods, 'Job'), parentless] }
  },
}

/** Keys of pods, among those of jobs. */
const orphan = 'orphan/'

/** Room that the random end of a generated name needs. */
const longestGenerateName = 58

function jobPod(job: Job, { index, failures }: NewPod): ReturnType<typeof podFromTemplate> {
  const pod = podFromTemplate(job.spec.template, job)
  pod.metadata.finalizers = [...(pod.metadata.finalizers ?? []), trackingFinalizer]
  if (index === undefined) return pod
  const ending = `-${index}-`
  pod.metadata.generateName = job.metadata.name.slice(0, longestGenerateName - ending.length) + ending
  pod.metadata.labels = { ...pod.metadata.labels, [indexAnnotation]: String(index) }
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    [indexAnnotation]: String(index),
    ...(failures ? { [failureCount]: String(failures.counted) } : {}),
    ...(failures?.ignored ? { [ignoredFailureCount]: String(failures.ignored) } : {}),
  }
  pod.spec.hostname = `${job.metadata.name}-${index}`
  for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
    if (container.env?.some((e) => e.name === 'JOB_COMPLETION_INDEX')) continue
    const valueFrom = { fieldRef: { fieldPath: `metadata.labels['${indexAnnotation}']` } }
    container.env = [...(container.env ?? []), { name: 'JOB_COMPLETION_INDEX', valueFrom }]
  }
  return pod
}
