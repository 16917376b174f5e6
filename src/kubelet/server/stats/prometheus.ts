import type { FsStats, StatsSummary, VolumeStats } from './summary.ts'

export interface MetricFamily {
  name: string
  type: 'counter' | 'gauge'
  help: string
  samples: { labels?: Record<string, string>; value: number; /** RFC 3339. */ time?: string }[]
}

/** The Prometheus text format. Families without samples are left out. */
export function prometheusText(families: readonly MetricFamily[]): string {
  const lines: string[] = []
  for (const { name, type, help, samples } of families) {
    if (samples.length === 0) continue
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
    for (const { labels = {}, value, time } of samples) {
      const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escape(text)}"`)
      lines.push(`${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}${time ? ` ${Date.parse(time)}` : ''}`)
    }
  }
  return `${lines.join('\n')}\n`
}

const escape = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

/** The families of `/metrics/resource`: what the metrics API is made of. */
export function resourceMetrics({ node, pods }: StatsSummary): MetricFamily[] {
  const families = {
    containerCpu: family('container_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed by the container in core-seconds'),
    containerMemory: family('container_memory_working_set_bytes', 'gauge', 'Current working set of the container in bytes'),
    containerStart: family('container_start_time_seconds', 'gauge', 'Start time of the container since unix epoch in seconds'),
    nodeCpu: family('node_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed by the node in core-seconds'),
    nodeMemory: family('node_memory_working_set_bytes', 'gauge', 'Current working set of the node in bytes'),
    podCpu: family('pod_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed by the pod in core-seconds'),
    podMemory: family('pod_memory_working_set_bytes', 'gauge', 'Current working set of the pod in bytes'),
    error: family('resource_scrape_error', 'gauge', '1 if there was an error while getting container metrics, 0 otherwise'),
  }
  const add = ({ samples }: MetricFamily, labels: Record<string, string>, stats: { time: string } | undefined, value: number | undefined) => {
    if (stats && value !== undefined) samples.push({ labels, value, time: stats.time })
  }
  const seconds = (nanos: number | undefined) => (nanos === undefined ? undefined : nanos / 1e9)
  add(families.nodeCpu, {}, node.cpu, seconds(node.cpu.usageCoreNanoSeconds))
  add(families.nodeMemory, {}, node.memory, node.memory.workingSetBytes)
  for (const { podRef, containers, cpu, memory } of pods) {
    const of = { namespace: podRef.namespace, pod: podRef.name }
    for (const container of containers) {
      const labels = { container: container.name, ...of }
      add(families.containerCpu, labels, container.cpu, seconds(container.cpu?.usageCoreNanoSeconds))
      add(families.containerMemory, labels, container.memory, container.memory?.workingSetBytes)
      families.containerStart.samples.push({ labels, value: Date.parse(container.startTime) / 1000 })
    }
    add(families.podCpu, of, cpu, seconds(cpu?.usageCoreNanoSeconds))
    add(families.podMemory, of, memory, memory?.workingSetBytes)
  }
  families.error.samples.push({ value: 0 })
  return Object.values(families)
}

/** What `/metrics` says of the volumes that pods have by claims. */
export function volumeMetrics(volumes: ReadonlyMap<string, readonly VolumeStats[]>): MetricFamily[] {
  const parts: [string, keyof FsStats, string][] = [
    ['available_bytes', 'availableBytes', 'Number of available bytes in the volume'],
    ['capacity_bytes', 'capacityBytes', 'Capacity in bytes of the volume'],
    ['used_bytes', 'usedBytes', 'Number of used bytes in the volume'],
    ['inodes', 'inodes', 'Maximum number of inodes in the volume'],
    ['inodes_free', 'inodesFree', 'Number of free inodes in the volume'],
    ['inodes_used', 'inodesUsed', 'Number of used inodes in the volume'],
  ]
  // pods that share a claim share its numbers
  const byClaim = new Map([...volumes.values()].flat().map((v) => [`${v.pvcRef.namespace}/${v.pvcRef.name}`, v]))
  return parts.map(([name, field, help]) => ({
    ...family(`kubelet_volume_stats_${name}`, 'gauge', help),
    samples: [...byClaim.values()].map((v) => ({
      labels: { namespace: v.pvcRef.namespace, persistentvolumeclaim: v.pvcRef.name },
      value: Number(v[field] ?? 0),
    })),
  }))
}

const family = (name: string, type: MetricFamily['type'], help: string): MetricFamily => ({ name, type, help, samples: [] })
