import type { Histogram } from '#base'
import { histogram, histogramFamily, metricFamily, metricLabels, observe } from '#base'
import type { Kind } from '#api'
import type { Request } from '#client'
import { isLongRunning } from '../parse-request.ts'
import type { RequestInfo } from '../request-info.ts'

/** Upper bounds, upstream's: seconds, seconds without what others took, bytes. */
const durationBounds = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]
const indicatorBounds = durationBounds.slice(2)
const sizeBounds = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

/** What requests of one kind are counted under. */
interface Series {
  group: string
  version: string
  subresource: string
  scope: string
  dryRun: string
  apply: boolean
  /** With `dry_run`, and without. */
  labels: string
  plainLabels: string
  codes: Map<number, number>
  duration: Histogram
  indicator: Histogram
  sizes: Histogram
  terminated: Map<number, number>
  aborted: number
  /** Under way that last by design. */
  lasting: number
}

export interface Counted {
  request: Pick<Request, 'query' | 'headers'>
  info: RequestInfo
  code: number
  /** From its arrival to its answer; undefined for requests that last by design. */
  seconds: number | undefined
  /** Of these, what it waited for its turn. */
  waited: number
  /** Bytes of the answer; undefined where they are not known yet. */
  size: number | undefined
}

type InflightKind = 'readOnly' | 'mutating'

/** Counts requests under upstream's metric names. Counting is on the path of every request: text is made when asked for. */
export class RequestMetrics {
  /** By verb, then by resource: the few of each are told apart by looking at them. */
  readonly #series = new Map<string, Map<string, Series[]>>()
  readonly #deprecated = new Map<string, string>()
  /** Requests under way that end by themselves, as upstream divides them. */
  readonly #inflight = { readOnly: new Gauge(), mutating: new Gauge() }

  /** `now` is in monotonic milliseconds. */
  begin(kind: InflightKind, now: number): void {
    this.#inflight[kind].up(now)
  }

  end(kind: InflightKind): void {
    this.#inflight[kind].current--
  }

  count({ request, info, code, seconds, waited, size }: Counted): void {
    const series = this.#of(info, request)
    series.codes.set(code, (series.codes.get(code) ?? 0) + 1)
    if (seconds === undefined) return
    observe(series.duration, seconds)
    if (series.dryRun === '') observe(series.indicator, seconds - waited)
    if (size !== undefined && (info.verb === 'get' || info.verb === 'list')) observe(series.sizes, size)
  }

  /** The server answered without waiting for what was asked: it was too much, or took too long. */
  terminated(info: RequestInfo, request: Counted['request'], code: number): void {
    const { terminated } = this.#of(info, request)
    terminated.set(code, (terminated.get(code) ?? 0) + 1)
  }

  /** The client went away before its answer. */
  aborted(info: RequestInfo, request: Counted['request']): void {
    this.#of(info, request).aborted++
  }

  /** Counts a request that lasts by design for as long as it does: call what is returned at its end. */
  lasting(info: RequestInfo, request: Counted['request']): () => void {
    const series = this.#of(info, request)
    series.lasting++
    return () => series.lasting--
  }

  deprecated({ group, version, resource, removed = '' }: Kind, subresource: string): void {
    const key = `${group} ${version} ${resource} ${subresource}`
    if (!this.#deprecated.has(key)) this.#deprecated.set(key, metricLabels({ group, removed_release: removed, resource, subresource, version }))
  }

  #of(info: RequestInfo, { query, headers }: Counted['request']): Series {
    const { verb, resource } = info
    let byResource = this.#series.get(verb)
    if (!byResource) this.#series.set(verb, (byResource = new Map()))
    const name = resource ? resource.resource : ''
    let several = byResource.get(name)
    if (!several) byResource.set(name, (several = []))
    const scope = !resource ? '' : resource.name || verb === 'create' ? 'resource' : resource.namespace ? 'namespace' : 'cluster'
    const dryRun = query.size > 0 && verb !== 'get' && verb !== 'list' ? dryRunOf(query.getAll('dryRun')) : ''
    const apply = verb === 'patch' && headers['content-type'] === 'application/apply-patch+yaml'
    const group = resource ? resource.group : ''
    const version = resource ? resource.version : ''
    const subresource = resource ? resource.subresource : endpointOf(info.path)
    for (const each of several)
      if (
        each.scope === scope &&
        each.subresource === subresource &&
        each.version === version &&
        each.group === group &&
        each.dryRun === dryRun &&
        each.apply === apply
      )
        return each
    const about = {
      component: resource || !subresource ? 'apiserver' : '',
      group,
      resource: name,
      scope,
      subresource,
      verb: verbLabel(info, apply),
      version,
    }
    const { component, ...rest } = about
    const series: Series = {
      group,
      version,
      subresource,
      scope,
      dryRun,
      apply,
      labels: metricLabels({ component, dry_run: dryRun, ...rest }),
      plainLabels: metricLabels(about),
      codes: new Map(),
      duration: histogram(durationBounds),
      indicator: histogram(indicatorBounds),
      sizes: histogram(sizeBounds),
      terminated: new Map(),
      aborted: 0,
      lasting: 0,
    }
    several.push(series)
    return series
  }

  /** The Prometheus text form. */
  toString(): string {
    const all = [...this.#series.values()].flatMap((byResource) => [...byResource.values()].flat())
    const byCode = (of: (s: Series) => Map<number, number>, labelsOf: (s: Series) => string) =>
      all.flatMap((s) => [...of(s)].map(([code, count]) => [`code="${code}",${labelsOf(s)}`, count] as const))
    const used = (of: (s: Series) => Histogram, labelsOf: (s: Series) => string) =>
      all.filter((s) => of(s).count > 0).map((s) => [labelsOf(s), of(s)] as const)
    const plain = (s: Series) => s.plainLabels
    return [
      metricFamily(
        'apiserver_request_total',
        'counter',
        'Requests by verb, resource and status code',
        byCode(
          (s) => s.codes,
          (s) => s.labels,
        ),
      ),
      histogramFamily(
        'apiserver_request_duration_seconds',
        'Time from a request to its answer',
        used(
          (s) => s.duration,
          (s) => s.labels,
        ),
      ),
      histogramFamily(
        'apiserver_request_sli_duration_seconds',
        'Time from a request to its answer, without what it waited for its turn',
        used((s) => s.indicator, plain),
      ),
      histogramFamily(
        'apiserver_response_sizes',
        'Bytes of the answers to what only reads',
        used((s) => s.sizes, plain),
      ),
      metricFamily(
        'apiserver_longrunning_requests',
        'gauge',
        'Requests under way that last by design',
        all.filter((s) => isLasting(s)).map((s) => [s.plainLabels, s.lasting] as const),
      ),
      metricFamily(
        'apiserver_request_terminations_total',
        'counter',
        'Requests that the server ended to protect itself',
        byCode((s) => s.terminated, plain),
      ),
      metricFamily(
        'apiserver_request_aborts_total',
        'counter',
        'Requests whose client went away before their answer',
        all.filter((s) => s.aborted > 0).map((s) => [s.plainLabels.slice(s.plainLabels.indexOf(',') + 1), s.aborted] as const),
      ),
      metricFamily(
        'apiserver_requested_deprecated_apis',
        'gauge',
        'Deprecated versions that were asked for',
        [...this.#deprecated.values()].map((labels) => [labels, 1] as const),
      ),
      metricFamily('apiserver_current_inflight_requests', 'gauge', 'The most requests that were under way at once of late', [
        ['request_kind="mutating"', this.#inflight.mutating.highest],
        ['request_kind="readOnly"', this.#inflight.readOnly.highest],
      ]),
    ].join('')
  }
}

/** How many there are now, and the most that there were of late. */
class Gauge {
  current = 0
  #highest = 0
  #before = 0
  #since = 0

  up(now: number): void {
    const count = ++this.current
    if (now - this.#since >= 1000) {
      this.#before = now - this.#since < 2000 ? this.#highest : 0
      this.#highest = 0
      this.#since = now
    }
    if (count > this.#highest) this.#highest = count
  }

  /** Of this second and the one before. */
  get highest(): number {
    return Math.max(this.#highest, this.#before)
  }
}

const isLasting = ({ labels, lasting }: Series): boolean => lasting > 0 || /verb="(WATCH|CONNECT)"/.test(labels)

function dryRunOf(values: readonly string[]): string {
  if (values.length === 0) return ''
  return values.every((value) => value === 'All') ? 'All' : 'invalid'
}

const verbLabels: Record<string, string> = {
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
  create: 'POST',
  post: 'POST',
  update: 'PUT',
  put: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
  proxy: 'CONNECT',
}

/** As upstream shows verbs: by method, but for lists, watches, applies, and what takes the connection over. */
function verbLabel(info: RequestInfo, apply: boolean): string {
  if (apply) return 'APPLY'
  if (info.verb !== 'watch' && isLongRunning(info)) return 'CONNECT'
  return verbLabels[info.verb] ?? 'other'
}

const endpoints = /^\/(healthz|livez|readyz|metrics)(\/|$)/

/** What is about no resource is counted by its path where there are few of them: anybody could think of others. */
function endpointOf(path: string): string {
  const match = endpoints.exec(path)
  return match ? `/${match[1]}` : ''
}
