import { isDeepStrictEqual } from 'node:util'
import type { batch, core } from '#api'
import { controllerOf, isStatus, resources, selectorFromLabelSelector } from '#api'
import { describeError } from '#base'
import type { Controller } from '#runtime'
import { createExpectations, mapped, owned, primary } from '#runtime'
import { inBatches } from '../workload/batches.ts'
import { claim } from '../workload/claim.ts'
import type { Pod } from '../workload/pods.ts'
import { podFromTemplate } from '../workload/pods.ts'
import type { Job } from './plan.ts'
import { indexAnnotation, planJob, trackingFinalizer } from './plan.ts'

/** Runs a job's pods until enough of them have succeeded, or too many have failed. */
export const jobController: Controller = {
  name: 'job',
  setup: ({ client, cache, clock, events }) => {
    const jobs = cache<batch.Job>(resources.jobs)
    const pods = cache<core.Pod>(resources.pods)
    const expectations = createExpectations<core.Pod>(pods)
    const jobClient = client.resource(resources.jobs)
    const podClient = client.resource(resources.pods)

    async function reconcile(key: string): Promise<{ requeueAfter: number } | void> {
      const job = jobs.get(key)
      if (!job || job.metadata.deletionTimestamp) {
        if (!job) expectations.forget(key)
        return releaseOrphans(key, job)
      }
      if (job.spec.managedBy && job.spec.managedBy !== 'kubernetes.io/job-controller') return
      // a decision on stale pods would count or make some twice; the event that brings the news wakes us
      if (!expectations.satisfied(key)) return { requeueAfter: 1000 }
      const mine = await claim<core.Pod>(job, selectorFromLabelSelector(job.spec.selector), pods.list(job.metadata.namespace), podClient)
      const plan = planJob(job, mine, clock.now())

      const creating = await inBatches(plan.create.length, async (i) => create(key, job, plan.create[i]))
      for (const pod of plan.delete) await remove(key, job, pod)
      const status = { ...plan.status }
      const active = (status.active ?? 0) + creating.done
      if (active > 0) status.active = active
      if (!isDeepStrictEqual(status, job.status ?? {})) await jobClient.updateStatus({ ...job, status } as Job)
      // their results are written down: now they may go
      for (const pod of plan.release) await release(key, pod)
      if (plan.event) events.event(job, plan.event.type, plan.event.reason, plan.event.message)
      if (creating.error !== undefined) {
        events.event(job, 'Warning', 'FailedCreate', `Error creating: ${describeError(creating.error)}`)
        throw creating.error
      }
      if (plan.recheckAfter !== undefined) return { requeueAfter: plan.recheckAfter }
    }

    async function create(key: string, job: Job, index: number | undefined): Promise<void> {
      const pod = podFromTemplate(job.spec.template, job)
      pod.metadata.finalizers = [...(pod.metadata.finalizers ?? []), trackingFinalizer]
      if (index !== undefined) {
        pod.metadata.generateName = `${job.metadata.name}-${index}-`
        pod.metadata.annotations = { ...pod.metadata.annotations, [indexAnnotation]: String(index) }
        pod.metadata.labels = { ...pod.metadata.labels, [indexAnnotation]: String(index) }
        pod.spec.hostname ??= `${job.metadata.name}-${index}`
        for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers])
          if (!container.env?.some((e) => e.name === 'JOB_COMPLETION_INDEX'))
            container.env = [...(container.env ?? []), { name: 'JOB_COMPLETION_INDEX', value: String(index) }]
      }
      const created = await podClient.create(pod)
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
    async function releaseOrphans(key: string, job: Job | undefined): Promise<void> {
      const [namespace, name] = key.split('/') as [string, string]
      for (const pod of pods.list(namespace)) {
        const owner = controllerOf(pod)
        if (
          owner?.kind === 'Job' &&
          owner.name === name &&
          (!job || owner.uid === job.metadata.uid) &&
          pod.metadata.finalizers?.includes(trackingFinalizer)
        )
          await release(key, pod)
      }
    }

    const adoptable = mapped(pods, (pod) =>
      controllerOf(pod)
        ? []
        : jobs
            .list(pod.metadata.namespace)
            .filter((job) => selectorFromLabelSelector(job.spec.selector).matches(pod.metadata.labels))
            .map((job) => `${job.metadata.namespace}/${job.metadata.name}`),
    )
    return { reconcile, watches: [primary(jobs), owned(pods, 'Job'), adoptable] }
  },
}
