import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { core } from '#api'
import { findCondition, isConditionTrue, resources } from '#api'
import type { TestCluster } from './cluster.ts'
import { addNode, namespace, startTestCluster } from './cluster.ts'

const only: string[] = []

const createPod = (c: TestCluster, name: string, spec: Partial<core.PodSpec> & { cpu?: string; labels?: Record<string, string> } = {}) => {
  const { cpu, labels, ...rest } = spec
  const requests = cpu ? { cpu } : {}
  return c.create(resources.pods, {
    metadata: { name, ...(labels ? { labels } : {}) },
    spec: { containers: [{ name: 'app', image: 'ready', resources: { requests } }], ...rest } as core.PodSpec,
  })
}
const running = (c: TestCluster, name: string) => c.until(resources.pods, name, (p) => p.status?.phase === 'Running')
const waits = (c: TestCluster, name: string) =>
  c.until(resources.pods, name, (p) => findCondition(p.status?.conditions, 'PodScheduled')?.status === 'False')

describe('scheduling on a cluster', () => {
  test('a pod that fits nowhere says why, and runs when a node comes', async () => {
    await using c = await startTestCluster({ only, nodes: 1 })
    await createPod(c, 'large', { cpu: '20' })
    const pod = await waits(c, 'large')
    const condition = findCondition(pod.status?.conditions, 'PodScheduled')
    assert.equal(condition?.reason, 'Unschedulable')
    const message = '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.'
    assert.equal(condition?.message, message)
    assert.equal(await c.event('large', 'FailedScheduling'), message)
    await addNode(c.client, 'large-node', { cpu: '32' })
    const placed = await running(c, 'large')
    assert.equal(placed.spec.nodeName, 'large-node')
    assert.ok(isConditionTrue(placed.status?.conditions, 'PodScheduled'))
    assert.equal(await c.event('large', 'Scheduled'), `Successfully assigned ${namespace}/large to large-node`)
  })

  test('pods are spread over equal nodes', async () => {
    await using c = await startTestCluster({ only, nodes: 4 })
    await Promise.all(Array.from({ length: 12 }, (_, i) => createPod(c, `p${i}`, { cpu: '1' })))
    const pods = await c.untilAll(resources.pods, (all) => all.length === 12 && all.every((p) => p.spec.nodeName))
    const perNode = Map.groupBy(pods, (p) => p.spec.nodeName)
    assert.deepEqual(
      [...perNode.values()].map((on) => on.length),
      [3, 3, 3, 3],
    )
  })

  test('an important pod takes the place of a lesser one', async () => {
    await using c = await startTestCluster({ only, nodes: 1 })
    for (const [name, value] of [
      ['low', 1],
      ['high', 1000],
    ] as const)
      await c.client
        .resource(resources.priorityClasses)
        .create({ apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value } as never)
    await createPod(c, 'small', { cpu: '4', priorityClassName: 'low' })
    await createPod(c, 'lesser', { cpu: '10', priorityClassName: 'low' })
    await running(c, 'lesser')
    const disrupted = c.until(resources.pods, 'lesser', (p) => isConditionTrue(p.status?.conditions, 'DisruptionTarget'))
    await createPod(c, 'important', { cpu: '10', priorityClassName: 'high' })
    assert.equal(findCondition((await disrupted).status?.conditions, 'DisruptionTarget')?.reason, 'PreemptionByScheduler')
    await running(c, 'important')
    assert.deepEqual((await c.list(resources.pods)).map((p) => p.metadata.name).sort(), ['important', 'small'])
    assert.match(await c.event('lesser', 'Preempted'), /^Preempted by pod .* on node node-1$/)
  })

  test('a pod that wants to be near another waits for it', async () => {
    await using c = await startTestCluster({ only, nodes: 2 })
    const labelSelector = { matchLabels: { app: 'db' } }
    await createPod(c, 'web', {
      affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector }] } },
    })
    await waits(c, 'web')
    await createPod(c, 'db', { labels: { app: 'db' } })
    const [web, db] = await Promise.all([running(c, 'web'), running(c, 'db')])
    assert.equal(web.spec.nodeName, db.spec.nodeName)
  })

  test('a pod waits for its gates, for its node to be free, and for taints to go', async () => {
    await using c = await startTestCluster({ only, nodes: 1 })
    const pods = c.client.resource(resources.pods)
    await createPod(c, 'gated', { schedulingGates: [{ name: 'mine' }] })
    const gated = await waits(c, 'gated')
    assert.equal(findCondition(gated.status?.conditions, 'PodScheduled')?.reason, 'SchedulingGated')
    await pods.patch('gated', namespace, 'json', [{ op: 'remove', path: '/spec/schedulingGates' }])
    await running(c, 'gated')

    await createPod(c, 'first', { cpu: '16' })
    await running(c, 'first')
    await createPod(c, 'second', { cpu: '16' })
    await waits(c, 'second')
    await pods.delete('first', namespace)
    await running(c, 'second')

    const nodes = c.client.resource(resources.nodes)
    await nodes.patch('node-1', undefined, 'merge', { spec: { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } })
    await createPod(c, 'third')
    const refused = await waits(c, 'third')
    assert.match(findCondition(refused.status?.conditions, 'PodScheduled')!.message!, /untolerated taint/)
    await nodes.patch('node-1', undefined, 'merge', { spec: { taints: null } })
    await running(c, 'third')
  })

  test('pods of other schedulers are left to them', async () => {
    await using c = await startTestCluster({ only, nodes: 1 })
    await createPod(c, 'theirs', { schedulerName: 'other' })
    await createPod(c, 'ours')
    await running(c, 'ours')
    assert.equal((await c.client.resource(resources.pods).get('theirs', namespace)).spec.nodeName, undefined)
  })

  test('a pod waits for its claim, and the claim for the pod’s node', async () => {
    await using c = await startTestCluster({ only, nodes: 2 })
    await c.client.resource(resources.storageClasses).create({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'late' },
      provisioner: 'x',
      volumeBindingMode: 'WaitForFirstConsumer',
    } as never)
    await createPod(c, 'db', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] })
    assert.match(
      findCondition((await waits(c, 'db')).status?.conditions, 'PodScheduled')!.message!,
      /^0\/2 nodes are available: persistentvolumeclaim "data" not found\./,
    )
    await c.create(resources.persistentVolumeClaims, {
      metadata: { name: 'data' },
      spec: { storageClassName: 'late', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    } as never)
    const claim = await c.until(resources.persistentVolumeClaims, 'data', (k) =>
      Boolean(k.metadata.annotations?.['volume.kubernetes.io/selected-node']),
    )
    assert.equal((await c.client.resource(resources.pods).get('db', namespace)).spec.nodeName, undefined)
    // what a provisioner and the volume controller do
    await c.client.resource(resources.persistentVolumes).create({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'pv' },
      spec: { storageClassName: 'late', accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/tmp/x' } },
    } as never)
    await c.client
      .resource(resources.persistentVolumeClaims)
      .patch('data', namespace, 'merge', { metadata: { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } }, spec: { volumeName: 'pv' } })
    const pod = await running(c, 'db')
    assert.equal(pod.spec.nodeName, claim.metadata.annotations?.['volume.kubernetes.io/selected-node'])
  })
})
