import { isVolumeFor, volumeAnnotations } from '#api'
import type { Claim, Note, Volume } from './plan-claim.ts'

type Phase = 'Available' | 'Bound' | 'Released' | 'Failed'

export interface VolumePlan {
  phase?: Phase
  /** Why it failed, for the status. */
  message?: string
  note?: Note
  /** Forget the claim: all of it, or only which one of that name it was (the claim may be made again). */
  unbind?: 'all' | 'uid'
  /** The claim has to be looked at: it finishes the binding. */
  lookAtClaim?: boolean
}

/** What becomes of a volume; `claim` is the one that it refers to, if that is still there. Pure. */
export function planVolume(volume: Volume, claim: Claim | undefined): VolumePlan {
  const { claimRef } = volume.spec
  if (!claimRef) return { phase: 'Available' }
  // made for a claim that may not be there yet
  if (!claimRef.uid) return { phase: 'Available', lookAtClaim: true }
  if (!claim || claim.metadata.uid !== claimRef.uid) return reclaim(volume)
  if (!claim.spec.volumeName) {
    if ((claim.spec.volumeMode ?? 'Filesystem') === (volume.spec.volumeMode ?? 'Filesystem')) return { lookAtClaim: true }
    const message = `Cannot bind PersistentVolume to requested PersistentVolumeClaim ${JSON.stringify(claim.metadata.name)} due to incompatible volumeMode.`
    return { note: { type: 'Warning', reason: 'VolumeMismatch', message } }
  }
  // while the annotation is missing the binding has one more step
  if (claim.spec.volumeName === volume.metadata.name)
    return { phase: 'Bound', lookAtClaim: claim.metadata.annotations?.[volumeAnnotations.bindCompleted] === undefined }
  // the claim has another volume
  const { annotations } = volume.metadata
  if (annotations?.[volumeAnnotations.provisionedBy] && volume.spec.persistentVolumeReclaimPolicy === 'Delete') return reclaim(volume)
  return { phase: 'Available', unbind: annotations?.[volumeAnnotations.boundByController] ? 'all' : 'uid' }
}

/** The claim is gone: the volume keeps its data, or whoever provisioned it deletes it. */
function reclaim(volume: Volume): VolumePlan {
  const fail = (reason: string, message: string): VolumePlan => ({ phase: 'Failed', message, note: { type: 'Warning', reason, message } })
  const { phase } = volume.status ?? {}
  // what failed stays so until it is released again by hand
  const released: VolumePlan = phase === 'Failed' ? {} : { phase: 'Released' }
  switch (volume.spec.persistentVolumeReclaimPolicy) {
    case 'Recycle':
      return fail('VolumeFailedRecycle', 'No recycler plugin found for the volume!')
    case 'Delete':
      if (volume.metadata.annotations?.[volumeAnnotations.provisionedBy]) return released
      return fail(
        'VolumeFailedDelete',
        `error getting deleter volume plugin for volume ${JSON.stringify(volume.metadata.name)}: no deletable volume plugin matched`,
      )
    default:
      return released
  }
}

/** The volume as it is once it is meant for this claim; the same object when it is so already. */
export function boundVolume(volume: Volume, claim: Claim): Volume {
  const { claimRef, ...spec } = volume.spec
  const { name, namespace, uid, resourceVersion } = claim.metadata
  if (claimRef && isVolumeFor(volume, claim) && claimRef.uid === uid) return volume
  const chosen: Record<string, string> = isVolumeFor(volume, claim) ? {} : { [volumeAnnotations.boundByController]: 'yes' }
  return {
    ...volume,
    metadata: { ...volume.metadata, annotations: { ...volume.metadata.annotations, ...chosen } },
    spec: { ...spec, claimRef: { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name, uid, resourceVersion } },
  }
}

/** The volume as it is once it is free again. */
export function unboundVolume(volume: Volume, unbind: 'all' | 'uid'): Volume {
  const { claimRef, ...spec } = volume.spec
  if (unbind === 'uid') {
    const { uid: _, ...kept } = claimRef ?? {}
    return { ...volume, spec: { ...spec, claimRef: kept } }
  }
  const { [volumeAnnotations.boundByController]: _, ...annotations } = volume.metadata.annotations ?? {}
  return { ...volume, metadata: { ...volume.metadata, annotations }, spec }
}
