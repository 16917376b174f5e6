import { type Owner, foregroundFinalizer, orphanFinalizer } from './graph.ts'

/**
 * What is known of an owner: it is there; it is there and waits for its dependents to go; it is gone; or it cannot be said (its kind is not served, or a
 * cluster-wide object claims an owner in a namespace), and then nothing is deleted for its sake.
 */
export type OwnerState = 'solid' | 'waiting' | 'absent' | 'unknown'

export type ItemPlan =
  | { do: 'nothing' }
  /** Takes out the references to owners that are gone or want this one gone: another owner keeps it. */
  | { do: 'release'; keep: Owner[] }
  | { do: 'delete'; policy: 'Orphan' | 'Background' | 'Foreground' }

/** What happens to an object because of its owners. Pure. */
export function planItem(item: {
  owners: readonly { owner: Owner; state: OwnerState }[]
  hasDependents: boolean
  finalizers: readonly string[]
}): ItemPlan {
  const { owners, hasDependents, finalizers } = item
  if (owners.length === 0) return { do: 'nothing' }
  const keep = owners.filter((o) => o.state === 'solid' || o.state === 'unknown').map((o) => o.owner)
  if (keep.length === owners.length) return { do: 'nothing' }
  if (keep.length > 0) return { do: 'release', keep }
  // the owner waits for everything below it, so what is below this one goes first as well
  if (owners.some((o) => o.state === 'waiting') && hasDependents) return { do: 'delete', policy: 'Foreground' }
  // the deletion that was asked for on the object itself is kept
  if (finalizers.includes(orphanFinalizer)) return { do: 'delete', policy: 'Orphan' }
  if (finalizers.includes(foregroundFinalizer)) return { do: 'delete', policy: 'Foreground' }
  return { do: 'delete', policy: 'Background' }
}
