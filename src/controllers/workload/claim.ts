import type { DeepReadonly, KubeObject, Selector } from '#api'
import { controllerOf, isStatus } from '#api'
import type { ResourceClient } from '#client'
import { ownedBy } from './pods.ts'

/**
 * The children that belong to an owner: those it controls and that match its selector. Matching orphans are adopted; controlled ones that no longer match are let go. An owner that is
 * being deleted adopts nothing. (https://kubernetes.io/docs/concepts/architecture/garbage-collection/#orphaned-dependents)
 */
export async function claim<T extends KubeObject>(
  owner: DeepReadonly<KubeObject>,
  selector: Selector,
  candidates: readonly DeepReadonly<T>[],
  client: ResourceClient<T>,
  isAdoptable: (candidate: DeepReadonly<T>) => boolean = () => true,
): Promise<DeepReadonly<T>[]> {
  const claimed: DeepReadonly<T>[] = []
  for (const candidate of candidates) {
    const controller = controllerOf(candidate as DeepReadonly<KubeObject>)
    const { metadata } = candidate as DeepReadonly<KubeObject>
    const matches = selector.matches(metadata.labels)
    if (controller) {
      if (controller.uid !== owner.metadata.uid) continue
      if (matches) claimed.push(candidate)
      else if (!owner.metadata.deletionTimestamp) await patchOwners(candidate, { $patch: 'delete', uid: owner.metadata.uid })
      continue
    }
    if (!matches || metadata.deletionTimestamp || !isAdoptable(candidate) || owner.metadata.deletionTimestamp) continue
    const adopted = await patchOwners(candidate, ownedBy(owner))
    if (adopted) claimed.push(adopted)
  }
  return claimed

  async function patchOwners(child: DeepReadonly<T>, reference: object): Promise<DeepReadonly<T> | undefined> {
    const { name, namespace, uid } = (child as DeepReadonly<KubeObject>).metadata
    try {
      return await client.patch(name, namespace, 'strategic', { metadata: { uid, ownerReferences: [reference] } })
    } catch (error) {
      // gone, replaced by another of its name, or not ours to change any more: nothing to claim
      if (isStatus(error, 'NotFound') || isStatus(error, 'Conflict') || isStatus(error, 'Invalid')) return undefined
      throw error
    }
  }
}
