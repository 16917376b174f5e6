import type { Histogram } from '#base'
import { histogram, histogramFamily, metricFamily, metricLabels, observe } from '#base'
import type { PriorityLevel, RejectReason } from './priority-level.ts'

export type { Histogram }
export { observe }

/** Upper bounds, upstream's: seconds, requests in a queue, watchers, seats. */
const secondsBounds = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30]
const lengthBounds = [0, 10, 25, 50, 100, 250, 500, 1000]
const watcherBounds = [0, 1, 10, 100, 1000, 10_000]
const seatBounds = [1, 2, 4, 8, 16, 32, 64, 100]

/** Counts of one schema at one level. */
export interface FlowSeries {
  schema: string
  level: string
  /** The labels of both, in the text form. */
  labels: string
  dispatched: number
  executing: number
  executingSeats: number
  waiting: number
  waitingSeats: number
  rejected: Map<RejectReason, number>
  /** Requests that had to wait, by whether they were then worked on. */
  waits: Record<'true' | 'false', Histogram>
  execution: Record<'regular' | 'watch', Histogram>
  queueLength: Histogram
  watchers: Histogram
  /** Of requests that are wider than one seat; the others are in `estimatedOne`. */
  estimated: Histogram
  estimatedOne: number
}

export interface FlowMetrics {
  series(schema: string, level: string): FlowSeries
  ofLevel(level: string): FlowSeries[]
  rejected(series: FlowSeries, reason: RejectReason): void
  waited(series: FlowSeries, execute: 'true' | 'false', seconds: number): void
  /** Requests that wait in all queues, as upstream divides them. */
  readonly inqueue: Record<'readOnly' | 'mutating', number>
  fairFraction: number
  /** The Prometheus text form, under upstream's names. */
  toString(): string
}

/** Counting is on the path of every request: text is made when asked for. */
export function flowMetrics(levels: () => Iterable<PriorityLevel>): FlowMetrics {
  const all = new Map<string, FlowSeries>()
  const metrics: FlowMetrics = {
    series(schema, level) {
      const key = `${schema} ${level}`
      let series = all.get(key)
      if (!series) {
        series = {
          schema,
          level,
          labels: metricLabels({ flow_schema: schema, priority_level: level }),
          dispatched: 0,
          executing: 0,
          executingSeats: 0,
          waiting: 0,
          waitingSeats: 0,
          rejected: new Map(),
          waits: { true: histogram(secondsBounds), false: histogram(secondsBounds) },
          execution: { regular: histogram(secondsBounds), watch: histogram(secondsBounds) },
          queueLength: histogram(lengthBounds),
          watchers: histogram(watcherBounds),
          estimated: histogram(seatBounds),
          estimatedOne: 0,
        }
        all.set(key, series)
      }
      return series
    },
    ofLevel: (level) => [...all.values()].filter((series) => series.level === level),
    rejected: ({ rejected }, reason) => void rejected.set(reason, (rejected.get(reason) ?? 0) + 1),
    waited: ({ waits }, execute, seconds) => observe(waits[execute], seconds),
    inqueue: { readOnly: 0, mutating: 0 },
    fairFraction: 0,
    toString: () => text([...all.values()], [...levels()], metrics.fairFraction),
  }
  return metrics
}

function text(series: readonly FlowSeries[], levels: readonly PriorityLevel[], fairFraction: number): string {
  const prefix = 'apiserver_flowcontrol_'
  // what was never asked for has no samples
  const used = series.filter((s) => s.dispatched > 0 || s.waiting > 0 || s.rejected.size > 0)
  const each = (name: string, type: 'counter' | 'gauge', help: string, value: (s: FlowSeries) => number) =>
    metricFamily(
      prefix + name,
      type,
      help,
      used.map((s) => [s.labels, value(s)]),
    )
  const eachLevel = (name: string, help: string, value: (l: PriorityLevel) => number) =>
    metricFamily(
      prefix + name,
      'gauge',
      help,
      levels.map((l) => [metricLabels({ priority_level: l.name }), value(l)]),
    )
  const distribution = (name: string, help: string, of: (s: FlowSeries) => [string, Histogram][]) =>
    histogramFamily(
      prefix + name,
      help,
      used.flatMap((s) =>
        of(s)
          .filter(([, { count }]) => count > 0)
          .map(([more, value]) => [more + s.labels, value] as const),
      ),
    )
  return [
    each('dispatched_requests_total', 'counter', 'Requests that were begun', (s) => s.dispatched),
    metricFamily(
      `${prefix}rejected_requests_total`,
      'counter',
      'Requests that were sent away',
      used.flatMap((s) => [...s.rejected].map(([reason, count]) => [`${s.labels},reason="${reason}"`, count] as const)),
    ),
    each('current_inqueue_requests', 'gauge', 'Requests that wait', (s) => s.waiting),
    each('current_inqueue_seats', 'gauge', 'Seats that are waited for', (s) => s.waitingSeats),
    each('current_executing_requests', 'gauge', 'Requests under way', (s) => s.executing),
    each('current_executing_seats', 'gauge', 'Seats in use', (s) => s.executingSeats),
    eachLevel('nominal_limit_seats', 'Seats by share', (l) => l.limits.nominal),
    eachLevel('lower_limit_seats', 'Seats that are never lent', (l) => l.limits.min),
    eachLevel('upper_limit_seats', 'Seats with all that may be borrowed', (l) => l.limits.max),
    eachLevel('current_limit_seats', 'Seats that may be used until they are lent anew', (l) => l.current),
    eachLevel('demand_seats_high_watermark', 'The most seats that were wanted at once when seats were lent last', (l) => l.demanded.highest),
    eachLevel('demand_seats_average', 'Seats that were wanted when seats were lent last, on average', (l) => l.demanded.average),
    eachLevel('demand_seats_stdev', 'Standard deviation of the seats that were wanted', (l) => l.demanded.deviation),
    eachLevel('demand_seats_smoothed', 'Seats that are wanted in the long run', (l) => l.demanded.smoothed),
    eachLevel('target_seats', 'Seats that were to be given by demand', (l) => l.demanded.target),
    metricFamily(`${prefix}seat_fair_frac`, 'gauge', 'Part of its target that a level gets which no limit holds back', [['', fairFraction]]),
    distribution('request_wait_duration_seconds', 'Time in a queue', (s) => [
      ['execute="true",', waitsOf(s)],
      ['execute="false",', s.waits.false],
    ]),
    distribution('request_execution_seconds', 'Time from its beginning to its answer, or to the beginning of a watch', (s) => [
      ['type="regular",', s.execution.regular],
      ['type="watch",', s.execution.watch],
    ]),
    distribution('request_queue_length_after_enqueue', 'How long a queue was with a request that was put into it', (s) => [['', s.queueLength]]),
    distribution('watch_count_samples', 'Watches that learn of a change', (s) => [['', s.watchers]]),
    distribution('work_estimated_seats', 'Seats that requests were guessed to need', (s) => [['', estimatedOf(s)]]),
  ].join('')
}

/** Who was begun at once has waited, too: for no time. */
function waitsOf({ waits, dispatched }: FlowSeries): Histogram {
  const { buckets, sum, count } = waits.true
  return { bounds: secondsBounds, buckets: buckets.map((n, i) => (i === 0 ? n + dispatched - count : n)), sum, count: dispatched }
}

function estimatedOf({ estimated, estimatedOne: ones }: FlowSeries): Histogram {
  const { buckets, sum, count } = estimated
  return { bounds: seatBounds, buckets: buckets.map((n, i) => (i === 0 ? n + ones : n)), sum: sum + ones, count: count + ones }
}
