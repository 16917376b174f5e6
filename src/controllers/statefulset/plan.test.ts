import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DeepReadonly, apps } from '#api'
import type { Revision } from '../workload/history.ts'
import { templatePatch } from '../workload/history.ts'
import type { Pod } from '../workload/pods.ts'
import type { TestPod } from '../workload/test-pod.ts'
import { noon, testPod } from '../workload/test-pod.ts'
import { claimOwners, isStale } from './claims.ts'
import type { Claim, StatefulSet } from './identity.ts'
import { claimsOf, podIndexLabel, podNameLabel, statefulPod } from './identity.ts'
import type { StatefulSetState } from './plan.ts'
import { planStatefulSet } from './plan.ts'

const revision = (name: string): Revision => ({
  apiVersion: 'apps/v1',
  kind: 'ControllerRevision',
  metadata: { name },
  data: templatePatch({ metadata: { labels: { app: 'db' } } as never, spec: { containers: [{ name: 'app', image: name }] } }),
  revision: 1,
})
const [v1, v2] = [revision('v1'), revision('v2')]

const set = (replicas: number, spec: Partial<DeepReadonly<apps.StatefulSetSpec>> = {}, status?: apps.StatefulSetStatus): StatefulSet => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'db', namespace: 'test', uid: 'set', generation: 7 },
  spec: {
    replicas,
    serviceName: 'svc',
    selector: { matchLabels: { app: 'db' } },
    template: {},
    podManagementPolicy: 'OrderedReady',
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
    ...spec,
  },
  ...(status ? { status } : {}),
})

const pod = (ordinal: number, at: 'v1' | 'v2' = 'v2', options: TestPod = {}): Pod =>
  testPod(`db-${ordinal}`, {
    ...options,
    labels: { 'controller-revision-hash': at, [podNameLabel]: `db-${ordinal}`, [podIndexLabel]: String(ordinal), ...options.labels },
  })
const parallel = { podManagementPolicy: 'Parallel' as const }

interface Row {
  name: string
  set: StatefulSet
  current?: Revision
  pods?: Pod[]
  stale?: number[]
  create?: [number, string][]
  delete?: string[]
}

const rows: Row[] = [
  { name: 'starts with the first pod', set: set(3), create: [[0, 'v2']] },
  { name: 'makes the next when the one before serves', set: set(3), pods: [pod(0)], create: [[1, 'v2']] },
  { name: 'waits for a pod that is not ready', set: set(3), pods: [pod(0, 'v2', { ready: false })] },
  { name: 'waits for a pod that is not available yet', set: set(3, { minReadySeconds: 10 }), pods: [pod(0, 'v2', { ready: -5 })] },
  { name: 'waits for a pod that is on its way out', set: set(3), pods: [pod(0, 'v2', { leaving: true })] },
  {
    name: 'makes all at once when told so',
    set: set(3, parallel),
    pods: [pod(1, 'v2', { ready: false })],
    create: [
      [0, 'v2'],
      [2, 'v2'],
    ],
  },
  { name: 'replaces a pod that has ended, however', set: set(2), pods: [pod(0, 'v2', { phase: 'Succeeded' }), pod(1)], delete: ['db-0'] },
  { name: 'does not make a pod whose claim is about to go', set: set(1), stale: [0] },
  { name: 'takes away the last pod first, one at a time', set: set(1), pods: [pod(0), pod(1), pod(2)], delete: ['db-2'] },
  { name: 'takes away nothing while an earlier pod does not serve', set: set(1), pods: [pod(0, 'v2', { ready: false }), pod(1)] },
  { name: 'waits for the one that is being taken away', set: set(1), pods: [pod(0), pod(1), pod(2, 'v2', { leaving: true })] },
  {
    name: 'a condemned pod that does not serve stops those after it',
    set: set(1),
    pods: [pod(0), pod(1, 'v2', { ready: false }), pod(2, 'v2', { ready: false })],
  },
  { name: 'a condemned pod that alone does not serve goes', set: set(1), pods: [pod(0), pod(1, 'v2', { ready: false })], delete: ['db-1'] },
  { name: 'takes away all at once when told so', set: set(1, parallel), pods: [pod(0), pod(1), pod(2)], delete: ['db-2', 'db-1'] },
  { name: 'updates the last pod first', set: set(3), current: v1, pods: [pod(0, 'v1'), pod(1, 'v1'), pod(2, 'v1')], delete: ['db-2'] },
  { name: 'goes on when the updated pod serves', set: set(3), current: v1, pods: [pod(0, 'v1'), pod(1, 'v1'), pod(2)], delete: ['db-1'] },
  {
    name: 'waits for the updated pod',
    set: set(3, parallel),
    current: v1,
    pods: [pod(0, 'v1'), pod(1, 'v1'), pod(2, 'v2', { ready: false })],
  },
  {
    name: 'updates several at once as far as it may',
    set: set(4, { ...parallel, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2 } } }),
    current: v1,
    pods: [pod(0, 'v1'), pod(1, 'v1'), pod(2, 'v1'), pod(3, 'v2', { ready: false })],
    delete: ['db-2'],
  },
  {
    name: 'leaves pods below the partition alone',
    set: set(3, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } }),
    current: v1,
    pods: [pod(0, 'v1'), pod(1, 'v1'), pod(2)],
  },
  {
    name: 'makes a pod below the partition from the old revision',
    set: set(3, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } }),
    current: v1,
    pods: [pod(0, 'v1'), pod(2)],
    create: [[1, 'v1']],
  },
  {
    name: 'on delete updates nothing by itself',
    set: set(2, { updateStrategy: { type: 'OnDelete' } }),
    current: v1,
    pods: [pod(0, 'v1'), pod(1, 'v1')],
  },
  { name: 'counts from its first ordinal', set: set(2, { ordinals: { start: 3 } }), pods: [pod(3), pod(2)], create: [[4, 'v2']] },
  { name: 'leaves strangers alone', set: set(1), pods: [pod(0), testPod('db-x'), testPod('other-0')] },
]

const state = (row: Row): StatefulSetState => ({
  set: row.set,
  current: row.current ?? v2,
  update: v2,
  pods: row.pods ?? [],
  claimsAreStale: (ordinal) => row.stale?.includes(ordinal) ?? false,
  now: noon,
})

describe('a stateful set', () => {
  for (const row of rows)
    test(row.name, () => {
      const plan = planStatefulSet(state(row))
      assert.deepEqual(
        [plan.create.map((c) => [c.ordinal, c.revision.metadata.name]), plan.delete.map((p) => p.metadata.name)],
        [row.create ?? [], row.delete ?? []],
      )
    })

  test('that is going does nothing', () => {
    const going = { ...set(3), metadata: { ...set(3).metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }
    assert.deepEqual(planStatefulSet(state({ name: '', set: going })).create, [])
  })

  test('labels pods that lack their identity and makes claims for those that wait', () => {
    const plan = planStatefulSet(
      state({ name: '', set: set(1), pods: [testPod('db-0', { phase: 'Pending', labels: { 'controller-revision-hash': 'v2' } })] }),
    )
    assert.deepEqual(plan.label[0]?.labels, { [podNameLabel]: 'db-0', [podIndexLabel]: '0' })
    assert.deepEqual(plan.claims, [0])
  })
})

describe('the status of a stateful set', () => {
  test('counts pods by revision in the middle of an update', () => {
    const { status } = planStatefulSet(state({ name: '', set: set(3), current: v1, pods: [pod(0, 'v1'), pod(1, 'v1', { leaving: true }), pod(2)] }))
    assert.deepEqual(status, {
      observedGeneration: 7,
      replicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      currentReplicas: 1,
      updatedReplicas: 1,
      currentRevision: 'v1',
      updateRevision: 'v2',
      collisionCount: 0,
    })
  })

  test('the new revision becomes the current one when all pods have it and serve', () => {
    const { status } = planStatefulSet(state({ name: '', set: set(2), current: v1, pods: [pod(0), pod(1)] }))
    assert.deepEqual([status.currentRevision, status.currentReplicas, status.updatedReplicas], ['v2', 2, 2])
    const waiting = planStatefulSet(state({ name: '', set: set(2), current: v1, pods: [pod(0), pod(1, 'v2', { ready: false })] })).status
    assert.deepEqual([waiting.currentRevision, waiting.currentReplicas], ['v1', undefined])
  })

  test('is looked at again when a pod becomes available', () => {
    const plan = planStatefulSet(state({ name: '', set: set(1, { minReadySeconds: 10 }), pods: [pod(0, 'v2', { ready: -4 })] }))
    assert.deepEqual([plan.status.readyReplicas, plan.status.availableReplicas, plan.recheckAfter], [1, 0, 6000])
  })
})

describe('the identity of a pod', () => {
  const withClaims = set(1, { volumeClaimTemplates: [{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec: {} }] })

  test('is its name, its host name, its labels and its claims', () => {
    const made = statefulPod(withClaims, 4, v1)
    assert.equal(made.metadata.name, 'db-4')
    assert.deepEqual(made.metadata.labels, { app: 'db', [podNameLabel]: 'db-4', [podIndexLabel]: '4', 'controller-revision-hash': 'v1' })
    assert.deepEqual([made.spec.hostname, made.spec.subdomain], ['db-4', 'svc'])
    assert.deepEqual(made.spec.volumes, [{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-4' } }])
  })

  test('a claim carries the labels of the selector', () => {
    assert.deepEqual(claimsOf(withClaims, 0)[0]?.metadata, { name: 'data-db-0', namespace: 'test', labels: { app: 'db' } })
  })
})

describe('the owners of a claim', () => {
  const claim = (...owners: { kind: string; uid: string }[]): Claim => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data-db-1', ownerReferences: owners.map((o) => ({ apiVersion: 'v1', name: 'x', ...o })) },
    spec: {},
  })
  const ofSet = { kind: 'StatefulSet', uid: 'set' }
  const ofPod = { kind: 'Pod', uid: 'uid-db-1' }
  for (const { name, whenDeleted, whenScaled, condemned, before, expect } of [
    { name: 'none when all is retained', whenDeleted: 'Retain', whenScaled: 'Retain', condemned: true, before: [], expect: undefined },
    {
      name: 'the set when it takes its claims along',
      whenDeleted: 'Delete',
      whenScaled: 'Retain',
      condemned: true,
      before: [],
      expect: ['StatefulSet'],
    },
    { name: 'the pod when it is scaled away', whenDeleted: 'Delete', whenScaled: 'Delete', condemned: true, before: [ofSet], expect: ['Pod'] },
    {
      name: 'the set again when the pod stays after all',
      whenDeleted: 'Delete',
      whenScaled: 'Delete',
      condemned: false,
      before: [ofPod],
      expect: ['StatefulSet'],
    },
    { name: 'nobody any more when the policy changes', whenDeleted: 'Retain', whenScaled: 'Retain', condemned: false, before: [ofSet], expect: [] },
    {
      name: 'strangers stay',
      whenDeleted: 'Delete',
      whenScaled: 'Retain',
      condemned: false,
      before: [{ kind: 'X', uid: 'x' }],
      expect: ['X', 'StatefulSet'],
    },
    {
      name: 'nothing to change when they are right',
      whenDeleted: 'Delete',
      whenScaled: 'Retain',
      condemned: false,
      before: [ofSet],
      expect: undefined,
    },
  ] as const)
    test(name, () => {
      const owners = claimOwners(set(1, { persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled } }), pod(1), condemned, claim(...before))
      assert.deepEqual(
        owners?.map((o) => o.kind),
        expect,
      )
    })

  test('a claim of a pod that is gone is stale', () => {
    assert.equal(isStale(claim(ofPod), undefined), true)
    assert.equal(isStale(claim(ofPod), pod(1)), false)
    assert.equal(isStale(claim(ofSet), undefined), false)
  })
})
