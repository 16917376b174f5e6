import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { core } from '#api'
import { requestOf } from './resources.ts'
import { testCluster, testNode, testPod } from './test-objects.ts'

const container = (name: string, cpu?: string, memory?: string, extra: Partial<core.Container> = {}): core.Container => ({
  name,
  resources: { requests: { ...(cpu ? { cpu } : {}), ...(memory ? { memory } : {}) } },
  ...extra,
})
const sidecar = { restartPolicy: 'Always' } as const

describe('what a pod asks for', () => {
  const rows: { name: string; spec: Partial<core.PodSpec>; status?: core.PodStatus; cpu: number; memory?: number }[] = [
    { name: 'is the sum of its containers', spec: { containers: [container('a', '100m'), container('b', '1')] }, cpu: 1100 },
    {
      name: 'is the largest init container if that is more',
      spec: { containers: [container('a', '1')], initContainers: [container('i', '3'), container('j', '2')] },
      cpu: 3000,
    },
    {
      name: 'includes sidecars',
      spec: { containers: [container('a', '1')], initContainers: [container('s', '500m', undefined, sidecar)] },
      cpu: 1500,
    },
    {
      name: 'includes the sidecars that run beside an init container',
      spec: { containers: [container('a', '1')], initContainers: [container('s', '500m', undefined, sidecar), container('i', '2')] },
      cpu: 2500,
    },
    {
      name: 'leaves out sidecars that come after',
      spec: { containers: [container('a', '1')], initContainers: [container('i', '2'), container('s', '500m', undefined, sidecar)] },
      cpu: 2000,
    },
    { name: 'includes the overhead', spec: { containers: [container('a', '1')], overhead: { cpu: '250m' } }, cpu: 1250 },
    { name: 'is what the pod as a whole says', spec: { containers: [container('a', '1')], resources: { requests: { cpu: '4' } } }, cpu: 4000 },
    {
      name: 'is the larger of old and new while it is resized',
      spec: { containers: [container('a', '1', '1Gi')] },
      status: {
        containerStatuses: [{ name: 'a', image: '', imageID: '', ready: true, restartCount: 0, allocatedResources: { cpu: '2', memory: '512Mi' } }],
      },
      cpu: 2000,
      memory: 2 ** 30,
    },
  ]
  for (const { name, spec, status, cpu, memory } of rows)
    test(name, () => {
      const { requests } = requestOf(testPod('p', { ...spec, ...(status ? { status } : {}) }))
      assert.equal(requests.get('cpu'), cpu)
      if (memory !== undefined) assert.equal(requests.get('memory'), memory)
    })

  test('is a little for scoring when it asks for nothing', () => {
    assert.deepEqual(requestOf(testPod('p')).nonZero, { cpu: 100, memory: 200 * 1024 * 1024 })
    assert.equal(requestOf(testPod('q')).requests.size, 0)
  })
})

describe('the picture of the cluster', () => {
  test('adds up what pods ask for and forgets those that go', () => {
    const state = testCluster([testNode('a')])
    const info = state.get('a')!
    state.place(testPod('p', { cpu: '1' }), 'a')
    state.place(testPod('q', { cpu: '2', containers: [container('x', '2', undefined, { ports: [{ containerPort: 1, hostPort: 80 }] })] }), 'a')
    assert.deepEqual([info.requested.get('cpu'), info.freeCpu, [...info.ports.keys()]], [3000, 1000, ['TCP/0.0.0.0/80']])
    state.displace(testPod('q'))
    assert.deepEqual([info.requested.get('cpu'), info.freeCpu, info.ports.size], [1000, 3000, 0])
    state.place(testPod('p', { cpu: '3' }), 'a')
    assert.equal(info.requested.get('cpu'), 3000, 'a pod that changed is counted once')
  })

  test('knows pods of nodes that are not known yet, and of those that come back', () => {
    const state = testCluster([])
    state.place(testPod('p', { cpu: '1' }), 'a')
    state.setNode(testNode('a'))
    assert.equal(state.get('a')!.pods.size, 1)
    state.removeNode('a')
    assert.equal(state.nodes.length, 0)
    state.setNode(testNode('a'))
    assert.equal(state.get('a')!.requested.get('cpu'), 1000)
    state.removeNode('a')
    state.displace(testPod('p'))
    state.setNode(testNode('a'))
    assert.equal(state.get('a')!.pods.size, 0)
  })

  test('takes a node of each zone in turn', () => {
    const zoned = (name: string, z: string) => testNode(name, { labels: { 'topology.kubernetes.io/zone': z } })
    const state = testCluster([zoned('a', '1'), zoned('b', '1'), zoned('c', '2'), zoned('d', '2'), zoned('e', '1')])
    assert.deepEqual(
      state.nodes.map((n) => n.name),
      ['a', 'c', 'b', 'd', 'e'],
    )
    state.setNode(zoned('b', '3'))
    assert.deepEqual(
      state.nodes.map((n) => n.name),
      ['a', 'b', 'c', 'e', 'd'],
    )
  })

  test('remembers answers about a node’s pods until they change', () => {
    const state = testCluster([testNode('a')], { a: [testPod('p', { labels: { x: '1' } })] })
    let asked = 0
    const tally = { key: 'x', matches: () => ++asked > 0 }
    const info = state.get('a')!
    assert.deepEqual([info.count(tally), info.count(tally), asked], [1, 1, 1])
    state.place(testPod('q'), 'a')
    assert.deepEqual([info.count(tally), asked], [2, 3])
  })
})
