import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WorkQueue, manualClock } from '#base'
import { queueMetrics } from './queue-metrics.ts'

test('a queue is followed from a key to its end', async () => {
  const clock = manualClock()
  const metrics = queueMetrics(clock)
  const observer = metrics.queue('deployment')
  const queue = new WorkQueue({ clock, observer })
  const sample = (name: string) => Number(new RegExp(`^workqueue_${name}\\{[^}]*\\} (.*)$`, 'm').exec(metrics.toString())?.[1])
  queue.add('a')
  queue.add('a')
  queue.add('b')
  assert.deepEqual([sample('adds_total'), sample('depth')], [2, 2])
  await clock.advance(500)
  const key = await queue.next()
  await clock.advance(2000)
  assert.deepEqual([sample('depth'), sample('unfinished_work_seconds'), sample('longest_running_processor_seconds')], [1, 2, 2])
  queue.done(key!)
  observer.retried()
  assert.deepEqual([sample('unfinished_work_seconds'), sample('retries_total')], [0, 1])
  assert.match(metrics.toString(), /^workqueue_queue_duration_seconds_bucket\{name="deployment",le="0.1"\} 0$/m)
  assert.match(metrics.toString(), /^workqueue_queue_duration_seconds_bucket\{name="deployment",le="1"\} 1$/m)
  assert.match(metrics.toString(), /^workqueue_work_duration_seconds_bucket\{name="deployment",le="1e-08"\} 0$/m)
  assert.match(metrics.toString(), /^workqueue_work_duration_seconds_sum\{name="deployment"\} 2$/m)
})
