import type { DeepReadonly, core } from '#api'
import { describeError } from '#base'
import type { Registry } from './registry.ts'
import { eventTtl } from './strategies/core/event.ts'

const interval = 60_000

/** Deletes events that nobody has renewed for an hour; returns the way to stop. */
export function expireEvents(registry: Registry): () => void {
  const { clock, cache, store, log } = registry
  // such a store does it by itself
  if (store.leases) return () => {}
  const events = cache.resource('', 'events')
  const sweep = async () => {
    const now = clock.now()
    for (const entry of events.list().slice()) {
      const last = lastSeen(entry.object as DeepReadonly<core.Event>)
      if (now - last > eventTtl * 1000) await store.delete(entry.key, entry.revision)
    }
  }
  let cancel: () => void
  const again = () => {
    cancel = clock.schedule(interval, () => {
      sweep().catch((error: unknown) => log.warn('events were not expired', { error: describeError(error) }))
      again()
    })
  }
  again()
  return () => cancel()
}

function lastSeen(event: DeepReadonly<core.Event>): number {
  const times = [event.series?.lastObservedTime, event.lastTimestamp, event.eventTime, event.metadata.creationTimestamp]
  return Math.max(...times.map((time) => (time ? Date.parse(time) : 0)))
}
