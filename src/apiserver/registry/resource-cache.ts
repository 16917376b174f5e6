import type { DeepReadonly, KubeObject } from '#api'
import type { ObjectChange } from '../object-reader.ts'
import type { CacheEntry } from './cache-entry.ts'
import type { Watcher } from './watcher.ts'

/** A change of one object, shared by all watchers. */
export class CacheEvent {
  readonly revision: number
  /** What is there now; undefined after a deletion. */
  readonly entry: CacheEntry | undefined
  readonly previous: CacheEntry | undefined
  readonly time: number
  /** `previous` with the revision of this event: what watchers get who lose the object by it. */
  #gone: CacheEntry | undefined
  #frames: Map<string, unknown> | undefined

  constructor(revision: number, entry: CacheEntry | undefined, previous: CacheEntry | undefined, time: number) {
    this.revision = revision
    this.entry = entry
    this.previous = previous
    this.time = time
  }

  /** Frames that watchers share, by their type and view. */
  get frames(): Map<string, unknown> {
    return (this.#frames ??= new Map())
  }

  get gone(): CacheEntry {
    return (this.#gone ??= this.previous!.at(this.revision))
  }
}

/** Events are kept this long for watches that resume, milliseconds: as long as the store keeps history by default. */
const keepEventsFor = 5 * 60_000
const keepAtLeast = 128
const keepAtMost = 16_384
/** A joined list larger than this is not kept. */
const keepListBytes = 8 << 20

/** Makes one piece of the items of a list. */
export type JoinItems = (entries: readonly CacheEntry[]) => Buffer

/** The objects of one namespace. A write costs the same however many there are: their order is made up for by the next list. */
class Shelf {
  readonly namespace: string
  readonly byName = new Map<string, CacheEntry>()
  /** Every name in order, apart from those in `added`; some may be gone. */
  #names: string[] = []
  #added: string[] = []
  #sorted: CacheEntry[] | undefined
  /** Lists by their forms; undefined: asked for once. */
  readonly #joined = new Map<string, Buffer | undefined>()

  constructor(namespace: string) {
    this.namespace = namespace
  }

  put(entry: CacheEntry): CacheEntry | undefined {
    this.#forget()
    const previous = this.byName.get(entry.name)
    this.byName.set(entry.name, entry)
    if (!previous) this.#added.push(entry.name)
    return previous
  }

  remove(name: string): CacheEntry | undefined {
    const previous = this.byName.get(name)
    if (!previous) return undefined
    this.#forget()
    this.byName.delete(name)
    return previous
  }

  /** In key order. */
  get sorted(): readonly CacheEntry[] {
    return (this.#sorted ??= this.#sort())
  }

  /** The items, joined; kept from the second time on that nothing has changed. */
  joined(form: string, join: JoinItems): Buffer {
    const kept = this.#joined.get(form)
    if (kept) return kept
    const joined = join(this.sorted)
    this.#joined.set(form, this.#joined.has(form) && joined.length <= keepListBytes ? joined : undefined)
    return joined
  }

  #forget(): void {
    this.#sorted = undefined
    this.#joined.clear()
  }

  #sort(): CacheEntry[] {
    const added = this.#added.sort(byCodeUnit)
    const old = this.#names
    const names: string[] = []
    const entries: CacheEntry[] = []
    let last: string | undefined
    for (let i = 0, j = 0; i < old.length || j < added.length;) {
      const name = j === added.length || (i < old.length && old[i]! <= added[j]!) ? old[i++]! : added[j++]!
      // a name that went and came again stands in both lists
      if (name === last) continue
      last = name
      const entry = this.byName.get(name)
      if (!entry) continue
      names.push(name)
      entries.push(entry)
    }
    this.#names = names
    this.#added = []
    return entries
  }
}

const byCodeUnit = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** All objects of one stored resource, the recent events, and the watchers. Filled by the WatchCache alone. */
export class ResourceCache {
  readonly group: string
  readonly resource: string
  /** The store's prefix, with its trailing slash. */
  readonly prefix: string
  /** Revision of the newest change here. */
  version = 0
  /** Watches can resume from this revision on. */
  oldest: number
  /** Changes that were applied, ever. */
  received = 0
  /** Events that watchers of each version were given, ever. */
  readonly sent = new Map<string, { count: number }>()
  /** Watchers that were ended because they were too slow, ever. */
  cutOff = 0
  readonly #shelves = new Map<string, Shelf>()
  #order: Shelf[] = []
  #events: CacheEvent[] = []
  readonly #watchers = new Set<Watcher>()
  /** Watchers that ask for one value of a field, by `field=value`: an event looks up the few that it can concern. */
  readonly #indexed = new Map<string, Set<Watcher>>()
  #indexedFields: { field: string; count: number }[] = []
  readonly #listeners = new Set<(change: ObjectChange) => void>()
  #count = 0
  #size = 0
  /** Watchers of one namespace each, counted; those of all of them under the empty name. */
  readonly #watchersIn = new Map<string, number>()

  constructor(group: string, resource: string, prefix: string, oldest: number) {
    this.group = group
    this.resource = resource
    this.prefix = prefix
    this.oldest = oldest
  }

  get count(): number {
    return this.#count
  }

  /** Bytes of all objects. */
  get size(): number {
    return this.#size
  }

  countIn(namespace: string): number {
    return this.#shelves.get(namespace)?.byName.size ?? 0
  }

  /** How many watchers a change of this object may concern; those of one field's value are left out, but for its name. */
  watchersOf(namespace: string, name: string): number {
    const counts = this.#watchersIn
    const count = (counts.get('') ?? 0) + (namespace ? (counts.get(namespace) ?? 0) : 0)
    return name && this.#indexedFields.length > 0 ? count + (this.#indexed.get(`metadata.name=${name}`)?.size ?? 0) : count
  }

  get(namespace: string, name: string): CacheEntry | undefined {
    return this.#shelves.get(namespace)?.byName.get(name)
  }

  /** In key order; of all namespaces when none is given. The array belongs to the cache: never change it, never keep it. */
  list(namespace?: string): readonly CacheEntry[] {
    if (namespace) return this.#shelves.get(namespace)?.sorted ?? []
    if (this.#order.length === 1) return this.#order[0]!.sorted
    const all: CacheEntry[] = []
    for (const shelf of this.#order) for (const entry of shelf.sorted) all.push(entry)
    return all
  }

  /** `list(namespace)` as `join` makes one piece of it; `form` names what it makes. */
  joined(namespace: string | undefined, form: string, join: JoinItems): Buffer {
    const shelf = namespace ? this.#shelves.get(namespace) : this.#order.length === 1 ? this.#order[0] : undefined
    return shelf ? shelf.joined(form, join) : join(this.list(namespace))
  }

  /** Applies one change. Only the WatchCache calls this. */
  apply(entry: CacheEntry | undefined, namespace: string, name: string, revision: number, time: number): void {
    let shelf = this.#shelves.get(namespace)
    let previous: CacheEntry | undefined
    if (entry) {
      if (!shelf) this.#addShelf((shelf = new Shelf(namespace)))
      previous = shelf.put(entry)
    } else {
      previous = shelf?.remove(name)
      if (!previous) return
      if (shelf!.byName.size === 0) this.#removeShelf(shelf!)
    }
    if (!previous) this.#count++
    else if (!entry) this.#count--
    this.#size += (entry?.size ?? 0) - (previous?.size ?? 0)
    this.version = revision
    this.received++
    const event = new CacheEvent(revision, entry, previous, time)
    this.#remember(event)
    if (this.#listeners.size > 0) this.#tell(event)
    this.#dispatch(event)
  }

  /** Puts an entry there without an event: the first listing. */
  load(entry: CacheEntry): void {
    let shelf = this.#shelves.get(entry.namespace)
    if (!shelf) this.#addShelf((shelf = new Shelf(entry.namespace)))
    const previous = shelf.put(entry)
    if (!previous) this.#count++
    this.#size += entry.size - (previous?.size ?? 0)
    if (entry.revision > this.version) this.version = entry.revision
  }

  onChange(fn: (change: ObjectChange) => void): () => void {
    this.#listeners.add(fn)
    return () => this.#listeners.delete(fn)
  }

  /** The events after `revision`, or undefined when some are no longer known. */
  eventsAfter(revision: number): CacheEvent[] | undefined {
    if (revision < this.oldest) return undefined
    const events = this.#events
    let low = 0
    let high = events.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (events[middle]!.revision <= revision) low = middle + 1
      else high = middle
    }
    return low === events.length ? [] : events.slice(low)
  }

  sentIn(version: string): { count: number } {
    let sent = this.sent.get(version)
    if (!sent) this.sent.set(version, (sent = { count: 0 }))
    return sent
  }

  addWatcher(watcher: Watcher): void {
    const exact = watcher.exact
    if (!exact) {
      this.#watchers.add(watcher)
      this.#countWatcher(watcher, 1)
      return
    }
    const known = this.#indexedFields.find((f) => f.field === exact.field)
    if (known) known.count++
    else this.#indexedFields.push({ field: exact.field, count: 1 })
    const id = `${exact.field}=${exact.value}`
    const set = this.#indexed.get(id) ?? new Set()
    this.#indexed.set(id, set)
    set.add(watcher)
  }

  removeWatcher(watcher: Watcher): void {
    const exact = watcher.exact
    if (!exact) {
      if (this.#watchers.delete(watcher)) this.#countWatcher(watcher, -1)
      return
    }
    const id = `${exact.field}=${exact.value}`
    const set = this.#indexed.get(id)
    if (!set?.delete(watcher)) return
    if (set.size === 0) this.#indexed.delete(id)
    const known = this.#indexedFields.find((f) => f.field === exact.field)!
    if (--known.count === 0) this.#indexedFields = this.#indexedFields.filter((f) => f !== known)
  }

  get watcherCount(): number {
    let count = this.#watchers.size
    for (const set of this.#indexed.values()) count += set.size
    return count
  }

  /** Forgets what came before `revision` and ends every watch: after a gap in the store's events. */
  restart(revision: number): void {
    this.#events = []
    this.oldest = revision
    for (const watcher of this.allWatchers()) watcher.end()
  }

  allWatchers(): Watcher[] {
    const all = [...this.#watchers]
    for (const set of this.#indexed.values()) all.push(...set)
    return all
  }

  #countWatcher({ namespace }: Watcher, by: number): void {
    const count = (this.#watchersIn.get(namespace) ?? 0) + by
    if (count > 0) this.#watchersIn.set(namespace, count)
    else this.#watchersIn.delete(namespace)
  }

  #dispatch(event: CacheEvent): void {
    for (const watcher of this.#watchers) watcher.offer(event)
    for (const { field } of this.#indexedFields) {
      const now = event.entry && fieldValue(event.entry, field)
      const before = event.previous && fieldValue(event.previous, field)
      if (now !== undefined) this.#offerIndexed(field, now, event)
      if (before !== undefined && before !== now) this.#offerIndexed(field, before, event)
    }
  }

  #offerIndexed(field: string, value: string, event: CacheEvent): void {
    const set = this.#indexed.get(`${field}=${value}`)
    if (set) for (const watcher of set) watcher.offer(event)
  }

  #tell(event: CacheEvent): void {
    const { entry, previous } = event
    const change: ObjectChange = entry
      ? previous
        ? { type: 'updated', object: entry.object, previous: previous.object }
        : { type: 'added', object: entry.object }
      : { type: 'deleted', object: event.previous!.object }
    for (const listener of this.#listeners) listener(change)
  }

  #remember(event: CacheEvent): void {
    const events = this.#events
    events.push(event)
    // trimming in steps keeps the cost per event constant
    if (events.length < keepAtLeast * 2 || events.length % keepAtLeast !== 0) return
    let drop = events.length > keepAtMost ? events.length - keepAtMost : 0
    const horizon = event.time - keepEventsFor
    while (events.length - drop > keepAtLeast && events[drop]!.time < horizon) drop++
    if (drop === 0) return
    this.oldest = events[drop - 1]!.revision
    this.#events = events.slice(drop)
  }

  #addShelf(shelf: Shelf): void {
    this.#shelves.set(shelf.namespace, shelf)
    // the store orders keys bytewise, and keys have a slash after the namespace
    this.#order.push(shelf)
    this.#order.sort((a, b) => (a.namespace + '/' < b.namespace + '/' ? -1 : 1))
  }

  #removeShelf(shelf: Shelf): void {
    this.#shelves.delete(shelf.namespace)
    this.#order = this.#order.filter((s) => s !== shelf)
  }
}

/** Fields whose watchers are indexed. */
export const indexableFields = ['metadata.name', 'spec.nodeName']

function fieldValue(entry: CacheEntry, field: string): string {
  if (field === 'metadata.name') return entry.name
  return (entry.object as DeepReadonly<KubeObject & { spec?: { nodeName?: string } }>).spec?.nodeName ?? ''
}
