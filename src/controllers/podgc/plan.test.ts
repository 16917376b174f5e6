import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core } from '#api'
import { lostTerminating, orphans, surplus, unscheduledTerminating } from './plan.ts'

const pod = (
  name: string,
  over: { phase?: core.PodStatus['phase']; node?: string; created?: string; deleted?: boolean; reason?: string } = {},
): core.Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, creationTimestamp: over.created, ...(over.deleted ? { deletionTimestamp: 'now' } : {}) },
  spec: { containers: [], nodeName: over.node },
  status: { phase: over.phase ?? 'Running', reason: over.reason },
})
const names = (pods: readonly { readonly metadata: { readonly name: string } }[]) => pods.map((p) => p.metadata.name)

test('the oldest finished pods beyond the threshold go, evicted ones first', () => {
  const pods = [
    pod('running', { created: '1' }),
    pod('young', { phase: 'Succeeded', created: '3' }),
    pod('old', { phase: 'Failed', created: '2' }),
    pod('evicted', { phase: 'Failed', created: '9', reason: 'Evicted' }),
  ]
  assert.deepEqual(names(surplus(pods, 1)), ['evicted', 'old'])
  assert.deepEqual(surplus(pods, 0), [])
  assert.deepEqual(surplus(pods, 5), [])
})

test('a deleted pod that never got a node goes', () => {
  assert.deepEqual(names(unscheduledTerminating([pod('a', { deleted: true }), pod('b', { deleted: true, node: 'n' }), pod('c')])), ['a'])
})

test('pods on nodes that do not exist are found', () => {
  const found = orphans([pod('a', { node: 'gone' }), pod('b', { node: 'here' }), pod('c')], (name) => name === 'here')
  assert.deepEqual(
    [...found].map(([node, list]) => [node, names(list)]),
    [['gone', ['a']]],
  )
})

test('a terminating pod on a node that is out of service goes', () => {
  const node: core.Node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n' },
    spec: { taints: [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }] },
  }
  assert.deepEqual(names(lostTerminating([pod('a', { node: 'n', deleted: true }), pod('b', { node: 'n' })], () => node)), ['a'])
})
