import type { DeepReadonly, core, storage } from '#api'
import { claimSize, defaultStorageClass, findVolume, isVolumeFor, storageClassOf, volumeAnnotations, volumeMismatch } from '#api'

export type Claim = DeepReadonly<core.PersistentVolumeClaim>
export type Volume = DeepReadonly<core.PersistentVolume>
export type StorageClass = DeepReadonly<storage.StorageClass>

export interface Note {
  type: 'Normal' | 'Warning'
  reason: string
  message: string
}

/** What there is beside the claim that is looked at. */
export interface ClaimSurroundings {
  volume(name: string): Volume | undefined
  volumes(): Iterable<Volume>
  storageClass(name: string): StorageClass | undefined
  storageClasses(): Iterable<StorageClass>
  /** Names of the pods that want the claim and have no node yet. */
  waitingPods(claim: Claim): readonly string[]
}

export type ClaimPlan =
  | { action: 'bind'; volume: Volume }
  /** It stays pending; the note says for what. */
  | { action: 'wait'; note?: Note }
  /** Somebody who is not the binder is asked to make a volume. */
  | { action: 'provision'; provisioner: string; note: Note }
  /** A class has become the default one since the claim was made. */
  | { action: 'classify'; storageClass: string }
  | { action: 'lose'; note: Note }
  | { action: 'nothing' }

const normal = (reason: string, message: string): Note => ({ type: 'Normal', reason, message })
const warning = (reason: string, message: string): Note => ({ type: 'Warning', reason, message })

/** What becomes of a claim (https://kubernetes.io/docs/concepts/storage/persistent-volumes/); pure. */
export function planClaim(claim: Claim, around: ClaimSurroundings): ClaimPlan {
  const bound = claim.metadata.annotations?.[volumeAnnotations.bindCompleted] !== undefined
  return bound ? planBound(claim, around) : planUnbound(claim, around)
}

function planBound(claim: Claim, around: ClaimSurroundings): ClaimPlan {
  const lost = (reason: string, message: string): ClaimPlan => ({ action: 'lose', note: warning(reason, message) })
  const { volumeName } = claim.spec
  if (!volumeName) return lost('ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!')
  const volume = around.volume(volumeName)
  if (!volume) return lost('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!')
  const { claimRef } = volume.spec
  if (claimRef && claimRef.uid !== claim.metadata.uid)
    return lost('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly')
  return { action: 'bind', volume }
}

function planUnbound(claim: Claim, around: ClaimSurroundings): ClaimPlan {
  if (claim.metadata.deletionTimestamp) return { action: 'nothing' }
  return claim.spec.volumeName ? planNamed(claim, claim.spec.volumeName, around) : planAny(claim, around)
}

/** The claim asks for one volume by name. */
function planNamed(claim: Claim, name: string, around: ClaimSurroundings): ClaimPlan {
  const volume = around.volume(name)
  // it may be made yet
  if (!volume) return { action: 'wait' }
  if (isVolumeFor(volume, claim)) return { action: 'bind', volume }
  if (volume.spec.claimRef)
    return { action: 'wait', note: warning('FailedBinding', `volume ${JSON.stringify(name)} already bound to a different claim.`) }
  const mismatch = volumeMismatch(volume, claim)
  if (mismatch) return { action: 'wait', note: warning('VolumeMismatch', `Cannot bind to requested volume ${JSON.stringify(name)}: ${mismatch}`) }
  return { action: 'bind', volume }
}

/** Any volume will do. */
function planAny(claim: Claim, around: ClaimSurroundings): ClaimPlan {
  const className = storageClassOf(claim)
  const storageClass = className ? around.storageClass(className) : undefined
  const waits = storageClass?.volumeBindingMode === 'WaitForFirstConsumer'
  const volume = findVolume(claim, around.volumes(), { ownOnly: waits })
  if (volume) return { action: 'bind', volume }
  if (waits && !claim.metadata.annotations?.[volumeAnnotations.selectedNode]) return { action: 'wait', note: waitNote(around.waitingPods(claim)) }
  if (className) return planProvision(className, storageClass)
  if (claim.spec.storageClassName === undefined) {
    const found = defaultStorageClass(around.storageClasses())
    if (found) return { action: 'classify', storageClass: found.metadata.name }
  }
  return { action: 'wait', note: normal('FailedBinding', 'no persistent volumes available for this claim and no storage class is set') }
}

function waitNote(pods: readonly string[]): Note {
  if (pods.length === 0) return normal('WaitForFirstConsumer', 'waiting for first consumer to be created before binding')
  return normal('WaitForPodScheduled', `waiting for ${pods.length > 1 ? 'pods' : 'pod'} ${pods.join(',')} to be scheduled`)
}

function planProvision(className: string, storageClass: StorageClass | undefined): ClaimPlan {
  if (!storageClass)
    return { action: 'wait', note: warning('ProvisioningFailed', `storageclass.storage.k8s.io ${JSON.stringify(className)} not found`) }
  const { provisioner } = storageClass
  // the provisioners of that domain were parts of upstream's controller manager; none is left
  if (provisioner.startsWith('kubernetes.io/'))
    return { action: 'wait', note: warning('ProvisioningFailed', `no volume plugin matched name: ${provisioner}`) }
  return {
    action: 'provision',
    provisioner,
    note: normal(
      'ExternalProvisioning',
      `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. ` +
        'If volume creation is delayed, please verify that the provisioner is running and correctly registered.',
    ),
  }
}

/** The claim as it is once it has this volume; the same object when it is so already. */
export function boundClaim(claim: Claim, volume: Volume): Claim {
  const { annotations = {} } = claim.metadata
  const { bindCompleted, boundByController } = volumeAnnotations
  if (claim.spec.volumeName === volume.metadata.name && annotations[bindCompleted] !== undefined) return claim
  return {
    ...claim,
    metadata: {
      ...claim.metadata,
      annotations: { ...annotations, ...(claim.spec.volumeName ? {} : { [boundByController]: 'yes' }), [bindCompleted]: 'yes' },
    },
    spec: { ...claim.spec, volumeName: volume.metadata.name },
  }
}

/** A bound claim's status. Its capacity is the volume's at the time of binding; whoever resizes it says when that changes. */
export function boundClaimStatus(claim: Claim, volume: Volume): NonNullable<Claim['status']> {
  const was = claim.status
  const capacity =
    was?.phase === 'Bound' && was.capacity ? was.capacity : { ...was?.capacity, storage: volume.spec.capacity?.storage ?? claimSize(claim) }
  return { ...was, phase: 'Bound', accessModes: volume.spec.accessModes, capacity }
}

/** The status of a claim without a volume. */
export function unboundClaimStatus(claim: Claim, phase: 'Pending' | 'Lost'): NonNullable<Claim['status']> {
  const { accessModes: _, capacity: __, ...kept } = claim.status ?? {}
  return { ...kept, phase }
}
