import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DeepReadonly, apps } from '#api'
import { controllerOf, findCondition, resources } from '#api'
import { manualClock } from '#base'
import type { TestCluster } from './cluster.ts'
import { namespace, startTestCluster } from './cluster.ts'

const only = ['deployment', 'replicaset']
const labels = { app: 'web' }
const revision = 'deployment.kubernetes.io/revision'

const template = (image: string) => ({ metadata: { labels }, spec: { containers: [{ name: 'app', image }] } })

function createDeployment(c: TestCluster, replicas: number, image: string, spec: Partial<apps.DeploymentSpec> = {}) {
  return c.create(resources.deployments, {
    metadata: { name: 'web' },
    spec: { replicas, selector: { matchLabels: labels }, template: template(image), ...spec } as apps.DeploymentSpec,
  })
}

const patch = (c: TestCluster, body: object) => c.client.resource(resources.deployments).patch('web', namespace, 'strategic', body)
const setImage = (c: TestCluster, image: string) => patch(c, { spec: { template: { spec: { containers: [{ name: 'app', image }] } } } })

/** What `kubectl rollout status` waits for. */
const isRolledOut = (d: DeepReadonly<apps.Deployment>) =>
  (d.status?.observedGeneration ?? 0) >= d.metadata.generation! &&
  d.status?.updatedReplicas === d.spec.replicas &&
  d.status?.replicas === d.spec.replicas &&
  d.status?.availableReplicas === d.spec.replicas
const rolledOut = (c: TestCluster) => c.until(resources.deployments, 'web', isRolledOut)

async function setOf(c: TestCluster, image: string): Promise<DeepReadonly<apps.ReplicaSet> | undefined> {
  return (await c.list(resources.replicaSets)).find((s) => s.spec.template?.spec?.containers[0]?.image === image)
}

describe('a deployment on a cluster', () => {
  test('rolls out, rolls on, and rolls back as kubectl does it', async () => {
    await using c = await startTestCluster({ only })
    await createDeployment(c, 3, 'v1')
    const first = await rolledOut(c)
    assert.equal(first.metadata.annotations?.[revision], '1')
    assert.equal(first.metadata.generation, 1)
    assert.equal(findCondition(first.status?.conditions, 'Progressing')?.reason, 'NewReplicaSetAvailable')
    const v1 = (await setOf(c, 'v1'))!
    assert.equal(v1.metadata.name, `web-${v1.metadata.labels?.['pod-template-hash']}`)
    assert.equal(await c.event('web', 'ScalingReplicaSet'), `Scaled up replica set ${v1.metadata.name} from 0 to 3`)
    assert.deepEqual(
      new Set((await c.list(resources.events)).map((e) => e.source?.component)),
      new Set(['deployment-controller', 'replicaset-controller', 'test']),
    )

    await setImage(c, 'v2')
    const second = await rolledOut(c)
    assert.equal(second.metadata.annotations?.[revision], '2')
    assert.equal((await setOf(c, 'v1'))?.spec.replicas, 0)
    assert.deepEqual([...new Set((await c.list(resources.pods)).map((p) => p.spec.containers[0]!.image))], ['v2'])

    // kubectl rollout undo: the old set's template without its hash
    const { 'pod-template-hash': _, ...own } = v1.spec.template!.metadata!.labels!
    await c.client.resource(resources.deployments).patch('web', namespace, 'json', [
      { op: 'replace', path: '/spec/template', value: { ...v1.spec.template, metadata: { ...v1.spec.template!.metadata, labels: own } } },
      { op: 'replace', path: '/metadata/annotations', value: { [revision]: '1' } },
    ])
    const third = await c.until(resources.deployments, 'web', (d) => isRolledOut(d) && d.metadata.annotations?.[revision] === '3')
    assert.equal(third.status?.replicas, 3)
    const again = (await setOf(c, 'v1'))!
    assert.equal(again.metadata.uid, v1.metadata.uid, 'the old set is used again')
    assert.equal(again.metadata.annotations?.['deployment.kubernetes.io/revision-history'], '1')
  })

  test('says when a rollout makes no progress, and recovers', async () => {
    const clock = manualClock(Date.now())
    await using c = await startTestCluster({ only, clock })
    await createDeployment(c, 2, 'v1', { progressDeadlineSeconds: 60 })
    await rolledOut(c)
    await setImage(c, 'pending')
    await c.until(resources.deployments, 'web', (d) => d.status?.updatedReplicas === 1)
    const progress = (d: DeepReadonly<apps.Deployment>) => findCondition(d.status?.conditions, 'Progressing')
    const failed = c.until(resources.deployments, 'web', (d) => progress(d)?.status === 'False')
    await clock.advance(62_000)
    assert.equal(progress(await failed)?.reason, 'ProgressDeadlineExceeded')
    assert.match(progress(await failed)!.message!, /^ReplicaSet "web-.*" has timed out progressing\.$/)
    assert.equal((await failed).status?.availableReplicas, 2, 'the old pods serve on')
    await setImage(c, 'v1')
    const recovered = await rolledOut(c)
    assert.equal(recovered.status?.availableReplicas, 2)
    await c.until(resources.deployments, 'web', (d) => progress(d)?.reason === 'NewReplicaSetAvailable')
  })

  test('keeps its surge when it is scaled in the middle of a rollout', async () => {
    await using c = await startTestCluster({ only })
    await createDeployment(c, 10, 'v1', { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } })
    await rolledOut(c)
    await setImage(c, 'pending')
    const size = (image: string, n: number) =>
      c.untilAll(resources.replicaSets, (all) => all.some((s) => s.spec.template?.spec?.containers[0]?.image === image && s.status?.replicas === n))
    await size('pending', 5)
    await size('v1', 8)
    await c.client.resource(resources.deployments).updateSubresource('web', namespace, 'scale', {
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: 'web', namespace },
      spec: { replicas: 30 },
    })
    // 33 pods may be there: 8/13 of them are old, 5/13 new, as the conformance test of proportional scaling has it
    await size('v1', 20)
    await size('pending', 13)
  })

  test('adopts a matching set, orphans it, and takes it back', async () => {
    await using c = await startTestCluster({ only: [...only, 'garbagecollector', 'generic-garbage-collector'] })
    const made = await createDeployment(c, 2, 'v1')
    await rolledOut(c)
    const { uid } = (await setOf(c, 'v1'))!.metadata
    await c.client.resource(resources.deployments).delete('web', namespace, { propagationPolicy: 'Orphan' })
    await c.gone(resources.deployments, 'web')
    const orphan = await c.untilAll(resources.replicaSets, (all) => all.every((s) => !controllerOf(s)))
    assert.deepEqual(
      orphan.map((s) => s.metadata.uid),
      [uid],
    )
    const next = await createDeployment(c, 2, 'v1')
    assert.notEqual(next.metadata.uid, made.metadata.uid)
    const adopted = await c.untilAll(resources.replicaSets, (all) => all.every((s) => controllerOf(s)?.uid === next.metadata.uid))
    assert.equal(adopted[0]?.metadata.uid, uid)
    await rolledOut(c)
    assert.equal((await c.list(resources.pods)).length, 2)
  })

  test('recreates: no new pod before the last old one is gone', async () => {
    await using c = await startTestCluster({ only })
    await createDeployment(c, 3, 'v1', { strategy: { type: 'Recreate' } })
    await rolledOut(c)
    const seen: string[][] = []
    const stop = new AbortController()
    const watching = c.untilAll(resources.pods, (pods) => {
      seen.push(pods.map((p) => p.spec.containers[0]!.image!))
      return stop.signal.aborted
    })
    watching.catch(() => {})
    await setImage(c, 'v2')
    await rolledOut(c)
    assert.ok(seen.length > 3)
    assert.ok(
      seen.every((images) => new Set(images).size <= 1),
      JSON.stringify(seen),
    )
    stop.abort()
  })

  test('does nothing to its template while it is paused, and scales all the same', async () => {
    await using c = await startTestCluster({ only })
    await createDeployment(c, 1, 'v1')
    await rolledOut(c)
    await patch(c, { spec: { paused: true, replicas: 2, template: { spec: { containers: [{ name: 'app', image: 'v2' }] } } } })
    const paused = await c.until(resources.deployments, 'web', (d) => d.status?.availableReplicas === 2)
    assert.equal(findCondition(paused.status?.conditions, 'Progressing')?.reason, 'DeploymentPaused')
    assert.equal((await c.list(resources.replicaSets)).length, 1)
    await patch(c, { spec: { paused: false } })
    await rolledOut(c)
    assert.equal((await setOf(c, 'v2'))?.spec.replicas, 2)
  })

  test('keeps as much history as asked for', async () => {
    await using c = await startTestCluster({ only })
    await createDeployment(c, 1, 'v1', { revisionHistoryLimit: 1 })
    await rolledOut(c)
    for (const image of ['v2', 'v3', 'v4']) {
      await setImage(c, image)
      await rolledOut(c)
    }
    const left = await c.untilAll(resources.replicaSets, (all) => all.length === 2)
    assert.deepEqual(left.map((s) => s.spec.template?.spec?.containers[0]?.image).sort(), ['v3', 'v4'])
  })

  test('tells why its pods cannot be made', async () => {
    await using c = await startTestCluster({ only })
    await c.create(resources.resourceQuotas, { metadata: { name: 'none' }, spec: { hard: { pods: '0' } } })
    await c.client
      .resource(resources.resourceQuotas)
      .patch('none', namespace, 'merge', { status: { hard: { pods: '0' }, used: { pods: '0' } } }, { subresource: 'status' })
    await createDeployment(c, 1, 'v1')
    const failing = await c.until(resources.deployments, 'web', (d) => findCondition(d.status?.conditions, 'ReplicaFailure')?.status === 'True')
    const condition = findCondition(failing.status?.conditions, 'ReplicaFailure')
    assert.equal(condition?.reason, 'FailedCreate')
    assert.match(condition!.message!, /exceeded quota: none/)
  })
})
