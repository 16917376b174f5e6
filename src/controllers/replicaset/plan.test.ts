import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { TestPod } from '../workload/test-pod.ts'
import { noon, testPod } from '../workload/test-pod.ts'
import { planReplicas, replicaStatus } from './plan.ts'

describe('the plan of a replica set', () => {
  test('what is missing is made, at most 500 at a time', () => {
    assert.deepEqual(planReplicas(3, [testPod('a')]), { create: 2, delete: [] })
    assert.deepEqual(planReplicas(2000, []), { create: 500, delete: [] })
  })

  test('pods that have finished or are on their way out are replaced', () => {
    const pods = [testPod('a', { phase: 'Failed' }), testPod('b', { phase: 'Succeeded' }), testPod('c', { leaving: true }), testPod('d')]
    assert.deepEqual(planReplicas(2, pods), { create: 1, delete: [] })
  })

  const pairs: { name: string; first: TestPod; next: TestPod }[] = [
    { name: 'a pod without a node before one that has one', first: { node: '', phase: 'Pending' }, next: { phase: 'Pending' } },
    { name: 'a pending pod before one whose state is unknown', first: { phase: 'Pending' }, next: { phase: 'Unknown' } },
    { name: 'a pending pod before one that runs', first: { phase: 'Pending' }, next: { ready: false } },
    { name: 'a pod that is not ready before one that is', first: { ready: false }, next: {} },
    {
      name: 'the cheaper pod by its deletion cost',
      first: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '-5' } },
      next: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '3' } },
    },
    { name: 'the pod that became ready later', first: { ready: 50 }, next: { ready: 10 } },
    { name: 'the pod that restarted more often', first: { restarts: 3 }, next: { restarts: 1 } },
    { name: 'the younger pod', first: { created: 10 }, next: { created: 5 } },
  ]
  for (const { name, first, next } of pairs)
    test(`of two pods goes ${name}`, () => {
      const [a, b] = [testPod('a', first), testPod('b', next)]
      for (const pods of [
        [a, b],
        [b, a],
      ])
        assert.deepEqual(
          planReplicas(1, pods).delete.map((p) => p.metadata.name),
          ['a'],
        )
    })

  test('pods go from the node that has more of the deployment', () => {
    const pods = [testPod('a', { node: 'n1' }), testPod('b', { node: 'n2' })]
    const siblings = [...pods, testPod('c', { node: 'n2' })]
    assert.deepEqual(
      planReplicas(1, pods, () => siblings).delete.map((p) => p.metadata.name),
      ['b'],
    )
  })
})

describe('the status of a replica set', () => {
  const input = {
    generation: 4,
    minReadySeconds: 0,
    templateLabels: { app: 'web' },
    previous: undefined,
    countsTerminating: true,
    now: noon,
  }

  test('counts active, labelled, ready, available and leaving pods', () => {
    const labels = { app: 'web' }
    const pods = [
      testPod('a', { labels }),
      testPod('b', { labels, ready: false }),
      testPod('c', { labels: { app: 'other' } }),
      testPod('d', { labels, leaving: true }),
      testPod('e', { labels, phase: 'Failed' }),
    ]
    assert.deepEqual(replicaStatus({ ...input, pods }), {
      status: { replicas: 3, fullyLabeledReplicas: 2, readyReplicas: 2, availableReplicas: 2, terminatingReplicas: 1, observedGeneration: 4 },
    })
  })

  test('a pod is available when it has been ready for long enough, and is looked at again then', () => {
    const pods = [testPod('a', { ready: -60 }), testPod('b', { ready: -10 }), testPod('c', { ready: -20 })]
    const { status, recheckAfter } = replicaStatus({ ...input, minReadySeconds: 30, pods })
    assert.equal(status.readyReplicas, 3)
    assert.equal(status.availableReplicas, 1)
    assert.equal(recheckAfter, 10_000)
  })

  test('a failure is a condition until pods can be made again', () => {
    const failure = { reason: 'FailedCreate' as const, message: 'exceeded quota' }
    const { status } = replicaStatus({ ...input, pods: [], failure })
    assert.deepEqual(status.conditions, [{ lastTransitionTime: '2026-01-01T12:00:00Z', type: 'ReplicaFailure', status: 'True', ...failure }])
    assert.equal(replicaStatus({ ...input, pods: [], previous: status }).status.conditions, undefined)
  })
})
