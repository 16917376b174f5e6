import type { DeepReadonly, flowcontrol } from '#api'
import type { Limits } from './seats.ts'
import { dealHand } from './shuffle.ts'

/** A request that waits for its seats. */
export interface Waiting {
  seats: number
  cost: number
  /** Monotonic milliseconds. */
  since: number
  /** Begins the request; false when nobody waits for it any more. */
  start(): boolean
  /** Ends its waiting without a seat. */
  reject(reason: RejectReason): void
}

export type RejectReason = 'queue-full' | 'concurrency-limit' | 'time-out' | 'cancelled'

interface Queue {
  items: Waiting[]
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
  limits: Limits = { nominal: 0, lendable: 0, upper: 0 }
  /** Seats in use. */
  executing = 0
  /** Requests that wait, in all queues. */
  waiting = 0
  /** How much this level was served for its size, when levels take turns. */
  served = 0
  /** Whether its configuration is there still. */
  retired = false
  #count = 0
  /** Those that were used; there may be millions that are not. */
  readonly #queues = new Map<number, Queue>()
  /** Queues that hold something. */
  #active: Queue[] = []
  #handSize = 1
  #lengthLimit = 50
  readonly #hands = new Map<number, readonly number[]>()

  constructor(name: string) {
    this.name = name
  }

  configure(object: DeepReadonly<flowcontrol.PriorityLevelConfiguration>, limits: Limits): void {
    const response = object.spec?.limited?.limitResponse
    const queuing = response?.queuing
    this.uid = object.metadata.uid ?? ''
    this.exempt = object.spec?.type === 'Exempt'
    this.rejects = response?.type !== 'Queue'
    this.limits = limits
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

  get queueCount(): number {
    return this.#count
  }

  /** Puts a request into the shortest queue of its flow's hand; false when that is full. */
  enqueue(hash: number, item: Waiting): boolean {
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
    if (shortest.items.length >= this.#lengthLimit) return false
    if (shortest.items.length === 0) {
      // a queue that was idle has saved nothing up
      shortest.served = Math.max(shortest.served, this.#leastServed()?.served ?? 0)
      this.#active.push(shortest)
    }
    shortest.items.push(item)
    this.waiting++
    return true
  }

  /** The request that goes next, left where it is. */
  peek(): Waiting | undefined {
    return this.#leastServed()?.items[0]
  }

  /** Takes out what `peek` answered. */
  take(): Waiting {
    const queue = this.#leastServed()!
    const item = queue.items.shift()!
    queue.served += item.cost
    this.waiting--
    if (queue.items.length === 0) this.#active.splice(this.#active.indexOf(queue), 1)
    return item
  }

  /** Takes out what has waited since before `time`. */
  takeOlderThan(time: number): Waiting[] {
    const taken: Waiting[] = []
    for (const { items } of this.#active) while (items.length > 0 && items[0]!.since < time) taken.push(items.shift()!)
    this.#active = this.#active.filter(({ items }) => items.length > 0)
    this.waiting -= taken.length
    return taken
  }

  #queue(index: number): Queue {
    let queue = this.#queues.get(index)
    if (!queue) this.#queues.set(index, (queue = { items: [], served: 0 }))
    return queue
  }

  #leastServed(): Queue | undefined {
    let best: Queue | undefined
    for (const queue of this.#active) if (!best || queue.served < best.served) best = queue
    return best
  }
}

const handsKept = 4096
