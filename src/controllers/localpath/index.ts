import type { DeepReadonly, core, storage } from '#api'
import { claimSize, isStatus, quantityValue, resources, storageClassOf, volumeAnnotations } from '#api'
import { describeError } from '#base'
import type { Client } from '#client'
import type { Controller } from '#runtime'
import { mapped } from '#runtime'
import { NoRoomError, nodeStorage } from './node-storage.ts'
import type { NodeStorage } from './node-storage.ts'
import { finalizer, hostnameOf, placeOf, planClaim, planVolume, provisioner, volumeNameOf, volumeOf } from './plan.ts'

export type { NodeStorage } from './node-storage.ts'
export { NoRoomError } from './node-storage.ts'

export interface LocalPathOptions {
  /** How nodes' disks are reached; by their agents when absent. */
  storage?: (client: Client) => NodeStorage
}

/** Milliseconds for a node's answer; deleting much data takes its time. */
const patience = 5 * 60_000

/**
 * The provisioner of storage classes with `provisioner: k8ts.dev/local-path`: a volume is a directory on the disk of the node where its first pod runs, and goes with
 * its claim where the class says so.
 */
export const localPathProvisioner = (options: LocalPathOptions = {}): Controller => ({
  name: 'local-path-provisioner',
  eventSource: provisioner,
  setup: ({ client, cache, events }) => {
    const claims = cache<core.PersistentVolumeClaim>(resources.persistentVolumeClaims)
    const volumes = cache<core.PersistentVolume>(resources.persistentVolumes)
    const classes = cache<storage.StorageClass>(resources.storageClasses)
    const nodes = cache<core.Node>(resources.nodes)
    const claimClient = client.resource(resources.persistentVolumeClaims)
    const volumeClient = client.resource(resources.persistentVolumes)
    const disks = (options.storage ?? nodeStorage)(client)
    const around = {
      storageClass: (name: string) => classes.get(name),
      node: (name: string) => nodes.get(name),
      nodes: () => nodes.list(),
      volume: (name: string) => volumes.get(name),
    }

    async function syncClaim(key: string, signal: AbortSignal): Promise<void> {
      const claim = claims.get(key)
      if (!claim) return
      const plan = planClaim(claim, around)
      switch (plan.action) {
        case 'provision':
          return provision(claim, plan.node, plan.storageClass, signal)
        case 'refuse':
          return fail(claim, plan.message)
        case 'reschedule':
          return reschedule(claim, plan.message)
        case 'grow':
          return grow(claim, plan.volume, plan.bytes, signal)
      }
    }

    type Claim = NonNullable<ReturnType<typeof claims.get>>
    type Volume = NonNullable<ReturnType<typeof volumes.get>>

    function fail(claim: Claim, message: string): void {
      const { name } = around.storageClass(storageClassOf(claim))?.metadata ?? { name: storageClassOf(claim) }
      events.event(claim, 'Warning', 'ProvisioningFailed', `failed to provision volume with StorageClass ${JSON.stringify(name)}: ${message}`)
    }

    /** Taking the node's name away asks the scheduler to choose again. */
    async function reschedule(claim: Claim, message: string): Promise<void> {
      fail(claim, message)
      if (!claim.metadata.annotations?.[volumeAnnotations.selectedNode]) throw new Error(message)
      const { name, namespace, uid } = claim.metadata
      await claimClient.patch(name, namespace, 'merge', { metadata: { uid, annotations: { [volumeAnnotations.selectedNode]: null } } })
    }

    async function provision(
      claim: Claim,
      node: DeepReadonly<core.Node>,
      storageClass: DeepReadonly<storage.StorageClass>,
      signal: AbortSignal,
    ): Promise<void> {
      const { namespace, name } = claim.metadata
      const volume = volumeNameOf(claim)
      // the binder is about to tell the claim
      if (volumes.get(volume)) return
      events.event(claim, 'Normal', 'Provisioning', `External provisioner is provisioning volume for claim ${JSON.stringify(`${namespace}/${name}`)}`)
      let path: string
      try {
        path = await disks.provide(node.metadata.name, volume, quantityValue(claimSize(claim)), {
          signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]),
        })
      } catch (error) {
        signal.throwIfAborted()
        const message = `node ${JSON.stringify(node.metadata.name)}: ${describeError(error)}`
        if (error instanceof NoRoomError) return reschedule(claim, message)
        fail(claim, message)
        throw error
      }
      try {
        await volumeClient.create(volumeOf(claim, node, storageClass, path), { signal })
      } catch (error) {
        if (!isStatus(error, 'AlreadyExists')) throw error
      }
      events.event(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${volume}`)
    }

    /** A directory has no size of its own: what grows is what is promised, if the disk has it. */
    async function grow(claim: Claim, volume: Volume, bytes: number, signal: AbortSignal): Promise<void> {
      const { name } = volume.metadata
      const wanted = claimSize(claim)
      events.event(claim, 'Normal', 'Resizing', `External resizer is resizing volume ${name}`)
      try {
        const node = nodeWith(placeOf(volume) ?? '')
        if (!node) throw new Error('its node is gone')
        if (bytes > 0) await disks.provide(node, name, bytes, { more: true, signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]) })
      } catch (error) {
        signal.throwIfAborted()
        events.event(claim, 'Warning', 'VolumeResizeFailed', `resize volume ${JSON.stringify(name)} failed: ${describeError(error)}`)
        throw error
      }
      await volumeClient.patch(name, undefined, 'merge', { metadata: { uid: volume.metadata.uid }, spec: { capacity: { storage: wanted } } })
      await claimClient.patch(
        claim.metadata.name,
        claim.metadata.namespace,
        'merge',
        { metadata: { uid: claim.metadata.uid }, status: { capacity: { storage: wanted } } },
        { subresource: 'status' },
      )
      events.event(claim, 'Normal', 'VolumeResizeSuccessful', 'Resize volume succeeded')
    }

    const nodeWith = (hostname: string) => nodes.list().find((n) => hostnameOf(n) === hostname)?.metadata.name

    async function syncVolume(name: string, signal: AbortSignal): Promise<void> {
      const volume = volumes.get(name)
      if (!volume) return
      const plan = planVolume(volume)
      if (plan.action === 'nothing') return
      if (plan.action === 'delete') {
        const node = nodeWith(plan.hostname)
        // a node that was taken away took its disk along
        if (node) await removeData(volume, node, signal)
        else events.event(volume, 'Warning', 'VolumeFailedDelete', `node ${JSON.stringify(plan.hostname)} is gone: data on its disk are not deleted`)
      }
      const { uid } = volume.metadata
      try {
        if (!volume.metadata.deletionTimestamp) await volumeClient.delete(name, undefined, { preconditions: { uid }, signal })
        const live = await volumeClient.get(name, undefined, { signal })
        const finalizers = (live.metadata.finalizers ?? []).filter((f) => f !== finalizer)
        if (live.metadata.uid === uid) await volumeClient.update({ ...live, metadata: { ...live.metadata, finalizers } }, { signal })
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error
      }
    }

    async function removeData(volume: Volume, node: string, signal: AbortSignal): Promise<void> {
      try {
        await disks.remove(node, volume.metadata.name, { signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]) })
      } catch (error) {
        signal.throwIfAborted()
        events.event(volume, 'Warning', 'VolumeFailedDelete', `node ${JSON.stringify(node)}: ${describeError(error)}`)
        throw error
      }
    }

    const ours = (className: string) => classes.get(className)?.provisioner === provisioner
    return {
      reconcile: async (key, signal) =>
        key.startsWith('claim:') ? syncClaim(key.slice('claim:'.length), signal) : syncVolume(key.slice('volume:'.length), signal),
      watches: [
        mapped(claims, ({ metadata }) => [`claim:${metadata.namespace}/${metadata.name}`]),
        mapped(volumes, ({ metadata }) => [`volume:${metadata.name}`]),
        mapped(classes, ({ metadata }) =>
          claims
            .list()
            .filter((c) => !c.spec.volumeName && storageClassOf(c) === metadata.name && ours(metadata.name))
            .map((c) => `claim:${c.metadata.namespace}/${c.metadata.name}`),
        ),
        {
          ready: (signal) => nodes.ready(signal),
          subscribe: (enqueue) =>
            nodes.subscribe((event) => {
              // what was to be made there has to be made elsewhere, and what is there needs no deleting any more
              if (event.type !== 'deleted') return
              for (const { metadata, spec } of claims.list())
                if (!spec.volumeName && metadata.annotations?.[volumeAnnotations.selectedNode] === event.object.metadata.name)
                  enqueue(`claim:${metadata.namespace}/${metadata.name}`)
              for (const volume of volumes.list()) if (placeOf(volume) === hostnameOf(event.object)) enqueue(`volume:${volume.metadata.name}`)
            }),
        },
      ],
    }
  },
})
