import type { DeepReadonly, meta } from '#api'
import type { Pod } from '../workload/pods.ts'
import type { Claim, StatefulSet } from './identity.ts'

type Owner = DeepReadonly<meta.OwnerReference>

/**
 * The owners that a claim should have by the set's retention policy (KEP-1847): the garbage collector deletes it with its owner. A claim of a pod that is scaled away goes with the
 * pod, one that outlives scaling goes with the set, each only if the policy says so. Owners that are neither stay. Answers undefined when nothing is to change.
 */
export function claimOwners(set: StatefulSet, pod: Pod | undefined, condemned: boolean, claim: Claim): Owner[] | undefined {
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } = set.spec.persistentVolumeClaimRetentionPolicy ?? {}
  const owners = claim.metadata.ownerReferences ?? []
  const withPod = condemned && whenScaled === 'Delete' && pod !== undefined
  const withSet = whenDeleted === 'Delete' && !(condemned && whenScaled === 'Delete')
  const isSet = (o: Owner) => o.kind === 'StatefulSet' && o.uid === set.metadata.uid
  const isPod = (o: Owner) => o.kind === 'Pod' && (!pod || o.uid === pod.metadata.uid)
  const kept = owners.filter((o) => (isSet(o) ? withSet : isPod(o) ? withPod : true))
  const added: Owner[] = []
  if (withSet && !kept.some(isSet)) added.push({ apiVersion: 'apps/v1', kind: 'StatefulSet', name: set.metadata.name, uid: set.metadata.uid! })
  if (withPod && !kept.some(isPod)) added.push({ apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid! })
  return kept.length === owners.length && added.length === 0 ? undefined : [...kept, ...added]
}

/** Whether a claim is about to go with a former pod of the same name: a new pod must not be given it. */
export function isStale(claim: Claim, pod: Pod | undefined): boolean {
  if (claim.metadata.deletionTimestamp) return true
  return (claim.metadata.ownerReferences ?? []).some((o) => o.kind === 'Pod' && o.uid !== pod?.metadata.uid)
}
