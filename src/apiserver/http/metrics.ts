import type { RequestInfo } from '../request-info.ts'

/** Upper bounds of the duration histogram, seconds: upstream's. */
const bounds = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]

interface Series {
  labels: string
  codes: Map<number, number>
  buckets: number[]
  sum: number
  count: number
}

/** Counts requests under upstream's metric names. Counting is on the path of every request: text is made when asked for. */
export class RequestMetrics {
  readonly #series = new Map<string, Series>()
  /** Watches under way, by `group/version/resource`. */
  readonly #watches = new Map<string, number>()
  /** Requests under way that end by themselves, as upstream divides them: those that only read, and the others. */
  readonly inflight = { readOnly: 0, mutating: 0 }

  /** `seconds` is undefined for requests that last by design. */
  count(info: RequestInfo, code: number, seconds: number | undefined): void {
    const { resource } = info
    const key = resource
      ? `${info.verb} ${resource.group} ${resource.version} ${resource.resource} ${resource.subresource} ${resource.name ? 'r' : ''}${resource.namespace ? 'n' : ''}`
      : info.verb
    let series = this.#series.get(key)
    if (!series) this.#series.set(key, (series = { labels: labelsOf(info), codes: new Map(), buckets: bounds.map(() => 0), sum: 0, count: 0 }))
    series.codes.set(code, (series.codes.get(code) ?? 0) + 1)
    if (seconds === undefined) return
    series.sum += seconds
    series.count++
    for (let i = 0; i < bounds.length; i++)
      if (seconds <= bounds[i]!) {
        series.buckets[i]!++
        break
      }
  }

  /** Counts a watch for as long as it lasts: call what is returned at its end. */
  watching({ resource }: RequestInfo): () => void {
    const key = `${resource!.group}/${resource!.version}/${resource!.resource}`
    const add = (n: number) => this.#watches.set(key, (this.#watches.get(key) ?? 0) + n)
    add(1)
    return () => add(-1)
  }

  /** The Prometheus text form. */
  toString(): string {
    const lines = ['# HELP apiserver_request_total Requests by verb, resource and status code', '# TYPE apiserver_request_total counter']
    for (const { labels, codes } of this.#series.values())
      for (const [code, count] of codes) lines.push(`apiserver_request_total{code="${code}",${labels}} ${count}`)
    lines.push('# HELP apiserver_request_duration_seconds Response latency', '# TYPE apiserver_request_duration_seconds histogram')
    for (const { labels, buckets, sum, count } of this.#series.values()) {
      let total = 0
      buckets.forEach((n, i) => lines.push(`apiserver_request_duration_seconds_bucket{${labels},le="${bounds[i]}"} ${(total += n)}`))
      lines.push(
        `apiserver_request_duration_seconds_bucket{${labels},le="+Inf"} ${count}`,
        `apiserver_request_duration_seconds_sum{${labels}} ${sum}`,
        `apiserver_request_duration_seconds_count{${labels}} ${count}`,
      )
    }
    lines.push('# HELP apiserver_longrunning_requests Watches under way', '# TYPE apiserver_longrunning_requests gauge')
    for (const [key, count] of this.#watches) {
      const [group, version, resource] = key.split('/')
      lines.push(`apiserver_longrunning_requests{verb="WATCH",group="${group}",version="${version}",resource="${resource}"} ${count}`)
    }
    lines.push(
      '# HELP apiserver_current_inflight_requests Requests under way',
      '# TYPE apiserver_current_inflight_requests gauge',
      `apiserver_current_inflight_requests{request_kind="readOnly"} ${this.inflight.readOnly}`,
      `apiserver_current_inflight_requests{request_kind="mutating"} ${this.inflight.mutating}`,
    )
    return lines.join('\n') + '\n'
  }
}

const verbLabels: Record<string, string> = { create: 'POST', update: 'PUT', deletecollection: 'DELETECOLLECTION' }

function labelsOf({ verb, resource }: RequestInfo): string {
  const scope = !resource ? '' : resource.name ? 'resource' : resource.namespace ? 'namespace' : 'cluster'
  const { group = '', version = '', subresource = '' } = resource ?? {}
  return `component="apiserver",dry_run="",group="${group}",resource="${resource?.resource ?? ''}",scope="${scope}",subresource="${subresource}",verb="${verbLabels[verb] ?? verb.toUpperCase()}",version="${version}"`
}
