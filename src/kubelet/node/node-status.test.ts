import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalQuantity } from '#api'
import type { NodeFacts, NodeHealth } from './node-status.ts'
import { nodeStatus } from './node-status.ts'

const facts = {
  name: 'n',
  ips: ['10.0.0.1'],
  machine: { capacity: { cpu: 2, memoryBytes: 2 ** 32, storageBytes: 2 ** 36 }, info: {} },
  maxPods: 110,
  reserved: { cpuMillis: 0, memoryBytes: 0, storageBytes: 0 },
  labels: {},
  runtimeVersion: 'fake://1',
  version: 'v1.36.0',
  kubeletPort: 10250,
} as unknown as NodeFacts
const health = { now: 0, images: [], problems: [], pressure: { memory: false, disk: false, pids: false } } as unknown as NodeHealth

test('an extended resource that somebody wrote into the capacity can be given away, and stays', () => {
  const status = nodeStatus(facts, health, { capacity: { cpu: '64', 'example.com/thing': '3' } })
  assert.equal(status.capacity?.['example.com/thing'], '3')
  assert.equal(status.allocatable?.['example.com/thing'], '3')
  assert.equal(status.capacity?.cpu, '2', 'what the kubelet counts itself is its own to say')
})

test('amounts have the form in which the API server answers them, so that they are not taken for changes', () => {
  const { capacity, allocatable } = nodeStatus(facts, health, undefined)
  for (const amounts of [capacity!, allocatable!])
    for (const [name, amount] of Object.entries(amounts)) assert.equal(amount, canonicalQuantity(amount), name)
})
