import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, Logger } from '#base'
import { describeError } from '#base'
import type { Cache, EventRecorder } from '#runtime'
import type { DeepReadonly, core } from '#api'
import type { PodCgroups } from '../cgroups/pod-cgroups.ts'
import type { RuntimeService } from '../cri/index.ts'
import type { ObjectSource } from '../env/index.ts'
import type { Pressure } from '../node/node-status.ts'
import type { Prober } from '../probes/prober.ts'
import type { PodVolumes } from '../volumes/index.ts'
import { pendingResize } from './allocation.ts'
import { admitPod, placementFailure } from './admit.ts'
import type { NodePaths, Pod } from './names.ts'
import type { PodOperations } from './pod-operations.ts'
import type { PodFailure, PodWorker } from './pod-worker.ts'
import { createPodWorker } from './pod-worker.ts'
import type { RecordCache } from './record-cache.ts'
import type { PodRecord } from './records.ts'
import { isTerminal } from './status.ts'
import type { StatusSender } from './status-sender.ts'

export interface PodManagerOptions {
  /** The node's pods; `spec.nodeName` selects them. */
  pods: Cache<core.Pod>
  records: RecordCache
  operations: PodOperations
  runtime: Pick<RuntimeService, 'stopContainer' | 'removePodSandbox'>
  volumes: PodVolumes
  objects: ObjectSource
  prober: Prober
  statuses: StatusSender
  cgroups: PodCgroups
  events: EventRecorder
  clock: Clock
  log: Logger
  nodeIPs: readonly string[]
  paths: NodePaths
  pressure(): Pressure
  allocatable(): Readonly<Record<string, string>>
  allowedUnsafeSysctls: readonly string[]
  supports(): { strictGroups: boolean; appArmor: boolean; recursiveReadOnly: boolean }
  /** The kubelet's own node as it was seen last, and as it is now. */
  node(): DeepReadonly<core.Node> | undefined
  freshNode(): Promise<DeepReadonly<core.Node>>
}

/** The node's pods, each with its worker. */
export interface PodManager {
  worker(podUid: string): PodWorker | undefined
  workers(): PodWorker[]
  /** Begins; the pods' cache and the records have to be there. */
  start(): void
  /** Stops all workers and leaves the pods running. */
  stop(): Promise<void>
}

/** How often what belongs to no pod is looked for, milliseconds. */
const housekeepingEvery = 30_000

export function createPodManager(options: PodManagerOptions): PodManager {
  const { pods, records, operations, runtime, volumes, objects, prober, statuses, cgroups, events, clock, log, paths } = options
  const workers = new Map<string, PodWorker>()
  const stops: (() => void)[] = []
  const orphans = new Map<string, Promise<void>>()
  let stopped = false
  let balancing: Promise<void> | undefined
  let unbalanced = false
  let leftovers: Promise<void> | undefined

  function observe(pod: Pod): void {
    const uid = pod.metadata.uid ?? ''
    const known = workers.get(uid)
    if (known) {
      known.update(pod)
      return retryResizes()
    }
    const worker = createPodWorker({
      pod,
      records,
      operations,
      prober,
      statuses,
      cgroups,
      events,
      clock,
      log,
      nodeIPs: options.nodeIPs,
      recursiveReadOnly: () => options.supports().recursiveReadOnly,
      pendingResize(wanted, given) {
        const others = [...workers].flatMap(([other, worker]) => (other === uid || worker.over ? [] : [worker.given]))
        return pendingResize({ pod: wanted, given, others, allocatable: options.allocatable() })
      },
      onGone: (gone) => {
        workers.delete(gone)
        retryResizes()
        balance()
      },
    })
    workers.set(uid, worker)
    void admit(worker)
    balance()
  }

  /** What one pod no longer has, another may get. */
  const retryResizes = () => {
    for (const worker of workers.values()) worker.retryResize()
  }

  /** A pod that runs here already, or that ends anyway, was admitted before. */
  async function admit(worker: PodWorker): Promise<void> {
    const { pod } = worker
    if (records.get(pod.metadata.uid ?? '') || pod.metadata.deletionTimestamp || isTerminal(pod.status?.phase)) return worker.wake()
    const others = [...workers.values()].filter((w) => w !== worker && !w.over).map((w) => w.given)
    const failure = admitPod({
      pod,
      others,
      allocatable: options.allocatable(),
      allowedUnsafeSysctls: options.allowedUnsafeSysctls,
      pressure: options.pressure(),
      supports: options.supports(),
    })
    if (failure) reject(worker, failure)
    else if (!misplaced(pod, options.node())) worker.wake()
    else {
      // what is known of the node may be older than what the pod was placed by
      const node = await options.freshNode().catch((error: unknown) => void log.warn('cannot read the node', { error: describeError(error) }))
      const wrong = misplaced(pod, node)
      if (wrong) reject(worker, wrong)
      else worker.wake()
    }
  }
  const misplaced = (pod: Pod, node: DeepReadonly<core.Node> | void) => (node ? placementFailure(pod, node) : undefined)

  function reject(worker: PodWorker, { reason, message }: PodFailure): void {
    events.event(worker.pod as core.Pod, 'Warning', reason, message)
    worker.fail({ reason, message: `Pod was rejected: ${message}`, rejected: true })
  }

  /** CPU shares of the classes follow the pods; changes while one is under way are taken together. */
  function balance(): void {
    unbalanced = true
    balancing ??= (async () => {
      while (unbalanced && !stopped) {
        unbalanced = false
        await cgroups.balance([...workers.values()].map((w) => w.pod))
      }
    })()
      .catch((error: unknown) => log.warn('cannot share cpu between the classes of pods', { error: describeError(error) }))
      .finally(() => (balancing = undefined))
  }

  async function removeOrphan(record: PodRecord): Promise<void> {
    log.info('removing what runs for a pod that is gone', { pod: `${record.namespace}/${record.name}`, uid: record.uid })
    await Promise.all(record.containers.filter((c) => c.state === 'running').map((c) => runtime.stopContainer({ containerId: c.id, timeout: 2 })))
    for (const sandbox of record.sandboxes) {
      await runtime.removePodSandbox({ podSandboxId: sandbox.id })
      await records.refreshSandbox(sandbox.id)
    }
    for (const container of record.containers) await records.refreshContainer(container.id)
  }

  /** Files and cgroups of pods that neither the API nor the runtime knows. */
  async function removeLeftovers(): Promise<void> {
    const isKnown = (uid: string) => workers.has(uid) || records.get(uid) !== undefined
    await volumes.cleanupOrphans(new Set([...workers.keys(), ...records.list().map((r) => r.uid)]))
    for (const dir of await readdir(paths.logs).catch(() => [])) {
      if (!isKnown(dir.slice(dir.lastIndexOf('_') + 1))) await rm(join(paths.logs, dir), { recursive: true, force: true })
    }
    await cgroups.removeExcept(isKnown)
  }

  function housekeeping(): void {
    if (stopped) return
    for (const record of records.list()) {
      if (workers.has(record.uid) || orphans.has(record.uid)) continue
      const removal = removeOrphan(record)
        .catch((error: unknown) => log.warn('an orphaned pod cannot be removed yet', { uid: record.uid, error: describeError(error) }))
        .finally(() => orphans.delete(record.uid))
      orphans.set(record.uid, removal)
    }
    leftovers ??= Promise.all(orphans.values())
      .then(removeLeftovers)
      .catch((error: unknown) => log.warn('what pods left behind is not removed', { error: describeError(error) }))
      .finally(() => (leftovers = undefined))
    stops.push(clock.schedule(housekeepingEvery, housekeeping))
  }

  return {
    worker: (uid) => workers.get(uid),
    workers: () => [...workers.values()],
    start() {
      stops.push(
        records.subscribe((uid) => workers.get(uid)?.wake()),
        objects.onChange(({ podUids }) => {
          for (const uid of podUids) workers.get(uid)?.retry()
        }),
        pods.subscribe((event) => {
          if (event.type === 'deleted') return workers.get(event.object.metadata.uid ?? '')?.removed()
          // A pod that was replaced by another of its name while the watch was away.
          if (event.type === 'updated' && event.previous.metadata.uid !== event.object.metadata.uid) {
            workers.get(event.previous.metadata.uid ?? '')?.removed()
          }
          observe(event.object)
        }),
      )
      housekeeping()
    },
    async stop() {
      stopped = true
      for (const stop of stops) stop()
      await Promise.all([...[...workers.values()].map((w) => w.stop()), ...orphans.values(), balancing, leftovers])
    },
  }
}
