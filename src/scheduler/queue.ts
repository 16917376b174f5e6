import type { Clock } from '#base'
import { realClock } from '#base'
import type { ClusterEvent, Pod } from './framework.ts'
import { priorityOf } from './framework.ts'

interface Entry {
  pod: Pod
  /** When the pod first came. */
  since: number
  attempts: number
  /** Where the entry is; `gone` once it left the queue for good. */
  place: 'active' | 'backoff' | 'unschedulable' | 'inFlight' | 'gone'
  backoffUntil: number
  /** Plugins that rejected the pod; their events bring it back. */
  rejectedBy: ReadonlySet<string>
  order: number
}

export interface QueueOptions {
  /** Which plugins' pods an event may help. */
  interested: (event: ClusterEvent) => ReadonlySet<string>
  clock?: Clock
  initialBackoffMs?: number
  maxBackoffMs?: number
}

/** A pod that nothing brought back is tried again after this time, milliseconds. */
const unschedulableTimeout = 5 * 60_000

/**
 * Pods that wait for a node: those to try now (highest priority first, then the oldest), those that back off after a failure, and those that no node can take until
 * something changes. An event that comes while a pod is being tried counts for it: it is tried again.
 */
export class SchedulingQueue {
  readonly #options: QueueOptions
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()
  readonly #heap: Entry[] = []
  #sequence = 0
  #waiter: (() => void) | undefined
  /** Events since each in-flight pod was taken. */
  readonly #missed = new Map<string, Set<ClusterEvent>>()
  #closed = false
  readonly #timers = new Map<string, () => void>()

  constructor(options: QueueOptions) {
    this.#options = options
    this.#clock = options.clock ?? realClock
  }

  /** A pod without a node came or changed. */
  add(pod: Pod): void {
    const uid = pod.metadata.uid!
    const known = this.#entries.get(uid)
    if (!known) {
      const entry: Entry = {
        pod,
        since: this.#clock.monotonic(),
        attempts: 0,
        place: 'active',
        backoffUntil: 0,
        rejectedBy: new Set(),
        order: this.#sequence++,
      }
      this.#entries.set(uid, entry)
      return this.#activate(entry)
    }
    // its own change may make an unschedulable pod fit; its status, which we write, does not
    const changed = known.pod.metadata.generation !== pod.metadata.generation || !sameLabels(known.pod.metadata.labels, pod.metadata.labels)
    known.pod = pod
    if (known.place === 'unschedulable' && changed) this.#activateAfterBackoff(known)
  }

  remove(uid: string): void {
    const entry = this.#entries.get(uid)
    if (!entry) return
    entry.place = 'gone'
    this.#entries.delete(uid)
    this.#missed.delete(uid)
    this.#timers.get(uid)?.()
    this.#timers.delete(uid)
  }

  has(uid: string): boolean {
    return this.#entries.has(uid)
  }

  /** The next pod to try, or undefined when there is none now. */
  take(): Pod | undefined {
    for (let entry = this.#pop(); entry; entry = this.#pop()) {
      if (entry.place !== 'active') continue
      entry.place = 'inFlight'
      entry.attempts++
      this.#missed.set(entry.pod.metadata.uid!, new Set())
      return entry.pod
    }
    return undefined
  }

  /** Resolves when there may be a pod to take, or the queue is closed. */
  async waiting(): Promise<void> {
    if (this.#closed || this.#heap.some((e) => e.place === 'active')) return
    await new Promise<void>((resolve) => (this.#waiter = resolve))
  }

  /** The pod has its node. */
  done(uid: string): void {
    this.remove(uid)
  }

  /** The pod could not be placed: it waits for an event that one of these plugins cares for. */
  rejected(uid: string, plugins: ReadonlySet<string>): void {
    const entry = this.#entries.get(uid)
    if (!entry || entry.place !== 'inFlight') return
    entry.rejectedBy = plugins
    const missed = this.#missed.get(uid)
    this.#missed.delete(uid)
    if ([...(missed ?? [])].some((event) => this.#helps(event, entry))) return this.#activateAfterBackoff(entry)
    entry.place = 'unschedulable'
    this.#timer(uid, unschedulableTimeout, () => this.#activateAfterBackoff(entry))
  }

  /** Something went wrong that has nothing to do with the pod: it backs off and is tried again. */
  failed(uid: string): void {
    const entry = this.#entries.get(uid)
    if (!entry || entry.place !== 'inFlight') return
    this.#missed.delete(uid)
    this.#activateAfterBackoff(entry)
  }

  /** Brings back the pods that the event may help. */
  event(event: ClusterEvent): void {
    for (const missed of this.#missed.values()) missed.add(event)
    for (const entry of this.#entries.values()) if (entry.place === 'unschedulable' && this.#helps(event, entry)) this.#activateAfterBackoff(entry)
  }

  get pending(): { active: number; backoff: number; unschedulable: number } {
    const count = { active: 0, backoff: 0, unschedulable: 0 }
    for (const { place } of this.#entries.values()) if (place in count) count[place as keyof typeof count]++
    return count
  }

  close(): void {
    this.#closed = true
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
    this.#waiter?.()
  }

  #helps(event: ClusterEvent, entry: Entry): boolean {
    if (entry.rejectedBy.size === 0) return true
    const interested = this.#options.interested(event)
    return [...entry.rejectedBy].some((plugin) => interested.has(plugin))
  }

  #activateAfterBackoff(entry: Entry): void {
    const { initialBackoffMs = 1000, maxBackoffMs = 10_000 } = this.#options
    const wait = entry.attempts === 0 ? 0 : Math.min(initialBackoffMs * 2 ** (entry.attempts - 1), maxBackoffMs)
    if (entry.place === 'inFlight') entry.backoffUntil = this.#clock.monotonic() + wait
    else if (entry.place === 'unschedulable' && entry.backoffUntil === 0) entry.backoffUntil = this.#clock.monotonic()
    const left = entry.backoffUntil - this.#clock.monotonic()
    if (left <= 0) return this.#activate(entry)
    entry.place = 'backoff'
    this.#timer(entry.pod.metadata.uid!, left, () => this.#activate(entry))
  }

  #activate(entry: Entry): void {
    if (entry.place === 'gone') return
    this.#timers.get(entry.pod.metadata.uid!)?.()
    this.#timers.delete(entry.pod.metadata.uid!)
    entry.place = 'active'
    entry.backoffUntil = 0
    this.#push(entry)
    this.#waiter?.()
    this.#waiter = undefined
  }

  #timer(uid: string, ms: number, fn: () => void): void {
    this.#timers.get(uid)?.()
    this.#timers.set(uid, this.#clock.schedule(ms, fn))
  }

  // a binary heap: highest priority, then first come
  #before(a: Entry, b: Entry): boolean {
    const byPriority = priorityOf(b.pod) - priorityOf(a.pod)
    return byPriority !== 0 ? byPriority < 0 : a.order < b.order
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let i = heap.push(entry) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!this.#before(entry, heap[parent]!)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = entry
  }

  #pop(): Entry | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (top === undefined || heap.length === 0) return top
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && this.#before(heap[child + 1]!, heap[child]!)) child++
      if (!this.#before(heap[child]!, last!)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last!
    return top
  }
}

function sameLabels(a: Pod['metadata']['labels'], b: Pod['metadata']['labels']): boolean {
  const keys = Object.keys(a ?? {})
  return keys.length === Object.keys(b ?? {}).length && keys.every((key) => a![key] === b![key])
}
