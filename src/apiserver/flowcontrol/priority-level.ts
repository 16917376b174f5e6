import type { DeepReadonly, flowcontrol } from '#api'
import type { RequestInfo } from '../request-info.ts'
import { SeatDemand } from './demand.ts'
import { RetryAfter } from './retry-after.ts'
import type { Limits } from './seats.ts'
import { widestRequest } from './seats.ts'
import { dealHand } from './shuffle.ts'

/** A request that waits for its seats, or did so before it began. */
export interface Waiting {
  info: RequestInfo
  schema: string
  /** Which of the schema's flows it belongs to: a user, a namespace, or nothing. */
  flow: string
  seats: number
  finalSeats: number
  after: number
  cost: number
  /** Wall time, milliseconds. */
  arrived: number
  /** When it began, wall time; 0 while it waits. */
  began: number
  /** Monotonic milliseconds. */
  since: number
  until: number
  /** Begins the request; false when nobody waits for it any more. */
  start(queue: Queue): boolean
  /** Ends its waiting without a seat. */
  reject(reason: RejectReason): void
}

export type RejectReason = 'queue-full' | 'concurrency-limit' | 'time-out' | 'cancelled'

export interface Queue {
  index: number
  items: Waiting[]
  /** Requests that waited here and are under way. */
  running: Set<Waiting>
  /** How far this queue has been served, in cost; the least served goes next. */
  served: number
}

/** The running state of one PriorityLevelConfiguration: seats in use and queues. Decides nothing about other levels. */
export class PriorityLevel {
  readonly name: string
  uid = ''
  exempt = false
  /** Nobody waits for a seat here: who finds none is refused. */
  rejects = false
  limits: Limits = { nominal: 0, min: 0, max: 0 }
  /** Seats that it may use until they are lent anew. */
  current = 0
  /** The most seats of one request; undefined where only what the request is about limits them. */
  widest: number | undefined
  /** Seats in use. */
  executing = 0
  /** Those of them that are kept after their requests were answered. */
  kept = 0
  /** Requests that wait, in all queues. */
  waiting = 0
  /** How much this level was served for its size, when levels take turns. */
  served = 0
  /** Whether its configuration is there still. */
  retired = false
  readonly demand: SeatDemand
  /** As it was when seats were lent last. */
  demanded = { highest: 0, average: 0, deviation: 0, smoothed: 0, target: 0 }
  readonly retryAfter = new RetryAfter()
  #count = 0
  /** Those that were used; there may be millions that are not. */
  readonly #queues = new Map<number, Queue>()
  /** Queues that hold something. */
  #active: Queue[] = []
  #handSize = 1
  #lengthLimit = 50
  readonly #hands = new Map<number, readonly number[]>()

  /** `now` is in monotonic milliseconds. */
  constructor(name: string, now: number) {
    this.name = name
    this.demand = new SeatDemand(now)
  }

  configure(object: DeepReadonly<flowcontrol.PriorityLevelConfiguration>, limits: Limits): void {
    const response = object.spec?.limited?.limitResponse
    const queuing = response?.queuing
    this.uid = object.metadata.uid ?? ''
    this.exempt = object.spec?.type === 'Exempt'
    this.rejects = response?.type !== 'Queue'
    this.limits = limits
    this.widest = widestRequest(object, limits.nominal)
    this.retired = false
    const count = this.rejects ? 1 : (queuing?.queues ?? 64)
    this.#handSize = this.rejects ? 1 : Math.min(queuing?.handSize ?? 8, count)
    // where nobody waits for a seat, requests still wait for their turn
    this.#lengthLimit = this.rejects ? Math.max(limits.nominal, 1) : (queuing?.queueLengthLimit ?? 50)
    if (count === this.#count) return
    this.#count = count
    this.#hands.clear()
    // what waits in queues that are no more keeps its place in the active ones until it is served
    this.#queues.clear()
  }

  /** Whether so many seats more are free. What is wider than the level has it to itself. */
  room(seats: number): boolean {
    return seats > this.current ? this.executing === 0 : this.executing + seats <= this.current
  }

  /** Queues that hold something or that requests under way came from. */
  get queues(): Queue[] {
    const all = new Set([...this.#queues.values(), ...this.#active])
    return [...all].filter(({ items, running }) => items.length > 0 || running.size > 0).sort((a, b) => a.index - b.index)
  }

  /** Puts a request into the shortest queue of its flow's hand; answers how long that is then, or 0 when it was full. */
  enqueue(hash: number, item: Waiting): number {
    let hand = this.#hands.get(hash)
    if (!hand) {
      hand = dealHand(hash, this.#count, this.#handSize)
      if (this.#hands.size >= handsKept) this.#hands.clear()
      this.#hands.set(hash, hand)
    }
    let shortest = this.#queue(hand[0]!)
    for (const card of hand) {
      const queue = this.#queue(card)
      if (queue.items.length < shortest.items.length) shortest = queue
    }
    if (shortest.items.length >= this.#lengthLimit) return 0
    if (shortest.items.length === 0) {
      // a queue that was idle has saved nothing up
      shortest.served = Math.max(shortest.served, this.#leastServed()?.served ?? 0)
      this.#active.push(shortest)
    }
    this.waiting++
    return shortest.items.push(item)
  }

  /** The request that goes next, left where it is. */
  peek(): Waiting | undefined {
    return this.#leastServed()?.items[0]
  }

  /** Takes out what `peek` answered, with the queue it was in. */
  take(): { item: Waiting; queue: Queue } {
    const queue = this.#leastServed()!
    const item = queue.items.shift()!
    queue.served += item.cost
    this.waiting--
    if (queue.items.length === 0) this.#active.splice(this.#active.indexOf(queue), 1)
    return { item, queue }
  }

  /** Takes out what may wait no longer. */
  takeExpired(now: number): Waiting[] {
    const taken: Waiting[] = []
    for (const queue of this.#active) {
      for (const item of queue.items) if (item.until <= now) taken.push(item)
      queue.items = queue.items.filter((item) => item.until > now)
    }
    this.#active = this.#active.filter(({ items }) => items.length > 0)
    this.waiting -= taken.length
    return taken
  }

  #queue(index: number): Queue {
    let queue = this.#queues.get(index)
    if (!queue) this.#queues.set(index, (queue = { index, items: [], running: new Set(), served: 0 }))
    return queue
  }

  #leastServed(): Queue | undefined {
    let best: Queue | undefined
    for (const queue of this.#active) if (!best || queue.served < best.served) best = queue
    return best
  }
}

const handsKept = 4096
