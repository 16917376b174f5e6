import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DeepReadonly, batch } from '#api'
import type { Pod } from '../workload/pods.ts'
import type { TestPod } from '../workload/test-pod.ts'
import { at, noon, testPod } from '../workload/test-pod.ts'
import type { JobPlan } from './plan.ts'
import { planJob } from './plan.ts'
import type { Job } from './results.ts'
import { failureCount, indexAnnotation, trackingFinalizer } from './results.ts'

function job(spec: Partial<DeepReadonly<batch.JobSpec>> = {}, status: DeepReadonly<batch.JobStatus> = {}): Job {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'pi', namespace: 'test', uid: 'job' },
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      template: { spec: { containers: [], restartPolicy: 'Never' } },
      ...spec,
    },
    status: { startTime: at(0), ...status },
  }
}

/** A pod of the job that has not been counted yet. */
const pod = (name: string, options: TestPod & { index?: number; failures?: number } = {}): Pod =>
  testPod(name, {
    finalizers: [trackingFinalizer],
    ...options,
    annotations: {
      ...(options.index === undefined ? {} : { [indexAnnotation]: String(options.index) }),
      ...(options.failures === undefined ? {} : { [failureCount]: String(options.failures) }),
    },
  })
const won = (name: string, options: Parameters<typeof pod>[1] = {}) => pod(name, { phase: 'Succeeded', ...options })
const lost = (name: string, options: Parameters<typeof pod>[1] = {}) => pod(name, { phase: 'Failed', finished: -3600, ...options })
/** Counted: its finalizer is gone. */
const counted = (p: Pod): Pod => ({ ...p, metadata: { ...p.metadata, finalizers: [] } })

const names = (pods: readonly Pod[]) => pods.map((p) => p.metadata.name)
const conditions = (plan: JobPlan) => (plan.status.conditions ?? []).filter((c) => c.status === 'True').map((c) => `${c.type} ${c.reason}`)

/** What a plan does, without what is not there. */
function summary(plan: JobPlan) {
  const { active, succeeded, failed, completedIndexes, failedIndexes, uncountedTerminatedPods } = plan.status
  const all = {
    create: plan.create.length > 0 ? plan.create.map((p) => p.index ?? 'new') : undefined,
    delete: plan.delete.length > 0 ? names(plan.delete) : undefined,
    discard: plan.discard.length > 0 ? names(plan.discard) : undefined,
    release: plan.release.length > 0 ? names(plan.release) : undefined,
    conditions: conditions(plan).length > 0 ? conditions(plan) : undefined,
    active,
    succeeded,
    failed,
    completedIndexes,
    failedIndexes,
    uncounted: uncountedTerminatedPods,
  }
  return Object.fromEntries(Object.entries(all).filter(([, v]) => v !== undefined))
}

const rows: { name: string; job: Job; pods?: Pod[]; expect: object }[] = [
  { name: 'a new job gets a pod', job: job(), expect: { create: ['new'] } },
  { name: 'as many pods as may run at once', job: job({ parallelism: 3, completions: 5 }), expect: { create: ['new', 'new', 'new'] } },
  { name: 'no more pods than completions are missing', job: job({ parallelism: 3, completions: 2 }), expect: { create: ['new', 'new'] } },
  { name: 'a running pod is left alone', job: job(), pods: [pod('a')], expect: { active: 1 } },
  {
    name: 'a success is written down before its pod is let go',
    job: job(),
    pods: [won('a')],
    expect: { release: ['a'], uncounted: { succeeded: ['uid-a'] }, conditions: ['SuccessCriteriaMet CompletionsReached'] },
  },
  {
    name: 'a success whose pod is not let go yet stays where it is',
    job: job({ completions: 2 }, { uncountedTerminatedPods: { succeeded: ['uid-a'] } }),
    pods: [won('a')],
    expect: { create: ['new'], release: ['a'], uncounted: { succeeded: ['uid-a'] } },
  },
  {
    name: 'a success that was let go is counted, and the job is complete',
    job: job({}, { uncountedTerminatedPods: { succeeded: ['uid-a'] } }),
    pods: [counted(won('a'))],
    expect: { succeeded: 1, conditions: ['SuccessCriteriaMet CompletionsReached', 'Complete CompletionsReached'] },
  },
  {
    name: 'a success whose pod is gone is counted all the same',
    job: job({}, { uncountedTerminatedPods: { succeeded: ['uid-a'] } }),
    expect: { succeeded: 1, conditions: ['SuccessCriteriaMet CompletionsReached', 'Complete CompletionsReached'] },
  },
  {
    name: 'pods that are still there when enough have succeeded are deleted, and the end waits for them',
    job: job({ parallelism: 2 }, { succeeded: 1 }),
    pods: [counted(won('a')), pod('b')],
    expect: { delete: ['b'], release: ['b'], succeeded: 1, conditions: ['SuccessCriteriaMet CompletionsReached'] },
  },
  {
    name: 'the end waits for a pod that is on its way out',
    job: job({ parallelism: 2 }, { succeeded: 1, conditions: [{ type: 'SuccessCriteriaMet', status: 'True', reason: 'CompletionsReached' }] }),
    pods: [counted(pod('b', { leaving: true }))],
    expect: { succeeded: 1, conditions: ['SuccessCriteriaMet CompletionsReached'] },
  },
  {
    name: 'a finished job does nothing but let go of its pods',
    job: job({ completions: 3 }, { succeeded: 1, conditions: [{ type: 'Failed', status: 'True', reason: 'X' }] }),
    pods: [lost('a'), pod('b')],
    expect: { delete: ['b'], release: ['a', 'b'], succeeded: 1, conditions: ['Failed X'] },
  },
  {
    name: 'without completions one success ends it once the others have ended',
    job: job({ parallelism: 2, completions: undefined }),
    pods: [won('a'), pod('b')],
    expect: { active: 1, release: ['a'], uncounted: { succeeded: ['uid-a'] } },
  },
  {
    name: 'without completions no pod is replaced after the first success',
    job: job({ parallelism: 3, completions: undefined }, { succeeded: 1 }),
    pods: [counted(won('a')), pod('b'), lost('c')],
    expect: { active: 1, release: ['c'], uncounted: { failed: ['uid-c'] }, succeeded: 1 },
  },
  {
    name: 'a failed pod is replaced',
    job: job(),
    pods: [lost('a')],
    expect: { create: ['new'], release: ['a'], uncounted: { failed: ['uid-a'] } },
  },
  {
    name: 'a pod that is being deleted counts as failed and is replaced at once',
    job: job(),
    pods: [pod('a', { leaving: true })],
    expect: { create: ['new'], release: ['a'], uncounted: { failed: ['uid-a'] } },
  },
  {
    name: 'with replacement policy Failed a pod that is being deleted is waited for',
    job: job({ podReplacementPolicy: 'Failed' }),
    pods: [pod('a', { leaving: true })],
    expect: {},
  },
  {
    name: 'one failure beyond the limit fails the job',
    job: job({ backoffLimit: 1 }, { failed: 1 }),
    pods: [counted(lost('a')), lost('b')],
    expect: { release: ['b'], failed: 1, uncounted: { failed: ['uid-b'] }, conditions: ['FailureTarget BackoffLimitExceeded'] },
  },
  {
    name: 'a failing job counts the pods that it deletes as failed',
    job: job({ backoffLimit: 0, parallelism: 2, completions: 2 }, { failed: 1 }),
    pods: [pod('b')],
    expect: { delete: ['b'], release: ['b'], failed: 1, uncounted: { failed: ['uid-b'] }, conditions: ['FailureTarget BackoffLimitExceeded'] },
  },
  {
    name: 'a failing job has failed when its last pod is gone',
    job: job(
      { backoffLimit: 0 },
      { failed: 1, conditions: [{ type: 'FailureTarget', status: 'True', reason: 'BackoffLimitExceeded', message: 'm' }] },
    ),
    expect: { failed: 1, conditions: ['FailureTarget BackoffLimitExceeded', 'Failed BackoffLimitExceeded'] },
  },
  {
    name: 'restarts in place count against the limit',
    job: job({ backoffLimit: 2, template: { spec: { containers: [], restartPolicy: 'OnFailure' } } }),
    pods: [pod('a', { restarts: 2 })],
    expect: { delete: ['a'], release: ['a'], uncounted: { failed: ['uid-a'] }, conditions: ['FailureTarget BackoffLimitExceeded'] },
  },
  {
    name: 'a job that was active too long fails',
    job: job({ activeDeadlineSeconds: 60 }, { startTime: at(-60) }),
    pods: [pod('a')],
    expect: { delete: ['a'], release: ['a'], uncounted: { failed: ['uid-a'] }, conditions: ['FailureTarget DeadlineExceeded'] },
  },
  {
    name: 'a suspended job discards its pods, which count for nothing',
    job: job({ suspend: true, parallelism: 2, completions: 2 }),
    pods: [pod('a'), pod('b')],
    expect: { discard: ['a', 'b'], conditions: ['Suspended JobSuspended'] },
  },
  {
    name: 'less parallelism discards what is too much, not ready pods first',
    job: job({ parallelism: 1, completions: 3 }),
    pods: [pod('a'), pod('b', { ready: false })],
    expect: { discard: ['b'], active: 1 },
  },
  {
    name: 'an indexed job makes the lowest free indexes',
    job: job({ completionMode: 'Indexed', completions: 5, parallelism: 3 }, { completedIndexes: '0', succeeded: 1 }),
    pods: [pod('b', { index: 2 })],
    expect: { create: [1, 3], active: 1, completedIndexes: '0', succeeded: 1 },
  },
  {
    name: 'a successful index is recorded at once',
    job: job({ completionMode: 'Indexed', completions: 2, parallelism: 2 }),
    pods: [won('a', { index: 1 }), pod('b', { index: 0 })],
    expect: { active: 1, completedIndexes: '1', succeeded: 1, release: ['a'] },
  },
  {
    name: 'a second pod of an index is discarded, as is one beyond the completions',
    job: job({ completionMode: 'Indexed', completions: 2, parallelism: 2 }),
    pods: [pod('a', { index: 0 }), pod('b', { index: 0, ready: false }), pod('c', { index: 5 })],
    expect: { discard: ['c', 'b'], active: 1 },
  },
  {
    name: 'an index may fail by itself: its failed pod stays until the next one is made',
    job: job({ completionMode: 'Indexed', completions: 2, parallelism: 2, backoffLimitPerIndex: 1, backoffLimit: 99 }),
    pods: [lost('a', { index: 0, failures: 0 }), pod('b', { index: 1 })],
    expect: { create: [0], active: 1, failedIndexes: '', uncounted: { failed: ['uid-a'] } },
  },
  {
    name: 'an index that used up its limit is not tried again',
    job: job({ completionMode: 'Indexed', completions: 2, parallelism: 2, backoffLimitPerIndex: 1, backoffLimit: 99 }),
    pods: [lost('a', { index: 0, failures: 1 }), pod('b', { index: 1 })],
    expect: { active: 1, failedIndexes: '0', release: ['a'], uncounted: { failed: ['uid-a'] } },
  },
  {
    name: 'when all indexes have ended and one has failed the job fails',
    job: job(
      { completionMode: 'Indexed', completions: 2, parallelism: 2, backoffLimitPerIndex: 0, backoffLimit: 99 },
      { failedIndexes: '0', failed: 1, completedIndexes: '1', succeeded: 1 },
    ),
    expect: {
      failed: 1,
      succeeded: 1,
      completedIndexes: '1',
      failedIndexes: '0',
      conditions: ['FailureTarget FailedIndexes', 'Failed FailedIndexes'],
    },
  },
  {
    name: 'more failed indexes than allowed fail the job',
    job: job({ completionMode: 'Indexed', completions: 4, parallelism: 4, backoffLimitPerIndex: 0, maxFailedIndexes: 0, backoffLimit: 99 }),
    pods: [lost('a', { index: 0, failures: 0 }), pod('b', { index: 1 })],
    expect: {
      delete: ['b'],
      release: ['a', 'b'],
      failedIndexes: '0',
      uncounted: { failed: ['uid-a', 'uid-b'] },
      conditions: ['FailureTarget MaxFailedIndexesExceeded'],
    },
  },
  {
    name: 'a success policy ends the job early',
    job: job({
      completionMode: 'Indexed',
      completions: 4,
      parallelism: 4,
      successPolicy: { rules: [{ succeededIndexes: '0-1', succeededCount: 1 }] },
    }),
    pods: [won('a', { index: 1 }), pod('b', { index: 2 })],
    expect: { delete: ['b'], release: ['a', 'b'], completedIndexes: '1', succeeded: 1, conditions: ['SuccessCriteriaMet SuccessPolicy'] },
  },
  {
    name: 'a success policy that is not met changes nothing',
    job: job({ completionMode: 'Indexed', completions: 3, parallelism: 2, successPolicy: { rules: [{ succeededIndexes: '0' }] } }),
    pods: [won('a', { index: 1 }), pod('b', { index: 0 })],
    expect: { create: [2], active: 1, release: ['a'], completedIndexes: '1', succeeded: 1 },
  },
  {
    name: 'a failure policy may fail the job',
    job: job({ podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [3] } }] } }),
    pods: [lost('a', { exitCode: 3 })],
    expect: { release: ['a'], uncounted: { failed: ['uid-a'] }, conditions: ['FailureTarget PodFailurePolicy'] },
  },
  {
    name: 'a failure that the policy ignores is not counted',
    job: job({
      backoffLimit: 0,
      podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }] },
    }),
    pods: [lost('a', { conditions: [{ type: 'DisruptionTarget', status: 'True' }] })],
    expect: { create: ['new'], release: ['a'] },
  },
  {
    name: 'a failure policy may give up an index',
    job: job({
      completionMode: 'Indexed',
      completions: 2,
      parallelism: 2,
      backoffLimitPerIndex: 5,
      backoffLimit: 99,
      podFailurePolicy: { rules: [{ action: 'FailIndex', onExitCodes: { operator: 'In', values: [42] } }] },
    }),
    pods: [lost('a', { index: 0, failures: 0, exitCode: 42 }), pod('b', { index: 1 })],
    expect: { active: 1, failedIndexes: '0', release: ['a'], uncounted: { failed: ['uid-a'] } },
  },
]

describe('the plan of a job', () => {
  for (const row of rows) test(row.name, () => assert.deepEqual(summary(planJob(row.job, row.pods ?? [], noon)), row.expect))

  test('a new job has started, one that is created suspended has not', () => {
    assert.equal(planJob({ ...job(), status: {} }, [], noon).status.startTime, at(0))
    assert.equal(planJob({ ...job({ suspend: true }), status: {} }, [], noon).status.startTime, undefined)
  })

  test('a job that is suspended has not started any more', () => {
    assert.equal(planJob(job({ suspend: true }, { startTime: at(-100) }), [], noon).status.startTime, undefined)
  })

  test('a job that needs no pods ends while it is suspended, and has started then', () => {
    const { status } = planJob({ ...job({ suspend: true, completions: 0, parallelism: 0 }), status: {} }, [], noon)
    assert.deepEqual([status.startTime, status.completionTime], [at(0), at(0)])
  })

  test('a job that is resumed starts anew and says so', () => {
    const suspended = job(
      { activeDeadlineSeconds: 10 },
      { startTime: at(-100), conditions: [{ type: 'Suspended', status: 'True', reason: 'JobSuspended' }] },
    )
    const plan = planJob(suspended, [], noon)
    assert.equal(plan.status.startTime, at(0))
    assert.equal(plan.event?.reason, 'Resumed')
    assert.deepEqual(
      plan.status.conditions?.map((c) => `${c.type} ${c.status} ${c.reason}`),
      ['Suspended False JobResumed'],
    )
    assert.equal(plan.create.length, 1)
    assert.equal(plan.recheckAfter, 10_000)
  })

  for (const [failures, seconds] of [
    [1, 10],
    [2, 20],
    [4, 80],
    [20, 600],
  ] as const)
    test(`after ${failures} failures in a row the next pod waits ${seconds} s`, () => {
      const pods = Array.from({ length: failures }, (_, i) => counted(lost(`p${i}`, { finished: -i })))
      const plan = planJob(job({ backoffLimit: 99 }, { failed: failures }), pods, noon)
      assert.deepEqual(plan.create, [])
      assert.equal(plan.recheckAfter, seconds * 1000)
    })

  test('a success forgets the failures before it', () => {
    const pods = [counted(lost('a', { finished: -2 })), counted(won('b', { finished: -1 }))]
    assert.equal(planJob(job({ completions: 2 }, { failed: 1, succeeded: 1 }), pods, noon).create.length, 1)
  })

  test('an index that failed waits by itself and knows how often', () => {
    const spec = { completionMode: 'Indexed', completions: 2, parallelism: 2, backoffLimitPerIndex: 3, backoffLimit: 99 } as const
    const pods = [lost('a', { index: 0, failures: 1, finished: -15 })]
    const waits = planJob(job(spec), pods, noon)
    assert.deepEqual(waits.create, [{ index: 1, failures: { counted: 0, ignored: 0 } }])
    assert.equal(waits.recheckAfter, 5000)
    const tried = planJob(job(spec), pods, noon + 5000)
    assert.deepEqual(tried.create[0], { index: 0, failures: { counted: 2, ignored: 0 } })
  })

  test('the messages are those that clients know', () => {
    const failed = planJob(
      job({ podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { containerName: 'app', operator: 'In', values: [3] } }] } }),
      [lost('a', { exitCode: 3 })],
      noon,
    )
    assert.equal(failed.status.conditions?.[0]?.message, 'Container app for pod test/a failed with exit code 3 matching FailJob rule at index 0')
    const complete = planJob(job({}, { succeeded: 1 }), [], noon)
    assert.deepEqual(complete.event, { type: 'Normal', reason: 'Completed', message: 'Job completed' })
    assert.equal(complete.status.completionTime, at(0))
    assert.equal(complete.status.terminating, 0)
    assert.equal(complete.status.ready, 0)
  })
})
