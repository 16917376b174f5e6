import { join } from 'node:path'
import type { Clock, Logger } from '#base'
import { describeError } from '#base'
import type { EventRecorder } from '#runtime'
import type { core } from '#api'
import type { ContainerRuntime } from '../cri/index.ts'
import type { Pressure } from '../node/node-status.ts'
import type { NodePaths } from '../pod/names.ts'
import { labels } from '../pod/names.ts'
import type { PodWorker } from '../pod/pod-worker.ts'
import { diskUsage, observeMachine } from './observe.ts'
import type { LocalStorage, PodUsage } from './plan.ts'
import { limitsLocalStorage, localStorageViolation, planEviction } from './plan.ts'
import type { EvictionSignal, EvictionThresholds, Observations } from './thresholds.ts'
import { crossed } from './thresholds.ts'

export interface EvictorOptions {
  runtime: Pick<ContainerRuntime, 'listContainerStats' | 'imageFsInfo'>
  workers(): readonly PodWorker[]
  thresholds: EvictionThresholds
  paths: NodePaths
  /** Frees disk space without harm to any pod; resolves with whether it freed something. */
  reclaimDisk(): Promise<boolean>
  /** Called when the node's pressure changes. */
  onPressure(): void
  events: EventRecorder
  clock: Clock
  log: Logger
  /** Milliseconds between looks; 10 s when absent. */
  every?: number
  /** How long a pressure outlasts its cause, milliseconds; 5 min when absent. */
  transition?: number
  observe?: typeof observeMachine
}

/** Ends pods before the node itself runs out of memory or disk, and pods that use more disk than their limits. */
export interface Evictor {
  readonly pressure: Pressure
  /** One look at everything. */
  check(): Promise<void>
  run(signal: AbortSignal): Promise<void>
}

const kindOf = (signal: EvictionSignal): keyof Pressure => (signal === 'memory.available' ? 'memory' : signal === 'pid.available' ? 'pids' : 'disk')

export function createEvictor(options: EvictorOptions): Evictor {
  const { runtime, workers, thresholds, paths, events, clock, log, every = 10_000, transition = 300_000, observe = observeMachine } = options
  const lastSeen = new Map<keyof Pressure, number>()
  const pressure: Pressure = { memory: false, disk: false, pids: false }
  let imageDir: string | undefined

  function settle(signals: readonly EvictionSignal[]): void {
    const now = clock.monotonic()
    for (const signal of signals) lastSeen.set(kindOf(signal), now)
    let changed = false
    for (const kind of Object.keys(pressure) as (keyof Pressure)[]) {
      const seen = lastSeen.get(kind)
      const is = seen !== undefined && now - seen < Math.max(transition, 1)
      changed ||= pressure[kind] !== is
      pressure[kind] = is
    }
    if (changed) options.onPressure()
  }

  const active = () => workers().filter((w) => !w.over && w.status?.reason !== 'Evicted')

  async function usage(disk: boolean): Promise<PodUsage[]> {
    const { stats } = await runtime.listContainerStats()
    return Promise.all(
      active().map(async ({ pod }) => {
        const own = stats.filter((s) => s.attributes.labels[labels.podUid] === pod.metadata.uid)
        const memory = new Map(own.map((s) => [s.attributes.labels[labels.containerName] ?? '', s.memory?.workingSetBytes?.value ?? 0]))
        const layers = own.reduce((sum, s) => sum + (s.writableLayer?.usedBytes?.value ?? 0), 0)
        return { pod, memory, disk: disk ? layers + (await filesOf(pod)) : 0 }
      }),
    )
  }

  async function filesOf(pod: PodWorker['pod']): Promise<number> {
    const { namespace = 'default', name, uid = '' } = pod.metadata
    return (await diskUsage(paths.podDir(uid))) + (await diskUsage(paths.podLogs({ namespace, name, uid })))
  }

  async function relieve(signals: readonly EvictionSignal[], observed: Observations): Promise<void> {
    const signal = signals[0]
    if (!signal) return
    const disk = kindOf(signal) === 'disk'
    // What nobody uses goes before anything that somebody does.
    if (disk && (await options.reclaimDisk())) {
      const again = await observe(paths.root, imageDir)
      if (!crossed(thresholds, again).includes(signal)) return
    }
    const eviction = planEviction({ signal, thresholds, observed, pods: await usage(disk) })
    const worker = eviction && workers().find((w) => w.pod.metadata.uid === eviction.uid)
    if (!eviction || !worker) return log.warn('the node is short of a resource and no pod may be evicted', { signal })
    evict(worker, eviction.failure)
  }

  function evict(worker: PodWorker, failure: Parameters<PodWorker['fail']>[0]): void {
    log.warn('evicting a pod', { pod: `${worker.pod.metadata.namespace}/${worker.pod.metadata.name}`, message: failure.message })
    events.event(worker.pod as core.Pod, 'Warning', 'Evicted', failure.message)
    worker.fail(failure)
  }

  async function checkLocalStorage(): Promise<void> {
    const limited = active().filter((w) => limitsLocalStorage(w.pod))
    if (limited.length === 0) return
    const { stats } = await runtime.listContainerStats()
    for (const worker of limited) {
      const { namespace = 'default', name, uid = '' } = worker.pod.metadata
      const emptyDirs = new Map<string, number>()
      for (const volume of worker.pod.spec?.volumes ?? []) {
        if (volume.emptyDir && volume.emptyDir.medium !== 'Memory') {
          emptyDirs.set(volume.name, await diskUsage(join(paths.podDir(uid), 'volumes', 'kubernetes.io~empty-dir', volume.name)))
        }
      }
      const containers = new Map<string, number>()
      for (const s of stats.filter((s) => s.attributes.labels[labels.podUid] === uid)) {
        const container = s.attributes.labels[labels.containerName] ?? ''
        const logs = await diskUsage(join(paths.podLogs({ namespace, name, uid }), container))
        containers.set(container, logs + (s.writableLayer?.usedBytes?.value ?? 0))
      }
      const used: LocalStorage = { emptyDirs, containers }
      const failure = localStorageViolation(worker.pod, used)
      if (failure) evict(worker, failure)
    }
  }

  async function check(): Promise<void> {
    imageDir ??= (await runtime.imageFsInfo()).imageFilesystems[0]?.fsId?.mountpoint
    const observed = await observe(paths.root, imageDir)
    const signals = crossed(thresholds, observed)
    settle(signals)
    await relieve(signals, observed)
    await checkLocalStorage()
  }

  return {
    pressure,
    check,
    async run(signal) {
      while (!signal.aborted) {
        await clock.sleep(every, signal).catch(() => {})
        if (signal.aborted) return
        await check().catch((error: unknown) => log.warn('cannot look for a shortage of resources', { error: describeError(error) }))
      }
    },
  }
}
