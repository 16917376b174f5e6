import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DeepReadonly, batch } from '#api'
import { formatTime } from '#api'
import { at, noon } from '../workload/test-pod.ts'
import type { CronJob, Job } from './plan.ts'
import { jobFor, jobName, planCronJob, withStarted } from './plan.ts'

const cronJob = (spec: Partial<DeepReadonly<batch.CronJobSpec>> = {}, status: DeepReadonly<batch.CronJobStatus> = {}, created = -30): CronJob => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'tick', namespace: 'test', uid: 'cron', creationTimestamp: at(created) },
  spec: { schedule: '* * * * *', timeZone: 'UTC', jobTemplate: { spec: { template: {} } }, concurrencyPolicy: 'Allow', ...spec },
  status,
})

const job = (name: string, end?: 'Complete' | 'Failed', started = -100): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, namespace: 'test', uid: `uid-${name}` },
  spec: { template: {} },
  status: { startTime: at(started), ...(end ? { conditions: [{ type: end, status: 'True' }], completionTime: at(started + 10) } : {}) },
})
const active = (...names: string[]) => ({ active: names.map((name) => ({ name, uid: `uid-${name}`, namespace: 'test' })) })

interface Row {
  name: string
  cronJob: CronJob
  jobs?: Job[]
  /** Seconds after noon. */
  now?: number
  create?: string
  replace?: string[]
  events?: string[]
  recheckAfter?: number
}

const rows: Row[] = [
  { name: 'waits for the first time', cronJob: cronJob({}, {}, -20), now: -10, recheckAfter: 10_100 },
  { name: 'starts a job when it is due', cronJob: cronJob(), create: at(0), recheckAfter: 60_100 },
  { name: 'starts a job a little late', cronJob: cronJob(), now: 20, create: at(0), recheckAfter: 40_100 },
  {
    name: 'starts only the latest of those that were missed',
    cronJob: cronJob({}, { lastScheduleTime: at(-600) }),
    now: 5,
    create: at(0),
    recheckAfter: 55_100,
  },
  { name: 'does not start one twice', cronJob: cronJob({}, { lastScheduleTime: at(0) }), now: 20, recheckAfter: 40_100 },
  { name: 'does nothing while suspended', cronJob: cronJob({ suspend: true }) },
  {
    name: 'forgets starts that were missed for too long',
    cronJob: cronJob({ startingDeadlineSeconds: 10, schedule: '0 * * * *' }),
    now: 30,
    recheckAfter: 3570_100,
  },
  {
    name: 'starts within its deadline',
    cronJob: cronJob({ startingDeadlineSeconds: 40, schedule: '0 * * * *' }),
    now: 30,
    create: at(0),
    recheckAfter: 3570_100,
  },
  {
    name: 'starts beside one that runs',
    cronJob: cronJob({}, active('a')),
    jobs: [job('a')],
    create: at(0),
    recheckAfter: 60_100,
  },
  {
    name: 'does not start beside one that runs when that is forbidden',
    cronJob: cronJob({ concurrencyPolicy: 'Forbid' }, active('a')),
    jobs: [job('a')],
    events: ['JobAlreadyActive'],
    recheckAfter: 60_100,
  },
  {
    name: 'starts when the one that ran has finished, even if that is forbidden',
    cronJob: cronJob({ concurrencyPolicy: 'Forbid' }, active('a')),
    jobs: [job('a', 'Complete')],
    events: ['SawCompletedJob'],
    create: at(0),
    recheckAfter: 60_100,
  },
  {
    name: 'replaces one that runs',
    cronJob: cronJob({ concurrencyPolicy: 'Replace' }, active('a')),
    jobs: [job('a')],
    replace: ['a'],
    create: at(0),
    recheckAfter: 60_100,
  },
  { name: 'notices that one went missing', cronJob: cronJob({ suspend: true }, active('a')), events: ['MissingJob'] },
  {
    name: 'warns when very many were missed',
    cronJob: cronJob({}, {}, -86_400),
    create: at(0),
    events: ['TooManyMissedTimes'],
    recheckAfter: 60_100,
  },
  { name: 'says when the time zone does not exist', cronJob: cronJob({ timeZone: 'Not/There' }), events: ['UnknownTimeZone'] },
  { name: 'says when the schedule cannot be read', cronJob: cronJob({ schedule: 'never' }), events: ['UnparseableSchedule'] },
  { name: 'never runs when its time never comes', cronJob: cronJob({ schedule: '0 0 31 2 *' }) },
]

describe('a cron job', () => {
  for (const row of rows)
    test(row.name, () => {
      const plan = planCronJob(row.cronJob, row.jobs ?? [], noon + (row.now ?? 0) * 1000)
      assert.deepEqual(
        {
          create: plan.create === undefined ? undefined : formatTime(plan.create),
          replace: plan.replace.map((j) => j.metadata.name),
          events: plan.events.map((e) => e.reason),
          recheckAfter: plan.recheckAfter,
        },
        { create: row.create, replace: row.replace ?? [], events: row.events ?? [], recheckAfter: row.recheckAfter },
      )
    })

  test('keeps the newest of its finished jobs', () => {
    const jobs = [
      job('c3', 'Complete', -3),
      job('c1', 'Complete', -9),
      job('c2', 'Complete', -5),
      job('f1', 'Failed', -8),
      job('f2', 'Failed', -2),
      job('r'),
    ]
    const plan = planCronJob(cronJob({ successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 0, suspend: true }), jobs, noon)
    assert.deepEqual(
      plan.forget.map((j) => j.metadata.name),
      ['c1', 'f1', 'f2'],
    )
    assert.deepEqual(planCronJob(cronJob({ suspend: true }), jobs, noon).forget, [], 'all without a limit')
  })

  test('knows when a job last succeeded', () => {
    const jobs = [job('a', 'Complete', -300), job('b', 'Complete', -100), job('c', 'Failed', -10)]
    assert.equal(planCronJob(cronJob({ suspend: true }), jobs, noon).status.lastSuccessfulTime, at(-90))
    assert.equal(planCronJob(cronJob({ suspend: true }, { lastSuccessfulTime: at(-1) }), jobs, noon).status.lastSuccessfulTime, at(-1))
  })

  test('names a job after the minute it was due and tells it the time in its zone', () => {
    const paris = cronJob({ timeZone: 'Europe/Paris', jobTemplate: { metadata: { labels: { a: 'b' } } as never, spec: { template: {} } } })
    const made = jobFor(paris, noon)
    assert.equal(made.metadata.name, `tick-${noon / 60_000}`)
    assert.equal(jobName(paris, noon + 30_000), made.metadata.name)
    assert.deepEqual(made.metadata.annotations, { 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T13:00:00+01:00' })
    assert.deepEqual(made.metadata.labels, { a: 'b' })
  })

  test('notes what it has started', () => {
    const status = withStarted({}, job('a'), noon)
    assert.equal(status.lastScheduleTime, at(0))
    assert.equal(status.active?.[0]?.uid, 'uid-a')
    assert.equal(withStarted(status, job('a'), noon).active?.length, 1)
  })
})
