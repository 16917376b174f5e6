/** What is measured, as in the design's table. */
export type MeasureId =
  | 'ready'
  | 'memory'
  | 'createConfigMap'
  | 'createPod'
  | 'apply'
  | 'get'
  | 'getProtobuf'
  | 'list'
  | 'listProtobuf'
  | 'listLarge'
  | 'listLargeRate'
  | 'listPages'
  | 'memoryPods'
  | 'memoryWatch'
  | 'watch'
  | 'bind'
  | 'podStart'
  | 'podStartP99'
  | 'podBatch'

export interface Measure {
  id: MeasureId
  title: string
  unit: 'ms' | 'MB' | 'kB' | '/s' | 'MB/s'
  /** An amount that must not be exceeded, or how many times the reference's rate must be reached; absent where a row only informs. */
  target?: { atMost: number } | { times: number }
  /** The reference as it was measured once, for machines where it is not built. */
  recorded?: number
}

export const measures: readonly Measure[] = [
  { id: 'ready', title: 'start → /readyz', unit: 'ms', target: { atMost: 1000 }, recorded: 6500 },
  { id: 'memory', title: 'idle control plane, RSS', unit: 'MB', target: { atMost: 130 }, recorded: 521 },
  { id: 'createConfigMap', title: 'durable ConfigMap creates, 16 connections', unit: '/s', target: { times: 6 }, recorded: 1051 },
  { id: 'createPod', title: 'durable Pod creates, 16 connections', unit: '/s', target: { times: 6 }, recorded: 915 },
  { id: 'apply', title: 'durable server-side applies, 16 connections', unit: '/s' },
  { id: 'get', title: 'GET of one object', unit: '/s', target: { times: 10 }, recorded: 1607 },
  { id: 'getProtobuf', title: 'GET of one object, protobuf', unit: '/s' },
  { id: 'list', title: 'LIST of 500 pods', unit: '/s', target: { times: 30 }, recorded: 29 },
  { id: 'listProtobuf', title: 'LIST of 500 pods, protobuf', unit: '/s' },
  { id: 'listLarge', title: 'LIST of 10,000 pods', unit: 'ms' },
  { id: 'listLargeRate', title: 'LIST of 10,000 pods, body', unit: 'MB/s' },
  { id: 'listPages', title: 'LIST of 10,000 pods in pages of 500', unit: 'ms' },
  { id: 'memoryPods', title: 'memory of 10,000 pods', unit: 'MB' },
  { id: 'memoryWatch', title: 'memory of an idle watch', unit: 'kB' },
  { id: 'watch', title: '1,000 watches, 100 writes/s: write → event, p99', unit: 'ms' },
  { id: 'bind', title: 'pods bound, 1,000 nodes', unit: '/s', target: { times: 10 }, recorded: 152 },
  { id: 'podStart', title: 'pod POST → Ready, one at a time, p50', unit: 'ms', target: { atMost: 350 }, recorded: 1008 },
  { id: 'podStartP99', title: 'pod POST → Ready, one at a time, p99', unit: 'ms' },
  { id: 'podBatch', title: '30 pods at once, all Ready', unit: 'ms', target: { atMost: 7000 }, recorded: 20_800 },
]

/** The values of each measure, one a run; what was not measured is absent. */
export type Results = Partial<Record<MeasureId, number[]>>

export interface Row {
  id: MeasureId
  title: string
  unit: Measure['unit']
  reference: number | null
  /** Whether the reference's number comes from this run or was recorded earlier. */
  referenceFrom: 'measured' | 'recorded' | null
  k8ts: number | null
  /** How many times better than the reference; more is better in every row. */
  ratio: number | null
  target: string | null
  met: boolean | null
  /** Processor time a request, microseconds, where it was measured. */
  cost: { reference: number | null; k8ts: number | null }
  /** All runs behind the medians. */
  runs: { reference: number[]; k8ts: number[] }
}

export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!
}

/** Processor time a request of each run, microseconds. */
export interface Costs {
  reference?: readonly number[]
  k8ts?: readonly number[]
}

/** One row of the report: medians, how they compare, and whether the target is met. */
export function judge(measure: Measure, reference: readonly number[], k8ts: readonly number[], costs: Costs = {}): Row {
  const measured = median(reference)
  const theirs = measured ?? measure.recorded ?? null
  const ours = median(k8ts)
  const moreIsBetter = measure.unit === '/s' || measure.unit === 'MB/s'
  const ratio = ours === null || theirs === null ? null : moreIsBetter ? ours / theirs : theirs / ours
  return {
    id: measure.id,
    title: measure.title,
    unit: measure.unit,
    reference: theirs,
    referenceFrom: measured !== null ? 'measured' : theirs !== null ? 'recorded' : null,
    k8ts: ours,
    ratio,
    target: targetText(measure),
    met: isMet(measure, ours, ratio),
    cost: { reference: median(costs.reference ?? []), k8ts: median(costs.k8ts ?? []) },
    runs: { reference: [...reference], k8ts: [...k8ts] },
  }
}

function isMet({ target }: Measure, ours: number | null, ratio: number | null): boolean | null {
  if (!target || ours === null) return null
  if ('atMost' in target) return ours <= target.atMost
  return ratio === null ? null : ratio >= target.times
}

function targetText({ target, unit }: Measure): string | null {
  if (!target) return null
  return 'atMost' in target ? `≤ ${target.atMost} ${unit}` : `≥ ${target.times} ×`
}
