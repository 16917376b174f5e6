import { type DeepReadonly, type batch, isStatus, resources } from '#api'
import { type Controller, primary } from '#runtime'

/** When a finished job has to go, milliseconds since the epoch; undefined while it runs or where it may stay for ever. */
export function expiresAt(job: DeepReadonly<batch.Job>): number | undefined {
  const ttl = job.spec?.ttlSecondsAfterFinished
  if (ttl === undefined || job.metadata.deletionTimestamp) return undefined
  const finished = job.status?.conditions?.find((c) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True')
  return finished?.lastTransitionTime ? Date.parse(finished.lastTransitionTime) + ttl * 1000 : undefined
}

/** Deletes jobs some time after they have finished, where they ask for it. */
export const ttlAfterFinishedController: Controller = {
  name: 'ttlafterfinished',
  setup({ client, clock, cache }) {
    const jobs = cache(resources.jobs)
    const api = client.resource(resources.jobs)
    return {
      watches: [primary(jobs)],
      async reconcile(key, signal) {
        const job = jobs.get(key)
        const due = job && expiresAt(job)
        if (due === undefined) return
        if (due > clock.now()) return { requeueAfter: due - clock.now() }
        const { name, namespace, uid } = job!.metadata
        try {
          // the time to live may have been raised meanwhile
          const live = await api.get(name, namespace, { signal })
          const now = expiresAt(live)
          if (now === undefined || live.metadata.uid !== uid) return
          if (now > clock.now()) return { requeueAfter: now - clock.now() }
          await api.delete(name, namespace, { propagationPolicy: 'Foreground', preconditions: { uid }, signal })
        } catch (error) {
          if (!isStatus(error, 'NotFound')) throw error
        }
      },
    }
  },
}
