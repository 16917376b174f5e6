import { stat } from 'node:fs/promises'
import type { core, DeepReadonly } from '#api'
import { isClaimOfPod, isStatus, resources } from '#api'
import { checkHostPath } from './host-path.ts'
import { setVolumeOwnership } from './ownership.ts'
import type { VolumeContext, VolumePlugin } from './volume-plugin.ts'

/** Claims that are bound to a volume which is a path of this node; a generic ephemeral volume is a claim with a name of its own. */
export const persistentVolumeClaimPlugin: VolumePlugin = {
  type: 'local-volume',
  supports: (volume) => volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined,
  async mount(context) {
    const { pod, volume } = context
    const claimName = volume.persistentVolumeClaim?.claimName ?? `${pod.metadata.name}-${volume.name}`
    const { spec, name } = await boundVolume(context, claimName)
    const readOnly = volume.persistentVolumeClaim?.readOnly === true || undefined
    const claim = { namespace: pod.metadata.namespace ?? 'default', name: claimName }
    if (spec.volumeMode === 'Block') throw new Error(`volume ${volume.name} has volumeMode Block, but is specified in volumeMounts`)
    if (spec.hostPath) {
      await checkHostPath(spec.hostPath)
      return { hostPath: spec.hostPath.path, readOnly, claim }
    }
    if (spec.local) {
      const { path } = spec.local
      const found = await stat(path).catch(() => undefined)
      if (!found) throw new Error(`local volume path "${path}" of PersistentVolume "${name}" does not exist`)
      if (!found.isDirectory())
        throw new Error(`local volume path "${path}" of PersistentVolume "${name}" is not a directory: devices have to be mounted on the node first`)
      if (!readOnly) await setVolumeOwnership(path, pod, { readOnly: false })
      return { hostPath: path, readOnly, claim }
    }
    throw new Error(`PersistentVolume "${name}" is of type ${typeOf(spec)}, which this node does not support: use hostPath or local volumes`)
  },
}

async function boundVolume({ client, pod, volume, signal }: VolumeContext, claimName: string) {
  const namespace = pod.metadata.namespace ?? 'default'
  const where = `${namespace}/${claimName}`
  const claim = await client
    .resource(resources.persistentVolumeClaims)
    .get(claimName, namespace, { signal })
    .catch((error: unknown) => {
      if (isStatus(error, 'NotFound'))
        throw new Error(`error processing PVC ${where}: failed to fetch PVC from API server: ${error.message}`, { cause: error })
      throw error
    })
  if (volume.ephemeral && !isClaimOfPod(claim, pod)) {
    throw new Error(`PVC ${where} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`)
  }
  const volumeName = claim.spec?.volumeName
  if (claim.status?.phase !== 'Bound' || !volumeName) {
    throw new Error(`error processing PVC ${where}: PVC is not bound`)
  }
  const persistentVolume = await client.resource(resources.persistentVolumes).get(volumeName, undefined, { signal })
  const { claimRef } = persistentVolume.spec ?? {}
  if (claimRef?.uid !== claim.metadata.uid) throw new Error(`error processing PVC ${where}: PV ${volumeName} is bound to another claim`)
  return { name: volumeName, spec: persistentVolume.spec ?? {} }
}

const notSources = [
  'capacity',
  'accessModes',
  'claimRef',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'mountOptions',
  'volumeMode',
  'nodeAffinity',
]

function typeOf(spec: DeepReadonly<core.PersistentVolumeSpec>): string {
  return Object.keys(spec).find((key) => !notSources.includes(key) && key !== 'volumeAttributesClassName') ?? 'unknown'
}
