import type { StatsFs } from 'node:fs'
import { readFile, statfs } from 'node:fs/promises'
import type { Clock } from '#base'
import type { RuntimeService, cri } from '../../cri/index.ts'
import { labels } from '../../pod/names.ts'

/** The stats summary API (`stats/v1alpha1`), as far as it is served. Times are RFC 3339. */
export interface StatsSummary {
  node: NodeStats
  pods: PodStats[]
}
export interface NodeStats {
  nodeName: string
  startTime: string
  cpu: CpuStats
  memory: MemoryStats
  fs?: FsStats
}
export interface PodStats {
  podRef: { name: string; namespace: string; uid: string }
  startTime: string
  containers: ContainerStats[]
  cpu?: CpuStats
  memory?: MemoryStats
  network?: InterfaceStats & { time: string; interfaces: InterfaceStats[] }
  volume?: VolumeStats[]
}
export interface ContainerStats {
  name: string
  startTime: string
  cpu?: CpuStats
  memory?: MemoryStats
  rootfs?: FsStats
}
export interface CpuStats {
  time: string
  usageNanoCores?: number
  usageCoreNanoSeconds?: number
}
export interface MemoryStats {
  time: string
  availableBytes?: number
  usageBytes?: number
  workingSetBytes?: number
  rssBytes?: number
  pageFaults?: number
  majorPageFaults?: number
}
export interface FsStats {
  time: string
  availableBytes?: number
  capacityBytes?: number
  usedBytes?: number
  inodesFree?: number
  inodes?: number
  inodesUsed?: number
}
/** Of a volume that a pod has by a claim: what its file system has. */
export interface VolumeStats extends FsStats {
  name: string
  pvcRef: { name: string; namespace: string }
}
export interface InterfaceStats {
  name: string
  rxBytes?: number
  rxErrors?: number
  txBytes?: number
  txErrors?: number
}

/** What the node and its containers use. */
export interface StatsSource {
  /** With `network`, asks the runtime for each sandbox's interfaces too. */
  summary(options?: { network?: boolean }): Promise<StatsSummary>
  /** The volumes of pods, by uid of the pod; those whose file system does not answer are left out. */
  volumes(): Promise<ReadonlyMap<string, readonly VolumeStats[]>>
}

export interface StatsSourceOptions {
  runtime: Pick<RuntimeService, 'listContainerStats' | 'listContainers' | 'listPodSandbox' | 'podSandboxStats'>
  nodeName: string
  clock: Clock
  /** Its file system is the node's. */
  rootDir: string
  /** What pods have mounted; only what they have by a claim is looked at. */
  mounted?: () => readonly MountedByPod[]
}

export interface MountedByPod {
  podUid: string
  name: string
  volume: { hostPath: string; hollow?: boolean; claim?: { namespace: string; name: string } }
}

export function statsSource(options: StatsSourceOptions): StatsSource {
  const { runtime, nodeName, clock, rootDir } = options
  const startTime = new Date(clock.now()).toISOString()
  const rate = rateOf()

  let sampledAt = Number.NEGATIVE_INFINITY
  let warming: Promise<void> | undefined

  /** A rate needs two looks at the counters. Nobody looks while nobody asks: whoever asks after a while waits for the second look. */
  async function warm(): Promise<void> {
    if (clock.monotonic() - sampledAt < staleAfter) return
    warming ??= sample(false)
      .then(() => clock.sleep(betweenLooks))
      .finally(() => (warming = undefined))
    await warming
  }

  async function volumes(): Promise<Map<string, VolumeStats[]>> {
    const found = new Map<string, VolumeStats[]>()
    const at = new Date(clock.now()).toISOString()
    for (const { podUid, name, volume } of options.mounted?.() ?? []) {
      if (!volume.claim || volume.hollow) continue
      const fs = await statfs(volume.hostPath).catch(() => undefined)
      if (!fs) continue
      const stats = { name, pvcRef: { name: volume.claim.name, namespace: volume.claim.namespace }, ...fsStats(fs, at) }
      found.set(podUid, [...(found.get(podUid) ?? []), stats])
    }
    return found
  }

  return {
    volumes,
    async summary({ network = false } = {}) {
      await warm()
      return sample(network)
    },
  }

  async function sample(network: boolean): Promise<StatsSummary> {
    sampledAt = clock.monotonic()
    const [{ stats }, { containers }, { items: sandboxes }, node] = await Promise.all([
      runtime.listContainerStats(),
      runtime.listContainers({ filter: { state: { state: 'CONTAINER_RUNNING' } } }),
      runtime.listPodSandbox({ filter: { state: { state: 'SANDBOX_READY' } } }),
      nodeStats(clock, rootDir),
    ])
    const ofVolumes = await volumes()
    const running = new Map(containers.map((c) => [c.id, c]))
    const pods = new Map<string, PodStats>()
    for (const sandbox of sandboxes) {
      const { name, namespace, uid } = sandbox.metadata
      pods.set(sandbox.id, { podRef: { name, namespace, uid }, startTime: time(sandbox.createdAt), containers: [] })
    }
    for (const entry of stats) {
      const container = running.get(entry.attributes.id)
      const pod = container && pods.get(container.podSandboxId)
      if (!pod) continue
      pod.containers.push(containerStats(entry, container, rate))
    }
    rate.forgetOthers(running)
    for (const [id, pod] of pods) {
      pod.cpu = sumOf(pod.containers.map((c) => c.cpu))
      pod.memory = sumOf(pod.containers.map((c) => c.memory))
      if (network) pod.network = await networkStats(runtime, id)
      const own = ofVolumes.get(pod.podRef.uid)
      if (own) pod.volume = own
    }
    const nodeCpu = { ...node.cpu, usageNanoCores: rate('', clock.now() * 1e6, node.cpu.usageCoreNanoSeconds ?? 0) }
    return { node: { nodeName, startTime, ...node, cpu: nodeCpu }, pods: [...pods.values()] }
  }
}

/** A rate over a longer time says nothing of now, milliseconds. */
const staleAfter = 60_000
const betweenLooks = 1000

const time = (nanos: number) => new Date(Math.floor(nanos / 1e6)).toISOString()
const value = (v: cri.UInt64Value | cri.Absent) => v?.value

type Rate = ReturnType<typeof rateOf>

/** Nano-cores from the growth of the counter since the last time it was asked for, and half a second ago at least. */
function rateOf() {
  const samples = new Map<string, { at: number; usage: number; rate: number | undefined }>()
  const rate = (id: string, at: number, usage: number): number | undefined => {
    const before = samples.get(id)
    if (before && at - before.at < 5e8) return before.rate
    const now = before && usage >= before.usage ? Math.round(((usage - before.usage) * 1e9) / (at - before.at)) : undefined
    samples.set(id, { at, usage, rate: now })
    return now
  }
  return Object.assign(rate, {
    forgetOthers(known: ReadonlyMap<string, unknown>) {
      for (const id of samples.keys()) if (id !== '' && !known.has(id)) samples.delete(id)
    },
  })
}

function containerStats(stats: cri.ContainerStats, container: cri.Container, rate: Rate): ContainerStats {
  const { cpu, memory, writableLayer } = stats
  const usage = value(cpu?.usageCoreNanoSeconds)
  return {
    name: container.labels[labels.containerName] ?? container.metadata.name,
    startTime: time(container.createdAt),
    cpu: cpu
      ? {
          time: time(cpu.timestamp),
          usageNanoCores: value(cpu.usageNanoCores) ?? (usage === undefined ? undefined : rate(container.id, cpu.timestamp, usage)),
          usageCoreNanoSeconds: usage,
        }
      : undefined,
    memory: memory
      ? {
          time: time(memory.timestamp),
          workingSetBytes: value(memory.workingSetBytes),
          availableBytes: value(memory.availableBytes),
          usageBytes: value(memory.usageBytes),
          rssBytes: value(memory.rssBytes),
          pageFaults: value(memory.pageFaults),
          majorPageFaults: value(memory.majorPageFaults),
        }
      : undefined,
    rootfs: writableLayer
      ? { time: time(writableLayer.timestamp), usedBytes: value(writableLayer.usedBytes), inodesUsed: value(writableLayer.inodesUsed) }
      : undefined,
  }
}

/** Adds the numbers of all, with the time of the newest. */
function sumOf<T extends CpuStats | MemoryStats>(parts: (T | undefined)[]): T | undefined {
  const sum: Record<string, number> = {}
  let newest = ''
  for (const part of parts) {
    for (const [key, amount] of Object.entries(part ?? {})) if (typeof amount === 'number') sum[key] = (sum[key] ?? 0) + amount
    if (part && part.time > newest) newest = part.time
  }
  return newest === '' ? undefined : ({ time: newest, ...sum } as unknown as T)
}

async function networkStats(runtime: StatsSourceOptions['runtime'], podSandboxId: string): Promise<PodStats['network']> {
  const { stats } = await runtime.podSandboxStats({ podSandboxId }).catch(() => ({ stats: undefined }))
  const network = stats?.linux?.network
  if (!network?.defaultInterface) return undefined
  const interfaceStats = (i: cri.NetworkInterfaceUsage): InterfaceStats => ({
    name: i.name,
    rxBytes: value(i.rxBytes),
    rxErrors: value(i.rxErrors),
    txBytes: value(i.txBytes),
    txErrors: value(i.txErrors),
  })
  const first = interfaceStats(network.defaultInterface)
  return { time: time(network.timestamp), ...first, interfaces: [first, ...network.interfaces.map(interfaceStats)] }
}

async function nodeStats(clock: Clock, rootDir: string): Promise<Pick<NodeStats, 'cpu' | 'memory' | 'fs'>> {
  const at = new Date(clock.now()).toISOString()
  const [stat, meminfo, fs] = await Promise.all([
    readFile('/proc/stat', 'latin1'),
    readFile('/proc/meminfo', 'latin1'),
    statfs(rootDir).catch(() => undefined),
  ])
  const memory = memoryOf(meminfo)
  return {
    cpu: { time: at, usageCoreNanoSeconds: cpuNanos(stat) },
    memory: { time: at, ...memory },
    fs: fs && fsStats(fs, at),
  }
}

const fsStats = (fs: StatsFs, at: string): FsStats => ({
  time: at,
  capacityBytes: fs.blocks * fs.bsize,
  availableBytes: fs.bavail * fs.bsize,
  usedBytes: (fs.blocks - fs.bfree) * fs.bsize,
  inodes: fs.files,
  inodesFree: fs.ffree,
  inodesUsed: fs.files - fs.ffree,
})

/** Busy time of all processors, nanoseconds, from /proc/stat (in hundredths of a second). */
export function cpuNanos(stat: string): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (/^cpu +(.*)$/m.exec(stat)?.[1] ?? '').split(' ').map(Number)
  return (user + nice + system + irq + softirq + steal) * 1e7
}

function memoryOf(meminfo: string): Omit<MemoryStats, 'time'> {
  const kilobytes = (name: string) => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(meminfo)?.[1] ?? 0) * 1024
  const total = kilobytes('MemTotal')
  const available = kilobytes('MemAvailable')
  return { availableBytes: available, usageBytes: total - kilobytes('MemFree'), workingSetBytes: total - available, rssBytes: kilobytes('AnonPages') }
}
