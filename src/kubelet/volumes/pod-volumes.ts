import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client } from '#client'
import type { Clock, Logger } from '#base'
import type { core, DeepReadonly } from '#api'
import type { ImageMounts } from '../cri/image-mounts.ts'
import { noImageMounts } from '../cri/image-mounts.ts'
import type { ObjectSource } from '../env/object-source.ts'
import { memoryVolumes } from './memory-volumes.ts'
import type { Mounter } from './mounter.ts'
import { systemMounter } from './mounter.ts'
import { volumePlugins } from './plugins.ts'
import type { TokenSource } from './service-account-token.ts'
import { tokenSource } from './service-account-token.ts'
import type { MountedVolume, VolumeContext, VolumePlugin } from './volume-plugin.ts'

export interface PodVolumesOptions {
  /** Upstream's layout stands below it: `pods/<uid>/volumes/…`. Absolute. */
  rootDir: string
  client: Client
  objects: ObjectSource
  clock: Clock
  log: Logger
  /** The node's allocatable resources, for resourceFieldRefs. */
  allocatable: () => DeepReadonly<Record<string, string>>
  plugins?: readonly VolumePlugin[]
  mounter?: Mounter
  /** Contents of images; none when absent. */
  images?: ImageMounts
  tokens?: TokenSource
}

/** Volumes that could not be mounted; `failures` has one message per volume, each fit for a `FailedMount` event. */
export class VolumeMountError extends Error {
  readonly reason = 'FailedMount'
  readonly failures: { volume: string; message: string }[]
  constructor(failures: { volume: string; message: string; cause: unknown }[]) {
    super(failures.map((f) => f.message).join('; '), { cause: failures[0]?.cause })
    this.name = 'VolumeMountError'
    this.failures = failures
  }
}

/**
 * The volumes of this node's pods. Content that comes from the API (config maps, secrets, tokens, labels) is kept up to date from the first `mount` to
 * `unmount`, without anybody asking. Calls for one pod run one after the other.
 */
export interface PodVolumes extends AsyncDisposable {
  /**
   * Mounts what the pod's containers use; what is mounted already stays, with content brought up to date when the pod's metadata changed. Rejects with
   * VolumeMountError. A mount that failed for an object that is missing can be tried again when `objects.onChange` names the pod.
   */
  mount(pod: DeepReadonly<core.Pod>, signal: AbortSignal): Promise<ReadonlyMap<string, MountedVolume>>
  /** Writes anew what changed in the API; failures are logged and leave the old content. */
  refresh(podUid: string): Promise<void>
  /** Unmounts everything of the pod and deletes its volumes' directories. Idempotent; rejects when something is still in use. */
  unmount(podUid: string): Promise<void>
  /** What is mounted for the pods of this node. */
  mounted(): { podUid: string; name: string; volume: MountedVolume }[]
  /** Removes what pods left behind that are not in `known` (after a crash): mounts, volumes and the pods' directories. */
  cleanupOrphans(known: ReadonlySet<string>): Promise<void>
}

interface PodState {
  pod: DeepReadonly<core.Pod>
  mounted: Map<string, MountedVolume>
  timers: Map<string, () => void>
  stop: AbortController
}

export function podVolumes(options: PodVolumesOptions): PodVolumes {
  const { rootDir, client, objects, clock, log, plugins = volumePlugins, mounter = systemMounter, images = noImageMounts } = options
  const tokens = options.tokens ?? tokenSource({ client, clock })
  const pods = new Map<string, PodState>()
  const queues = new Map<string, Promise<unknown>>()
  const podDir = (uid: string) => join(rootDir, 'pods', uid)
  const memory = memoryVolumes({ dir: join(rootDir, 'memory'), mounter })

  const inTurn = <T>(uid: string, work: () => Promise<T>): Promise<T> => {
    const turn = (queues.get(uid) ?? Promise.resolve()).then(work, work)
    const settled = turn
      .catch(() => {})
      .then(() => {
        if (queues.get(uid) === settled) queues.delete(uid)
      })
    queues.set(uid, settled)
    return turn
  }

  const contextOf = (state: PodState, volume: DeepReadonly<core.Volume>, plugin: VolumePlugin, signal: AbortSignal): VolumeContext => ({
    pod: state.pod,
    volume,
    dir: join(podDir(state.pod.metadata.uid!), 'volumes', `kubernetes.io~${plugin.type}`, volume.name),
    memoryDir: () => memory.directory(state.pod.metadata.uid!, plugin.type, volume.name),
    client,
    objects,
    tokens,
    mounter,
    allocatable: options.allocatable(),
    signal,
  })

  const refreshVolume = async (state: PodState, volume: DeepReadonly<core.Volume>) => {
    const plugin = plugins.find((p) => p.supports(volume))
    if (!plugin?.refresh || !state.mounted.has(volume.name) || state.stop.signal.aborted) return
    const uid = state.pod.metadata.uid!
    let again: number | undefined
    try {
      again = await plugin.refresh(contextOf(state, volume, plugin, state.stop.signal))
    } catch (error) {
      if (state.stop.signal.aborted) return
      log.warn('volume content is not up to date', { pod: uid, volume: volume.name, error })
      // config maps and secrets come back by themselves, through the watch; a token has to be asked for
      if (volume.projected?.sources?.some((source) => source.serviceAccountToken)) again = clock.now() + 10_000
    }
    state.timers.get(volume.name)?.()
    state.timers.delete(volume.name)
    if (again === undefined || state.stop.signal.aborted) return
    const cancel = clock.schedule(Math.max(again - clock.now(), 1000), () => void inTurn(uid, () => refreshVolume(state, volume)))
    state.timers.set(volume.name, cancel)
  }

  const refreshAll = async (state: PodState) => {
    for (const volume of usedVolumes(state.pod)) await refreshVolume(state, volume)
  }

  const removeFiles = async (uid: string) => {
    const dir = podDir(uid)
    for (const plugin of plugins) {
      if (!plugin.unmount) continue
      const own = join(dir, 'volumes', `kubernetes.io~${plugin.type}`)
      // a container's subPath holds on to what is mounted
      const names = await readdir(own).catch(() => [])
      if (names.length > 0) for (const point of await mounter.below(join(dir, 'volume-subpaths'))) await mounter.unmount(point)
      for (const name of names) await plugin.unmount(join(own, name), images)
    }
    for (const point of await mounter.below(dir)) await mounter.unmount(point)
    // deleting through a mount would delete what is mounted
    const left = await mounter.below(dir)
    if (left.length > 0) throw new Error(`${left[0]} is still mounted`)
    for (const name of ['volumes', 'volume-subpaths']) await rm(join(dir, name), { recursive: true, force: true })
    await memory.remove(uid)
  }

  const forget = (uid: string) => {
    const state = pods.get(uid)
    state?.stop.abort()
    for (const cancel of state?.timers.values() ?? []) cancel()
    pods.delete(uid)
    tokens.forget(uid)
  }

  const stopListening = objects.onChange(({ podUids }) => {
    for (const uid of podUids) void refresh(uid)
  })

  const refresh = (uid: string) =>
    inTurn(uid, async () => {
      const state = pods.get(uid)
      if (state) await refreshAll(state)
    })

  return {
    mount: (pod, signal) =>
      inTurn(pod.metadata.uid!, async () => {
        const uid = pod.metadata.uid!
        objects.retain(pod)
        const state: PodState = pods.get(uid) ?? { pod, mounted: new Map(), timers: new Map(), stop: new AbortController() }
        pods.set(uid, state)
        const metadataChanged = state.pod !== pod && !sameMetadata(state.pod, pod)
        state.pod = pod
        const failures: { volume: string; message: string; cause: unknown }[] = unsupportedDevices(pod)
        await Promise.all(
          usedVolumes(pod).map(async (volume) => {
            if (state.mounted.has(volume.name)) return metadataChanged ? refreshVolume(state, volume) : undefined
            try {
              const plugin = plugins.find((p) => p.supports(volume))
              if (!plugin) throw new Error(`no volume plugin matched: volumes of type ${typeOf(volume)} are not supported by this node`)
              state.mounted.set(volume.name, await plugin.mount(contextOf(state, volume, plugin, signal)))
              // learns when the content has to be renewed; writes nothing
              await refreshVolume(state, volume)
            } catch (cause) {
              failures.push({
                volume: volume.name,
                message: `MountVolume.SetUp failed for volume "${volume.name}" : ${(cause as Error).message}`,
                cause,
              })
            }
          }),
        )
        if (failures.length > 0) throw new VolumeMountError(failures)
        return state.mounted
      }),
    refresh,
    unmount(uid) {
      pods.get(uid)?.stop.abort()
      return inTurn(uid, async () => {
        forget(uid)
        objects.release(uid)
        await removeFiles(uid)
      })
    },
    mounted: () => [...pods].flatMap(([podUid, { mounted }]) => [...mounted].map(([name, volume]) => ({ podUid, name, volume }))),
    async cleanupOrphans(known) {
      const found = new Set([...(await readdir(join(rootDir, 'pods')).catch(() => [])), ...(await memory.pods())])
      for (const uid of found) {
        if (known.has(uid)) continue
        await inTurn(uid, async () => {
          forget(uid)
          objects.release(uid)
          await removeFiles(uid)
          await rm(podDir(uid), { recursive: true, force: true })
        }).catch((error: unknown) => log.warn('orphaned pod is not cleaned up', { pod: uid, error }))
      }
    },
    async [Symbol.asyncDispose]() {
      stopListening()
      for (const uid of pods.keys()) forget(uid)
      await Promise.all(queues.values())
    },
  }
}

/** For nodes whose runtime is a fake: every volume there is, and nothing on the disk. */
export function hollowVolumes(): PodVolumes {
  return {
    mount: (pod) => Promise.resolve(new Map(usedVolumes(pod).map((volume) => [volume.name, { hostPath: `/hollow/${volume.name}`, hollow: true }]))),
    refresh: () => Promise.resolve(),
    unmount: () => Promise.resolve(),
    mounted: () => [],
    cleanupOrphans: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** A volume can be a directory in a container here, and not a device. */
function unsupportedDevices(pod: DeepReadonly<core.Pod>): { volume: string; message: string; cause: unknown }[] {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? []), ...(pod.spec.ephemeralContainers ?? [])]
  const names = new Set(containers.flatMap((c) => (c.volumeDevices ?? []).map((device) => device.name)))
  return [...names].map((volume) => {
    const cause = new Error('volumeDevices are not supported by this node: use a volume with volumeMode Filesystem')
    return { volume, message: `MapVolume.SetUpDevice failed for volume "${volume}" : ${cause.message}`, cause }
  })
}

/** Volumes that a container of the pod mounts, or takes variables from; the others are left alone. */
function usedVolumes(pod: DeepReadonly<core.Pod>): DeepReadonly<core.Volume>[] {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? []), ...(pod.spec.ephemeralContainers ?? [])]
  const used = new Set(
    containers.flatMap((c) => [
      ...(c.volumeMounts ?? []).map((mount) => mount.name),
      ...(c.env ?? []).map((variable) => variable.valueFrom?.fileKeyRef?.volumeName),
    ]),
  )
  return (pod.spec.volumes ?? []).filter((volume) => used.has(volume.name))
}

function sameMetadata(a: DeepReadonly<core.Pod>, b: DeepReadonly<core.Pod>): boolean {
  const { labels: x, annotations: y } = a.metadata
  const { labels: u, annotations: v } = b.metadata
  return JSON.stringify([x, y]) === JSON.stringify([u, v])
}

function typeOf(volume: DeepReadonly<core.Volume>): string {
  return Object.keys(volume).find((key) => key !== 'name') ?? 'unknown'
}
