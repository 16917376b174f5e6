import type { DeepReadonly, KubeObject, core, storage } from '#api'
import { claimNames, isStatus, resources, storageClassOf, volumeAnnotations } from '#api'
import type { ResourceClient } from '#client'
import type { Cache, Controller, Watch } from '#runtime'
import { isNewer, mapped } from '#runtime'
import type { Claim, ClaimPlan, Volume } from './plan-claim.ts'
import { boundClaim, boundClaimStatus, planClaim, unboundClaimStatus } from './plan-claim.ts'
import { boundVolume, planVolume, unboundVolume } from './plan-volume.ts'

const claimKey = ({ metadata }: DeepReadonly<KubeObject>) => `claim:${metadata.namespace}/${metadata.name}`
const volumeKey = (name: string) => `volume:${name}`
const isFinished = (pod: DeepReadonly<core.Pod>) => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

/**
 * Brings claims and volumes together, and says when a volume is free, bound or released. One worker: two claims that are looked at together might choose the same
 * volume. It makes and deletes no volumes itself; provisioners do.
 */
export const persistentVolumeBinder: Controller = {
  name: 'persistentvolume-binder',
  eventSource: 'persistentvolume-controller',
  concurrency: 1,
  setup: ({ client, cache, events }) => {
    const claimCache = cache<core.PersistentVolumeClaim>(resources.persistentVolumeClaims)
    const volumeCache = cache<core.PersistentVolume>(resources.persistentVolumes)
    const classes = cache<storage.StorageClass>(resources.storageClasses)
    const pods = cache<core.Pod>(resources.pods, { claim: (pod) => claimNames(pod).map((name) => `${pod.metadata.namespace}/${name}`) })
    const claims = written(client.resource(resources.persistentVolumeClaims), claimCache)
    const volumes = written(client.resource(resources.persistentVolumes), volumeCache)

    const around = {
      volume: (name: string) => volumes.get(name),
      volumes: () => volumes.list(),
      storageClass: (name: string) => classes.get(name),
      storageClasses: () => classes.list(),
      waitingPods: ({ metadata }: Claim) =>
        pods
          .byIndex('claim', `${metadata.namespace}/${metadata.name}`)
          .filter((pod) => !pod.spec.nodeName && !isFinished(pod))
          .map((pod) => pod.metadata.name),
    }

    async function syncClaim(key: string): Promise<void> {
      const claim = claims.get(key)
      if (!claim) return
      const plan = planClaim(claim, around)
      switch (plan.action) {
        case 'bind':
          return bind(claim, plan.volume)
        case 'classify':
          await claims.update({ ...claim, spec: { ...claim.spec, storageClassName: plan.storageClass } })
          return
        case 'nothing':
          return
        default:
          return stay(claim, plan)
      }
    }

    async function stay(claim: Claim, plan: Exclude<ClaimPlan, { action: 'bind' | 'classify' | 'nothing' }>): Promise<void> {
      const current = plan.action === 'provision' ? await askFor(claim, plan.provisioner) : claim
      const phase = plan.action === 'lose' ? 'Lost' : 'Pending'
      const tell = plan.action !== 'lose' || current.status?.phase !== 'Lost'
      if (current.status?.phase !== phase || current.status.capacity)
        await claims.updateStatus({ ...current, status: unboundClaimStatus(current, phase) })
      if (plan.note && tell) events.event(current, plan.note.type, plan.note.reason, plan.note.message)
    }

    async function askFor(claim: Claim, provisioner: string): Promise<Claim> {
      const { storageProvisioner, betaStorageProvisioner } = volumeAnnotations
      const { annotations } = claim.metadata
      if (annotations?.[storageProvisioner] === provisioner) return claim
      const added = { [storageProvisioner]: provisioner, [betaStorageProvisioner]: provisioner }
      return claims.update({ ...claim, metadata: { ...claim.metadata, annotations: { ...annotations, ...added } } })
    }

    /** In an order that another start can take up anywhere: the volume knows its claim before the claim knows its volume. */
    async function bind(claim: Claim, volume: Volume): Promise<void> {
      let held = boundVolume(volume, claim)
      if (held !== volume) held = await volumes.update(held)
      if (held.status?.phase !== 'Bound')
        held = await volumes.updateStatus({ ...held, status: { phase: 'Bound', lastPhaseTransitionTime: held.status?.lastPhaseTransitionTime } })
      let owner = boundClaim(claim, held)
      if (owner !== claim) owner = await claims.update(owner)
      const status = boundClaimStatus(owner, held)
      if (owner.status?.phase !== 'Bound' || JSON.stringify(owner.status) !== JSON.stringify(status)) await claims.updateStatus({ ...owner, status })
    }

    async function syncVolume(name: string): Promise<void> {
      const volume = volumes.get(name)
      if (!volume) return
      const plan = planVolume(volume, await claimOf(volume))
      const { claimRef } = volume.spec
      let current = plan.unbind ? await volumes.update(unboundVolume(volume, plan.unbind)) : volume
      const changed = plan.phase && (current.status?.phase !== plan.phase || current.status.message !== plan.message)
      if (changed) {
        const { lastPhaseTransitionTime } = current.status ?? {}
        current = await volumes.updateStatus({ ...current, status: { phase: plan.phase, message: plan.message, lastPhaseTransitionTime } })
      }
      if (plan.note && (changed || !plan.phase)) events.event(current, plan.note.type, plan.note.reason, plan.note.message)
      if (plan.lookAtClaim && claimRef) await syncClaim(`${claimRef.namespace}/${claimRef.name}`)
    }

    /** A claim that the cache does not know, or knows another of, may be newer than the cache: a volume is not given up for that. */
    async function claimOf({ spec: { claimRef } }: Volume): Promise<Claim | undefined> {
      if (!claimRef?.uid) return undefined
      const { namespace, name, uid } = claimRef
      const known = claims.get(`${namespace}/${name}`)
      if (known?.metadata.uid === uid) return known
      try {
        return await client.resource(resources.persistentVolumeClaims).get(name!, namespace)
      } catch (error) {
        if (isStatus(error, 'NotFound')) return undefined
        throw error
      }
    }

    /** Claims that may take what has become free, or wait for what is there now. */
    const pending = (wanted: (claim: Claim) => boolean) =>
      claimCache
        .list()
        .filter((claim) => claim.metadata.annotations?.[volumeAnnotations.bindCompleted] === undefined && wanted(claim))
        .map(claimKey)

    return {
      reconcile: async (key) => (key.startsWith('claim:') ? syncClaim(key.slice('claim:'.length)) : syncVolume(key.slice('volume:'.length))),
      watches: [
        mapped(claimCache, (claim) => [claimKey(claim), ...(claim.spec.volumeName ? [volumeKey(claim.spec.volumeName)] : [])]),
        // a claim that went releases its volume, which it need not have named yet
        onDelete(claimCache, (claim) =>
          volumeCache
            .list()
            .filter((v) => v.spec.claimRef?.uid === claim.metadata.uid)
            .map((v) => volumeKey(v.metadata.name)),
        ),
        mapped(volumeCache, (volume) => [
          volumeKey(volume.metadata.name),
          ...(volume.spec.claimRef ? [`claim:${volume.spec.claimRef.namespace}/${volume.spec.claimRef.name}`] : []),
          ...(volume.status?.phase === 'Available'
            ? pending((c) => c.spec.volumeName === volume.metadata.name || storageClassOf(c) === storageClassOf(volume))
            : []),
        ]),
        mapped(classes, (c) =>
          pending((claim) => storageClassOf(claim) === c.metadata.name || (claim.spec.storageClassName === undefined && !claim.spec.volumeName)),
        ),
        { ready: (signal) => pods.ready(signal), subscribe: () => () => {} },
      ],
    }
  },
}

function onDelete<T extends KubeObject>(cache: Cache<T>, keys: (object: DeepReadonly<T>) => string[]): Watch {
  return {
    ready: (signal) => cache.ready(signal),
    subscribe: (enqueue) =>
      cache.subscribe((event) => {
        if (event.type === 'deleted') for (const key of keys(event.object)) enqueue(key)
      }),
  }
}

/** A cache that knows its owner's own writes at once: the next decision must not be made on the state before them. */
function written<T extends KubeObject>(client: ResourceClient<T>, cache: Cache<T>) {
  const own = new Map<string, DeepReadonly<T>>()
  const keyOf = ({ metadata }: DeepReadonly<KubeObject>) => (metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name)
  const newest = (known: DeepReadonly<T>, key: string): DeepReadonly<T> => {
    const mine = own.get(key)
    if (!mine) return known
    if (mine.metadata.uid === known.metadata.uid && isNewer(mine.metadata.resourceVersion ?? '', known.metadata.resourceVersion ?? '')) return mine
    own.delete(key)
    return known
  }
  const keep = async (write: Promise<DeepReadonly<T>>): Promise<DeepReadonly<T>> => {
    const object = await write
    own.set(keyOf(object), object)
    return object
  }
  return {
    get(key: string): DeepReadonly<T> | undefined {
      const known = cache.get(key)
      if (known) return newest(known, key)
      own.delete(key)
      return undefined
    },
    list: () => (own.size === 0 ? cache.list() : cache.list().map((known) => newest(known, keyOf(known)))),
    update: (object: DeepReadonly<T>) => keep(client.update(object)),
    updateStatus: (object: DeepReadonly<T>) => keep(client.updateStatus(object)),
  }
}
