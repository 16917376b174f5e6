/** Which Ingresses the data plane serves, by uid: what is not served yet has no address to show. */
export interface Served {
  has(uid: string): boolean
  /** Says what is served now. */
  set(uids: Iterable<string>): void
  /** Calls `fn` when something is served that was not before; answers how to stop. */
  onMore(fn: () => void): () => void
}

export function servedIngresses(): Served {
  let served = new Set<string>()
  const told = new Set<() => void>()
  return {
    has: (uid) => served.has(uid),
    set(uids) {
      const before = served
      served = new Set(uids)
      if ([...served].some((uid) => !before.has(uid))) for (const fn of told) fn()
    },
    onMore(fn) {
      told.add(fn)
      return () => told.delete(fn)
    },
  }
}
