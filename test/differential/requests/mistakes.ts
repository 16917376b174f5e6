import type { Kind, Step } from '../step.ts'
import { create, patch } from '../step.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json } | undefined
export type Change = { [key: string]: Json }

/** A kind with an object that is accepted, what makes a create of it wrong, and what an update of it may or may not change. */
export interface Mistakes {
  kind: Kind
  base: Change
  /** By title: a merge patch of `base`; what comes of it is created. */
  creates: Record<string, Change>
  /** By title: a merge patch of the object that `base` makes. */
  updates?: Record<string, Change>
  /** The same for the status. */
  statuses?: Record<string, Change>
}

/** Each mistake on its own; the updates follow one another on one object. */
export function mistakes(tables: readonly Mistakes[]): Step[] {
  return tables.flatMap(({ kind, base, creates, updates = {}, statuses = {} }) => {
    const t = (title: string) => `${kind.collection.split('/').at(-1)}.${kind.apiVersion}: ${title}`
    const name = (base['metadata'] as { name?: string } | undefined)?.name ?? 'diff-base'
    return [
      ...Object.entries(creates).map(([title, change], i) => create(kind, `diff-${i}`, t(title), merged(base, change) as Record<string, unknown>)),
      ...(Object.keys(updates).length + Object.keys(statuses).length > 0 ? [create(kind, name, t('create what is updated'), base)] : []),
      ...Object.entries(updates).map(([title, change]) => patch(kind, name, 'merge', t(`update: ${title}`), change)),
      ...Object.entries(statuses).map(([title, change]) => patch(kind, `${name}/status`, 'merge', t(`status: ${title}`), { status: change })),
    ]
  })
}

/** JSON merge patch. */
function merged(target: Json, change: Json): Json {
  if (!isObject(change)) return change
  const result: { [key: string]: Json } = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete result[key]
    else result[key] = merged(result[key], value)
  }
  return result
}

const isObject = (value: Json): value is { [key: string]: Json } => typeof value === 'object' && value !== null && !Array.isArray(value)
