import type { DeepReadonly, KubeObject, meta } from '#api'
import type { ResourceRef } from '#client'

export type Owner = DeepReadonly<meta.OwnerReference>

/** An object and the resource it was seen as. */
export interface GraphNode {
  ref: ResourceRef
  object: DeepReadonly<KubeObject>
}

export const orphanFinalizer = 'orphan'
export const foregroundFinalizer = 'foregroundDeletion'

const isDeleting = ({ object }: GraphNode) => object.metadata.deletionTimestamp !== undefined
const hasFinalizer = ({ object }: GraphNode, name: string) => object.metadata.finalizers?.includes(name) ?? false

/** Waits until its dependents are deleted. */
export const isForeground = (node: GraphNode): boolean => isDeleting(node) && hasFinalizer(node, foregroundFinalizer)
/** Waits until its dependents have been let go. */
export const isOrphaning = (node: GraphNode): boolean => isDeleting(node) && hasFinalizer(node, orphanFinalizer)

const ownersOf = (node: GraphNode | undefined): readonly Owner[] => node?.object.metadata.ownerReferences ?? []

/**
 * Who owns whom, by uid, over all resources. An owner that was never seen has dependents but no node (upstream's "virtual" node): whether it exists has to
 * be asked.
 */
export interface Graph {
  get(uid: string): GraphNode | undefined
  dependents(uid: string): GraphNode[]
  /** Takes in what was seen and answers the uids to look at because of it. */
  put(node: GraphNode): string[]
  remove(node: GraphNode): string[]
}

export function createGraph(): Graph {
  const nodes = new Map<string, GraphNode>()
  // owner → dependents
  const dependents = new Map<string, Set<string>>()

  function link(owner: string, dependent: string): void {
    let set = dependents.get(owner)
    if (!set) dependents.set(owner, (set = new Set()))
    set.add(dependent)
  }
  function unlink(owner: string, dependent: string): void {
    const set = dependents.get(owner)
    if (set?.delete(dependent) && set.size === 0) dependents.delete(owner)
  }
  const waiting = (uid: string) => {
    const owner = nodes.get(uid)
    return owner !== undefined && isForeground(owner)
  }

  return {
    get: (uid) => nodes.get(uid),
    dependents: (uid) => [...(dependents.get(uid) ?? [])].flatMap((d) => nodes.get(d) ?? []),

    put(node) {
      const uid = node.object.metadata.uid!
      const old = nodes.get(uid)
      nodes.set(uid, node)
      const [before, now] = [ownersOf(old), ownersOf(node)]
      const check = new Set<string>()
      for (const owner of now) link(owner.uid, uid)
      for (const owner of before) {
        const kept = now.find((o) => o.uid === owner.uid)
        if (!kept) unlink(owner.uid, uid)
        // the owner may have been waiting for this one
        if (waiting(owner.uid) && (!kept || (owner.blockOwnerDeletion && !kept.blockOwnerDeletion))) check.add(owner.uid)
      }
      const fresh = now.filter((o) => !before.some((b) => b.uid === o.uid))
      // an owner that nobody has seen, or that waits for its dependents to go
      if (fresh.some((o) => !nodes.has(o.uid) || waiting(o.uid))) check.add(uid)
      if (isForeground(node) && !(old && isForeground(old))) {
        check.add(uid)
        for (const dependent of dependents.get(uid) ?? []) check.add(dependent)
      }
      if (isOrphaning(node) && !(old && isOrphaning(old))) check.add(uid)
      return [...check]
    },

    remove({ object }) {
      const uid = object.metadata.uid!
      const old = nodes.get(uid)
      if (!old) return []
      nodes.delete(uid)
      const check: string[] = []
      for (const owner of ownersOf(old)) {
        unlink(owner.uid, uid)
        if (waiting(owner.uid)) check.push(owner.uid)
      }
      return [...check, ...(dependents.get(uid) ?? [])]
    },
  }
}
