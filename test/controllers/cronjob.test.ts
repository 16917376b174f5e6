import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { batch } from '#api'
import { controllerOf, resources } from '#api'
import type { ManualClock } from '#base'
import { manualClock } from '#base'
import type { TestCluster } from './cluster.ts'
import { namespace, startTestCluster } from './cluster.ts'

const only = ['cronjob', 'job', 'garbagecollector', 'generic-garbage-collector']

const createCronJob = (c: TestCluster, image: string, spec: Partial<batch.CronJobSpec> = {}) =>
  c.create(resources.cronJobs, {
    metadata: { name: 'tick' },
    spec: {
      schedule: '* * * * *',
      jobTemplate: { spec: { template: { spec: { containers: [{ name: 'app', image }], restartPolicy: 'Never' } } } },
      ...spec,
    } as never,
  })

/** Goes on to a little before the first full minute after the creation, which the API server stamped by the real time. */
async function nearFirstMinute(clock: ManualClock, { metadata }: { readonly metadata: { readonly creationTimestamp?: string } }): Promise<void> {
  const first = (Math.floor(Date.parse(metadata.creationTimestamp!) / 60_000) + 1) * 60_000
  await clock.advance(first - 500 - clock.now())
}
const minute = (clock: ManualClock) => clock.advance(60_000)

describe('a cron job on a cluster', () => {
  test('starts a job every minute and keeps the last ones', async () => {
    const clock = manualClock(Date.now() - 1000)
    await using c = await startTestCluster({ only, clock })
    const made = await createCronJob(c, 'succeeded', { successfulJobsHistoryLimit: 2 })
    await nearFirstMinute(clock, made)
    for (let i = 1; i <= 4; i++) {
      const started = c.until(
        resources.cronJobs,
        'tick',
        (k) => Date.parse(k.status?.lastScheduleTime ?? '') === Math.floor(clock.now() / 60_000) * 60_000 && !k.status?.active,
      )
      await minute(clock)
      await started
    }
    const jobs = await c.untilAll(resources.jobs, (all) => all.length === 2)
    assert.ok(jobs.every((j) => controllerOf(j)?.uid === made.metadata.uid && /^tick-\d+$/.test(j.metadata.name)))
    assert.ok((await c.until(resources.cronJobs, 'tick', (k) => Boolean(k.status?.lastSuccessfulTime))).status)
    assert.match(await c.event('tick', 'SawCompletedJob'), /^Saw completed job: tick-\d+, condition: Complete$/)
  })

  test('replaces the job that still runs, or lets it run alone', async () => {
    const clock = manualClock(Date.now() - 1000)
    await using c = await startTestCluster({ only, clock })
    await nearFirstMinute(clock, await createCronJob(c, 'running', { concurrencyPolicy: 'Replace' }))
    const first = c.until(resources.cronJobs, 'tick', (k) => k.status?.active?.length === 1)
    await minute(clock)
    const { uid } = (await first).status!.active![0]!
    const second = c.until(resources.cronJobs, 'tick', (k) => k.status?.active?.length === 1 && k.status.active[0]!.uid !== uid)
    await minute(clock)
    await second
    await c.untilAll(resources.jobs, (all) => all.length === 1)

    await c.client.resource(resources.cronJobs).patch('tick', namespace, 'merge', { spec: { concurrencyPolicy: 'Forbid' } })
    await c.until(resources.cronJobs, 'tick', (k) => k.spec.concurrencyPolicy === 'Forbid')
    const forbidden = c.event('tick', 'JobAlreadyActive')
    await minute(clock)
    await minute(clock)
    assert.equal(await forbidden, 'Not starting job because prior execution is running and concurrency policy is Forbid')
    assert.equal((await c.list(resources.jobs)).length, 1)
  })
})
