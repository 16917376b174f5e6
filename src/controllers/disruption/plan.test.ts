import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DeepReadonly, policy } from '#api'
import type { Pod } from '../workload/pods.ts'
import { at, noon, testPod } from '../workload/test-pod.ts'
import type { Budget, Scale } from './plan.ts'
import { failedStatus, needsScale, planBudget, scaleOf, staleDisruption } from './plan.ts'

const budget = (spec: DeepReadonly<policy.PodDisruptionBudgetSpec>, status?: DeepReadonly<policy.PodDisruptionBudgetStatus>): Budget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'web', namespace: 'test', generation: 2 },
  spec,
  ...(status ? { status } : {}),
})
const pods = (ready: number, not = 0): Pod[] => [
  ...Array.from({ length: ready }, (_, i) => testPod(`ready-${i}`)),
  ...Array.from({ length: not }, (_, i) => testPod(`not-${i}`, { ready: false })),
]
const scale = (expected: number): Scale => ({ expected, unmanaged: [] })

describe('a disruption budget', () => {
  const rows: {
    name: string
    spec: DeepReadonly<policy.PodDisruptionBudgetSpec>
    pods: Pod[]
    scale?: Scale
    expect: [number, number, number, number]
  }[] = [
    { name: 'with a minimum counts the pods there are', spec: { minAvailable: 2 }, pods: pods(3), expect: [1, 3, 2, 3] },
    { name: 'allows nothing below its minimum', spec: { minAvailable: 3 }, pods: pods(2, 1), expect: [0, 2, 3, 3] },
    { name: 'rounds a share of the wanted pods up', spec: { minAvailable: '50%' }, pods: pods(5), scale: scale(5), expect: [2, 5, 3, 5] },
    { name: 'allows a number to be missing', spec: { maxUnavailable: 1 }, pods: pods(4, 1), scale: scale(5), expect: [0, 4, 4, 5] },
    { name: 'rounds a share that may be missing up', spec: { maxUnavailable: '25%' }, pods: pods(5), scale: scale(5), expect: [2, 5, 3, 5] },
    { name: 'counts pods that are not there as missing', spec: { maxUnavailable: 2 }, pods: pods(3), scale: scale(5), expect: [0, 3, 3, 5] },
    { name: 'allows nothing where there is nothing', spec: { maxUnavailable: 1 }, pods: [], scale: scale(0), expect: [0, 0, 0, 0] },
    { name: 'may allow all', spec: { maxUnavailable: '100%' }, pods: pods(2), scale: scale(2), expect: [2, 2, 0, 2] },
    {
      name: 'does not count pods that are going',
      spec: { minAvailable: 1 },
      pods: [...pods(1), testPod('x', { leaving: true })],
      expect: [0, 1, 1, 2],
    },
  ]
  for (const row of rows)
    test(row.name, () => {
      const { status } = planBudget({ budget: budget(row.spec), pods: row.pods, now: noon, ...(row.scale ? { scale: row.scale } : {}) })
      assert.deepEqual([status.disruptionsAllowed, status.currentHealthy, status.desiredHealthy, status.expectedPods], row.expect)
      const [condition] = status.conditions!
      assert.deepEqual([condition!.status, condition!.reason], row.expect[0] > 0 ? ['True', 'SufficientPods'] : ['False', 'InsufficientPods'])
    })

  test('does not count a pod whose eviction was granted, for two minutes', () => {
    const before = { disruptedPods: { 'ready-0': at(-30), 'ready-1': at(-130), gone: at(0) } }
    const plan = planBudget({ budget: budget({ minAvailable: 1 }, before), pods: pods(3), now: noon })
    assert.deepEqual(plan.status.disruptedPods, { 'ready-0': at(-30) })
    assert.equal(plan.status.currentHealthy, 2)
    assert.deepEqual(
      plan.notDeleted.map((p) => p.metadata.name),
      ['ready-1'],
    )
    assert.equal(plan.recheckAfter, 90_001)
  })

  test('needs to know the scale only where it counts by it', () => {
    assert.equal(needsScale(budget({ minAvailable: 2 })), false)
    assert.equal(needsScale(budget({ minAvailable: '20%' })), true)
    assert.equal(needsScale(budget({ maxUnavailable: 0 })), true)
  })

  test('allows nothing when the scale cannot be told', () => {
    const before = { disruptionsAllowed: 3, currentHealthy: 4, desiredHealthy: 1, expectedPods: 4 }
    const status = failedStatus(budget({ maxUnavailable: 3 }, before), 'why', noon)
    assert.deepEqual(
      [status.disruptionsAllowed, status.currentHealthy, status.conditions![0]!.reason, status.conditions![0]!.message],
      [0, 4, 'SyncFailed', 'why'],
    )
  })
})

describe('the scale of pods', () => {
  const owned = (name: string, uid: string) => testPod(name, { owner: { kind: 'ReplicaSet', name: uid, uid } })

  test('is the sum of their controllers, each counted once', async () => {
    const sizes: Record<string, { uid: string; size: number }> = { a: { uid: 'd', size: 5 }, b: { uid: 'd', size: 5 }, c: { uid: 'c', size: 2 } }
    const found = await scaleOf([owned('1', 'a'), owned('2', 'a'), owned('3', 'b'), owned('4', 'c'), testPod('5')], (owner) =>
      Promise.resolve(sizes[owner.uid]),
    )
    assert.equal(found.expected, 7)
    assert.deepEqual(
      found.unmanaged.map((p) => p.metadata.name),
      ['5'],
    )
  })

  test('cannot be told for a controller without a size', async () => {
    await assert.rejects(
      scaleOf([owned('1', 'a')], () => Promise.resolve(undefined)),
      { message: 'found no controllers for pod "1"' },
    )
  })
})

test('a pod that was to be disrupted and is still there after two minutes is not', () => {
  const marked = (seconds: number, options = {}) =>
    testPod('a', { conditions: [{ type: 'DisruptionTarget', status: 'True', lastTransitionTime: at(seconds) }], ...options })
  assert.deepEqual(staleDisruption(marked(-30), noon), { after: 90_000 })
  assert.deepEqual(staleDisruption(marked(-120), noon), { condition: { type: 'DisruptionTarget', status: 'False', lastTransitionTime: at(0) } })
  assert.equal(staleDisruption(marked(-300, { leaving: true }), noon), undefined)
  assert.equal(staleDisruption(testPod('a'), noon), undefined)
})
