import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DeepReadonly, apps } from '#api'
import { controllerOf, resources } from '#api'
import type { Behaviour, Pod, TestCluster, TestClusterOptions } from './cluster.ts'
import { namespace, startTestCluster } from './cluster.ts'

const only = ['statefulset']
const labels = { app: 'db' }

const createSet = (c: TestCluster, replicas: number, image: string, spec: Partial<apps.StatefulSetSpec> = {}) =>
  c.create(resources.statefulSets, {
    metadata: { name: 'db' },
    spec: {
      replicas,
      serviceName: 'db',
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'app', image }] } },
      ...spec,
    } as never,
  })

const claimTemplate = { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } } as never

const isReady = (n: number) => (s: DeepReadonly<apps.StatefulSet>) =>
  s.status?.observedGeneration === s.metadata.generation && s.status?.replicas === n && s.status?.availableReplicas === n
const ready = (c: TestCluster, n: number) => c.until(resources.statefulSets, 'db', isReady(n))
const updated = (c: TestCluster, n: number) =>
  c.until(
    resources.statefulSets,
    'db',
    (s) => isReady(n)(s) && s.status?.updatedReplicas === n && s.status.currentRevision === s.status.updateRevision,
  )
const patch = (c: TestCluster, spec: object) => c.client.resource(resources.statefulSets).patch('db', namespace, 'strategic', { spec })
const setImage = (c: TestCluster, image: string, spec: object = {}) =>
  patch(c, { ...spec, template: { spec: { containers: [{ name: 'app', image }] } } })
const names = (pods: readonly Pod[]) => pods.map((p) => p.metadata.name).sort()
const imagesOf = (pods: readonly Pod[]) => Object.fromEntries(pods.map((p) => [p.metadata.name, p.spec.containers[0]!.image]).sort())

/** A cluster whose pods become ready only as the test says so. */
async function startSteered(options: TestClusterOptions = {}) {
  const waiting = new Map<string, Pod>()
  const cluster = await startTestCluster({
    only,
    behave: (pod): Behaviour => {
      waiting.set(pod.metadata.name, pod)
      return 'running'
    },
    ...options,
  })
  const setReady = (name: string, status: 'True' | 'False') =>
    cluster.client
      .resource(resources.pods)
      .patch(
        name,
        namespace,
        'strategic',
        { status: { conditions: [{ type: 'Ready', status, lastTransitionTime: new Date().toISOString().slice(0, 19) + 'Z' }] } },
        { subresource: 'status' },
      )
  return { cluster, setReady }
}

describe('a stateful set on a cluster', () => {
  test('starts its pods in order, each after the one before serves, and stops them in reverse', async () => {
    const { cluster: c, setReady } = await startSteered()
    await using _ = c
    await createSet(c, 3, 'v1')
    for (const n of [1, 2, 3]) {
      const pods = await c.untilAll(resources.pods, (all) => all.length === n && all.every((p) => p.status?.phase === 'Running'))
      assert.deepEqual(names(pods), ['db-0', 'db-1', 'db-2'].slice(0, n))
      await setReady(`db-${n - 1}`, 'True')
    }
    await ready(c, 3)
    const pod = await c.until(resources.pods, 'db-1', () => true)
    assert.equal(pod.spec.hostname, 'db-1')
    assert.equal(pod.spec.subdomain, 'db')
    assert.equal(pod.metadata.labels?.['statefulset.kubernetes.io/pod-name'], 'db-1')
    assert.equal(pod.metadata.labels?.['apps.kubernetes.io/pod-index'], '1')
    assert.equal(await c.event('db', 'SuccessfulCreate'), 'create Pod db-0 in StatefulSet db successful')

    // one that does not serve stops the way down
    await setReady('db-0', 'False')
    await c.until(resources.statefulSets, 'db', (s) => s.status?.readyReplicas === 2)
    await patch(c, { replicas: 0 })
    await c.until(resources.statefulSets, 'db', (s) => s.status?.observedGeneration === 2)
    assert.equal((await c.list(resources.pods)).length, 2, 'the last goes, the others wait for db-0')
    await setReady('db-0', 'True')
    await c.untilAll(resources.pods, (all) => all.length === 0)
  })

  test('starts and stops all at once when told so', async () => {
    const { cluster: c } = await startSteered()
    await using _ = c
    await createSet(c, 3, 'v1', { podManagementPolicy: 'Parallel' })
    await c.untilAll(resources.pods, (all) => all.length === 3)
    await patch(c, { replicas: 1 })
    const left = await c.untilAll(resources.pods, (all) => all.length === 1)
    assert.deepEqual(names(left), ['db-0'])
  })

  test('is updated from the last to the first, and rolled back', async () => {
    await using c = await startTestCluster({ only })
    await createSet(c, 3, 'v1')
    const first = await updated(c, 3)
    const order: string[] = []
    const before = new Set((await c.list(resources.pods)).map((p) => p.metadata.uid))
    const watching = c.untilAll(resources.pods, (pods) => {
      for (const p of pods) if (!before.has(p.metadata.uid) && !order.includes(p.metadata.name)) order.push(p.metadata.name)
      return order.length === 3
    })
    await setImage(c, 'v2')
    await watching
    assert.deepEqual(order, ['db-2', 'db-1', 'db-0'])
    const second = await updated(c, 3)
    assert.notEqual(second.status?.currentRevision, first.status?.currentRevision)
    const history = await c.list(resources.controllerRevisions)
    const old = history.find((r) => r.metadata.name === first.status?.currentRevision)!
    await c.client.resource(resources.statefulSets).patch('db', namespace, 'strategic', old.data)
    await c.until(resources.statefulSets, 'db', (s) => isReady(3)(s) && s.status?.currentRevision === old.metadata.name)
    assert.deepEqual(new Set(Object.values(imagesOf(await c.list(resources.pods)))), new Set(['v1']))
    assert.equal((await c.list(resources.controllerRevisions)).find((r) => r.metadata.uid === old.metadata.uid)?.revision, 3)
  })

  test('keeps pods below the partition as they were, also when one is lost', async () => {
    await using c = await startTestCluster({ only })
    await createSet(c, 3, 'v1')
    await updated(c, 3)
    await setImage(c, 'v2', { updateStrategy: { rollingUpdate: { partition: 2 } } })
    const canary = await c.until(resources.statefulSets, 'db', (s) => isReady(3)(s) && s.status?.updatedReplicas === 1)
    assert.equal(canary.status?.currentReplicas, 2)
    assert.deepEqual(imagesOf(await c.list(resources.pods)), { 'db-0': 'v1', 'db-1': 'v1', 'db-2': 'v2' })
    const lost = await c.until(resources.pods, 'db-1', () => true)
    await c.client.resource(resources.pods).delete('db-1', namespace)
    const made = await c.until(resources.pods, 'db-1', (p) => p.metadata.uid !== lost.metadata.uid)
    assert.equal(made.spec.containers[0]?.image, 'v1')
    await patch(c, { updateStrategy: { rollingUpdate: { partition: 0 } } })
    await updated(c, 3)
  })

  test('on delete, pods are updated when somebody deletes them', async () => {
    await using c = await startTestCluster({ only })
    await createSet(c, 2, 'v1', { updateStrategy: { type: 'OnDelete' } })
    await ready(c, 2)
    await setImage(c, 'v2')
    await c.until(resources.statefulSets, 'db', (s) => s.status?.observedGeneration === 2)
    assert.deepEqual(imagesOf(await c.list(resources.pods)), { 'db-0': 'v1', 'db-1': 'v1' })
    await c.client.resource(resources.pods).delete('db-0', namespace)
    await c.until(resources.pods, 'db-0', (p) => p.spec.containers[0]?.image === 'v2')
  })

  test('replaces a pod that was evicted', async () => {
    await using c = await startTestCluster({ only })
    await createSet(c, 1, 'v1')
    await ready(c, 1)
    const [pod] = await c.list(resources.pods)
    await c.client
      .resource(resources.pods)
      .patch('db-0', namespace, 'merge', { status: { phase: 'Failed', reason: 'Evicted' } }, { subresource: 'status' })
    await c.until(resources.pods, 'db-0', (p) => p.metadata.uid !== pod!.metadata.uid && p.status?.phase === 'Running')
    await ready(c, 1)
  })

  test('gives each pod its claims, and keeps them', async () => {
    await using c = await startTestCluster({ only })
    await createSet(c, 2, 'v1', { volumeClaimTemplates: [claimTemplate], podManagementPolicy: 'Parallel' })
    const claims = await c.untilAll(resources.persistentVolumeClaims, (all) => all.length === 2)
    assert.deepEqual(claims.map((k) => k.metadata.name).sort(), ['data-db-0', 'data-db-1'])
    assert.deepEqual(claims[0]!.metadata.labels, labels)
    const pod = await c.until(resources.pods, 'db-1', () => true)
    assert.deepEqual(pod.spec.volumes?.find((v) => v.name === 'data')?.persistentVolumeClaim, { claimName: 'data-db-1' })
    await patch(c, { replicas: 0 })
    await c.untilAll(resources.pods, (all) => all.length === 0)
    assert.equal((await c.list(resources.persistentVolumeClaims)).length, 2)
  })

  test('lets claims go with pods that are scaled away, and with the set, where it says so', async () => {
    await using c = await startTestCluster({ only: [...only, 'garbagecollector', 'generic-garbage-collector'] })
    await createSet(c, 2, 'v1', {
      volumeClaimTemplates: [claimTemplate],
      podManagementPolicy: 'Parallel',
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' },
    })
    await c.untilAll(
      resources.persistentVolumeClaims,
      (all) => all.length === 2 && all.every((k) => k.metadata.ownerReferences?.[0]?.kind === 'StatefulSet'),
    )
    // the protection of claims in use is another controller's
    await c.client.resource(resources.persistentVolumeClaims).patch('data-db-1', namespace, 'merge', { metadata: { finalizers: null } })
    await patch(c, { replicas: 1 })
    const left = await c.untilAll(resources.persistentVolumeClaims, (all) => all.length === 1)
    assert.equal(left[0]!.metadata.name, 'data-db-0')
    await patch(c, { replicas: 2 })
    await c.untilAll(
      resources.persistentVolumeClaims,
      (all) => all.length === 2 && all.every((k) => k.metadata.ownerReferences?.[0]?.kind === 'StatefulSet'),
    )
    await c.client.resource(resources.statefulSets).delete('db', namespace)
    await c.untilAll(resources.pods, (all) => all.length === 0)
    await c.untilAll(resources.persistentVolumeClaims, (all) => all.every((k) => k.metadata.deletionTimestamp))
  })

  test('counts from the ordinal it is told', async () => {
    await using c = await startTestCluster({ only })
    await createSet(c, 2, 'v1', { ordinals: { start: 5 } })
    await ready(c, 2)
    assert.deepEqual(names(await c.list(resources.pods)), ['db-5', 'db-6'])
    await patch(c, { ordinals: { start: 6 } })
    await c.untilAll(resources.pods, (all) => names(all).join() === 'db-6,db-7')
  })

  test('adopts pods of its names and gives them their identity', async () => {
    await using c = await startTestCluster({ only })
    await c.create(resources.pods, { metadata: { name: 'db-0', labels }, spec: { containers: [{ name: 'app', image: 'v1' }] } } as never)
    const set = await createSet(c, 1, 'v1', { updateStrategy: { type: 'OnDelete' } })
    const pod = await c.until(
      resources.pods,
      'db-0',
      (p) => controllerOf(p)?.uid === set.metadata.uid && Boolean(p.metadata.labels?.['apps.kubernetes.io/pod-index']),
    )
    assert.equal(pod.metadata.labels?.['statefulset.kubernetes.io/pod-name'], 'db-0')
  })
})
