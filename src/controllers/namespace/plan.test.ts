import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core } from '#api'
import { type Progress, conditionsOf, deletable, finalized, isEmpty, nextStep, stages } from './plan.ts'

const namespace = (over: { deleted?: boolean; phase?: core.NamespacePhase; finalizers?: string[] }): core.Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'ns', ...(over.deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
  spec: { finalizers: over.finalizers ?? ['kubernetes'] },
  status: { phase: over.phase ?? 'Active' },
})

const steps = [
  { name: 'one that is gone needs nothing', namespace: undefined, expect: 'none' },
  { name: 'one that lives needs nothing', namespace: namespace({}), expect: 'none' },
  { name: 'one that is deleted becomes Terminating first', namespace: namespace({ deleted: true }), expect: 'terminate' },
  { name: 'a terminating one is emptied', namespace: namespace({ deleted: true, phase: 'Terminating' }), expect: 'empty' },
  {
    name: "one that waits for somebody else's finalizer is left alone",
    namespace: namespace({ deleted: true, phase: 'Terminating', finalizers: ['example.com/x'] }),
    expect: 'none',
  },
]
for (const { name, namespace, expect } of steps) test(name, () => assert.equal(nextStep(namespace), expect))

test('conditions say what remains, and keep their time while nothing changes', () => {
  const progress: Progress = {
    discoveryFailures: [],
    deletionErrors: [],
    remaining: [
      { resource: 'pods', group: '', count: 2, finalizers: { 'example.com/b': 1 } },
      { resource: 'deployments', group: 'apps', count: 1, finalizers: { 'example.com/b': 1, 'example.com/a': 1 } },
    ],
  }
  assert.ok(!isEmpty(progress))
  const conditions = conditionsOf(undefined, progress, 'T1')
  const content = conditions.find((c) => c.type === 'NamespaceContentRemaining')
  assert.deepEqual(content, {
    type: 'NamespaceContentRemaining',
    status: 'True',
    reason: 'SomeResourcesRemain',
    message: 'Some resources are remaining: deployments.apps has 1 resource instances, pods. has 2 resource instances',
    lastTransitionTime: 'T1',
  })
  const finalizers = conditions.find((c) => c.type === 'NamespaceFinalizersRemaining')
  assert.equal(
    finalizers?.message,
    'Some content in the namespace has finalizers remaining: example.com/a in 1 resource instances, example.com/b in 2 resource instances',
  )
  assert.equal(conditionsOf(conditions, progress, 'T2'), conditions)
  const done = conditionsOf(conditions, { discoveryFailures: [], deletionErrors: [], remaining: [] }, 'T3')
  assert.deepEqual(
    done.map((c) => [c.status, c.lastTransitionTime]),
    [
      ['False', 'T1'],
      ['False', 'T1'],
      ['False', 'T1'],
      ['False', 'T3'],
      ['False', 'T3'],
    ],
  )
})

test('each namespaced resource is emptied once, in its preferred version', () => {
  const resource = (over: object) => ({
    group: 'g',
    version: 'v1',
    resource: 'r',
    kind: 'R',
    namespaced: true,
    verbs: ['list', 'delete'],
    preferred: true,
    ...over,
  })
  const kept = deletable([
    resource({}),
    resource({ version: 'v1beta1', preferred: false }),
    resource({ namespaced: false }),
    resource({ verbs: ['create'] }),
  ])
  assert.deepEqual(kept, [resource({})])
})

test('pods go before all else, and nothing else while one is left', () => {
  const resource = (group: string, name: string) => ({ group, version: 'v1', resource: name, kind: '', namespaced: true, verbs: [], preferred: true })
  const [policies, pods, metrics] = [resource('networking.k8s.io', 'networkpolicies'), resource('', 'pods'), resource('metrics.k8s.io', 'pods')]
  assert.deepEqual(stages([policies, pods, metrics]), [[pods], [policies, metrics]])
  assert.deepEqual(stages([policies]), [[policies]])
})

test('finalizing takes out our finalizer alone', () => {
  assert.deepEqual(finalized(namespace({ finalizers: ['kubernetes', 'example.com/x'] })).spec?.finalizers, ['example.com/x'])
})
