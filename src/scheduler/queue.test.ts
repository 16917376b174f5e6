import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { manualClock } from '#base'
import type { ClusterEvent } from './framework.ts'
import { SchedulingQueue } from './queue.ts'
import { testPod } from './test-objects.ts'

function setup() {
  const clock = manualClock()
  const interested = (event: ClusterEvent) => new Set(event === 'nodeAdded' ? ['Taints', 'Fit'] : event === 'podGone' ? ['Fit'] : [])
  return { clock, queue: new SchedulingQueue({ clock, interested, initialBackoffMs: 100, maxBackoffMs: 1000 }) }
}
const fit = new Set(['Fit'])

describe('the scheduling queue', () => {
  test('gives the most important first, then the oldest', () => {
    const { queue } = setup()
    for (const [name, priority] of [
      ['a', 0],
      ['b', 10],
      ['c', 0],
      ['d', 10],
      ['e', -5],
    ] as const)
      queue.add(testPod(name, { priority }))
    const order = []
    for (let pod = queue.take(); pod; pod = queue.take()) order.push(pod.metadata.name)
    assert.deepEqual(order, ['b', 'd', 'a', 'c', 'e'])
  })

  test('keeps its order over many pods that come and go', () => {
    const { queue } = setup()
    let seed = 7
    const random = () => (seed = (seed * 48271) % 2147483647) % 20
    for (let i = 0; i < 500; i++) {
      queue.add(testPod(`p${i}`, { priority: random() }))
      if (i % 3 === 0) queue.remove(`uid-p${i - 1}`)
    }
    let last = Infinity
    let count = 0
    for (let pod = queue.take(); pod; pod = queue.take()) {
      assert.ok(pod.spec.priority! <= last)
      last = pod.spec.priority!
      count++
    }
    assert.equal(count, 500 - 166)
  })

  test('wakes who waits when a pod comes', async () => {
    const { queue } = setup()
    const waiting = queue.waiting()
    queue.add(testPod('a'))
    await waiting
    assert.equal(queue.take()?.metadata.name, 'a')
  })

  test('a pod that no node can take waits for an event that may help', async () => {
    const { queue, clock } = setup()
    queue.add(testPod('a'))
    queue.take()
    queue.rejected('uid-a', fit)
    await clock.advance(200)
    queue.event('volumeChanged')
    assert.equal(queue.take(), undefined)
    queue.event('podGone')
    assert.equal(queue.take()?.metadata.name, 'a')
  })

  test('is not tried again before its pause is over, which grows', async () => {
    const { queue, clock } = setup()
    queue.add(testPod('a'))
    for (const pause of [100, 200, 400, 800, 1000, 1000]) {
      queue.take()
      queue.rejected('uid-a', fit)
      queue.event('podGone')
      await clock.advance(pause - 1)
      assert.equal(queue.take(), undefined)
      await clock.advance(1)
      assert.deepEqual(queue.pending, { active: 1, backoff: 0, unschedulable: 0 })
    }
  })

  test('an event that came while it was tried counts', async () => {
    const { queue, clock } = setup()
    queue.add(testPod('a'))
    queue.take()
    queue.event('podGone')
    queue.rejected('uid-a', fit)
    assert.equal(queue.pending.backoff, 1)
    await clock.advance(100)
    assert.equal(queue.take()?.metadata.name, 'a')
  })

  test('is tried again after five minutes whatever happened', async () => {
    const { queue, clock } = setup()
    queue.add(testPod('a'))
    queue.take()
    queue.rejected('uid-a', fit)
    await clock.advance(299_000)
    assert.equal(queue.take(), undefined)
    await clock.advance(1000)
    assert.equal(queue.take()?.metadata.name, 'a')
  })

  test('its own change may help, its status does not', async () => {
    const { queue, clock } = setup()
    queue.add(testPod('a'))
    queue.take()
    queue.rejected('uid-a', fit)
    await clock.advance(200)
    queue.add(testPod('a', { status: { conditions: [] } }))
    assert.equal(queue.take(), undefined)
    queue.add(testPod('a', { labels: { x: 'y' } }))
    assert.equal(queue.take()?.metadata.labels?.x, 'y')
  })

  test('a binding that failed is tried again with what is known by then', async () => {
    const { queue, clock } = setup()
    queue.add(testPod('a'))
    queue.take()
    queue.failed('uid-a', testPod('a', { labels: { new: '1' } }))
    assert.equal(queue.take(), undefined)
    await clock.advance(100)
    assert.equal(queue.take()?.metadata.labels?.new, '1')
  })

  test('one that is removed is gone, wherever it was', async () => {
    const { queue, clock } = setup()
    for (const name of ['a', 'b', 'c']) queue.add(testPod(name))
    queue.take()
    queue.rejected('uid-a', fit)
    queue.take()
    for (const name of ['a', 'b', 'c']) queue.remove(`uid-${name}`)
    queue.failed('uid-b')
    queue.event('podGone')
    await clock.advance(400_000)
    assert.equal(queue.take(), undefined)
    assert.equal(clock.waiting, 0)
  })
})
