import type { Clock, Histogram } from '#base'
import { histogram, histogramFamily, metricFamily, metricLabels, observe } from '#base'
import type { StoreOperation } from '../observed-store.ts'
import type { ResourceCache } from '../registry/resource-cache.ts'

/** Upper bounds of the store's histogram, and of those of requests to the own server, seconds: upstream's. */
const storeBounds = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]
const clientBounds = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60]

interface Operations {
  labels: string
  time: Histogram
  failed: number
}

/** How long the store takes, under the name that upstream gives it: the store here may be another than etcd. */
export class StoreMetrics {
  readonly #clock: Clock
  readonly #series = new Map<string, Operations>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  begin(operation: StoreOperation, group: string, resource: string): (error?: unknown) => void {
    const key = `${operation} ${group} ${resource}`
    let series = this.#series.get(key)
    if (!series) {
      const labels = metricLabels({ group, operation, resource })
      this.#series.set(key, (series = { labels, time: histogram(storeBounds), failed: 0 }))
    }
    const began = this.#clock.monotonic()
    return (error) => {
      observe(series.time, (this.#clock.monotonic() - began) / 1000)
      if (error !== undefined) series.failed++
    }
  }

  /** The Prometheus text form. */
  toString(): string {
    const all = [...this.#series.values()]
    return [
      histogramFamily(
        'etcd_request_duration_seconds',
        'Time that the store takes',
        all.map(({ labels, time }) => [labels, time] as const),
      ),
      metricFamily(
        'etcd_requests_total',
        'counter',
        'Calls of the store',
        all.map(({ labels, time }) => [labels, time.count] as const),
      ),
      metricFamily(
        'etcd_request_errors_total',
        'counter',
        'Calls of the store that failed',
        all.filter(({ failed }) => failed > 0).map(({ labels, failed }) => [labels, failed] as const),
      ),
    ].join('')
  }
}

/** Requests that this process makes of its own API server: those of controllers and scheduler. */
export class ClientMetrics {
  readonly #counts = new Map<string, number>()
  readonly #times = new Map<string, Histogram>()

  count(method: string, code: number, seconds: number): void {
    const labels = `code="${code}",host="in-process",method="${method}"`
    this.#counts.set(labels, (this.#counts.get(labels) ?? 0) + 1)
    let time = this.#times.get(method)
    if (!time) this.#times.set(method, (time = histogram(clientBounds)))
    observe(time, seconds)
  }

  /** The Prometheus text form. */
  toString(): string {
    return (
      metricFamily('rest_client_requests_total', 'counter', 'Requests of this process to its own API server', this.#counts) +
      histogramFamily(
        'rest_client_request_duration_seconds',
        'Time that requests of this process to its own API server took',
        [...this.#times].map(([method, time]) => [`host="in-process",verb="${method}"`, time] as const),
      )
    )
  }
}

/** What is stored and who watches it. */
export function cacheMetrics(caches: Iterable<ResourceCache>): string {
  const all = [...caches]
  const nameOf = ({ group, resource }: ResourceCache) => (group ? `${resource}.${group}` : resource)
  const about = ({ group, resource }: ResourceCache) => metricLabels({ group, resource })
  const each = (name: string, type: 'counter' | 'gauge', help: string, value: (cache: ResourceCache) => number, labels = about) =>
    metricFamily(
      name,
      type,
      help,
      all.map((cache) => [labels(cache), value(cache)] as const),
    )
  const byName = (cache: ResourceCache) => metricLabels({ resource: nameOf(cache) })
  return [
    each('apiserver_storage_objects', 'gauge', 'Stored objects', ({ count }) => count, byName),
    each('etcd_object_counts', 'gauge', 'Stored objects, under the name that releases before 1.22 know', ({ count }) => count, byName),
    each('apiserver_resource_objects', 'gauge', 'Stored objects', ({ count }) => count),
    each('apiserver_resource_size_estimate_bytes', 'gauge', 'Bytes of stored objects', ({ size }) => size),
    each('apiserver_registered_watchers', 'gauge', 'Watches under way', ({ watcherCount }) => watcherCount),
    each('apiserver_watch_cache_events_received_total', 'counter', 'Changes that were taken from the store', ({ received }) => received),
    each('apiserver_watch_cache_resource_version', 'gauge', 'Revision of the newest change', ({ version }) => version),
    each('apiserver_terminated_watchers_total', 'counter', 'Watches that were ended because their client was too slow', ({ cutOff }) => cutOff),
    metricFamily(
      'apiserver_watch_events_total',
      'counter',
      'Events that were sent to watches',
      all.flatMap(({ group, resource, sent }) =>
        [...sent].map(([version, { count }]) => [metricLabels({ group, resource, version }), count] as const),
      ),
    ),
  ].join('')
}

/** Which build this is: the fields of `/version`. */
export function buildInfo(version: Record<string, string>): string {
  const names = ['buildDate', 'compiler', 'gitCommit', 'gitTreeState', 'gitVersion', 'goVersion', 'major', 'minor', 'platform']
  const labels = Object.fromEntries(names.map((name) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), version[name] ?? '']))
  return metricFamily('kubernetes_build_info', 'gauge', 'Which build this is', [[metricLabels(labels), 1]])
}
