import { SortedMap } from './sorted-map.ts'

/** One version of one key: what a write made. */
export interface Version {
  readonly key: string
  readonly revision: number
  readonly deleted: boolean
  /** The bytes; undefined for a deletion, and where the revision log holds them. */
  value: Uint8Array | undefined
  /** The version before this one, as long as it is remembered. */
  replaced: Version | undefined
}

/**
 * The index of a multi-version map: for each key its newest version and, through it, the older ones; and every version in order of
 * revision since the last compaction. It holds only what is durable.
 */
export class Versions {
  #heads: SortedMap<Version>
  // history[#first + i] is the version with revision floor + 1 + i
  readonly #history: Version[] = []
  #first = 0
  #floor: number
  // keys whose newest version is a deletion
  #dead = 0

  constructor(floor = 0) {
    this.#floor = floor
    this.#heads = new SortedMap()
  }

  /**
   * Builds the index from a log in order of revision. `dropped` gets the revisions that a compaction at `floor` forgets but
   * the log still has.
   */
  static load(rows: Iterable<Version>, floor: number, dropped: number[]): Versions {
    const versions = new Versions(floor)
    const heads = new Map<string, Version>()
    for (const version of rows) {
      const older = heads.get(version.key)
      if (version.revision > floor) {
        version.replaced = older
        versions.#history.push(version)
        heads.set(version.key, version)
        continue
      }
      if (older) dropped.push(older.revision)
      if (version.deleted) {
        dropped.push(version.revision)
        heads.delete(version.key)
      } else heads.set(version.key, version)
    }
    for (const head of heads.values()) if (head.deleted) versions.#dead++
    versions.#heads = SortedMap.from(heads)
    return versions
  }

  /** Versions replaced at or before this revision are forgotten. */
  get floor(): number {
    return this.#floor
  }

  /** The newest revision. */
  get revision(): number {
    return this.#floor + this.#history.length - this.#first
  }

  /** The newest version of `key`, which may be a deletion. */
  head(key: string): Version | undefined {
    return this.#heads.get(key)
  }

  /** The version of `key` that a reader at `revision` sees. */
  at(key: string, revision: number): Version | undefined {
    return visible(this.#heads.get(key), revision)
  }

  /** The versions under `prefix` that a reader at `revision` sees, at most `limit`. */
  range(prefix: string, options: { revision: number; after?: string; limit: number }): { found: Version[]; more: boolean } {
    const { revision, after, limit } = options
    const found: Version[] = []
    let more = false
    this.#heads.walk(prefix, after, (_, head) => {
      const version = visible(head, revision)
      if (!version) return true
      if (found.length === limit) {
        more = true
        return false
      }
      found.push(version)
      return true
    })
    return { found, more }
  }

  /** How many keys a reader at `revision` sees after `after`; undefined where that would need a long walk. */
  remaining(prefix: string, after: string, revision: number): number | undefined {
    if (revision === this.revision && this.#dead === 0) return this.#heads.count(prefix, after)
    let count = 0
    let walked = 0
    this.#heads.walk(prefix, after, (_, head) => {
      if (visible(head, revision)) count++
      return ++walked < 10_000
    })
    return walked < 10_000 ? count : undefined
  }

  /** Adds a version whose revision is the next one. */
  append(version: Version): void {
    if (version.replaced?.deleted) this.#dead--
    if (version.deleted) this.#dead++
    this.#heads.set(version.key, version)
    this.#history.push(version)
  }

  /** The versions under `prefix` with revisions greater than `after`, looking at no more than `span` revisions; and where that ended. */
  since(prefix: string, after: number, span: number): { found: Version[]; revision: number } {
    const found: Version[] = []
    const start = this.#first + after - this.#floor
    const end = Math.min(start + span, this.#history.length)
    for (let i = start; i < end; i++) {
      const version = this.#history[i]!
      if (version.key.startsWith(prefix)) found.push(version)
    }
    return { found, revision: after + Math.max(end - start, 0) }
  }

  /** Forgets versions replaced at or before `floor`; their revisions, and those of deletions, are added to `dropped`. */
  compact(floor: number, dropped: number[]): void {
    for (; this.#floor < floor; this.#floor++) {
      const version = this.#history[this.#first++]!
      const older = version.replaced
      // an older deletion went when its own revision was passed
      if (older && !older.deleted) dropped.push(older.revision)
      version.replaced = undefined
      if (!version.deleted) continue
      dropped.push(version.revision)
      if (this.#heads.get(version.key) === version) {
        this.#heads.delete(version.key)
        this.#dead--
      }
    }
    if (this.#first > 1024 && this.#first > this.#history.length / 2) {
      this.#history.splice(0, this.#first)
      this.#first = 0
    }
  }
}

function visible(head: Version | undefined, revision: number): Version | undefined {
  let version = head
  while (version && version.revision > revision) version = version.replaced
  return version && !version.deleted ? version : undefined
}
