import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core } from '#api'
import { evictAfter } from './eviction-plan.ts'
import { planTaints, silentConditions, unreadyPod } from './plan.ts'

const node = (ready: 'True' | 'False' | 'Unknown' | undefined, spec: Partial<core.NodeSpec> = {}, more: core.NodeCondition[] = []): core.Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n', creationTimestamp: 'T0' },
  spec,
  status: { conditions: [...(ready ? [{ type: 'Ready', status: ready, reason: 'R' } as core.NodeCondition] : []), ...more] },
})
const taint = (key: string, effect: core.Taint['effect'], timeAdded?: string): core.Taint => ({
  key: `node.kubernetes.io/${key}`,
  effect,
  ...(timeAdded ? { timeAdded } : {}),
})
const unreachable = [taint('unreachable', 'NoSchedule'), taint('unreachable', 'NoExecute', 'T1')]

const taints: { name: string; node: core.Node; evict?: boolean; expect: core.Taint[] | undefined }[] = [
  { name: 'a ready node has no taints', node: node('True'), expect: undefined },
  { name: 'a silent node keeps pods away and drives them off', node: node('Unknown'), expect: unreachable },
  {
    name: 'an unwell node is tainted as not ready',
    node: node('False'),
    expect: [taint('not-ready', 'NoSchedule'), taint('not-ready', 'NoExecute', 'T1')],
  },
  { name: 'when all nodes are down nothing is driven off', node: node('Unknown'), evict: false, expect: [taint('unreachable', 'NoSchedule')] },
  { name: 'a taint that is there keeps its time', node: node('Unknown', { taints: [...unreachable].reverse() }), expect: undefined },
  {
    name: 'a node that comes back loses our taints and keeps others',
    node: node('True', { taints: [...unreachable, { key: 'dedicated', effect: 'NoSchedule' }] }),
    expect: [{ key: 'dedicated', effect: 'NoSchedule' }],
  },
  { name: 'a cordoned node is tainted', node: node('True', { unschedulable: true }), expect: [taint('unschedulable', 'NoSchedule')] },
  {
    name: 'pressure keeps pods away',
    node: node('True', {}, [{ type: 'MemoryPressure', status: 'True' }]),
    expect: [taint('memory-pressure', 'NoSchedule')],
  },
]
for (const { name, node, evict = true, expect } of taints) test(name, () => assert.deepEqual(planTaints(node, { evict, now: 'T1' }), expect))

test('a kubelet that stopped reporting leaves everything unknown, once', () => {
  const conditions = silentConditions(node('True', {}, [{ type: 'NetworkUnavailable', status: 'False' }]), 'T1')!
  const ready = conditions.find((c) => c.type === 'Ready')
  assert.deepEqual(ready, {
    type: 'Ready',
    status: 'Unknown',
    reason: 'NodeStatusUnknown',
    message: 'Kubelet stopped posting node status.',
    lastTransitionTime: 'T1',
  })
  assert.equal(conditions.find((c) => c.type === 'NetworkUnavailable')?.status, 'False')
  assert.equal(conditions.find((c) => c.type === 'PIDPressure')?.reason, 'NodeStatusNeverUpdated')
  assert.equal(silentConditions({ ...node('True'), status: { conditions } }, 'T2'), undefined)
})

test('a pod loses its readiness once', () => {
  const pod: core.Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [] },
    status: { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: 'T0' }] },
  }
  const unready = unreadyPod(pod, 'T1')!
  assert.deepEqual(unready.status?.conditions, [{ type: 'Ready', status: 'False', lastTransitionTime: 'T1' }])
  assert.equal(unreadyPod(unready, 'T2'), undefined)
})

const evictions: { name: string; tolerations: core.Toleration[]; expect: number | undefined }[] = [
  { name: 'a pod that tolerates nothing goes at once', tolerations: [], expect: 0 },
  { name: 'a pod that tolerates everything stays', tolerations: [{ operator: 'Exists' }], expect: undefined },
  {
    name: 'the shortest of the tolerated times counts',
    tolerations: [
      { key: 'a', operator: 'Exists', tolerationSeconds: 30 },
      { operator: 'Exists', tolerationSeconds: 10 },
    ],
    expect: 10_000,
  },
  { name: 'one taint that is not tolerated is enough', tolerations: [{ key: 'a', operator: 'Exists', tolerationSeconds: 30 }], expect: 0 },
  {
    name: 'a value that differs is not tolerated',
    tolerations: [
      { key: 'a', value: 'other' },
      { key: 'b', operator: 'Exists' },
    ],
    expect: 0,
  },
  { name: 'a negative time is no time', tolerations: [{ operator: 'Exists', tolerationSeconds: -5 }], expect: 0 },
]
for (const { name, tolerations, expect } of evictions) {
  test(name, () => {
    const on: core.Taint[] = [
      { key: 'a', value: 'x', effect: 'NoExecute' },
      { key: 'b', effect: 'NoExecute' },
    ]
    assert.equal(evictAfter(on, tolerations), expect)
  })
}
