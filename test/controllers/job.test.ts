import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DeepReadonly, batch } from '#api'
import { controllerOf, isConditionTrue, findCondition, resources } from '#api'
import { manualClock } from '#base'
import type { Behaviour, Pod, TestCluster } from './cluster.ts'
import { namespace, startTestCluster } from './cluster.ts'

const only = ['job']
const collector = ['garbagecollector', 'generic-garbage-collector']
const index = 'batch.kubernetes.io/job-completion-index'

const createJob = (c: TestCluster, image: string, spec: Partial<batch.JobSpec> = {}) =>
  c.create(resources.jobs, {
    metadata: { name: 'pi' },
    spec: { ...spec, template: { spec: { containers: [{ name: 'app', image }], restartPolicy: 'Never' } } } as batch.JobSpec,
  })

const is = (type: string) => (job: DeepReadonly<batch.Job>) => isConditionTrue(job.status?.conditions, type)
const reason = (job: DeepReadonly<batch.Job>, type: string) => findCondition(job.status?.conditions, type)?.reason

describe('a job on a cluster', () => {
  test('completes, and its pods keep their results', async () => {
    await using c = await startTestCluster({ only })
    await createJob(c, 'succeeded', { completions: 5, parallelism: 2 })
    const done = await c.until(resources.jobs, 'pi', is('Complete'))
    assert.equal(done.status?.succeeded, 5)
    assert.ok(done.status?.completionTime)
    assert.deepEqual(
      done.status?.conditions?.map((k) => `${k.type} ${k.reason}`),
      ['SuccessCriteriaMet CompletionsReached', 'Complete CompletionsReached'],
    )
    const pods = await c.list(resources.pods)
    assert.equal(pods.length, 5)
    assert.ok(pods.every((p) => !p.metadata.finalizers?.length))
    assert.equal(await c.event('pi', 'Completed'), 'Job completed')
  })

  test('fails after too many failures, with a growing pause between them', async () => {
    const clock = manualClock(Date.now())
    await using c = await startTestCluster({ only, clock })
    await createJob(c, 'failed', { backoffLimit: 2 })
    for (const [failed, pause] of [
      [1, 10],
      [2, 20],
    ] as const) {
      await c.until(resources.jobs, 'pi', (j) => j.status?.failed === failed)
      assert.equal((await c.list(resources.pods)).length, failed)
      const next = c.untilAll(resources.pods, (pods) => pods.length === failed + 1)
      await clock.advance(pause * 1000 + 1000)
      await next
    }
    const failed = await c.until(resources.jobs, 'pi', is('Failed'))
    assert.equal(failed.status?.failed, 3)
    assert.equal(reason(failed, 'Failed'), 'BackoffLimitExceeded')
  })

  test('runs every index once and tells each pod its own', async () => {
    await using c = await startTestCluster({ only })
    await createJob(c, 'succeeded', { completions: 4, parallelism: 2, completionMode: 'Indexed' })
    const done = await c.until(resources.jobs, 'pi', is('Complete'))
    assert.equal(done.status?.completedIndexes, '0-3')
    assert.equal(done.status?.succeeded, 4)
    const pods = await c.list(resources.pods)
    assert.deepEqual(pods.map((p) => p.metadata.annotations?.[index]).sort(), ['0', '1', '2', '3'])
    for (const pod of pods) {
      assert.equal(pod.spec.hostname, `pi-${pod.metadata.annotations?.[index]}`)
      assert.match(pod.metadata.name, new RegExp(`^pi-${pod.metadata.annotations?.[index]}-.{5}$`))
    }
  })

  test('goes on with its other indexes when one has used up its own limit', async () => {
    const behave = (pod: Pod): Behaviour => (Number(pod.metadata.annotations?.[index]) % 2 === 0 ? 'failed' : 'succeeded')
    await using c = await startTestCluster({ only, behave })
    await createJob(c, 'app', { completions: 4, parallelism: 4, completionMode: 'Indexed', backoffLimitPerIndex: 0 })
    const done = await c.until(resources.jobs, 'pi', is('Failed'))
    assert.equal(reason(done, 'Failed'), 'FailedIndexes')
    assert.equal(done.status?.failedIndexes, '0,2')
    assert.equal(done.status?.completedIndexes, '1,3')
    assert.equal(done.status?.failed, 2)
  })

  test('ends when its success policy is met, whatever still runs', async () => {
    const behave = (pod: Pod): Behaviour => (pod.metadata.annotations?.[index] === '0' ? 'succeeded' : 'ready')
    await using c = await startTestCluster({ only, behave })
    await createJob(c, 'app', { completions: 3, parallelism: 3, completionMode: 'Indexed', successPolicy: { rules: [{ succeededIndexes: '0' }] } })
    const done = await c.until(resources.jobs, 'pi', is('Complete'))
    assert.equal(reason(done, 'Complete'), 'SuccessPolicy')
    assert.equal(done.status?.completedIndexes, '0')
    assert.equal(done.status?.active, undefined)
    assert.deepEqual([done.status?.ready, done.status?.terminating], [0, 0])
    await c.untilAll(resources.pods, (pods) => pods.length === 1)
  })

  test('loses its pods when it is suspended and gets new ones when it goes on', async () => {
    await using c = await startTestCluster({ only })
    await createJob(c, 'running', { parallelism: 2, completions: 2 })
    await c.until(resources.jobs, 'pi', (j) => j.status?.active === 2)
    const jobs = c.client.resource(resources.jobs)
    await jobs.patch('pi', namespace, 'merge', { spec: { suspend: true } })
    const suspended = await c.until(resources.jobs, 'pi', (j) => is('Suspended')(j) && j.status?.terminating === 0)
    assert.equal(suspended.status?.active, undefined)
    assert.equal(suspended.status?.failed, undefined, 'pods of a suspended job did not fail')
    await c.untilAll(resources.pods, (pods) => pods.length === 0)
    await jobs.patch('pi', namespace, 'merge', { spec: { suspend: false } })
    await c.until(resources.jobs, 'pi', (j) => j.status?.active === 2 && reason(j, 'Suspended') === 'JobResumed')
  })

  test('fails at its deadline and takes its pods along', async () => {
    const clock = manualClock(Date.now())
    await using c = await startTestCluster({ only, clock })
    await createJob(c, 'running', { activeDeadlineSeconds: 30 })
    await c.until(resources.jobs, 'pi', (j) => j.status?.active === 1 && j.status?.ready === 0)
    const failed = c.until(resources.jobs, 'pi', is('Failed'))
    await clock.advance(31_000)
    assert.equal(reason(await failed, 'Failed'), 'DeadlineExceeded')
    await c.untilAll(resources.pods, (pods) => pods.length === 0)
  })

  test('replaces a pod that somebody deletes', async () => {
    await using c = await startTestCluster({ only })
    await createJob(c, 'running')
    const [pod] = await c.untilAll(resources.pods, (pods) => pods[0]?.status?.phase === 'Running')
    await c.client.resource(resources.pods).delete(pod!.metadata.name, namespace)
    await c.untilAll(resources.pods, (pods) => pods.length === 1 && pods[0]?.metadata.uid !== pod!.metadata.uid)
    await c.until(resources.jobs, 'pi', (j) => j.status?.failed === 1 && j.status.active === 1)
  })

  test('adopts its orphaned pods again, and lets go of one that no longer matches', async () => {
    await using c = await startTestCluster({ only })
    const job = await createJob(c, 'running', { parallelism: 2, completions: 2 })
    const [pod] = await c.untilAll(resources.pods, (pods) => pods.length === 2)
    const pods = c.client.resource(resources.pods)
    await pods.patch(pod!.metadata.name, namespace, 'merge', { metadata: { ownerReferences: null } })
    await c.until(resources.pods, pod!.metadata.name, (p) => controllerOf(p)?.uid === job.metadata.uid)
    await pods.patch(pod!.metadata.name, namespace, 'merge', { metadata: { labels: null } })
    const free = await c.until(resources.pods, pod!.metadata.name, (p) => !controllerOf(p))
    assert.equal(free.metadata.finalizers, undefined)
    await c.untilAll(resources.pods, (all) => all.filter((p) => controllerOf(p)).length === 2)
  })

  test('that is deleted takes its pods along; one that is orphaned leaves them without its finalizer', async () => {
    for (const propagationPolicy of ['Background', 'Foreground', 'Orphan'] as const) {
      await using c = await startTestCluster({ only: [...only, ...collector] })
      await createJob(c, 'running')
      await c.until(resources.jobs, 'pi', (j) => j.status?.active === 1)
      await c.client.resource(resources.jobs).delete('pi', namespace, { propagationPolicy })
      await c.gone(resources.jobs, 'pi')
      if (propagationPolicy === 'Orphan') await c.untilAll(resources.pods, (pods) => pods.length === 1 && !pods[0]!.metadata.finalizers?.length)
      else await c.untilAll(resources.pods, (pods) => pods.length === 0)
    }
  })
})
