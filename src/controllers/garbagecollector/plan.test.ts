import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '#api'
import { type GraphNode, type Owner, createGraph } from './graph.ts'
import { type ItemPlan, type OwnerState, planItem } from './plan.ts'

const owner = (uid: string, blockOwnerDeletion = true): Owner => ({ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: uid, uid, blockOwnerDeletion })
const plans: { name: string; states: OwnerState[]; hasDependents?: boolean; finalizers?: string[]; expect: ItemPlan }[] = [
  { name: 'an object without owners stays', states: [], expect: { do: 'nothing' } },
  { name: 'an object whose owner lives stays', states: ['solid'], expect: { do: 'nothing' } },
  { name: 'an object whose owner is gone goes', states: ['absent'], expect: { do: 'delete', policy: 'Background' } },
  { name: 'one of two owners is enough to stay; the other is forgotten', states: ['solid', 'absent'], expect: { do: 'release', keep: [owner('0')] } },
  {
    name: 'an owner that wants it gone is forgotten while another keeps it',
    states: ['solid', 'waiting'],
    expect: { do: 'release', keep: [owner('0')] },
  },
  { name: 'nothing is deleted for an owner that cannot be looked up', states: ['unknown'], expect: { do: 'nothing' } },
  { name: 'an owner that cannot be looked up keeps it', states: ['unknown', 'absent'], expect: { do: 'release', keep: [owner('0')] } },
  { name: 'below an owner that waits it goes', states: ['waiting'], expect: { do: 'delete', policy: 'Background' } },
  {
    name: 'below an owner that waits its own dependents go first',
    states: ['waiting'],
    hasDependents: true,
    expect: { do: 'delete', policy: 'Foreground' },
  },
  { name: 'the orphaning that was asked for is kept', states: ['absent'], finalizers: ['orphan'], expect: { do: 'delete', policy: 'Orphan' } },
  {
    name: 'the foreground deletion that was asked for is kept',
    states: ['absent'],
    finalizers: ['foregroundDeletion'],
    expect: { do: 'delete', policy: 'Foreground' },
  },
]
for (const { name, states, hasDependents = false, finalizers = [], expect } of plans) {
  test(name, () => {
    const owners = states.map((state, i) => ({ owner: owner(String(i)), state }))
    assert.deepEqual(planItem({ owners, hasDependents, finalizers }), expect)
  })
}

const ref = { group: '', version: 'v1', resource: 'pods', kind: 'Pod', namespaced: true }
const node = (uid: string, owners: Owner[] = [], deletion?: 'orphan' | 'foregroundDeletion'): GraphNode => ({
  ref,
  object: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: uid, uid, ownerReferences: owners, ...(deletion ? { deletionTimestamp: 'now', finalizers: [deletion] } : {}) },
  } as KubeObject,
})

test('an object with an owner that nobody has seen is looked at', () => {
  const graph = createGraph()
  assert.deepEqual(graph.put(node('rs')), [])
  assert.deepEqual(graph.put(node('a', [owner('rs')])), [])
  assert.deepEqual(graph.put(node('b', [owner('ghost')])), ['b'])
})

test('when an owner goes its dependents are looked at', () => {
  const graph = createGraph()
  graph.put(node('rs'))
  graph.put(node('a', [owner('rs')]))
  assert.deepEqual(graph.remove(node('rs')), ['a'])
  assert.deepEqual(graph.remove(node('rs')), [])
})

test('a foreground deletion looks at the owner and its dependents, and at the owner again when one goes or lets go', () => {
  const graph = createGraph()
  graph.put(node('rs'))
  graph.put(node('a', [owner('rs')]))
  graph.put(node('b', [owner('rs')]))
  assert.deepEqual(graph.put(node('rs', [], 'foregroundDeletion')), ['rs', 'a', 'b'])
  assert.deepEqual(graph.put(node('rs', [], 'foregroundDeletion')), [])
  assert.deepEqual(graph.remove(node('a')), ['rs'])
  assert.deepEqual(graph.put(node('b', [owner('rs', false)])), ['rs'])
  assert.deepEqual(graph.put(node('c', [owner('rs')])), ['c'])
})

test('an orphaning deletion looks at the owner alone', () => {
  const graph = createGraph()
  graph.put(node('rs'))
  graph.put(node('a', [owner('rs')]))
  assert.deepEqual(graph.put(node('rs', [], 'orphan')), ['rs'])
  assert.deepEqual(
    graph.dependents('rs').map((d) => d.object.metadata.name),
    ['a'],
  )
  graph.put(node('a'))
  assert.deepEqual(graph.dependents('rs'), [])
})
