import type { Clock, Histogram, WorkQueueObserver } from '#base'
import { histogram, histogramFamily, metricFamily, metricLabels, observe } from '#base'

/** Upstream's: 10 ns to 10 s. */
const bounds = Array.from({ length: 10 }, (_, i) => Number(`1e${i - 8}`))

interface Queue {
  /** When what waits was added, and what is worked on was taken; monotonic milliseconds. */
  added: Map<string, number>
  taken: Map<string, number>
  adds: number
  retries: number
  waits: Histogram
  work: Histogram
}

/** What goes on in the work queues of controllers, under the metric names of client-go's. */
export interface QueueMetrics {
  /** Follows the queue of this name. */
  queue(name: string): WorkQueueObserver & { retried(): void }
  /** The Prometheus text form. */
  toString(): string
}

export function queueMetrics(clock: Clock): QueueMetrics {
  const queues = new Map<string, Queue>()

  function observer(queue: Queue) {
    return {
      added(key: string) {
        queue.adds++
        queue.added.set(key, clock.monotonic())
      },
      taken(key: string) {
        const now = clock.monotonic()
        observe(queue.waits, (now - (queue.added.get(key) ?? now)) / 1000)
        queue.added.delete(key)
        queue.taken.set(key, now)
      },
      done(key: string) {
        const began = queue.taken.get(key)
        if (began !== undefined) observe(queue.work, (clock.monotonic() - began) / 1000)
        queue.taken.delete(key)
      },
      retried: () => void queue.retries++,
    }
  }

  return {
    queue(name) {
      let queue = queues.get(name)
      if (!queue) {
        queue = { added: new Map(), taken: new Map(), adds: 0, retries: 0, waits: histogram(bounds), work: histogram(bounds) }
        queues.set(name, queue)
      }
      return observer(queue)
    },
    toString() {
      const now = clock.monotonic()
      const all = [...queues]
      const of = <T>(value: (queue: Queue) => T) => all.map(([name, queue]) => [metricLabels({ name }), value(queue)] as const)
      const running = ({ taken }: Queue) => [...taken.values()].map((began) => (now - began) / 1000)
      return [
        metricFamily(
          'workqueue_adds_total',
          'counter',
          'Keys that were added',
          of(({ adds }) => adds),
        ),
        metricFamily(
          'workqueue_depth',
          'gauge',
          'Keys that wait',
          of(({ added }) => added.size),
        ),
        metricFamily(
          'workqueue_retries_total',
          'counter',
          'Keys that were added again because their work failed',
          of(({ retries }) => retries),
        ),
        histogramFamily(
          'workqueue_queue_duration_seconds',
          'Time that keys waited',
          of(({ waits }) => waits),
        ),
        histogramFamily(
          'workqueue_work_duration_seconds',
          'Time that work on a key took',
          of(({ work }) => work),
        ),
        metricFamily(
          'workqueue_unfinished_work_seconds',
          'gauge',
          'Time that was spent on what is worked on',
          of((queue) => running(queue).reduce((a, b) => a + b, 0)),
        ),
        metricFamily(
          'workqueue_longest_running_processor_seconds',
          'gauge',
          'Time that was spent on what is worked on the longest',
          of((queue) => Math.max(0, ...running(queue))),
        ),
      ].join('')
    },
  }
}
