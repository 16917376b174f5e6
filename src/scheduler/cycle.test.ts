import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { enoughNodes, interestedPlugins, noFit, schedule } from './cycle.ts'
import type { SchedulerPlugin } from './framework.ts'
import { normalizeScores, unresolvable, unschedulable } from './framework.ts'
import { testCluster, testNode, testPod } from './test-objects.ts'

const nobody = () => undefined
const many = (n: number) => Array.from({ length: n }, (_, i) => testNode(`n${i}`))

describe('a scheduling cycle', () => {
  test('looks at all nodes of a small cluster and at a share of a large one', () => {
    assert.deepEqual([1, 100, 101, 1000, 5000, 20_000].map(enoughNodes), [1, 100, 100, 420, 500, 1000])
  })

  test('begins where it is told and says how far it looked', () => {
    const looked: string[] = []
    const plugin: SchedulerPlugin = { name: 'P', filter: (_, __, info) => void looked.push(info.name) }
    const outcome = schedule(testPod('p'), testCluster(many(300)), { plugins: [plugin], random: () => 0.5 }, 290, nobody)
    assert.equal(looked[0], 'n290')
    assert.equal(looked[10], 'n0')
    assert.equal(outcome.result === 'fits' && outcome.evaluated, enoughNodes(300))
  })

  test('chooses by the sum of weighted scores, and among the best at random', () => {
    const scores: Record<string, number> = { n0: 1, n1: 5, n2: 5 }
    const by = (name: string, weight: number, factor: number): SchedulerPlugin => ({
      name,
      weight,
      score: (_, __, info) => factor * scores[info.name]!,
    })
    const nodeWith = (random: number) => {
      const outcome = schedule(testPod('p'), testCluster(many(3)), { plugins: [by('A', 1, 1), by('B', 3, 1)], random: () => random }, 0, nobody)
      return outcome.result === 'fits' && outcome.node
    }
    assert.equal(nodeWith(0.9), 'n1')
    assert.equal(nodeWith(0.1), 'n2')
    const contrary = schedule(testPod('p'), testCluster(many(3)), { plugins: [by('A', 1, 1), by('B', 3, -1)], random: () => 0.9 }, 0, nobody)
    assert.equal(contrary.result === 'fits' && contrary.node, 'n0')
  })

  test('tells which plugins stood in the way', () => {
    const plugins: SchedulerPlugin[] = [
      { name: 'A', filter: (_, __, info) => (info.name === 'n0' ? unresolvable('no') : undefined) },
      { name: 'B', filter: () => unschedulable('not now') },
    ]
    const outcome = schedule(testPod('p'), testCluster(many(3)), { plugins, random: Math.random }, 0, nobody)
    assert.ok(outcome.result === 'unschedulable')
    assert.deepEqual([...outcome.rejectedBy], ['A', 'B'])
    assert.equal(outcome.message, '0/3 nodes are available: 1 no, 2 not now.')
  })

  test('does not ask the nodes when the pod itself stands in the way', () => {
    const plugins: SchedulerPlugin[] = [{ name: 'A', preFilter: () => unresolvable('claim not found'), filter: () => assert.fail() }]
    const outcome = schedule(testPod('p'), testCluster(many(2)), { plugins, random: Math.random }, 0, nobody)
    assert.equal(outcome.result === 'unschedulable' && outcome.message, '0/2 nodes are available: claim not found.')
  })
})

test('reasons are sorted as text', () => {
  const rejections = new Map([
    ['a', unschedulable('x')],
    ['b', unschedulable('y', 'x')],
    ['c', unschedulable('a')],
  ])
  assert.equal(noFit(rejections, 5), '0/5 nodes are available: 1 a, 1 y, 2 x.')
  assert.equal(noFit(new Map(), 3), '0/3 nodes are available.')
})

test('an event concerns the plugins that say so', () => {
  const interested = interestedPlugins([
    { name: 'A', events: ['nodeAdded'] },
    { name: 'B', events: ['nodeAdded', 'podGone'] },
  ])
  assert.deepEqual([...interested('nodeAdded')], ['A', 'B'])
  assert.deepEqual([...interested('volumeChanged')], [])
})

test('scores are scaled to a hundred', () => {
  const scaled = (scores: number[], reverse = false) => {
    normalizeScores(scores, reverse)
    return scores
  }
  assert.deepEqual(scaled([0, 5, 10]), [0, 50, 100])
  assert.deepEqual(scaled([0, 5, 10], true), [100, 50, 0])
  assert.deepEqual(scaled([0, 0], true), [100, 100])
})
