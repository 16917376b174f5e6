import type { Clock, Logger } from '#base'
import type { RuntimeService, cri } from '../cri/index.ts'
import { isRuntimeError } from '../cri/index.ts'
import { labels } from './names.ts'
import type { ContainerRecord, PodRecord, SandboxRecord } from './records.ts'
import { containerRecord, criState, emptyRecord, sandboxRecord, sortRecord } from './records.ts'
import { terminationMessage } from './termination-message.ts'

export interface RecordCacheOptions {
  runtime: RuntimeService
  clock: Clock
  log: Logger
  /** Milliseconds between full lists, the safety net under the event stream; 20 s when absent. */
  relistEvery?: number
}

/**
 * What the runtime has, per pod, kept by the runtime's events and checked by a slow relist. A record only says what the runtime said: after a change
 * that the kubelet makes itself, it calls `refreshContainer` or `refreshSandbox`, so that it never has to wait for an event.
 */
export interface RecordCache {
  get(podUid: string): PodRecord | undefined
  /** Pods of which the runtime has anything. */
  list(): PodRecord[]
  refreshSandbox(id: string): Promise<void>
  refreshContainer(id: string): Promise<void>
  relist(): Promise<void>
  /** Calls back with the uid of each pod whose record changed. */
  subscribe(listener: (podUid: string) => void): () => void
  /** Time of the last successful relist (monotonic milliseconds), for the node's health. */
  readonly listedAt: number
  /** Follows the runtime until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>
}

interface Known<T> {
  podUid: string
  record: T
}

export function createRecordCache(options: RecordCacheOptions): RecordCache {
  const { runtime, clock, log, relistEvery = 20_000 } = options
  const sandboxes = new Map<string, Known<SandboxRecord>>()
  const containers = new Map<string, Known<ContainerRecord>>()
  const pods = new Map<string, PodRecord>()
  const listeners = new Set<(uid: string) => void>()
  // Containers whose exit was announced before anybody asked about them.
  const exitedEarly = new Set<string>()
  let listedAt = Number.NEGATIVE_INFINITY

  function changed(uid: string, name: { namespace: string; name: string }): void {
    const own = <T>(map: Map<string, Known<T>>) => [...map.values()].filter((k) => k.podUid === uid).map((k) => k.record)
    const record = { ...emptyRecord(uid, name.namespace, name.name), sandboxes: own(sandboxes), containers: own(containers) }
    if (record.sandboxes.length + record.containers.length === 0) pods.delete(uid)
    else pods.set(uid, sortRecord(record))
    for (const listener of listeners) listener(uid)
  }
  const nameOf = (uid: string) => pods.get(uid) ?? { namespace: '', name: '' }

  function forget(id: string): void {
    const known = containers.get(id) ?? sandboxes.get(id)
    if (!known) return
    containers.delete(id)
    sandboxes.delete(id)
    changed(known.podUid, nameOf(known.podUid))
  }

  async function refreshSandbox(id: string): Promise<void> {
    try {
      const { status } = await runtime.podSandboxStatus({ podSandboxId: id })
      const uid = status.labels[labels.podUid] ?? status.metadata.uid
      const record = sandboxRecord(status)
      // Answers may overtake one another; a sandbox that ended never becomes ready again.
      if (sandboxes.get(id)?.record.ready === false && record.ready) return
      sandboxes.set(id, { podUid: uid, record })
      changed(uid, status.metadata)
    } catch (error) {
      if (!isRuntimeError(error, 'notFound')) throw error
      forget(id)
    }
  }

  async function refreshContainer(id: string, sandboxId?: string): Promise<void> {
    try {
      const { status } = await runtime.containerStatus({ containerId: id })
      const uid = status.labels[labels.podUid]
      if (!uid) return
      const sandbox = sandboxId ?? containers.get(id)?.record.sandboxId ?? (await sandboxOf(id))
      const message = status.state === 'CONTAINER_EXITED' ? await terminationMessage(status) : ''
      const record = containerRecord(status, sandbox, message)
      if (containers.get(id)?.record.state === 'exited' && record.state !== 'exited') return
      containers.set(id, { podUid: uid, record })
      if (exitedEarly.delete(id) && record.state !== 'exited') void settleExit(id).catch(report)
      changed(uid, { namespace: status.labels[labels.podNamespace] ?? '', name: status.labels[labels.podName] ?? '' })
    } catch (error) {
      if (!isRuntimeError(error, 'notFound')) throw error
      forget(id)
    }
  }
  const sandboxOf = async (id: string) => (await runtime.listContainers({ filter: { id } })).containers[0]?.podSandboxId ?? ''

  async function relist(): Promise<void> {
    // What appears while the lists are made is missing from them and still there.
    const before = [...sandboxes.keys(), ...containers.keys()]
    const [{ items }, { containers: listed }] = await Promise.all([runtime.listPodSandbox(), runtime.listContainers()])
    const seen = new Set([...items.map((s) => s.id), ...listed.map((c) => c.id)])
    for (const id of before) if (!seen.has(id)) forget(id)
    await Promise.all([
      ...items.filter(sandboxDiffers).map((s) => refreshSandbox(s.id)),
      ...listed.filter(containerDiffers).map((c) => refreshContainer(c.id, c.podSandboxId)),
    ])
    listedAt = clock.monotonic()
  }
  const sandboxDiffers = (s: cri.PodSandbox) => sandboxes.get(s.id)?.record.ready !== (s.state === 'SANDBOX_READY')
  const containerDiffers = (c: cri.Container) => c.labels[labels.podUid] !== undefined && containers.get(c.id)?.record.state !== criState(c.state)

  /** The exit event reaches us at the same time as the runtime's own bookkeeping: ask again until it has caught up. */
  async function settleExit(id: string): Promise<void> {
    for (let wait = 5; ; wait *= 2) {
      await (sandboxes.has(id) ? refreshSandbox(id) : refreshContainer(id))
      const running = sandboxes.get(id)?.record.ready ?? containers.get(id)?.record.state === 'running'
      if (!running || wait > 2000) return
      await clock.sleep(wait)
    }
  }

  async function follow(signal: AbortSignal): Promise<void> {
    for await (const event of runtime.runtimeEvents(signal)) {
      const { containerId: id } = event
      if (event.type === 'delete') {
        exitedEarly.delete(id)
        forget(id)
      }
      // Containers that start are announced by whoever started them.
      if (event.type !== 'exit') continue
      if (sandboxes.has(id) || containers.has(id)) void settleExit(id).catch(report)
      else exitedEarly.add(id)
    }
  }
  const report = (error: unknown) => log.warn('cannot follow the container runtime', { error })

  return {
    get: (uid) => pods.get(uid),
    list: () => [...pods.values()],
    refreshSandbox,
    refreshContainer: (id) => refreshContainer(id),
    relist,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    get listedAt() {
      return listedAt
    },
    async run(signal) {
      const events = async () => {
        while (!signal.aborted) {
          try {
            await follow(signal)
          } catch (error) {
            report(error)
          }
          await clock.sleep(500, signal).catch(() => {})
          if (!signal.aborted) await relist().catch(report)
        }
      }
      const lists = async () => {
        while (!signal.aborted) {
          await clock.sleep(relistEvery, signal).catch(() => {})
          if (!signal.aborted) await relist().catch(report)
        }
      }
      await Promise.all([events(), lists()])
    },
  }
}
