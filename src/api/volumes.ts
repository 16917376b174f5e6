import type { DeepReadonly } from './object.ts'
import { matchesNodeSelectorTerms } from './placement.ts'
import { compareQuantity } from './quantity.ts'
import { selectorFromLabelSelector } from './selectors.ts'
import type { core, storage } from './types/index.ts'

type Claim = DeepReadonly<core.PersistentVolumeClaim>
type Volume = DeepReadonly<core.PersistentVolume>
type StorageClass = DeepReadonly<storage.StorageClass>

/** Annotations by which the scheduler, the binder and provisioners of volumes tell one another how far a claim is. */
export const volumeAnnotations = {
  /** On a claim: it has got its volume for good. */
  bindCompleted: 'pv.kubernetes.io/bind-completed',
  /** On a claim or volume: the binder chose the other side, nobody asked for it by name. */
  boundByController: 'pv.kubernetes.io/bound-by-controller',
  /** On a volume: who made it, and deletes it. */
  provisionedBy: 'pv.kubernetes.io/provisioned-by',
  /** On a claim: the node of the pod that it waits for. */
  selectedNode: 'volume.kubernetes.io/selected-node',
  /** On a claim: who is to make its volume. */
  storageProvisioner: 'volume.kubernetes.io/storage-provisioner',
  betaStorageProvisioner: 'volume.beta.kubernetes.io/storage-provisioner',
  betaStorageClass: 'volume.beta.kubernetes.io/storage-class',
  defaultClass: 'storageclass.kubernetes.io/is-default-class',
} as const

/** The storage class of a claim or volume; empty for none. It was an annotation before it was a field, and the annotation wins. */
export function storageClassOf(
  object: DeepReadonly<{ metadata: { annotations?: Record<string, string> }; spec: { storageClassName?: string } }>,
): string {
  return object.metadata.annotations?.[volumeAnnotations.betaStorageClass] ?? object.spec.storageClassName ?? ''
}

/** Whether a volume is meant for exactly this claim; a reference without a uid was made by hand before the claim was there. */
export function isVolumeFor(volume: Volume, { metadata }: Claim): boolean {
  const { claimRef } = volume.spec
  return (
    claimRef !== undefined &&
    claimRef.namespace === metadata.namespace &&
    claimRef.name === metadata.name &&
    (!claimRef.uid || claimRef.uid === metadata.uid)
  )
}

export const volumeSize = (volume: Volume): string => volume.spec.capacity?.storage ?? '0'
export const claimSize = (claim: Claim): string => claim.spec.resources?.requests?.storage ?? '0'
const modeOf = (object: Volume | Claim) => object.spec.volumeMode ?? 'Filesystem'

/** Why a volume cannot serve a claim that asks for it by name; undefined when it can. In upstream's words. */
export function volumeMismatch(volume: Volume, claim: Claim): string | undefined {
  if (compareQuantity(volumeSize(volume), claimSize(claim)) < 0) return 'requested PV is too small'
  if (storageClassOf(volume) !== storageClassOf(claim)) return 'storageClassName does not match'
  if ((volume.spec.volumeAttributesClassName ?? '') !== (claim.spec.volumeAttributesClassName ?? ''))
    return 'volumeAttributesClassName does not match'
  if (modeOf(volume) !== modeOf(claim)) return 'incompatible volumeMode'
  if (!offersModes(volume, claim)) return 'incompatible accessMode'
  return undefined
}

const offersModes = (volume: Volume, claim: Claim) => (claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode))

/** Whether a node can reach a volume. */
export function isReachable(volume: Volume, node: DeepReadonly<core.Node>): boolean {
  const required = volume.spec.nodeAffinity?.required
  return !required || matchesNodeSelectorTerms(required.nodeSelectorTerms, node)
}

/** Whether volumes of a class may be on a node. */
export function allowsTopology({ allowedTopologies = [] }: StorageClass, { metadata: { labels } }: DeepReadonly<core.Node>): boolean {
  const allows = ({ matchLabelExpressions = [] }: DeepReadonly<core.TopologySelectorTerm>) =>
    matchLabelExpressions.every(({ key, values }) => values.includes(labels?.[key] ?? ''))
  return allowedTopologies.length === 0 || allowedTopologies.some(allows)
}

export interface VolumeSearch {
  /** Only volumes that this node reaches. */
  node?: DeepReadonly<core.Node>
  /** Only volumes that are meant for this claim: the others are for the scheduler to give out. */
  ownOnly?: boolean
  /** Names of volumes that were given out meanwhile. */
  taken?: ReadonlySet<string>
}

/**
 * The volume that a claim gets: the one that is meant for it, or else of all that are free and serve it the one with the fewest access modes, and of these the
 * smallest.
 */
export function findVolume(claim: Claim, volumes: Iterable<Volume>, { node, ownOnly = false, taken }: VolumeSearch = {}): Volume | undefined {
  const selector = claim.spec.selector ? selectorFromLabelSelector(claim.spec.selector) : undefined
  let best: Volume | undefined
  for (const volume of volumes) {
    if (taken?.has(volume.metadata.name) || (node && !isReachable(volume, node)) || modeOf(volume) !== modeOf(claim)) continue
    if (isVolumeFor(volume, claim)) {
      if (compareQuantity(volumeSize(volume), claimSize(claim)) >= 0) return volume
      continue
    }
    if (ownOnly || volume.spec.claimRef || volume.status?.phase !== 'Available' || volume.metadata.deletionTimestamp) continue
    if (volumeMismatch(volume, claim) !== undefined || (selector && !selector.matches(volume.metadata.labels))) continue
    if (!best || isSmaller(volume, best)) best = volume
  }
  return best
}

function isSmaller(a: Volume, b: Volume): boolean {
  const modes = (a.spec.accessModes?.length ?? 0) - (b.spec.accessModes?.length ?? 0)
  return modes !== 0 ? modes < 0 : compareQuantity(volumeSize(a), volumeSize(b)) < 0
}

/** The class that claims without one get: of several the newest, and of these the first by name. */
export function defaultStorageClass(classes: Iterable<StorageClass>): StorageClass | undefined {
  const isDefault = ({ metadata: { annotations } }: StorageClass) =>
    annotations?.[volumeAnnotations.defaultClass] === 'true' || annotations?.['storageclass.beta.kubernetes.io/is-default-class'] === 'true'
  const created = ({ metadata }: StorageClass) => metadata.creationTimestamp ?? ''
  return [...classes].filter(isDefault).sort((a, b) => created(b).localeCompare(created(a)) || a.metadata.name.localeCompare(b.metadata.name))[0]
}

/** The names of the claims that a pod mounts; a generic ephemeral volume is a claim of the pod's own. */
export function claimNames(pod: DeepReadonly<core.Pod>): string[] {
  return (pod.spec.volumes ?? []).flatMap((v) =>
    v.persistentVolumeClaim ? [v.persistentVolumeClaim.claimName] : v.ephemeral ? [`${pod.metadata.name}-${v.name}`] : [],
  )
}

/** Whether a claim was made for this pod's generic ephemeral volume, and not by somebody who took its name. */
export function isClaimOfPod(claim: Claim, pod: DeepReadonly<core.Pod>): boolean {
  return claim.metadata.ownerReferences?.some((owner) => owner.controller === true && owner.uid === pod.metadata.uid) ?? false
}
