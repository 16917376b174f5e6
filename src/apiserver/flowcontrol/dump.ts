import type { FlowSeries } from './flow-metrics.ts'
import type { PriorityLevel, RejectReason, Waiting } from './priority-level.ts'

interface Dumped {
  level: PriorityLevel
  series: readonly FlowSeries[]
}

/**
 * What flow control is doing, as upstream's debug endpoints show it. Requests that began at once are counted and not listed: nothing is kept of them apart, so that they
 * cost nothing.
 */
export function dumps(read: () => Dumped[]) {
  const byName = () => read().sort((a, b) => (a.level.name < b.level.name ? -1 : 1))
  return {
    dump_priority_levels: () => table([levelHeader, ...byName().map(levelRow)]),
    dump_queues: () => table([queueHeader, ...byName().flatMap(queueRows)]),
    dump_requests: (details: boolean) =>
      table([details ? [...requestHeader, ...detailHeader] : requestHeader, ...byName().flatMap(({ level }) => requestRows(level, details))]),
  }
}

const levelHeader = [
  'PriorityLevelName',
  'ActiveQueues',
  'IsIdle',
  'IsQuiescing',
  'WaitingRequests',
  'ExecutingRequests',
  'DispatchedRequests',
  'RejectedRequests',
  'TimedoutRequests',
  'CancelledRequests',
]

function levelRow({ level, series }: Dumped): string[] {
  const sum = (of: (s: FlowSeries) => number) => String(series.reduce((total, s) => total + of(s), 0))
  const refused = (...reasons: RejectReason[]) => sum(({ rejected }) => reasons.reduce((total, reason) => total + (rejected.get(reason) ?? 0), 0))
  return [
    level.name,
    String(level.queues.filter(({ items }) => items.length > 0).length),
    String(level.waiting === 0 && level.executing === 0),
    String(level.retired),
    String(level.waiting),
    sum((s) => s.executing),
    sum((s) => s.dispatched),
    refused('queue-full', 'concurrency-limit'),
    refused('time-out'),
    refused('cancelled'),
  ]
}

const queueHeader = [
  'PriorityLevelName',
  'Index',
  'PendingRequests',
  'ExecutingRequests',
  'SeatsInUse',
  'NextDispatchR',
  'InitialSeatsSum',
  'MaxSeatsSum',
  'TotalWorkSum',
]

function queueRows({ level }: Dumped): string[][] {
  return level.queues.map(({ index, items, running, served }) => {
    const seats = String(items.reduce((sum, item) => sum + item.seats, 0))
    const inUse = [...running].reduce((sum, item) => sum + item.seats, 0)
    const work = items.reduce((sum, item) => sum + item.cost, 0)
    return [
      level.name,
      String(index),
      String(items.length),
      String(running.size),
      String(inUse),
      seatSeconds(served),
      seats,
      seats,
      seatSeconds(work),
    ]
  })
}

const requestHeader = [
  'PriorityLevelName',
  'FlowSchemaName',
  'QueueIndex',
  'RequestIndexInQueue',
  'FlowDistingsher',
  'ArriveTime',
  'InitialSeats',
  'FinalSeats',
  'AdditionalLatency',
  'StartTime',
]
const detailHeader = ['UserName', 'Verb', 'APIPath', 'Namespace', 'Name', 'APIVersion', 'Resource', 'SubResource']

function requestRows(level: PriorityLevel, details: boolean): string[][] {
  const row = (queue: number, at: number, item: Waiting) => [
    level.name,
    item.schema,
    String(queue),
    String(at),
    item.flow,
    timeOf(item.arrived),
    String(item.seats),
    String(item.finalSeats),
    item.after === 0 ? '0s' : `${item.after}ms`,
    timeOf(item.began),
    ...(details ? detailsOf(item) : []),
  ]
  return level.queues.flatMap(({ index, items, running }) => [
    ...items.map((item, at) => row(index, at, item)),
    ...[...running].map((item) => row(index, -1, item)),
  ])
}

function detailsOf({ info: { user, verb, path, resource } }: Waiting): string[] {
  const { group = '', version = '', namespace = '', name = '', subresource = '' } = resource ?? {}
  return [user.username, verb, path, namespace, name, group ? `${group}/${version}` : version, resource?.resource ?? '', subresource]
}

/** A time that never was is Go's zero time. */
const timeOf = (time: number): string => (time === 0 ? '0001-01-01T00:00:00Z' : new Date(time).toISOString())

/** A request of cost 1 takes a seat for some 50 microseconds. */
const seatSeconds = (cost: number): string => `${(cost * 0.00005).toFixed(8)}ss`

/** Columns as Go's tab writer aligns them: at least eight wide, with a blank between. */
function table(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell, i) => (i < row.length - 1 ? `${cell},` : cell)))
  const widths = cells[0]!.map((_, i) => Math.max(8, ...cells.map((row) => row[i]!.length + 1)))
  return cells.map((row) => row.map((cell, i) => (i < row.length - 1 ? cell.padEnd(widths[i]!) : cell)).join('') + '\n').join('')
}
