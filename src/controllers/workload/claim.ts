import type { DeepReadonly, KubeObject, Selector, meta } from '#api'
import { controllerOf, isStatus, selectorFromLabelSelector } from '#api'
import type { ResourceClient } from '#client'
import type { Cache, IndexFunctions } from '#runtime'
import { ownedBy } from './pods.ts'

/** Finds objects by the uid of their controller, and those of a namespace that have none. */
export const byController = {
  controller: (object: DeepReadonly<KubeObject>) => [controllerOf(object)?.uid ?? orphansOf(object.metadata.namespace)],
} satisfies IndexFunctions<KubeObject>

const orphansOf = (namespace: string | undefined) => `orphans of ${namespace ?? ''}`

/** What an owner may claim of a cache that has the index `byController`: its children and all orphans. */
export function candidatesFor<T extends KubeObject>(cache: Cache<T>, owner: DeepReadonly<KubeObject>): DeepReadonly<T>[] {
  const orphans = cache.byIndex('controller', orphansOf(owner.metadata.namespace))
  const children = cache.byIndex('controller', owner.metadata.uid!)
  return orphans.length === 0 ? children : [...children, ...orphans]
}

export interface ClaimOptions<T extends KubeObject> {
  owner: DeepReadonly<KubeObject>
  selector: Selector
  candidates: readonly DeepReadonly<T>[]
  client: ResourceClient<T>
  /** Reads the owner from the API server: the cache may not know yet that it is going away. */
  current(): Promise<DeepReadonly<KubeObject>>
  isAdoptable?(candidate: DeepReadonly<T>): boolean
  /** A finalizer that comes with the ownership and goes with it. */
  finalizer?: string
}

/**
 * The children that belong to an owner: those it controls and that match its selector. Matching orphans are adopted; controlled ones that no longer match are let go. An owner that is
 * being deleted adopts nothing. (https://kubernetes.io/docs/concepts/architecture/garbage-collection/#orphaned-dependents)
 */
export async function claim<T extends KubeObject>(options: ClaimOptions<T>): Promise<DeepReadonly<T>[]> {
  const { owner, selector, candidates, client, isAdoptable, finalizer } = options
  const claimed: DeepReadonly<T>[] = []
  let mayAdopt: Promise<boolean> | undefined
  for (const candidate of candidates) {
    const { metadata } = candidate as DeepReadonly<KubeObject>
    const controller = controllerOf(candidate as DeepReadonly<KubeObject>)
    const matches = selector.matches(metadata.labels)
    if (controller) {
      if (controller.uid !== owner.metadata.uid) continue
      if (matches) claimed.push(candidate)
      else if (!owner.metadata.deletionTimestamp) await release(candidate)
      continue
    }
    if (!matches || metadata.deletionTimestamp || owner.metadata.deletionTimestamp || isAdoptable?.(candidate) === false) continue
    mayAdopt ??= isStillThere(options)
    if (!(await mayAdopt)) continue
    const adopted = await patch(candidate, { ownerReferences: [ownedBy(owner)], ...(finalizer ? { finalizers: [finalizer] } : {}) })
    if (adopted) claimed.push(adopted)
  }
  return claimed

  async function release(child: DeepReadonly<T>): Promise<void> {
    const finalizers = finalizer ? { '$deleteFromPrimitiveList/finalizers': [finalizer] } : {}
    await patch(child, { ownerReferences: [{ $patch: 'delete', uid: owner.metadata.uid }], ...finalizers })
  }

  async function patch(child: DeepReadonly<T>, metadata: object): Promise<DeepReadonly<T> | undefined> {
    const { name, namespace, uid } = (child as DeepReadonly<KubeObject>).metadata
    try {
      return await client.patch(name, namespace, 'strategic', { metadata: { uid, ...metadata } })
    } catch (error) {
      // gone, replaced by another of its name, or not ours to change any more: nothing to claim
      if (isStatus(error, 'NotFound') || isStatus(error, 'Conflict') || isStatus(error, 'Invalid')) return undefined
      throw error
    }
  }
}

/** Adopting for an owner that is gone would have the garbage collector delete what was just orphaned on purpose. */
async function isStillThere({ owner, current }: Pick<ClaimOptions<KubeObject>, 'owner' | 'current'>): Promise<boolean> {
  try {
    const { metadata } = await current()
    return metadata.uid === owner.metadata.uid && !metadata.deletionTimestamp
  } catch (error) {
    if (isStatus(error, 'NotFound')) return false
    throw error
  }
}

const compiled = new WeakMap<object, Selector>()

/** The selector of an object from a cache, compiled once as long as the object stays the same. */
export function cachedSelector(selector: DeepReadonly<meta.LabelSelector> | undefined): Selector {
  if (!selector) return selectorFromLabelSelector(selector)
  let known = compiled.get(selector)
  if (!known) compiled.set(selector, (known = selectorFromLabelSelector(selector)))
  return known
}
