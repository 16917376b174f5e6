import type { Clock, Logger } from '#base'
import { describeError } from '#base'
import type { StoreEvent, WatchBatch } from '../store.ts'
import { StoreError } from '../store.ts'
import { closedError } from '../watchers.ts'
import type { KeySpace } from './keys.ts'
import type { EtcdRpc, Message, WatchStream } from './rpc.ts'

export interface FollowerOptions {
  rpc: EtcdRpc
  keys: KeySpace
  /** Where it begins: the store's revision at that time. */
  revision: number
  clock: Clock
  log: Logger
  /** Whether a progress request can be trusted: before 3.4.25 and 3.5.8 its answer can outrun events. */
  progressRequests: boolean
  publish(events: StoreEvent[], revision: number): void
  /** Events were lost: every watch has to start over. */
  lost(): void
}

/** Events that are kept for watches that begin a little in the past. */
const windowSize = 10_000
/** How long a revision may take to come by itself before it is asked for, milliseconds. */
const patience = 20
const pauseBetweenConnections = 200

/**
 * The one watch that a store keeps on its keys in etcd. Knows up to which revision everything has been seen (`revision`), and can wait for more.
 * It survives members that go: it reconnects where it was.
 */
export class Follower {
  readonly #options: FollowerOptions
  #revision: number
  #window: StoreEvent[] = []
  /** Events after this revision are in the window. */
  #windowStart: number
  #waiting: { revision: number; resolve: () => void; reject: (error: Error) => void }[] = []
  #stream: WatchStream | undefined
  #asking: Promise<void> | undefined
  #closed = false
  readonly #running: Promise<void>

  constructor(options: FollowerOptions) {
    this.#options = options
    this.#revision = options.revision
    this.#windowStart = options.revision
    this.#running = this.#run()
  }

  /** Everything up to here has been published. */
  get revision(): number {
    return this.#revision
  }

  /** Resolves once everything up to `revision` has been published. */
  async reaches(revision: number): Promise<void> {
    if (this.#closed) throw closedError()
    if (this.#revision >= revision) return
    const arrived = new Promise<void>((resolve, reject) => this.#waiting.push({ revision, resolve, reject }))
    // most revisions are events that are on their way; others (leases, other prefixes) come when asked for
    const cancel = this.#options.clock.schedule(patience, () => void this.#ask(revision))
    try {
      await arrived
    } finally {
      cancel()
    }
  }

  /** The events under `prefix` after a revision that this or an earlier connection has seen. */
  async since(prefix: string, after: number): Promise<WatchBatch> {
    if (after >= this.#windowStart)
      return { events: this.#window.filter((event) => event.revision > after && event.key.startsWith(prefix)), revision: this.#revision }
    return this.#replay(prefix, after)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stream?.cancel()
    for (const { reject } of this.#waiting.splice(0)) reject(closedError())
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#options
    while (!this.#closed) {
      try {
        await this.#connection()
      } catch (error) {
        if (this.#closed) return
        if (error instanceof StoreError && error.kind === 'compacted') {
          log.warn('etcd forgot events that were not seen: watches start over', { revision: this.#revision })
          await this.#startOver()
          continue
        }
        log.warn('the watch of etcd broke off', { error: describeError(error) })
      }
      if (!this.#closed) await clock.sleep(pauseBetweenConnections).catch(() => {})
    }
  }

  async #connection(): Promise<void> {
    const { rpc, keys } = this.#options
    const stream = (this.#stream = rpc.watch())
    try {
      stream.send({ create_request: { ...keys.all, start_revision: this.#revision + 1, prev_kv: true, progress_notify: true } })
      for await (const response of stream) {
        if (this.#closed) return
        if (response['canceled']) throw canceled(response)
        if (response['created']) continue
        this.#take(response)
      }
    } finally {
      stream.cancel()
    }
  }

  #take(response: Message): void {
    const raw = response['events'] as Message[]
    // a batch without events says that everything up to its header's revision was sent
    const revision = raw.length > 0 ? (raw.at(-1)!['kv']['mod_revision'] as number) : (response['header']['revision'] as number)
    if (revision < this.#revision) return
    const events = raw.map((event) => storeEvent(event, this.#options.keys)).filter((event) => event !== undefined)
    for (const event of events) this.#window.push(event)
    if (this.#window.length > windowSize * 2) {
      const dropped = this.#window.splice(0, this.#window.length - windowSize)
      this.#windowStart = dropped.at(-1)!.revision
    }
    this.#advance(events, revision)
  }

  #advance(events: StoreEvent[], revision: number): void {
    this.#revision = revision
    this.#options.publish(events, revision)
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const each of waiting) {
      if (each.revision <= revision) each.resolve()
      else this.#waiting.push(each)
    }
  }

  /** Makes a revision come that no event under the prefix brings. One request at a time serves all who wait. */
  async #ask(revision: number): Promise<void> {
    const { rpc, keys, progressRequests, log } = this.#options
    while (!this.#closed && this.#revision < revision) {
      if (progressRequests) {
        this.#stream?.send({ progress_request: {} })
        await this.#options.clock.sleep(patience).catch(() => {})
        continue
      }
      this.#asking ??= rpc
        .call('KV', 'Put', { key: keys.sync, value: Buffer.alloc(0) }, { retry: true })
        .then(() => {})
        .catch((error: unknown) => log.warn('etcd does not tell how far it is', { error: describeError(error) }))
        .finally(() => (this.#asking = undefined))
      await this.#asking
      await this.#options.clock.sleep(patience).catch(() => {})
    }
  }

  /** Reads history by a watch of its own, up to a mark that is written for it: only an event tells for certain that none before it is missing. */
  async #replay(prefix: string, after: number): Promise<WatchBatch> {
    const { rpc, keys } = this.#options
    const { header } = await rpc.call('KV', 'Put', { key: keys.sync, value: Buffer.alloc(0) }, { retry: true })
    const mark = header.revision as number
    const stream = rpc.watch()
    try {
      stream.send({ create_request: { ...keys.all, start_revision: after + 1, prev_kv: true } })
      const events: StoreEvent[] = []
      for await (const response of stream) {
        if (response['canceled']) throw canceled(response)
        for (const raw of response['events'] as Message[]) {
          if (raw['kv']['mod_revision'] >= mark) return { events, revision: mark }
          const event = storeEvent(raw, keys)
          if (event?.key.startsWith(prefix)) events.push(event)
        }
      }
      throw new StoreError('unavailable', 'the watch of etcd ended')
    } finally {
      stream.cancel()
    }
  }

  async #startOver(): Promise<void> {
    const { rpc, keys, lost, clock } = this.#options
    try {
      const { header } = await rpc.call('KV', 'Range', { key: keys.sync, keys_only: true }, { retry: true })
      this.#window = []
      this.#windowStart = header.revision
      lost()
      this.#advance([], header.revision)
    } catch {
      await clock.sleep(pauseBetweenConnections).catch(() => {})
    }
  }
}

function canceled(response: Message): StoreError {
  const compacted = response['compact_revision'] as number
  return compacted > 0
    ? new StoreError('compacted', `etcd was compacted at revision ${compacted}`)
    : new StoreError('unavailable', `etcd canceled a watch: ${response['cancel_reason']}`)
}

function storeEvent(event: Message, keys: KeySpace): StoreEvent | undefined {
  const { kv, prev_kv: before } = event
  const key = keys.decode(kv.key)
  if (key === undefined) return undefined
  const previous = before?.mod_revision ? { value: before.value, modRevision: before.mod_revision } : undefined
  const revision = kv.mod_revision
  return event['type'] === 1 ? { type: 'delete', key, previous, revision } : { type: 'put', key, value: kv.value, previous, revision }
}
