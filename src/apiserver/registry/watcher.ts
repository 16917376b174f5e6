import type { Clock } from '#base'
import type { DeepReadonly, KubeObject, Status } from '#api'
import type { WatchFrame } from '#client'
import type { CacheEntry } from './cache-entry.ts'
import type { BinaryForm } from './binary-form.ts'
import type { CacheEvent, ResourceCache } from './resource-cache.ts'
import { frameBytes } from './wire.ts'

/** How entries are shown to a client: another version, a Table, metadata only. `name` tells views apart where bytes are shared. */
export interface View {
  /** Empty for the stored version's plain JSON. */
  name: string
  /** Absent for the plain view. */
  render?(object: DeepReadonly<KubeObject>): unknown
  /** What it renders depends on more than the object (ages in tables): entries do not keep it. */
  transient?: boolean
  kind: string
  apiVersion: string
  /** How events go over the wire; JSON lines when absent. */
  form?: BinaryForm
}

export interface WatcherOptions {
  cache: ResourceCache
  view: View
  /** The version that the client asked for. */
  version: string
  namespace?: string
  /** What a client may see of the objects, by its selectors; everything when absent. */
  matches?(entry: CacheEntry): boolean
  /** A field that must have one value: such watchers are found by index. */
  exact?: { field: string; value: string }
  clock: Clock
}

type FrameType = WatchFrame['type']

/** A client that has this many undelivered events is cut off; it resumes by its last resourceVersion. */
const queueLimit = 16_384

/**
 * One client's watch: events go in by `offer` (never waits), frames come out by `take` or by iteration. Ends by `end`; frames
 * that are queued by then are still delivered.
 */
export class Watcher implements AsyncIterable<WatchFrame> {
  readonly exact: { field: string; value: string } | undefined
  readonly #options: WatcherOptions
  readonly #sent: { count: number }
  #queue: WatchFrame[] = []
  #wake: (() => void) | undefined
  #ended = false
  readonly #onEnd: (() => void)[] = []
  /** The revision up to which the client is told everything. */
  revision = 0

  constructor(options: WatcherOptions) {
    this.#options = options
    this.exact = options.exact
    this.#sent = options.cache.sentIn(options.version)
  }

  get ended(): boolean {
    return this.#ended
  }

  get view(): View {
    return this.#options.view
  }

  /** The one that it is about; empty for all. */
  get namespace(): string {
    return this.#options.namespace ?? ''
  }

  /** Runs `fn` when the watch ends, at once if it has. */
  onEnd(fn: () => void): void {
    if (this.#ended) fn()
    else this.#onEnd.push(fn)
  }

  offer(event: CacheEvent): void {
    const { namespace, matches } = this.#options
    const { entry, previous } = event
    if (namespace && (entry ?? previous!).namespace !== namespace) return
    const now = entry !== undefined && (!matches || matches(entry))
    const before = previous !== undefined && (!matches || matches(previous))
    if (now) this.push(sharedFrame(event, before ? 'MODIFIED' : 'ADDED', entry, this.#options.view))
    else if (before) this.push(sharedFrame(event, 'DELETED', event.gone, this.#options.view))
  }

  /** Shows an object that was there before the watch began. */
  initial(entry: CacheEntry): void {
    const { namespace, matches, view } = this.#options
    if (namespace && entry.namespace !== namespace) return
    if (matches && !matches(entry)) return
    this.#sent.count++
    this.#queue.push(frameOf('ADDED', entry, view))
  }

  bookmark(revision: number, annotations?: Record<string, string>): void {
    const { view } = this.#options
    const metadata = { resourceVersion: String(revision), ...(annotations ? { annotations } : {}) }
    let object: object = { kind: view.kind, apiVersion: view.apiVersion, metadata }
    if (view.render && view.kind === 'Table')
      object = {
        kind: 'Table',
        apiVersion: view.apiVersion,
        metadata: { resourceVersion: String(revision) },
        columnDefinitions: null,
        rows: annotations ? [{ cells: null, object: { kind: 'PartialObjectMetadata', apiVersion: view.apiVersion, metadata } }] : null,
      }
    this.push(plainFrame('BOOKMARK', object, view))
  }

  error(status: Status): void {
    this.push(plainFrame('ERROR', status, this.#options.view))
    this.end()
  }

  push(frame: WatchFrame): void {
    if (this.#ended) return
    this.#sent.count++
    this.#queue.push(frame)
    if (this.#queue.length > queueLimit) {
      this.#options.cache.cutOff++
      this.end()
    }
    this.#notify()
  }

  /** Takes all frames that wait. */
  take(): WatchFrame[] {
    const frames = this.#queue
    if (frames.length > 0) this.#queue = []
    return frames
  }

  /** Calls `wake` whenever there is something to take, or the watch ends. One reader. */
  listen(wake: () => void): void {
    this.#wake = wake
    if (this.#queue.length > 0 || this.#ended) wake()
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#options.cache.removeWatcher(this)
    for (const fn of this.#onEnd.splice(0)) fn()
    this.#notify()
  }

  #notify(): void {
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<WatchFrame> {
    let resolve: (() => void) | undefined
    this.#wake = () => {
      resolve?.()
      resolve = undefined
    }
    try {
      for (;;) {
        const frames = this.take()
        if (frames.length === 0) {
          if (this.#ended) return
          await new Promise<void>((r) => (resolve = r))
          continue
        }
        yield* frames
      }
    } finally {
      this.end()
    }
  }
}

function sharedFrame(event: CacheEvent, type: FrameType, entry: CacheEntry, view: View): WatchFrame {
  const shown = view.name ? `${type} ${view.name}` : type
  const id = view.form ? `${shown} ${view.form.mediaType}` : shown
  let frame = event.frames.get(id) as WatchFrame | undefined
  if (!frame) event.frames.set(id, (frame = frameOf(type, entry, view)))
  return frame
}

function frameOf(type: FrameType, entry: CacheEntry, view: View): WatchFrame {
  return new EntryFrame(type, entry, view)
}

class EntryFrame implements WatchFrame {
  readonly type: FrameType
  readonly #entry: CacheEntry
  readonly #view: View
  #bytes: Buffer | undefined
  #rendered: unknown

  constructor(type: FrameType, entry: CacheEntry, view: View) {
    this.type = type
    this.#entry = entry
    this.#view = view
  }

  get object(): unknown {
    const { name, render, transient } = this.#view
    if (!render) return this.#entry.object
    return transient ? (this.#rendered ??= render(this.#entry.object)) : this.#entry.view(name, render).object
  }

  bytes(): Uint8Array {
    if (this.#bytes) return this.#bytes
    const { name, render, transient, form, kind } = this.#view
    if (form) {
      const shown = kind === 'PartialObjectMetadata' || kind === 'Table'
      return (this.#bytes = form.frame(this.type, shown ? form.value(this.object as object) : form.object(this.#entry, this.#view)))
    }
    const object = !render ? this.#entry.bytes : transient ? Buffer.from(JSON.stringify(this.object)) : this.#entry.view(name, render).bytes
    return (this.#bytes = frameBytes(this.type, object))
  }
}

function plainFrame(type: FrameType, object: object, { form }: View): WatchFrame {
  let bytes: Uint8Array | undefined
  const make = () => (form ? form.frame(type, form.value(object)) : frameBytes(type, Buffer.from(JSON.stringify(object))))
  return { type, object, bytes: () => (bytes ??= make()) }
}
