import { isDeepStrictEqual } from 'node:util'
import type { DeepReadonly, KubeObject, apps, core } from '#api'
import { controllerOf, isStatus } from '#api'
import type { ResourceClient } from '#client'
import { ownedBy } from './pods.ts'

export type Revision = DeepReadonly<apps.ControllerRevision>

type Template = DeepReadonly<core.PodTemplateSpec>

export interface HistoryOptions {
  /** `1.20`: clients of that age compare revisions byte by byte with what they would have written, and that had an empty creation time. */
  compat?: '1.20'
}

/**
 * A revision keeps the template as a patch that puts it back: clients roll back by sending it. They tell a revision that is the current one by its bytes, so fields are in the order
 * in which Go writes maps.
 */
export function templatePatch(template: Template, { compat }: HistoryOptions = {}): Record<string, unknown> {
  const metadata = compat === '1.20' ? { ...template.metadata, creationTimestamp: null } : template.metadata
  return sorted({ spec: { template: { ...template, ...(metadata ? { metadata } : {}), $patch: 'replace' } } }) as Record<string, unknown>
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).filter(([, v]) => v !== undefined)
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, sorted(v)]))
}

/** The template that a revision keeps. */
export function templateOf(revision: Revision): Template {
  const { $patch: _, ...template } = (revision.data as { spec?: { template?: Record<string, unknown> } } | undefined)?.spec?.template ?? {}
  return withoutTime(template as Template)
}

function withoutTime(template: Template): Template {
  if (!template.metadata || !('creationTimestamp' in template.metadata)) return template
  const { creationTimestamp: _, ...metadata } = template.metadata
  return { ...template, metadata } as Template
}

export const newestRevision = (revisions: readonly Revision[]): number => revisions.reduce((n, r) => Math.max(n, r.revision), 0)

/** What the current state needs: it is there, it is there but no longer the newest (a roll-back), or it has to be made. */
export type HistoryPlan =
  | { do: 'keep'; current: Revision; old: Revision[] }
  | { do: 'renumber'; current: Revision; revision: number; old: Revision[] }
  | { do: 'create'; revision: number; old: Revision[] }

export function planHistory(revisions: readonly Revision[], template: Template): HistoryPlan {
  const equal = revisions.filter((r) => isDeepStrictEqual(templateOf(r), withoutTime(template))).sort((a, b) => a.revision - b.revision)
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
  template: Template
  options?: HistoryOptions
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
  const { owner, name, labels, template } = details
  const { namespace, annotations } = owner.metadata
  if (plan.do === 'renumber') return client.patch(plan.current.metadata.name, namespace, 'merge', { revision: plan.revision })
  try {
    return await client.create({
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: { name, namespace: namespace!, labels, ...(annotations ? { annotations } : {}), ownerReferences: [ownedBy(owner)] },
      data: templatePatch(template, details.options),
      revision: plan.revision,
    })
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error
    const other = await client.get(name, namespace)
    // our own from a moment ago, which the cache has not seen yet
    return controllerOf(other)?.uid === owner.metadata.uid && isDeepStrictEqual(templateOf(other), withoutTime(template)) ? other : undefined
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
