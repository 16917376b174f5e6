import type { Client, ResourceClient } from '#client'
import type { Clock, Logger } from '#base'
import { Backoff } from '#base'
import type { core, DeepReadonly } from '#api'
import { errors, isStatus, resources } from '#api'

export type ObjectKind = 'ConfigMap' | 'Secret'

interface ObjectOfKind {
  ConfigMap: core.ConfigMap
  Secret: core.Secret
}

export interface ObjectReference {
  kind: ObjectKind
  namespace: string
  name: string
}

/**
 * The ConfigMaps and Secrets that this node's pods refer to, each watched by itself: the node authorizer lets a node see no others. An
 * object is watched from the first pod that retains it to the last that releases it; immutable ones are read once.
 */
export interface ObjectSource extends AsyncDisposable {
  /**
   * The object as the API server has it. Rejects with a NotFound StatusError (`configmap "x" not found`, as the kubelet words it) when
   * there is none, and with what the API server answered otherwise.
   */
  get<K extends ObjectKind>(kind: K, namespace: string, name: string, signal?: AbortSignal): Promise<DeepReadonly<ObjectOfKind[K]>>
  /** Watches everything the pod refers to; call it again when the pod changed. */
  retain(pod: DeepReadonly<core.Pod>): void
  release(podUid: string): void
  /** Calls `listener` with the pods that retain an object when that object appears, changes or goes. Returns the way to stop. */
  onChange(listener: (change: ObjectReference & { podUids: string[] }) => void): () => void
}

export interface ObjectSourceOptions {
  client: Client
  clock: Clock
  log: Logger
}

interface Entry {
  reference: ObjectReference
  pods: Set<string>
  /** What the open watch said last; undefined while it has said nothing, so that a read asks the API server. */
  object: DeepReadonly<core.ConfigMap | core.Secret> | undefined
  /** The last version listeners were told of: a watch that is opened again repeats what is known. */
  toldVersion: string | undefined
  pending: Promise<DeepReadonly<core.ConfigMap | core.Secret>> | undefined
  stop: AbortController
}

export function objectSource(options: ObjectSourceOptions): ObjectSource {
  const { client, clock, log } = options
  const entries = new Map<string, Entry>()
  const listeners = new Set<(change: ObjectReference & { podUids: string[] }) => void>()
  const watches = new Set<Promise<void>>()
  const key = (reference: ObjectReference) => `${reference.kind}/${reference.namespace}/${reference.name}`
  const clientOf = (kind: ObjectKind): ResourceClient<core.ConfigMap | core.Secret> =>
    (kind === 'ConfigMap' ? client.resource(resources.configMaps) : client.resource(resources.secrets)) as ResourceClient<
      core.ConfigMap | core.Secret
    >

  const tell = (entry: Entry, version: string | undefined) => {
    if (entry.toldVersion === version) return
    entry.toldVersion = version
    for (const listener of listeners) listener({ ...entry.reference, podUids: [...entry.pods] })
  }

  const fetch = async (reference: ObjectReference, signal?: AbortSignal) => {
    try {
      return await clientOf(reference.kind).get(reference.name, reference.namespace, { signal })
    } catch (error) {
      if (isStatus(error, 'NotFound')) throw errors.notFound({ group: '', resource: reference.kind.toLowerCase() }, reference.name)
      throw error
    }
  }

  const watch = async (entry: Entry) => {
    const { kind, namespace, name } = entry.reference
    const { signal } = entry.stop
    const backoff = new Backoff({ initial: 200, max: 30_000, jitter: 0.2 })
    while (!signal.aborted) {
      try {
        // without a resourceVersion a watch starts with what there is now
        for await (const event of clientOf(kind).watch({ namespace, fieldSelector: `metadata.name=${name}`, signal })) {
          if (event.type === 'BOOKMARK') continue
          if (event.type === 'ERROR') break
          backoff.reset()
          if (event.type === 'DELETED') {
            entry.object = undefined
            tell(entry, undefined)
            continue
          }
          entry.object = event.object
          tell(entry, event.object.metadata.resourceVersion)
          if (event.object.immutable) return
        }
      } catch (error) {
        if (!signal.aborted) log.debug('watch ended', { object: key(entry.reference), error })
      }
      // changes may be missed from here on: until the watch is back, reads go to the API server
      entry.object = undefined
      if (!signal.aborted) await clock.sleep(backoff.next(), signal).catch(() => {})
    }
  }

  const start = (reference: ObjectReference): Entry => {
    const entry: Entry = { reference, pods: new Set(), object: undefined, toldVersion: undefined, pending: undefined, stop: new AbortController() }
    entries.set(key(reference), entry)
    const running = watch(entry).finally(() => watches.delete(running))
    watches.add(running)
    return entry
  }

  const drop = (entry: Entry, podUid: string) => {
    if (!entry.pods.delete(podUid) || entry.pods.size > 0) return
    entries.delete(key(entry.reference))
    entry.stop.abort()
  }

  return {
    async get(kind, namespace, name, signal) {
      const entry = entries.get(key({ kind, namespace, name }))
      if (entry?.object) return entry.object as any
      if (!entry) return (await fetch({ kind, namespace, name }, signal)) as any
      // pods that start together ask once
      entry.pending ??= fetch(entry.reference).finally(() => (entry.pending = undefined))
      const object = await entry.pending
      signal?.throwIfAborted()
      entry.toldVersion ??= object.metadata.resourceVersion
      return object as any
    },
    retain(pod) {
      const uid = pod.metadata.uid!
      const wanted = new Map(referencesOf(pod).map((reference) => [key(reference), reference]))
      for (const [id, reference] of wanted) (entries.get(id) ?? start(reference)).pods.add(uid)
      for (const [id, entry] of entries) if (!wanted.has(id)) drop(entry, uid)
    },
    release(podUid) {
      for (const entry of entries.values()) drop(entry, podUid)
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async [Symbol.asyncDispose]() {
      for (const entry of entries.values()) entry.stop.abort()
      entries.clear()
      await Promise.all(watches)
    },
  }
}

/** Every ConfigMap and Secret that a pod names, in volumes, environments and image pull secrets. */
export function referencesOf(pod: DeepReadonly<core.Pod>): ObjectReference[] {
  const namespace = pod.metadata.namespace ?? 'default'
  const found = new Map<string, ObjectReference>()
  const add = (kind: ObjectKind, name: string | undefined) => {
    if (name) found.set(`${kind}/${name}`, { kind, namespace, name })
  }
  for (const volume of pod.spec.volumes ?? []) {
    add('ConfigMap', volume.configMap?.name)
    add('Secret', volume.secret?.secretName)
    for (const source of volume.projected?.sources ?? []) {
      add('ConfigMap', source.configMap?.name)
      add('Secret', source.secret?.name)
    }
  }
  for (const container of [...pod.spec.containers, ...(pod.spec.initContainers ?? []), ...(pod.spec.ephemeralContainers ?? [])]) {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      add('ConfigMap', configMapRef?.name)
      add('Secret', secretRef?.name)
    }
    for (const { valueFrom } of container.env ?? []) {
      add('ConfigMap', valueFrom?.configMapKeyRef?.name)
      add('Secret', valueFrom?.secretKeyRef?.name)
    }
  }
  for (const { name } of pod.spec.imagePullSecrets ?? []) add('Secret', name)
  return [...found.values()]
}
