import type { PriorityLevel, RejectReason } from './priority-level.ts'

/** Upper bounds of the histograms, seconds. */
const bounds = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30]

interface Histogram {
  buckets: number[]
  sum: number
  count: number
}

/** Counts of one schema at one level. */
export interface FlowSeries {
  schema: string
  level: string
  dispatched: number
  executing: number
  waiting: number
  rejected: Map<RejectReason, number>
  /** Requests that had to wait, by whether they were then worked on. */
  waits: Record<'true' | 'false', Histogram>
  execution: Histogram
}

export interface FlowMetrics {
  series(schema: string, level: string): FlowSeries
  rejected(series: FlowSeries, reason: RejectReason): void
  waited(series: FlowSeries, execute: 'true' | 'false', seconds: number): void
  executed(series: FlowSeries, seconds: number): void
  /** The Prometheus text form, under upstream's names. */
  toString(): string
}

const histogram = (): Histogram => ({ buckets: bounds.map(() => 0), sum: 0, count: 0 })

function observe(into: Histogram, seconds: number): void {
  into.sum += seconds
  into.count++
  for (let i = 0; i < bounds.length; i++)
    if (seconds <= bounds[i]!) {
      into.buckets[i]!++
      return
    }
}

/** Counting is on the path of every request: text is made when asked for. */
export function flowMetrics(levels: () => Iterable<PriorityLevel>): FlowMetrics {
  const all = new Map<string, FlowSeries>()
  return {
    series(schema, level) {
      const key = `${schema} ${level}`
      let series = all.get(key)
      if (!series) {
        series = {
          schema,
          level,
          dispatched: 0,
          executing: 0,
          waiting: 0,
          rejected: new Map(),
          waits: { true: histogram(), false: histogram() },
          execution: histogram(),
        }
        all.set(key, series)
      }
      return series
    },
    rejected: ({ rejected }, reason) => void rejected.set(reason, (rejected.get(reason) ?? 0) + 1),
    waited: ({ waits }, execute, seconds) => observe(waits[execute], seconds),
    executed: ({ execution }, seconds) => observe(execution, seconds),
    toString: () => text([...all.values()], [...levels()]),
  }
}

function text(series: readonly FlowSeries[], levels: readonly PriorityLevel[]): string {
  const lines: string[] = []
  const head = (name: string, type: string, help: string) => lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
  const labelsOf = ({ schema, level }: FlowSeries) => `flow_schema="${schema}",priority_level="${level}"`
  const each = (name: string, type: string, help: string, value: (s: FlowSeries) => number) => {
    head(`apiserver_flowcontrol_${name}`, type, help)
    for (const s of series) lines.push(`apiserver_flowcontrol_${name}{${labelsOf(s)}} ${value(s)}`)
  }
  const eachLevel = (name: string, help: string, value: (l: PriorityLevel) => number) => {
    head(`apiserver_flowcontrol_${name}`, 'gauge', help)
    for (const l of levels) lines.push(`apiserver_flowcontrol_${name}{priority_level="${l.name}"} ${value(l)}`)
  }
  each('dispatched_requests_total', 'counter', 'Requests that were begun', (s) => s.dispatched)
  head('apiserver_flowcontrol_rejected_requests_total', 'counter', 'Requests that were sent away')
  for (const s of series)
    for (const [reason, count] of s.rejected) lines.push(`apiserver_flowcontrol_rejected_requests_total{${labelsOf(s)},reason="${reason}"} ${count}`)
  each('current_inqueue_requests', 'gauge', 'Requests that wait', (s) => s.waiting)
  each('current_executing_requests', 'gauge', 'Requests under way', (s) => s.executing)
  eachLevel('current_executing_seats', 'Seats in use', (l) => l.executing)
  eachLevel('request_concurrency_in_use', 'Seats in use', (l) => l.executing)
  eachLevel('request_concurrency_limit', 'Seats by share', (l) => l.limits.nominal)
  eachLevel('nominal_limit_seats', 'Seats by share', (l) => l.limits.nominal)
  eachLevel('lower_limit_seats', 'Seats that are never lent', (l) => l.limits.nominal - l.limits.lendable)
  eachLevel('upper_limit_seats', 'Seats with all that can be borrowed', (l) => l.limits.upper)
  const histograms = (name: string, help: string, of: (s: FlowSeries) => [string, Histogram][]) => {
    head(`apiserver_flowcontrol_${name}`, 'histogram', help)
    for (const s of series)
      for (const [more, { buckets, sum, count }] of of(s)) {
        if (count === 0) continue
        const labels = `${more}${labelsOf(s)}`
        let total = 0
        buckets.forEach((n, i) => lines.push(`apiserver_flowcontrol_${name}_bucket{${labels},le="${bounds[i]}"} ${(total += n)}`))
        lines.push(
          `apiserver_flowcontrol_${name}_bucket{${labels},le="+Inf"} ${count}`,
          `apiserver_flowcontrol_${name}_sum{${labels}} ${sum}`,
          `apiserver_flowcontrol_${name}_count{${labels}} ${count}`,
        )
      }
  }
  histograms('request_wait_duration_seconds', 'Time in a queue', (s) => [
    ['execute="true",', waitsOf(s)],
    ['execute="false",', s.waits.false],
  ])
  histograms('request_execution_seconds', 'Time from its beginning to its answer', (s) => [['', s.execution]])
  return `${lines.join('\n')}\n`
}

/** Who was begun at once has waited, too: for no time. */
function waitsOf({ waits, dispatched }: FlowSeries): Histogram {
  const { buckets, sum, count } = waits.true
  return { buckets: buckets.map((n, i) => (i === 0 ? n + dispatched - count : n)), sum, count: dispatched }
}
