/** Counts of observations by upper bound, as Prometheus' histograms. */
export interface Histogram {
  readonly bounds: readonly number[]
  /** How many are within each bound and beyond the one before; what is beyond all is in `count` alone. */
  readonly buckets: number[]
  sum: number
  count: number
}

export function histogram(bounds: readonly number[]): Histogram {
  return { bounds, buckets: bounds.map(() => 0), sum: 0, count: 0 }
}

/** On the path of requests: allocates nothing. */
export function observe(into: Histogram, value: number): void {
  into.sum += value
  into.count++
  const { bounds } = into
  for (let i = 0; i < bounds.length; i++)
    if (value <= bounds[i]!) {
      into.buckets[i]!++
      return
    }
}

/** One series: its labels, already in the text form (`a="b",c="d"`), and its value. */
export type Sample<T> = readonly [labels: string, value: T]

const headOf = (name: string, type: string, help: string) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
const braced = (labels: string) => (labels ? `{${labels}}` : '')

/** A family of counters or gauges in Prometheus' text form; nothing when there is no sample, as upstream's. */
export function metricFamily(name: string, type: 'counter' | 'gauge', help: string, samples: Iterable<Sample<number>>): string {
  let text = ''
  for (const [labels, value] of samples) text += `${name}${braced(labels)} ${value}\n`
  return text && headOf(name, type, help) + text
}

export function histogramFamily(name: string, help: string, samples: Iterable<Sample<Histogram>>): string {
  let text = ''
  for (const [labels, { bounds, buckets, sum, count }] of samples) {
    const before = labels ? `${labels},` : ''
    let total = 0
    for (let i = 0; i < bounds.length; i++) text += `${name}_bucket{${before}le="${boundText(bounds[i]!)}"} ${(total += buckets[i]!)}\n`
    text += `${name}_bucket{${before}le="+Inf"} ${count}\n${name}_sum${braced(labels)} ${sum}\n${name}_count${braced(labels)} ${count}\n`
  }
  return text && headOf(name, 'histogram', help) + text
}

/** Numbers as Go prints them: clients compare the bounds as text. */
function boundText(bound: number): string {
  const exponent = bound === 0 ? 0 : Math.floor(Math.log10(Math.abs(bound)) + 1e-12)
  return exponent >= -4 && exponent < 6 ? String(bound) : exponential(bound)
}

/** `1e+06`: at least two digits of exponent. */
function exponential(value: number): string {
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
}

/** Labels in the text form, in the order given. */
export function metricLabels(values: Record<string, string | number>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${typeof value === 'number' ? value : escaped(value)}"`)
    .join(',')
}

function escaped(value: string): string {
  return /[\\"\n]/.test(value) ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : value
}
