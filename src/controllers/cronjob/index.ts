import { isDeepStrictEqual } from 'node:util'
import type { batch } from '#api'
import { controllerOf, isStatus, resources } from '#api'
import { describeError } from '#base'
import type { Controller } from '#runtime'
import { owned, primary } from '#runtime'
import { byController } from '../workload/claim.ts'
import { isNamespaceTerminating } from '../workload/pods.ts'
import type { CronJob, Job } from './plan.ts'
import { jobFor, planCronJob, withStarted } from './plan.ts'

/** Starts jobs by the clock. */
export const cronJobController: Controller = {
  name: 'cronjob',
  eventSource: 'cronjob-controller',
  setup: ({ client, cache, clock, events }) => {
    const cronJobs = cache<batch.CronJob>(resources.cronJobs)
    const jobs = cache<batch.Job>(resources.jobs, byController)
    const cronClient = client.resource(resources.cronJobs)
    const jobClient = client.resource(resources.jobs)

    async function reconcile(key: string): Promise<{ requeueAfter: number } | void> {
      const cronJob = cronJobs.get(key)
      if (!cronJob) return
      const mine = await jobsOf(cronJob)
      const plan = planCronJob(cronJob, mine, clock.now())
      for (const { type, reason, message } of plan.events) events.event(cronJob, type, reason, message)
      for (const job of plan.replace) await remove(cronJob, job)
      let { status } = plan
      if (plan.create !== undefined) {
        const started = await start(cronJob, plan.create)
        if (started) status = withStarted(status, started, plan.create)
      }
      for (const job of plan.forget) await remove(cronJob, job)
      if (!isDeepStrictEqual(status, cronJob.status ?? {})) await cronClient.updateStatus({ ...cronJob, status } as CronJob)
      if (plan.recheckAfter !== undefined) return { requeueAfter: plan.recheckAfter }
    }

    /** The jobs of a cron job. One that is noted as active and not known may just not have been heard of yet. */
    async function jobsOf(cronJob: CronJob): Promise<readonly Job[]> {
      const known = jobs.byIndex('controller', cronJob.metadata.uid!)
      const missing = (cronJob.status?.active ?? []).filter((reference) => !known.some((job) => job.metadata.uid === reference.uid))
      if (missing.length === 0) return known
      const found = await Promise.all(
        missing.map(async ({ name, namespace, uid }) => {
          const job = await jobClient.get(name!, namespace).catch(ifNotFound)
          return job?.metadata.uid === uid ? job : undefined
        }),
      )
      return [...known, ...found.filter((job) => job !== undefined)]
    }

    /** Makes the job of a due time, or finds the one that was made and not noted. */
    async function start(cronJob: CronJob, due: number): Promise<Job | undefined> {
      const wanted = jobFor(cronJob, due)
      try {
        const job = await jobClient.create(wanted)
        events.event(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${job.metadata.name}`)
        return job
      } catch (error) {
        if (isStatus(error, 'AlreadyExists')) {
          const job = await jobClient.get(wanted.metadata.name!, wanted.metadata.namespace)
          return controllerOf(job)?.uid === cronJob.metadata.uid ? job : undefined
        }
        if (isNamespaceTerminating(error)) return undefined
        events.event(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${describeError(error)}`)
        throw error
      }
    }

    async function remove(cronJob: CronJob, job: Job): Promise<void> {
      const { name, namespace, uid } = job.metadata
      try {
        await jobClient.delete(name, namespace, { propagationPolicy: 'Background', preconditions: { uid: uid! } })
        events.event(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${name}`)
      } catch (error) {
        if (isStatus(error, 'NotFound')) return
        events.event(cronJob, 'Warning', 'FailedDelete', `Deleted job: ${describeError(error)}`)
        throw error
      }
    }

    return { reconcile, watches: [primary(cronJobs), owned(jobs, 'CronJob')] }
  },
}

function ifNotFound(error: unknown): undefined {
  if (isStatus(error, 'NotFound')) return undefined
  throw error
}
