import type { Request } from '#client'
import type { FlowSeries, Histogram } from './flow-metrics.ts'
import type { PriorityLevel, Queue, RejectReason, Waiting } from './priority-level.ts'
import type { RequestInfo } from '../request-info.ts'
import type { Work } from './work.ts'

/** What a request holds while it is worked on; given back by `leave`. Those of one schema that take one seat and nothing more share theirs. */
export interface Seat {
  schemaUid: string
  levelUid: string
  level: PriorityLevel
  seats: number
  /** Of these, so many are kept for `after` milliseconds when the request is answered: watches are told of it meanwhile. */
  finalSeats: number
  after: number
  series: FlowSeries
  /** Where its time is counted. */
  execution: Histogram
  /** Where it waited, and as what; undefined when it did not. */
  queue: Queue | undefined
  waited: Waiting | undefined
}

export interface Entry {
  info: RequestInfo
  work: Work
  /** Monotonic milliseconds. */
  now: number
  /** Asked for its signal and its timeout only when it waits. */
  request: Pick<Request, 'query'> & { readonly signal?: AbortSignal }
}

/** There was no seat for a request: answered with 429. One per schema and reason serves all: a flood must not cost a stack trace each. */
export class TooManyRequests extends Error {
  readonly reason: RejectReason
  readonly seat: Pick<Seat, 'schemaUid' | 'levelUid' | 'level'>
  constructor(reason: RejectReason, seat: Pick<Seat, 'schemaUid' | 'levelUid' | 'level'>) {
    super('Too many requests, please try again later.')
    this.name = 'TooManyRequests'
    this.reason = reason
    this.seat = seat
  }

  /** How long its client is to stay away, seconds. */
  get retryAfter(): number {
    return this.seat.level.retryAfter.seconds
  }
}
