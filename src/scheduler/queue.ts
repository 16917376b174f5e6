import type { Clock } from '#base'
import { realClock } from '#base'
import type { ClusterEvent, Pod } from './framework.ts'
import { priorityOf } from './framework.ts'

interface Entry {
  pod: Pod
  attempts: number
  /** Where the entry is; `gone` once it left the queue for good. */
  place: 'active' | 'backoff' | 'unschedulable' | 'inFlight' | 'gone'
  /** Monotonic; not tried again before, unless nothing went wrong. */
  backoffUntil: number
  /** Plugins that rejected the pod; their events bring it back. */
  rejectedBy: ReadonlySet<string>
  /** Events since the pod was taken. */
  missed: Set<ClusterEvent>
  order: number
  cancelTimer?: () => void
}

export interface QueueOptions {
  /** Which plugins' pods an event may help. */
  interested: (event: ClusterEvent) => ReadonlySet<string>
  clock?: Clock
  /** Pause after the first failed attempt, doubling with each; 100 ms when absent: a pod that may fit now should not wait for long. */
  initialBackoffMs?: number
  /** 10 s when absent. */
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
  readonly #unschedulable = new Set<Entry>()
  readonly #inFlight = new Set<Entry>()
  #sequence = 0
  #waiter: (() => void) | undefined
  #closed = false

  constructor(options: QueueOptions) {
    this.#options = options
    this.#clock = options.clock ?? realClock
  }

  /** A pod without a node came or changed. */
  add(pod: Pod): void {
    const uid = pod.metadata.uid!
    const known = this.#entries.get(uid)
    if (!known) {
      const entry: Entry = { pod, attempts: 0, place: 'active', backoffUntil: 0, rejectedBy: new Set(), missed: new Set(), order: this.#sequence++ }
      this.#entries.set(uid, entry)
      return this.#activate(entry)
    }
    // its own change may make an unschedulable pod fit; its status, which we write, does not
    const changed = known.pod.metadata.generation !== pod.metadata.generation || !sameLabels(known.pod.metadata.labels, pod.metadata.labels)
    known.pod = pod
    if (known.place === 'unschedulable' && changed) this.#retry(known)
  }

  remove(uid: string): void {
    const entry = this.#entries.get(uid)
    if (!entry) return
    this.#move(entry, 'gone')
    this.#entries.delete(uid)
  }

  has(uid: string): boolean {
    return this.#entries.has(uid)
  }

  /** The next pod to try, or undefined when there is none now. */
  take(): Pod | undefined {
    for (let entry = this.#pop(); entry; entry = this.#pop()) {
      if (entry.place !== 'active') continue
      this.#move(entry, 'inFlight')
      entry.attempts++
      entry.missed.clear()
      return entry.pod
    }
    return undefined
  }

  /** Resolves when there may be a pod to take, or the queue is closed. */
  async waiting(): Promise<void> {
    if (this.#closed || this.#heap.length > 0) return
    await new Promise<void>((resolve) => (this.#waiter = resolve))
  }

  /** The pod could not be placed: it waits for an event that one of these plugins cares for. */
  rejected(uid: string, plugins: ReadonlySet<string>): void {
    const entry = this.#entries.get(uid)
    if (!entry || entry.place !== 'inFlight') return
    entry.rejectedBy = plugins
    this.#punish(entry)
    if ([...entry.missed].some((event) => this.#helps(event, entry))) return this.#retry(entry)
    this.#move(entry, 'unschedulable')
    entry.cancelTimer = this.#clock.schedule(unschedulableTimeout, () => this.#retry(entry))
  }

  /** Something went wrong that has nothing to do with the pod: it backs off and is tried again. `current` is what is known of it by now. */
  failed(uid: string, current?: Pod): void {
    const entry = this.#entries.get(uid)
    if (!entry || entry.place !== 'inFlight') return
    if (current) entry.pod = current
    this.#punish(entry)
    this.#retry(entry)
  }

  /** Brings back the pods that the event may help. */
  event(event: ClusterEvent): void {
    for (const entry of this.#inFlight) entry.missed.add(event)
    for (const entry of this.#unschedulable) if (this.#helps(event, entry)) this.#retry(entry)
  }

  get pending(): { active: number; backoff: number; unschedulable: number } {
    const count = { active: 0, backoff: 0, unschedulable: 0 }
    for (const { place } of this.#entries.values()) if (place in count) count[place as keyof typeof count]++
    return count
  }

  close(): void {
    this.#closed = true
    for (const entry of this.#entries.values()) entry.cancelTimer?.()
    this.#waiter?.()
  }

  #helps(event: ClusterEvent, entry: Entry): boolean {
    if (entry.rejectedBy.size === 0) return true
    const interested = this.#options.interested(event)
    for (const plugin of entry.rejectedBy) if (interested.has(plugin)) return true
    return false
  }

  #punish(entry: Entry): void {
    const { initialBackoffMs = 100, maxBackoffMs = 10_000 } = this.#options
    entry.backoffUntil = this.#clock.monotonic() + Math.min(initialBackoffMs * 2 ** (entry.attempts - 1), maxBackoffMs)
  }

  /** Now, or when its pause is over. */
  #retry(entry: Entry): void {
    const left = entry.backoffUntil - this.#clock.monotonic()
    if (left <= 0) return this.#activate(entry)
    this.#move(entry, 'backoff')
    entry.cancelTimer = this.#clock.schedule(left, () => this.#activate(entry))
  }

  #activate(entry: Entry): void {
    if (entry.place === 'gone') return
    this.#move(entry, 'active')
    this.#push(entry)
    this.#waiter?.()
    this.#waiter = undefined
  }

  #move(entry: Entry, place: Entry['place']): void {
    entry.cancelTimer?.()
    delete entry.cancelTimer
    this.#unschedulable.delete(entry)
    this.#inFlight.delete(entry)
    entry.place = place
    if (place === 'unschedulable') this.#unschedulable.add(entry)
    else if (place === 'inFlight') this.#inFlight.add(entry)
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
