/** What a client saw of one request. Times are milliseconds of one monotonic clock; revisions are resourceVersions. */
export type Operation =
  /** A deletion is answered without its revision: 0, and the store tells it later. */
  | { type: 'write'; key: string; start: number; end: number; outcome: 'acknowledged'; revision: number; value: string | undefined; basedOn: number }
  /** The server went away before it answered: the write may have happened. */
  | { type: 'write'; key: string; start: number; end: number; outcome: 'unknown'; value: string | undefined; basedOn: number }
  /** `revision` 0: there was none. */
  | { type: 'read'; key: string; start: number; end: number; revision: number; value: string | undefined }
  | { type: 'list'; start: number; end: number; revision: number; items: { key: string; revision: number; value: string }[] }

type Acknowledged = Extract<Operation, { outcome: 'acknowledged' }>

/** What a watch was told, in the order of arrival, over all its connections. */
export interface WatchHistory {
  /** Where it began; every event after it must be there. */
  from: number
  events: { key: string; revision: number; value: string | undefined }[]
}

/** A version that the store holds: the truth that everything is held against. */
export interface DurableVersion {
  key: string
  revision: number
  value: string | undefined
}

export interface Histories {
  operations: readonly Operation[]
  watches: readonly WatchHistory[]
  /** Everything the store has made durable, in order of revision. */
  durable: readonly DurableVersion[]
}

/**
 * Checks histories against the guarantees of the API (strict serializability of writes and consistent reads, watches that are ordered, unique and gap-free). Revisions give the order of writes,
 * so nothing has to be searched: a history is right when that order agrees with what clients saw and when. Answers each violation in words; none when all is right.
 */
export function violations({ operations, watches, durable }: Histories): string[] {
  const found: string[] = []
  const byRevision = new Map(durable.map((version) => [version.revision, version]))
  const byKey = Map.groupBy(durable, (version) => version.key)
  for (let i = 1; i < durable.length; i++)
    if (durable[i]!.revision <= durable[i - 1]!.revision) found.push(`revision ${durable[i]!.revision} follows ${durable[i - 1]!.revision}`)

  /** The version of a key that was current at a revision. */
  const at = (key: string, revision: number) => byKey.get(key)?.findLast((version) => version.revision <= revision)

  const writes: Acknowledged[] = []
  for (const o of operations) {
    if (o.type !== 'write' || o.outcome !== 'acknowledged') continue
    if (o.revision > 0) writes.push(o)
    else {
      const deletion = byKey.get(o.key)?.find((version) => version.revision > o.basedOn)
      if (deletion && deletion.value === undefined) writes.push({ ...o, revision: deletion.revision })
      else found.push(`the acknowledged deletion of ${o.key}, based on revision ${o.basedOn}, is lost`)
    }
  }
  for (const write of writes) {
    const version = byRevision.get(write.revision)
    if (!version) found.push(`the acknowledged write of ${write.key} at revision ${write.revision} is lost`)
    else if (version.key !== write.key || version.value !== write.value)
      found.push(`revision ${write.revision} was acknowledged for ${write.key} = ${write.value} and is ${version.key} = ${version.value}`)
    const before = at(write.key, write.revision - 1)
    const basis = before?.value === undefined ? 0 : before.revision
    if (version && basis !== write.basedOn)
      found.push(`the write of ${write.key} at revision ${write.revision} was based on ${write.basedOn}, though ${basis} was current`)
  }
  inRealTime(writes, (o) => o.revision, 'a write', found)

  const started = new Map<string, number>()
  for (const o of operations) if (o.type === 'write' && o.value !== undefined) started.set(o.value, o.start)
  const acknowledged = Map.groupBy(writes, (write) => write.key)
  const fresh = (key: string, revision: number, start: number, what: string) => {
    for (const write of acknowledged.get(key) ?? [])
      if (write.end < start && write.revision > revision)
        found.push(`${what} of ${key} shows revision ${revision}, though ${write.revision} was acknowledged before it began`)
  }
  const real = (key: string, revision: number, value: string, end: number, what: string) => {
    const version = byRevision.get(revision)
    if (version?.key !== key || version.value !== value)
      found.push(`${what} of ${key} shows ${value} at revision ${revision}, which the store does not hold`)
    if ((started.get(value) ?? 0) > end) found.push(`${what} of ${key} shows ${value} before it was written`)
  }
  for (const o of operations) {
    if (o.type === 'read' && o.revision > 0) {
      real(o.key, o.revision, o.value!, o.end, 'a read')
      fresh(o.key, o.revision, o.start, 'a read')
    } else if (o.type === 'read') {
      // nothing there: some deletion, or the time before the first write, must fit between what was acknowledged before and what came after
      const last = (acknowledged.get(o.key) ?? []).filter((write) => write.end < o.start).at(-1)
      const absent =
        !last ||
        last.value === undefined ||
        (byKey.get(o.key) ?? []).some((version) => version.revision > last.revision && version.value === undefined)
      if (!absent) found.push(`a read of ${o.key} finds nothing, though revision ${last.revision} was acknowledged before it began`)
    } else if (o.type === 'list') {
      for (const write of writes)
        if (write.end < o.start && write.revision > o.revision)
          found.push(`a list is of revision ${o.revision}, though ${write.revision} was acknowledged before it began`)
      const shown = new Map(o.items.map((item) => [item.key, item]))
      for (const { key, revision, value } of o.items) real(key, revision, value, o.end, 'a list')
      for (const key of byKey.keys()) {
        const version = at(key, o.revision)
        const expected = version?.value === undefined ? undefined : version.revision
        if (shown.get(key)?.revision !== expected)
          found.push(`a list at revision ${o.revision} shows ${key} at ${shown.get(key)?.revision}, not at ${expected}`)
      }
    }
  }
  for (const [key, reads] of Map.groupBy(
    operations.filter((o) => o.type === 'read' && o.revision > 0) as Extract<Operation, { type: 'read' }>[],
    (o) => o.key,
  ))
    inRealTime(reads, (o) => o.revision, `a read of ${key}`, found)

  for (const [i, watch] of watches.entries()) {
    const expected = durable.filter((version) => version.revision > watch.from)
    const seen = watch.events
    for (let n = 1; n < seen.length; n++)
      if (seen[n]!.revision <= seen[n - 1]!.revision) found.push(`watch ${i} is told ${seen[n]!.revision} after ${seen[n - 1]!.revision}`)
    const last = seen.at(-1)?.revision ?? watch.from
    const told = new Map(seen.map((event) => [event.revision, event]))
    for (const version of expected) {
      if (version.revision > last) break
      const event = told.get(version.revision)
      if (!event) found.push(`watch ${i} misses revision ${version.revision} of ${version.key}`)
      else if (event.key !== version.key || (version.value !== undefined && event.value !== version.value))
        found.push(`watch ${i} is told ${event.key} = ${event.value} at revision ${version.revision}, not ${version.key} = ${version.value}`)
      told.delete(version.revision)
    }
    for (const event of told.values()) found.push(`watch ${i} is told revision ${event.revision}, which the store does not hold`)
  }
  return found
}

/** What ended before another began must not be newer. */
function inRealTime<T extends { start: number; end: number }>(
  operations: readonly T[],
  revision: (operation: T) => number,
  what: string,
  found: string[],
): void {
  const byStart = operations.toSorted((a, b) => a.start - b.start)
  const byEnd = operations.toSorted((a, b) => a.end - b.end)
  let newest = 0
  let ended = 0
  for (const operation of byStart) {
    for (; ended < byEnd.length && byEnd[ended]!.end < operation.start; ended++) newest = Math.max(newest, revision(byEnd[ended]!))
    if (revision(operation) < newest) found.push(`${what} shows revision ${revision(operation)} after ${newest} had been shown`)
  }
}
