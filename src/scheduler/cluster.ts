import type { KubeObject, apps, core, storage } from '#api'
import { resources, volumeAnnotations } from '#api'
import type { Cache, ControllerContext } from '#runtime'
import { isNewer } from '#runtime'
import type { ClusterEvent, ClusterReader, VolumeWriter } from './framework.ts'
import { ProvisioningRefused } from './framework.ts'
import { isBound, reservation } from './plugins/volume-binding.ts'

/** A cache whose changes may let a pod fit. */
export interface Source {
  ready(signal?: AbortSignal): Promise<void>
  subscribe(fn: () => void): () => void
  event?: ClusterEvent
}

/** Milliseconds after which a pod whose volumes do not come is tried anew. */
const bindTimeout = 10 * 60_000

/** What plugins read and write beside nodes and pods. */
export function clusterAccess(context: Pick<ControllerContext, 'client' | 'cache' | 'clock'>): {
  reader: ClusterReader
  writer: VolumeWriter
  sources: Source[]
} {
  const { client, clock } = context
  const nodes = context.cache<core.Node>(resources.nodes)
  const services = context.cache<core.Service>(resources.services)
  const replicaSets = context.cache<apps.ReplicaSet>(resources.replicaSets)
  const statefulSets = context.cache<apps.StatefulSet>(resources.statefulSets)
  const replicationControllers = context.cache<core.ReplicationController>(resources.replicationControllers)
  const namespaces = context.cache<core.Namespace>(resources.namespaces)
  const claims = context.cache<core.PersistentVolumeClaim>(resources.persistentVolumeClaims)
  const volumes = context.cache<core.PersistentVolume>(resources.persistentVolumes)
  const classes = context.cache<storage.StorageClass>(resources.storageClasses)
  const csiNodes = context.cache<storage.CSINode>(resources.csiNodes)
  const attachments = context.cache<storage.VolumeAttachment>(resources.volumeAttachments)
  const claimClient = client.resource(resources.persistentVolumeClaims)
  const volumeClient = client.resource(resources.persistentVolumes)

  const reader: ClusterReader = {
    services: (namespace) => services.list(namespace),
    controllerSelector(namespace, kind, name) {
      const key = `${namespace}/${name}`
      if (kind === 'ReplicaSet') return replicaSets.get(key)?.spec.selector.matchLabels
      if (kind === 'StatefulSet') return statefulSets.get(key)?.spec.selector.matchLabels
      return kind === 'ReplicationController' ? replicationControllers.get(key)?.spec.selector : undefined
    },
    namespaceLabels: (name) => namespaces.get(name)?.metadata.labels,
    node: (name) => nodes.get(name),
    claim: (namespace, name) => claims.get(`${namespace}/${name}`),
    volume: (name) => volumes.get(name),
    volumes: () => volumes.list(),
    storageClass: (name) => classes.get(name),
    csiNode: (name) => csiNodes.get(name),
    attachments: () => attachments.list(),
  }

  const writer: VolumeWriter = {
    async annotate({ metadata: { name, namespace, uid } }, annotations, signal) {
      return claimClient.patch(name, namespace, 'merge', { metadata: { uid, annotations } }, { signal })
    },
    async reserve(volume, claim, signal) {
      await volumeClient.patch(volume.metadata.name, undefined, 'merge', reservation(volume, claim), { signal })
    },
    async untilBound(waiting, signal) {
      const late = new AbortController()
      const cancel = clock.schedule(bindTimeout, () => late.abort(new Error('timed out waiting for the volumes to be bound')))
      try {
        await until(claims, AbortSignal.any([signal, late.signal]), () =>
          waiting.every(({ metadata: { namespace, name, uid, annotations, resourceVersion } }) => {
            const current = claims.get(`${namespace}/${name}`)
            if (!current || current.metadata.uid !== uid) throw new Error(`persistentvolumeclaim "${name}" is gone`)
            if (isBound(current)) return true
            const node = annotations?.[volumeAnnotations.selectedNode]
            const isLater = isNewer(current.metadata.resourceVersion ?? '', resourceVersion ?? '')
            if (node && isLater && current.metadata.annotations?.[volumeAnnotations.selectedNode] !== node) throw new ProvisioningRefused(current)
            return false
          }),
        )
      } finally {
        cancel()
      }
    },
  }
  const source = <T extends KubeObject>({ ready, subscribe }: Cache<T>, event?: ClusterEvent): Source => ({
    ready,
    subscribe,
    ...(event ? { event } : {}),
  })
  return {
    reader,
    writer,
    sources: [
      source(services),
      source(replicaSets),
      source(statefulSets),
      source(replicationControllers),
      source(namespaces, 'namespaceChanged'),
      source(claims, 'volumeChanged'),
      source(volumes, 'volumeChanged'),
      source(classes, 'volumeChanged'),
      source(csiNodes, 'volumeChanged'),
      source(attachments, 'volumeChanged'),
    ],
  }
}

/** Resolves when the condition holds, which is looked at with every change of the cache. */
function until<T extends KubeObject>(cache: Cache<T>, signal: AbortSignal, condition: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error)
    let over = false
    let stop = () => {}
    const end = (settle: () => void) => {
      over = true
      signal.removeEventListener('abort', onAbort)
      stop()
      settle()
    }
    const onAbort = () => end(() => reject(signal.reason as Error))
    const look = () => {
      if (over) return
      try {
        if (condition()) end(resolve)
      } catch (error) {
        end(() => reject(error as Error))
      }
    }
    signal.addEventListener('abort', onAbort, { once: true })
    look()
    stop = cache.subscribe(look)
    // what is there already may have been enough
    if (over) stop()
  })
}
