import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Pod } from './framework.ts'
import { schedule } from './cycle.ts'
import { Nominations } from './nominations.ts'
import { defaultPlugins } from './plugins/index.ts'
import { awaitsVictims, planPreemption } from './preemption.ts'
import type { TestPod } from './test-objects.ts'
import { noVolumes, testCluster, testNode, testPod, testReader } from './test-objects.ts'

const plugins = defaultPlugins(testReader(), noVolumes)
const running = (name: string, priority: number, cpu = '2', options: TestPod = {}) =>
  testPod(name, { priority, cpu, status: { startTime: '2026-01-01T00:00:00Z' }, ...options })
const nodes = [testNode('a'), testNode('b')]
const budget = (disruptionsAllowed: number, labels: Record<string, string>) => ({
  apiVersion: 'policy/v1' as const,
  kind: 'PodDisruptionBudget' as const,
  metadata: { name: 'b', namespace: 'default' },
  spec: { selector: { matchLabels: labels } },
  status: { disruptionsAllowed },
})

function plan(pod: Pod, placed: Record<string, Pod[]>, budgets: Parameters<typeof planPreemption>[4] = [], nominated: Record<string, Pod[]> = {}) {
  const state = testCluster(nodes, placed)
  const promised = (node: string) => nominated[node]
  const outcome = schedule(pod, state, { plugins, random: () => 0 }, 0, promised)
  if (outcome.result === 'fits') return outcome.node
  const victims = planPreemption(pod, state, outcome.prepared!, outcome.rejections, budgets, promised)
  return victims && [victims.node, ...victims.pods.map((p) => p.metadata.name)]
}
const high = (options: TestPod = {}) => testPod('high', { priority: 100, cpu: '3', ...options })

describe('preemption', () => {
  test('takes as few and as unimportant pods as it can', () => {
    assert.deepEqual(plan(high(), { a: [running('a1', 50), running('a2', 1)], b: [running('b1', 50), running('b2', 40)] }), ['a', 'a1', 'a2'])
    assert.deepEqual(plan(high(), { a: [running('a1', 50), running('a2', 1)], b: [running('b1', 49), running('b2', 49)] }), ['b', 'b1', 'b2'])
    assert.deepEqual(plan(high({ cpu: '2' }), { a: [running('a1', 50), running('a2', 1)], b: [running('b1', 50), running('b2', 40)] }), ['a', 'a2'])
  })

  test('takes one pod rather than two of the same priority', () => {
    assert.deepEqual(plan(high(), { a: [running('a1', 1), running('a2', 1)], b: [running('b1', 1, '4')] }), ['b', 'b1'])
  })

  test('takes the pods that started last', () => {
    const late = { status: { startTime: '2026-01-02T00:00:00Z' } }
    assert.deepEqual(plan(high(), { a: [running('a1', 1, '4')], b: [running('b1', 1, '4', late)] }), ['b', 'b1'])
  })

  test('takes nobody as important as the pod', () => {
    assert.equal(plan(high(), { a: [running('a1', 100, '4')], b: [running('b1', 200, '4')] }), undefined)
  })

  test('takes nobody when the pod does not want that', () => {
    assert.equal(plan(high({ preemptionPolicy: 'Never' }), { a: [running('a1', 1, '4')], b: [running('b1', 1, '4')] }), undefined)
  })

  test('takes nobody where that would not help', () => {
    assert.equal(plan(high({ cpu: '9' }), { a: [running('a1', 1, '4')], b: [running('b1', 1, '4')] }), undefined)
    assert.deepEqual(plan(high({ nodeSelector: { 'kubernetes.io/hostname': 'b' } }), { a: [running('a1', 1, '4')], b: [running('b1', 1, '4')] }), [
      'b',
      'b1',
    ])
  })

  test('spares pods with a budget when there are others', () => {
    const kept = { labels: { app: 'kept' } }
    assert.deepEqual(plan(high(), { a: [running('a1', 1, '4', kept)], b: [running('b1', 50, '4')] }, [budget(0, kept.labels)]), ['b', 'b1'])
    assert.deepEqual(plan(high(), { a: [running('a1', 1, '4', kept)], b: [running('b1', 50, '4')] }, [budget(1, kept.labels)]), ['a', 'a1'])
  })

  test('makes room for affinity, ports and spreading too', () => {
    const apart = {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'x' } } }],
      },
    }
    const x = { labels: { app: 'x' } }
    assert.deepEqual(
      plan(high({ cpu: '1', affinity: apart }), { a: [running('a1', 200, '1', x)], b: [running('b1', 1, '1', x), running('b2', 1, '1')] }),
      ['b', 'b1'],
    )
    const port = { containers: [{ name: 'c', ports: [{ containerPort: 1, hostPort: 80 }] }] }
    assert.deepEqual(plan(high(port), { a: [running('a1', 200, '1', port)], b: [running('b1', 1, '1', port)] }), ['b', 'b1'])
    const topologySpreadConstraints = [
      { topologyKey: 'kubernetes.io/hostname', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'x' } } },
    ] as const
    const filled = { a: [running('a1', 200, '4')], b: [running('b1', 1, '1', x), running('b2', 1, '1')] }
    assert.deepEqual(plan(high({ ...x, cpu: '1', topologySpreadConstraints }), filled), ['b', 'b1'])
  })

  test('leaves alone what another important pod was promised', () => {
    const promised = testPod('other', { priority: 100, cpu: '3' })
    assert.deepEqual(plan(high(), { a: [running('a1', 1, '4')], b: [running('b1', 50, '4')] }, [], { a: [promised] }), ['b', 'b1'])
    assert.equal(plan(high(), { b: [running('b1', 200, '4')] }, [], { a: [promised] }), undefined)
    assert.equal(plan(high(), { b: [running('b1', 200, '4')] }, [], { a: [testPod('lesser', { priority: 5, cpu: '3' })] }), 'a')
  })

  test('waits while the pods that make room are on their way out', () => {
    const state = testCluster(nodes, { a: [running('a1', 1, '4', { leaving: true })], b: [running('b1', 1, '4')] })
    assert.equal(awaitsVictims(high(), 'a', state), true)
    assert.equal(awaitsVictims(high(), 'b', state), false)
    assert.equal(awaitsVictims(high(), undefined, state), false)
  })
})

test('promises are kept by node', () => {
  const nominations = new Nominations()
  assert.equal(nominations.on('a'), undefined)
  nominations.set(high(), 'a')
  nominations.set(testPod('second', { status: { nominatedNodeName: 'a' } }))
  assert.deepEqual(
    nominations.on('a')?.map((p) => p.metadata.name),
    ['high', 'second'],
  )
  nominations.set(high(), 'b')
  assert.equal(nominations.nodeOf('uid-high'), 'b')
  nominations.set(testPod('second'))
  assert.equal(nominations.on('a'), undefined)
  nominations.delete('uid-high')
  assert.equal(nominations.nodeOf('uid-high'), undefined)
})
