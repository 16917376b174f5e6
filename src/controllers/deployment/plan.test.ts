import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DeepReadonly, apps } from '#api'
import { at } from '../workload/test-pod.ts'
import { templateHash } from '../workload/hash.ts'
import { growNew, isScaling, planCleanup, planRecreate, planRollingUpdate, planScale, rollingLimits } from './plan.ts'
import type { Scaling } from './plan.ts'
import type { Deployment, ReplicaSet } from './revision.ts'
import { annotation, copiedAnnotations, newestSet, nextRevision, revisionAnnotations } from './revision.ts'

function deployment(
  replicas: number,
  strategy: Partial<apps.RollingUpdateDeployment> | 'Recreate' = {},
  spec: Partial<apps.DeploymentSpec> = {},
): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas,
      selector: {},
      template: { spec: { containers: [{ name: 'app', image: 'v2' }] } },
      strategy:
        strategy === 'Recreate' ? { type: 'Recreate' } : { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1, ...strategy } },
      ...spec,
    },
  }
}

interface Size {
  available?: number
  created?: number
  annotations?: Record<string, string>
  image?: string
  status?: DeepReadonly<apps.ReplicaSetStatus>
}

const set = (name: string, replicas: number, options: Size = {}): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: {
    name,
    uid: name,
    creationTimestamp: at(options.created ?? 0),
    generation: 1,
    ...(options.annotations ? { annotations: options.annotations } : {}),
  },
  spec: { replicas, selector: {}, template: { spec: { containers: [{ name: 'app', image: options.image ?? 'v1' }] } } },
  status: options.status ?? { replicas, availableReplicas: options.available ?? replicas },
})

const sizes = (scaling: Scaling) => Object.fromEntries(scaling.map((s) => [s.set.metadata.name, s.replicas]))

describe('rolling limits', () => {
  for (const [name, d, expected] of [
    ['percentages of the size: surge rounds up, unavailable down', deployment(10, { maxSurge: '25%', maxUnavailable: '25%' }), [3, 2]],
    ['numbers as they are', deployment(10, { maxSurge: 4, maxUnavailable: 3 }), [4, 3]],
    ['one may be missing when both come to nothing', deployment(2, { maxSurge: 0, maxUnavailable: '10%' }), [0, 1]],
    ['no more may be missing than there are', deployment(2, { maxSurge: 1, maxUnavailable: 5 }), [1, 2]],
    ['nothing for no pods', deployment(0), [0, 0]],
    ['nothing when pods are recreated', deployment(5, 'Recreate'), [0, 0]],
  ] as const)
    test(name, () => assert.deepEqual(Object.values(rollingLimits(d)), expected))
})

describe('a rolling update', () => {
  const rows: { name: string; deployment: Deployment; newSet: ReplicaSet; old: ReplicaSet[]; expect: Record<string, number> }[] = [
    {
      name: 'begins by growing the new set by the surge',
      deployment: deployment(10),
      newSet: set('new', 0),
      old: [set('old', 10)],
      expect: { new: 1 },
    },
    {
      name: 'then shrinks the old one as far as availability allows',
      deployment: deployment(10),
      newSet: set('new', 1, { available: 0 }),
      old: [set('old', 10)],
      expect: { old: 9 },
    },
    { name: 'waits for the new pods', deployment: deployment(10), newSet: set('new', 2, { available: 0 }), old: [set('old', 9)], expect: {} },
    {
      name: 'takes pods that do not serve first, from all old sets',
      deployment: deployment(10),
      newSet: set('new', 2, { available: 2 }),
      old: [set('older', 5, { available: 2, created: 1 }), set('old', 4, { available: 4, created: 2 })],
      // 8 serve, 9 must: only those that do not may go
      expect: { older: 3 },
    },
    {
      name: 'takes the oldest set first',
      deployment: deployment(4),
      newSet: set('new', 2),
      old: [set('old', 2, { created: 5 }), set('oldest', 1, { created: 1 })],
      expect: { oldest: 0, old: 1 },
    },
    { name: 'shrinks a new set that is too large', deployment: deployment(3), newSet: set('new', 5), old: [], expect: { new: 3 } },
    { name: 'has nothing to do when it is over', deployment: deployment(3), newSet: set('new', 3), old: [set('old', 0)], expect: {} },
    {
      name: 'with no surge removes before it adds',
      deployment: deployment(3, { maxSurge: 0, maxUnavailable: 1 }),
      newSet: set('new', 0),
      old: [set('old', 3)],
      expect: { old: 2 },
    },
    {
      name: 'with nothing unavailable adds before it removes',
      deployment: deployment(3, { maxSurge: 1, maxUnavailable: 0 }),
      newSet: set('new', 1, { available: 0 }),
      old: [set('old', 3)],
      expect: {},
    },
  ]
  for (const row of rows) test(row.name, () => assert.deepEqual(sizes(planRollingUpdate(row.deployment, row.newSet, row.old)), row.expect))

  test('never has more pods than allowed nor fewer available, whatever the sizes, and comes to its end', () => {
    for (const [replicas, maxSurge, maxUnavailable] of [
      [10, 3, 2],
      [10, 0, 1],
      [7, '30%', '0%'],
      [1, '25%', '25%'],
    ] as const) {
      const d = deployment(replicas, { maxSurge, maxUnavailable })
      const limits = rollingLimits(d)
      let state = { new: 0, old: replicas }
      for (let step = 0; step < 100; step++) {
        const next = { ...state, ...sizes(planRollingUpdate(d, set('new', state.new), [set('old', state.old)])) }
        assert.ok(next.new + next.old <= replicas + limits.maxSurge)
        assert.ok(next.new + next.old >= replicas - limits.maxUnavailable)
        state = next
      }
      assert.deepEqual(state, { new: replicas, old: 0 })
    }
  })

  test('a new set starts with what the surge leaves room for', () => {
    assert.equal(growNew(deployment(10), undefined, [set('old', 10)]), 1)
    assert.equal(growNew(deployment(10), undefined, []), 10)
    assert.equal(growNew(deployment(10), undefined, [set('old', 20)]), 0)
  })
})

describe('recreation', () => {
  test('empties the old sets first', () => {
    const plan = planRecreate(deployment(3, 'Recreate'), undefined, [set('old', 3), set('older', 0)], true)
    assert.deepEqual([sizes(plan.scale), plan.mayCreate], [{ old: 0 }, false])
  })
  test('waits until the last old pod has ended', () => {
    const plan = planRecreate(deployment(3, 'Recreate'), undefined, [set('old', 0)], true)
    assert.deepEqual([plan.scale, plan.mayCreate], [[], false])
  })
  test('then makes the new set, or fills the one there is', () => {
    assert.equal(planRecreate(deployment(3, 'Recreate'), undefined, [set('old', 0)], false).mayCreate, true)
    assert.deepEqual(sizes(planRecreate(deployment(3, 'Recreate'), set('new', 0), [set('old', 0)], false).scale), { new: 3 })
  })
})

describe('a change of size', () => {
  const sized = (desired: number, max: number) => ({ annotations: { [annotation.desired]: String(desired), [annotation.max]: String(max) } })
  const rows: { name: string; deployment: Deployment; newSet?: ReplicaSet; old: ReplicaSet[]; expect: Record<string, number> }[] = [
    { name: 'goes to the only set', deployment: deployment(5), newSet: set('new', 3), old: [set('old', 0)], expect: { new: 5 } },
    {
      name: 'goes to the old set when the new one is empty',
      deployment: deployment(5),
      newSet: set('new', 0),
      old: [set('old', 3)],
      expect: { old: 5 },
    },
    {
      name: 'goes to the new set when all are empty, even if another was made later',
      deployment: deployment(5),
      newSet: set('new', 0),
      old: [set('later', 0, { created: 9 })],
      expect: { new: 5 },
    },
    {
      name: 'upwards is shared by size (the documented example: 10 to 15 in the middle of a rollout)',
      deployment: deployment(15, { maxSurge: 3, maxUnavailable: 2 }),
      newSet: set('new', 5, { available: 0, created: 2, ...sized(10, 13) }),
      old: [set('old', 8, sized(10, 13))],
      expect: { old: 11, new: 7 },
    },
    {
      name: 'downwards is shared by size',
      deployment: deployment(5, { maxSurge: 0, maxUnavailable: 1 }),
      newSet: set('new', 5, { created: 2, ...sized(10, 10) }),
      old: [set('old', 5, sized(10, 10))],
      expect: { old: 2, new: 3 },
    },
    {
      name: 'to nothing empties all',
      deployment: deployment(0),
      newSet: set('new', 4, sized(10, 11)),
      old: [set('old', 7, sized(10, 11))],
      expect: { old: 0, new: 0 },
    },
    {
      name: 'lets the old sets go once the new one serves in full',
      deployment: deployment(3),
      newSet: set('new', 3, sized(3, 4)),
      old: [set('old', 1, sized(2, 3))],
      expect: { old: 0 },
    },
    {
      name: 'never mixes templates when pods are recreated',
      deployment: deployment(5, 'Recreate'),
      newSet: set('new', 1),
      old: [set('old', 2)],
      expect: {},
    },
  ]
  for (const row of rows) test(row.name, () => assert.deepEqual(sizes(planScale(row.deployment, row.newSet, row.old)), row.expect))

  test('is seen by what the sets were sized for', () => {
    assert.equal(isScaling(deployment(5), [set('a', 3, sized(3, 4))]), true)
    assert.equal(isScaling(deployment(3), [set('a', 3, sized(3, 4))]), false)
    assert.equal(isScaling(deployment(5), [set('a', 0, sized(3, 4))]), false, 'empty sets do not tell')
    assert.equal(isScaling(deployment(5), [set('a', 3)]), false)
  })
})

describe('the history', () => {
  const old = (revision: number, size = 0, status: DeepReadonly<apps.ReplicaSetStatus> = { replicas: 0, observedGeneration: 1 }) =>
    set(`r${revision}`, size, { annotations: { [annotation.revision]: String(revision) }, status })

  test('keeps as many old sets as asked for; the oldest revisions go', () => {
    const sets = [old(3), old(1), old(2), old(10)]
    assert.deepEqual(
      planCleanup(deployment(1, {}, { revisionHistoryLimit: 2 }), sets).map((s) => s.metadata.name),
      ['r1', 'r2'],
    )
    assert.equal(planCleanup(deployment(1), sets).length, 0, 'ten by default')
  })

  test('keeps sets that still have pods, or were not looked at since they changed', () => {
    const limit = deployment(1, {}, { revisionHistoryLimit: 0 })
    assert.deepEqual(planCleanup(limit, [old(1, 1), old(2, 0, { replicas: 1 }), old(3, 0, { replicas: 0, observedGeneration: 0 })]), [])
  })

  test('a set that comes back remembers the revisions it was', () => {
    const first = old(1)
    assert.deepEqual(revisionAnnotations(first, 3n), { [annotation.revision]: '3', [annotation.revisionHistory]: '1' })
    const again = { ...first, metadata: { ...first.metadata, annotations: { [annotation.revision]: '3', [annotation.revisionHistory]: '1' } } }
    assert.deepEqual(revisionAnnotations(again, 5n), { [annotation.revision]: '5', [annotation.revisionHistory]: '1,3' })
    assert.deepEqual(revisionAnnotations(again, 3n), {})
  })

  test('the deployment’s annotations go to the set but for its bookkeeping', () => {
    const annotations = { 'kubernetes.io/change-cause': 'x', [annotation.revision]: '7', [annotation.lastApplied]: '{}' }
    assert.deepEqual(copiedAnnotations({ ...deployment(1), metadata: { name: 'web', annotations } }), { 'kubernetes.io/change-cause': 'x' })
  })
})

describe('the set of a template', () => {
  test('is the oldest whose template is equal but for the hash label', () => {
    const template = {
      metadata: { labels: { 'pod-template-hash': 'x' } },
      spec: { containers: [{ name: 'app', image: 'v2' }] },
    } as unknown as apps.DeploymentSpec['template']
    const hashed = (name: string, created: number): ReplicaSet => ({ ...set(name, 1, { created }), spec: { replicas: 1, selector: {}, template } })
    assert.equal(newestSet(deployment(1), [hashed('b', 2), hashed('a', 1), set('other', 1)])?.metadata.name, 'a')
    assert.equal(newestSet(deployment(1), [set('other', 1)]), undefined)
  })

  test('has a name that does not depend on the order of fields, and another after a collision', () => {
    assert.equal(templateHash({ a: 1, b: { c: [1, 2], d: undefined } }), templateHash({ b: { c: [1, 2] }, a: 1 }))
    assert.notEqual(templateHash({ a: 1 }), templateHash({ a: 2 }))
    assert.notEqual(templateHash({ a: 1 }), templateHash({ a: 1 }, 1))
    assert.match(templateHash({}), /^[bcdfghjklmnpqrstvwxz2456789]{10}$/)
  })
})

test('revisions count exactly beyond what a double holds', () => {
  const set = { metadata: { name: 'a', annotations: { [annotation.revision]: '3546343826724305832' } } }
  assert.equal(nextRevision([set as never]), 3546343826724305833n)
  assert.equal(nextRevision([]), 1n)
})
