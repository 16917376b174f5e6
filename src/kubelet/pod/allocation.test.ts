import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { core } from '#api'
import { givenBefore, pendingResize, sameResources, withResources } from './allocation.ts'

const pod = (cpu: string, memory = '1Gi', status: core.PodStatus = {}): core.Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'd', uid: 'u' },
  spec: { containers: [{ name: 'app', image: 'app:1', resources: { requests: { cpu, memory }, limits: { memory } } }] },
  status,
})
const allocatable = { cpu: '4', memory: '8Gi' }

describe('a pod that is resized', () => {
  const rows: { name: string; want: core.Pod; given?: core.Pod; others?: core.Pod[]; reason?: string; message?: RegExp }[] = [
    { name: 'gets what is free', want: pod('2'), others: [pod('2')] },
    {
      name: 'waits for what others have',
      want: pod('3'),
      others: [pod('2')],
      reason: 'Deferred',
      message: /^Node didn't have enough resource: cpu, requested: 3000, used: 2000, capacity: 4000$/,
    },
    {
      name: 'never gets what the node does not have',
      want: pod('1', '9Gi'),
      reason: 'Infeasible',
      message: /^Node didn't have enough capacity: memory, requested: \d+, capacity: \d+$/,
    },
    { name: 'may always have less', want: pod('3'), given: pod('4'), others: [pod('3')] },
    { name: 'does not wait for pods that are over', want: pod('3'), others: [pod('2', '1Gi', { phase: 'Succeeded' })] },
  ]
  for (const { name, want, given = pod('1'), others = [], reason, message } of rows)
    test(name, () => {
      const pending = pendingResize({ pod: want, given, others, allocatable })
      assert.equal(pending?.reason, reason)
      if (message) assert.match(pending!.message, message)
    })
})

test('a pod keeps the resources that it was given, and all else that it wants', () => {
  const wanted = { ...pod('3'), metadata: { ...pod('3').metadata, labels: { a: 'b' } } }
  const kept = withResources(wanted, pod('1'))
  assert.ok(sameResources(kept, pod('1')))
  assert.deepEqual([kept.metadata.labels, wanted.spec?.containers[0]?.resources?.requests?.cpu], [{ a: 'b' }, '3'])
  assert.equal(withResources(wanted, pod('3')), wanted)
})

test('what a pod was given is in its status', () => {
  const container: core.ContainerStatus = {
    name: 'app',
    image: '',
    imageID: '',
    ready: true,
    restartCount: 0,
    allocatedResources: { cpu: '1', memory: '1Gi' },
    resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '1Gi' } },
  }
  const before = givenBefore(pod('3', '2Gi', { containerStatuses: [container] }))
  assert.deepEqual(before.spec?.containers[0]?.resources, { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '1Gi' } })
  const unknown = pod('3')
  assert.equal(givenBefore(unknown), unknown)
})
