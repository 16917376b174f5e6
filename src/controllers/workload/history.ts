import { isDeepStrictEqual } from 'node:util'
import type { DeepReadonly, KubeObject, apps, core } from '#api'
import { controllerOf, isStatus } from '#api'
import type { ResourceClient } from '#client'
import { ownedBy } from './pods.ts'

export type Revision = DeepReadonly<apps.ControllerRevision>

/** A revision keeps the template as a patch that puts it back: clients roll back by sending it. */
export const templatePatch = (template: DeepReadonly<core.PodTemplateSpec>): Record<string, unknown> => ({
  spec: { template: { ...template, $patch: 'replace' } },
})

/** The template that a revision keeps. */
export function templateOf(revision: Revision): DeepReadonly<core.PodTemplateSpec> {
  const { $patch: _, ...template } = (revision.data as { spec?: { template?: Record<string, unknown> } } | undefined)?.spec?.template ?? {}
  return template as DeepReadonly<core.PodTemplateSpec>
}

export const newestRevision = (revisions: readonly Revision[]): number => revisions.reduce((n, r) => Math.max(n, r.revision), 0)

/** What the current state needs: it is there, it is there but no longer the newest (a roll-back), or it has to be made. */
export type HistoryPlan =
  | { do: 'keep'; current: Revision; old: Revision[] }
  | { do: 'renumber'; current: Revision; revision: number; old: Revision[] }
  | { do: 'create'; revision: number; old: Revision[] }

export function planHistory(revisions: readonly Revision[], data: Record<string, unknown>): HistoryPlan {
  const equal = revisions.filter((r) => isDeepStrictEqual(r.data, data)).sort((a, b) => a.revision - b.revision)
  const current = equal.at(-1)
  const old = revisions.filter((r) => r !== current)
  const next = newestRevision(old) + 1
  if (!current) return { do: 'create', revision: next, old }
  return current.revision >= next ? { do: 'keep', current, old } : { do: 'renumber', current, revision: next, old }
}

/** Old revisions beyond the limit that nothing uses any more; the oldest go. */
export function planTruncation(old: readonly Revision[], limit: number, isUsed: (revision: Revision) => boolean): Revision[] {
  const idle = old.filter((r) => !isUsed(r)).sort((a, b) => a.revision - b.revision)
  return idle.slice(0, Math.max(idle.length - limit, 0))
}

export interface RevisionDetails {
  owner: DeepReadonly<KubeObject>
  name: string
  labels: Record<string, string>
  data: Record<string, unknown>
}

/**
 * Carries the plan out and answers the current revision; undefined when another revision has the name: then the caller counts a collision, and the next name is
 * another one.
 */
export async function applyHistory(
  client: ResourceClient<apps.ControllerRevision>,
  plan: HistoryPlan,
  details: RevisionDetails,
): Promise<Revision | undefined> {
  if (plan.do === 'keep') return plan.current
  const { owner, name, labels, data } = details
  const { namespace, annotations } = owner.metadata
  if (plan.do === 'renumber') return client.patch(plan.current.metadata.name, namespace, 'merge', { revision: plan.revision })
  try {
    return await client.create({
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: { name, namespace: namespace!, labels, ...(annotations ? { annotations } : {}), ownerReferences: [ownedBy(owner)] },
      data,
      revision: plan.revision,
    })
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error
    const other = await client.get(name, namespace)
    // our own from a moment ago, which the cache has not seen yet
    return controllerOf(other)?.uid === owner.metadata.uid && isDeepStrictEqual(other.data, data) ? other : undefined
  }
}

export async function truncateHistory(
  client: ResourceClient<apps.ControllerRevision>,
  old: readonly Revision[],
  limit: number,
  isUsed: (revision: Revision) => boolean,
): Promise<void> {
  for (const { metadata } of planTruncation(old, limit, isUsed))
    try {
      await client.delete(metadata.name, metadata.namespace, { preconditions: { uid: metadata.uid! } })
    } catch (error) {
      if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error
    }
}
