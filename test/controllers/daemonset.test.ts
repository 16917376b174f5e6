import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DeepReadonly, apps } from '#api'
import { resources } from '#api'
import type { Pod, TestCluster } from './cluster.ts'
import { addNode, namespace, startTestCluster } from './cluster.ts'

const only = ['daemonset']
const labels = { app: 'agent' }

const createSet = (c: TestCluster, image: string, spec: Partial<apps.DaemonSetSpec> = {}, podSpec: object = {}) =>
  c.create(resources.daemonSets, {
    metadata: { name: 'agent' },
    spec: {
      selector: { matchLabels: labels },
      ...spec,
      template: { metadata: { labels }, spec: { containers: [{ name: 'app', image }], ...podSpec } },
    } as never,
  })

const isRolledOut = (n: number) => (d: DeepReadonly<apps.DaemonSet>) =>
  d.status?.observedGeneration === d.metadata.generation && d.status?.updatedNumberScheduled === n && d.status?.numberAvailable === n
const rolledOut = (c: TestCluster, n: number) => c.until(resources.daemonSets, 'agent', isRolledOut(n))
const setImage = (c: TestCluster, image: string) =>
  c.client
    .resource(resources.daemonSets)
    .patch('agent', namespace, 'strategic', { spec: { template: { spec: { containers: [{ name: 'app', image }] } } } })
const images = (pods: readonly Pod[]) => pods.map((p) => p.spec.containers[0]!.image)
const nodesOf = (pods: readonly Pod[]) => pods.map((p) => p.spec.nodeName).sort()

describe('a daemon set on a cluster', () => {
  test('has a pod on every node, and on one that comes later', async () => {
    await using c = await startTestCluster({ only, nodes: 3 })
    await createSet(c, 'v1')
    await rolledOut(c, 3)
    assert.deepEqual(nodesOf(await c.list(resources.pods)), ['node-1', 'node-2', 'node-3'])
    await addNode(c.client, 'node-4')
    await rolledOut(c, 4)
    const [pod] = await c.list(resources.pods)
    assert.ok(pod!.metadata.labels?.['controller-revision-hash'])
    assert.equal(pod!.metadata.labels?.['pod-template-generation'], '1')
    await c.client.resource(resources.pods).delete(pod!.metadata.name, namespace)
    await c.untilAll(
      resources.pods,
      (pods) => pods.length === 4 && pods.every((p) => p.metadata.uid !== pod!.metadata.uid && p.status?.phase === 'Running'),
    )
  })

  test('follows labels and taints of nodes', async () => {
    await using c = await startTestCluster({ only, nodes: 2 })
    await createSet(c, 'v1', {}, { nodeSelector: { color: 'blue' } })
    await c.until(resources.daemonSets, 'agent', (d) => d.status?.observedGeneration === 1 && d.status.desiredNumberScheduled === 0)
    const nodes = c.client.resource(resources.nodes)
    await nodes.patch('node-2', undefined, 'merge', { metadata: { labels: { color: 'blue' } } })
    await rolledOut(c, 1)
    assert.deepEqual(nodesOf(await c.list(resources.pods)), ['node-2'])
    // it tolerates what befalls every node, and not what a user says
    await nodes.patch('node-2', undefined, 'merge', { spec: { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' }] } })
    await nodes.patch('node-1', undefined, 'merge', {
      metadata: { labels: { color: 'blue' } },
      spec: { taints: [{ key: 'mine', effect: 'NoSchedule' }] },
    })
    await c.until(resources.daemonSets, 'agent', (d) => d.status?.desiredNumberScheduled === 1)
    await nodes.patch('node-1', undefined, 'merge', { spec: { taints: null } })
    await rolledOut(c, 2)
    await nodes.patch('node-2', undefined, 'merge', { metadata: { labels: { color: null } } })
    await c.untilAll(resources.pods, (pods) => nodesOf(pods).join() === 'node-1')
  })

  test('is updated node by node and rolled back as kubectl does it', async () => {
    await using c = await startTestCluster({ only, nodes: 3 })
    await createSet(c, 'v1')
    await rolledOut(c, 3)
    let fewest = 3
    const watching = c.untilAll(resources.pods, (pods) => {
      fewest = Math.min(
        fewest,
        pods.filter((p) => p.status?.conditions?.some((k) => k.type === 'Ready' && k.status === 'True') && !p.metadata.deletionTimestamp).length,
      )
      return pods.length === 3 && images(pods).every((i) => i === 'v2') && pods.every((p) => p.status?.phase === 'Running')
    })
    await setImage(c, 'v2')
    await watching
    await rolledOut(c, 3)
    assert.equal(fewest, 2, 'one node at a time')
    const history = await c.untilAll(resources.controllerRevisions, (all) => all.length === 2)
    const first = history.find((r) => r.revision === 1)!
    const before = (await c.list(resources.pods)).map((p) => p.metadata.uid)
    await c.client.resource(resources.daemonSets).patch('agent', namespace, 'strategic', first.data)
    const back = await c.until(resources.daemonSets, 'agent', isRolledOut(3))
    assert.equal(back.spec.template.spec?.containers[0]?.image, 'v1')
    await c.untilAll(
      resources.pods,
      (pods) => pods.length === 3 && images(pods).every((i) => i === 'v1') && pods.every((p) => !before.includes(p.metadata.uid)),
    )
    const renumbered = await c.untilAll(resources.controllerRevisions, (all) =>
      all.some((r) => r.metadata.uid === first.metadata.uid && r.revision === 3),
    )
    assert.equal(renumbered.length, 2)
  })

  test('a roll-back in the middle leaves alone what was not updated yet', async () => {
    await using c = await startTestCluster({ only, nodes: 3 })
    await createSet(c, 'v1')
    await rolledOut(c, 3)
    const before = await c.list(resources.pods)
    await setImage(c, 'pending')
    await c.untilAll(resources.pods, (pods) => pods.length === 3 && images(pods).includes('pending'))
    await setImage(c, 'v1')
    await rolledOut(c, 3)
    const after = await c.list(resources.pods)
    assert.equal(after.filter((p) => before.some((b) => b.metadata.uid === p.metadata.uid)).length, 2)
  })

  test('with a surge the new pod serves before the old one goes', async () => {
    await using c = await startTestCluster({ only, nodes: 2 })
    await createSet(c, 'v1', { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } })
    await rolledOut(c, 2)
    const serving = (pods: readonly Pod[]) =>
      new Set(pods.filter((p) => !p.metadata.deletionTimestamp && p.status?.phase === 'Running').map((p) => p.spec.nodeName)).size
    let fewest = 2
    const watching = c.untilAll(resources.pods, (pods) => {
      fewest = Math.min(fewest, serving(pods))
      return pods.length === 2 && images(pods).every((i) => i === 'v2')
    })
    await setImage(c, 'v2')
    await watching
    assert.equal(fewest, 2)
  })

  test('on delete, pods are updated when somebody deletes them', async () => {
    await using c = await startTestCluster({ only, nodes: 1 })
    await createSet(c, 'v1', { updateStrategy: { type: 'OnDelete' } })
    await rolledOut(c, 1)
    await setImage(c, 'v2')
    await c.until(resources.daemonSets, 'agent', (d) => d.status?.observedGeneration === 2 && !d.status.updatedNumberScheduled)
    const [pod] = await c.list(resources.pods)
    assert.deepEqual(images([pod!]), ['v1'])
    await c.client.resource(resources.pods).delete(pod!.metadata.name, namespace)
    await c.untilAll(resources.pods, (pods) => images(pods).join() === 'v2')
  })

  test('a pod that failed is replaced', async () => {
    await using c = await startTestCluster({ only, nodes: 1 })
    await createSet(c, 'v1')
    await rolledOut(c, 1)
    const [pod] = await c.list(resources.pods)
    await c.client.resource(resources.pods).patch(pod!.metadata.name, namespace, 'merge', { status: { phase: 'Failed' } }, { subresource: 'status' })
    await c.untilAll(resources.pods, (pods) => pods.length === 1 && pods[0]!.metadata.uid !== pod!.metadata.uid)
    assert.match(await c.event('agent', 'FailedDaemonPod'), /^Found failed daemon pod test\/agent-.* on node node-1, will try to kill it$/)
  })
})
