import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { apps, core } from '#api'
import type { Pod } from '../workload/pods.ts'
import type { TestPod } from '../workload/test-pod.ts'
import { noon, testPod } from '../workload/test-pod.ts'
import type { DaemonSet, Node } from './plan.ts'
import { daemonSetStatus, placement, planDaemonSet, targetOf } from './plan.ts'
import { daemonPod, tolerationsOf } from './pod.ts'

function daemonSet(spec: Partial<apps.DaemonSetSpec> = {}, podSpec: Partial<core.PodSpec> = {}): DaemonSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent', namespace: 'test', uid: 'ds', generation: 3 },
    spec: {
      selector: {},
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      ...spec,
      template: { spec: { containers: [], ...podSpec } },
    },
  }
}

const node = (name: string, options: { labels?: Record<string, string>; taints?: core.Taint[] } = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, ...(options.labels ? { labels: options.labels } : {}) },
  spec: options.taints ? { taints: options.taints } : {},
})

const pod = (name: string, on: string, hash: 'new' | 'old' = 'new', options: TestPod = {}): Pod =>
  testPod(name, { node: on, labels: { 'controller-revision-hash': hash }, ...options })

const three = [node('a'), node('b'), node('c')]

describe('where a daemon belongs', () => {
  const taint = (key: string, effect: core.TaintEffect) => ({ taints: [{ key, effect }] })
  const rows: { name: string; set?: DaemonSet; node: Node; expect: { run: boolean; stay: boolean } }[] = [
    { name: 'on a node without any conditions', node: node('a'), expect: { run: true, stay: true } },
    {
      name: 'on the node that the template names alone',
      set: daemonSet({}, { nodeName: 'b' }),
      node: node('a'),
      expect: { run: false, stay: false },
    },
    {
      name: 'on nodes with the labels of the selector',
      set: daemonSet({}, { nodeSelector: { x: 'y' } }),
      node: node('a'),
      expect: { run: false, stay: false },
    },
    {
      name: 'on nodes that the affinity asks for',
      set: daemonSet(
        {},
        {
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'x', operator: 'Exists' }] }] },
            },
          },
        },
      ),
      node: node('a', { labels: { x: '1' } }),
      expect: { run: true, stay: true },
    },
    {
      name: 'not on a node with a taint, where one that runs may stay',
      node: node('a', taint('x', 'NoSchedule')),
      expect: { run: false, stay: true },
    },
    { name: 'not to stay where the taint evicts', node: node('a', taint('x', 'NoExecute')), expect: { run: false, stay: false } },
    { name: 'on a node that one should rather avoid', node: node('a', taint('x', 'PreferNoSchedule')), expect: { run: true, stay: true } },
    { name: 'on a node that is not ready', node: node('a', taint('node.kubernetes.io/not-ready', 'NoExecute')), expect: { run: true, stay: true } },
    { name: 'on a cordoned node', node: node('a', taint('node.kubernetes.io/unschedulable', 'NoSchedule')), expect: { run: true, stay: true } },
    {
      name: 'without a network only when it uses the host’s',
      set: daemonSet({}, { hostNetwork: true }),
      node: node('a', taint('node.kubernetes.io/network-unavailable', 'NoSchedule')),
      expect: { run: true, stay: true },
    },
  ]
  for (const row of rows) test(row.name, () => assert.deepEqual(placement(row.set ?? daemonSet(), row.node), row.expect))

  test('its pod is bound to the node by affinity and carries the template’s own wishes', () => {
    const set = daemonSet({}, { tolerations: [{ key: 'mine', operator: 'Exists' }] })
    const made = daemonPod(set, 'b', 'h')
    assert.equal(targetOf(made as Pod), 'b')
    assert.equal(made.metadata.labels?.['controller-revision-hash'], 'h')
    assert.equal(made.metadata.generateName, 'agent-')
    assert.deepEqual(made.spec.tolerations?.[0], { key: 'mine', operator: 'Exists' })
    assert.equal(tolerationsOf(set.spec.template).length, 7)
  })
})

describe('the plan of a daemon set', () => {
  const surge = daemonSet({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } })
  const rows: { name: string; set?: DaemonSet; nodes?: Node[]; pods: Pod[]; create?: string[]; delete?: string[] }[] = [
    { name: 'a pod for every node', pods: [], create: ['a', 'b', 'c'] },
    { name: 'a pod for the node that has none', pods: [pod('pa', 'a'), pod('pb', 'b')], create: ['c'] },
    { name: 'a pod that is going is waited for', nodes: [node('a')], pods: [pod('pa', 'a', 'new', { leaving: true })] },
    {
      name: 'a pod that has ended and is going is not',
      nodes: [node('a')],
      pods: [pod('pa', 'a', 'new', { leaving: true, phase: 'Failed' })],
      create: ['a'],
    },
    {
      name: 'of two pods on one node the older stays',
      nodes: [node('a')],
      pods: [pod('young', 'a', 'new', { created: 9 }), pod('old', 'a')],
      delete: ['young'],
    },
    { name: 'a failed pod makes room', nodes: [node('a')], pods: [pod('pa', 'a', 'new', { phase: 'Failed' })], delete: ['pa'] },
    {
      name: 'a pod where none belongs goes',
      nodes: [node('a', { taints: [{ key: 'x', effect: 'NoExecute' }] })],
      pods: [pod('pa', 'a')],
      delete: ['pa'],
    },
    {
      name: 'a pod that was there before the taint stays',
      nodes: [node('a', { taints: [{ key: 'x', effect: 'NoSchedule' }] })],
      pods: [pod('pa', 'a')],
    },
    { name: 'a pod that waits for a node that is gone goes', nodes: [node('a')], pods: [pod('pa', 'a'), bound('pz', 'z')], delete: ['pz'] },
    { name: 'an update takes one pod at a time', pods: [pod('pa', 'a', 'old'), pod('pb', 'b', 'old'), pod('pc', 'c', 'old')], delete: ['pa'] },
    {
      name: 'an update waits for the new pod to serve',
      pods: [pod('pa', 'a', 'new', { ready: false }), pod('pb', 'b', 'old'), pod('pc', 'c', 'old')],
    },
    {
      name: 'old pods that do not serve are replaced at once',
      pods: [pod('pa', 'a', 'new', { ready: false }), pod('pb', 'b', 'old', { ready: false }), pod('pc', 'c', 'old', { ready: false })],
      delete: ['pb', 'pc'],
    },
    {
      name: 'a share of the nodes is rounded up',
      set: daemonSet({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '34%' } } }),
      pods: [pod('pa', 'a', 'old'), pod('pb', 'b', 'old'), pod('pc', 'c', 'old')],
      delete: ['pa', 'pb'],
    },
    {
      name: 'on delete nothing is replaced',
      set: daemonSet({ updateStrategy: { type: 'OnDelete' } }),
      pods: [pod('pa', 'a', 'old'), pod('pb', 'b', 'old'), pod('pc', 'c', 'old')],
    },
    {
      name: 'a surge makes the new pod first',
      set: surge,
      pods: [pod('pa', 'a', 'old'), pod('pb', 'b', 'old'), pod('pc', 'c', 'old')],
      create: ['a'],
    },
    {
      name: 'a surge waits for the new pod',
      set: surge,
      pods: [pod('na', 'a', 'new', { ready: false }), pod('pa', 'a', 'old'), pod('pb', 'b', 'old'), pod('pc', 'c', 'old')],
    },
    {
      name: 'a surge lets the old pod go once the new one serves',
      set: surge,
      pods: [pod('na', 'a'), pod('pa', 'a', 'old'), pod('pb', 'b', 'old'), pod('pc', 'c', 'old')],
      delete: ['pa'],
    },
    {
      name: 'with a surge an old pod that does not serve goes as soon as there is a new one',
      set: surge,
      nodes: [node('a')],
      pods: [pod('na', 'a', 'new', { ready: false, created: 9 }), pod('pa', 'a', 'old', { ready: false })],
      delete: ['pa'],
    },
  ]
  for (const row of rows)
    test(row.name, () => {
      const plan = planDaemonSet({ set: row.set ?? daemonSet(), nodes: row.nodes ?? three, pods: row.pods, hash: 'new', now: noon })
      assert.deepEqual([plan.create, plan.delete.map((p) => p.metadata.name)], [row.create ?? [], row.delete ?? []])
    })

  function bound(name: string, target: string): Pod {
    const affinity = (daemonPod(daemonSet(), target, 'new') as Pod).spec.affinity as core.Affinity
    return testPod(name, { node: '', phase: 'Pending', spec: { affinity } })
  }
})

describe('the status of a daemon set', () => {
  test('counts nodes, by the oldest pod on each', () => {
    const nodes = [...three, node('x', { taints: [{ key: 'x', effect: 'NoSchedule' }] })]
    const pods = [pod('pa', 'a'), pod('pb', 'b', 'old', { ready: false }), pod('px', 'x')]
    assert.deepEqual(daemonSetStatus({ set: daemonSet(), nodes, pods, hash: 'new', now: noon }, true), {
      status: {
        currentNumberScheduled: 2,
        numberMisscheduled: 1,
        desiredNumberScheduled: 3,
        numberReady: 1,
        observedGeneration: 3,
        updatedNumberScheduled: 1,
        numberAvailable: 1,
        numberUnavailable: 2,
      },
    })
  })

  test('is looked at again while a ready pod is not available yet', () => {
    const set = daemonSet({ minReadySeconds: 30 })
    const { status, recheckAfter } = daemonSetStatus(
      { set, nodes: [node('a')], pods: [pod('pa', 'a', 'new', { ready: -10 })], hash: 'new', now: noon },
      true,
    )
    assert.deepEqual([status.numberReady, status.numberAvailable, recheckAfter], [1, undefined, 30_000])
  })
})
