import type { Clock } from '#base'
import type { ServerVersion } from '../options.ts'
import type { StoreOperation } from '../observed-store.ts'
import type { ResourceCache } from '../registry/resource-cache.ts'

/** Upper bounds of the store's histogram, seconds: upstream's. */
const bounds = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]

interface Series {
  labels: string
  buckets: number[]
  sum: number
  count: number
}

/** How long the store takes, under the name that upstream gives it: the store here may be another than etcd. */
export class StoreMetrics {
  readonly #clock: Clock
  readonly #series = new Map<string, Series>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  begin(operation: StoreOperation, group: string, resource: string): () => void {
    const key = `${operation} ${group} ${resource}`
    let series = this.#series.get(key)
    if (!series) {
      const labels = `operation="${operation}",group="${group}",resource="${resource}",type="/registry/${group ? `${group}/` : ''}${resource}"`
      this.#series.set(key, (series = { labels, buckets: bounds.map(() => 0), sum: 0, count: 0 }))
    }
    const began = this.#clock.monotonic()
    return () => {
      const seconds = (this.#clock.monotonic() - began) / 1000
      series.sum += seconds
      series.count++
      const bucket = bounds.findIndex((bound) => seconds <= bound)
      if (bucket >= 0) series.buckets[bucket]!++
    }
  }

  /** The Prometheus text form. */
  toString(): string {
    const name = 'etcd_request_duration_seconds'
    const lines = [`# HELP ${name} Time that the store takes, by operation and resource`, `# TYPE ${name} histogram`]
    for (const { labels, buckets, sum, count } of this.#series.values()) {
      let total = 0
      buckets.forEach((n, i) => lines.push(`${name}_bucket{${labels},le="${bounds[i]}"} ${(total += n)}`))
      lines.push(`${name}_bucket{${labels},le="+Inf"} ${count}`, `${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${count}`)
    }
    return `${lines.join('\n')}\n`
  }
}

/** Requests that this process makes of its own API server: those of controllers and scheduler. */
export class ClientMetrics {
  readonly #counts = new Map<string, number>()

  count(method: string, code: number): void {
    const labels = `code="${code}",host="in-process",method="${method}"`
    this.#counts.set(labels, (this.#counts.get(labels) ?? 0) + 1)
  }

  /** The Prometheus text form. */
  toString(): string {
    const name = 'rest_client_requests_total'
    const lines = [`# HELP ${name} Requests of this process to its own API server`, `# TYPE ${name} counter`]
    for (const [labels, count] of this.#counts) lines.push(`${name}{${labels}} ${count}`)
    return `${lines.join('\n')}\n`
  }
}

/** What is stored and who watches it. */
export function cacheMetrics(caches: Iterable<ResourceCache>): string {
  const all = [...caches]
  const nameOf = ({ group, resource }: ResourceCache) => (group ? `${resource}.${group}` : resource)
  const lines: string[] = []
  const gauge = (name: string, type: string, help: string, line: (cache: ResourceCache) => string) => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
    for (const cache of all) lines.push(`${name}${line(cache)}`)
  }
  const objects = (cache: ResourceCache) => `{resource="${nameOf(cache)}"} ${cache.count}`
  gauge('apiserver_storage_objects', 'gauge', 'Stored objects', objects)
  gauge('etcd_object_counts', 'gauge', 'Stored objects, under the name that releases before 1.22 know', objects)
  gauge('apiserver_resource_objects', 'gauge', 'Stored objects', ({ group, resource, count }) => `{group="${group}",resource="${resource}"} ${count}`)
  gauge(
    'apiserver_registered_watchers',
    'gauge',
    'Watches under way',
    ({ group, resource, watcherCount }) => `{group="${group}",resource="${resource}"} ${watcherCount}`,
  )
  gauge(
    'apiserver_watch_events_total',
    'counter',
    'Events that were sent to watches',
    ({ group, resource, sent }) => `{group="${group}",resource="${resource}"} ${sent}`,
  )
  return `${lines.join('\n')}\n`
}

/** Which build this is. */
export function buildInfo(version: Partial<ServerVersion> = {}): string {
  const { major = '1', minor = '36', gitVersion = 'v1.36.0' } = version
  const platform = `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`
  return [
    '# HELP kubernetes_build_info Which build this is',
    '# TYPE kubernetes_build_info gauge',
    `kubernetes_build_info{major="${major}",minor="${minor}",git_version="${gitVersion}",git_tree_state="clean",compiler="v8",platform="${platform}"} 1`,
    '',
  ].join('\n')
}
