import type { DeepReadonly } from './object.ts'

/** What every condition has in common. */
export interface ConditionLike {
  type: string
  status: string
  reason?: string
  message?: string
  lastTransitionTime?: string
}

export function findCondition<C extends ConditionLike>(
  conditions: readonly DeepReadonly<C>[] | undefined,
  type: C['type'],
): DeepReadonly<C> | undefined {
  return conditions?.find((c) => c.type === type)
}

/** Whether the condition is there with status `True`. */
export function isConditionTrue(conditions: readonly DeepReadonly<ConditionLike>[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True'
}

/**
 * The list with `condition` in it: `lastTransitionTime` becomes `now` where the status changes and stays otherwise.
 * Answers the same list when nothing changes, so that callers can tell whether to write.
 */
export function withCondition<C extends ConditionLike>(
  conditions: readonly C[] | undefined,
  condition: Omit<C, 'lastTransitionTime'> & { lastTransitionTime?: string },
  now: string,
): readonly C[] {
  const list = conditions ?? []
  const index = list.findIndex((c) => c.type === condition.type)
  const old = list[index]
  if (!old) return [...list, { lastTransitionTime: now, ...condition } as unknown as C]
  const lastTransitionTime = old.status === condition.status ? old.lastTransitionTime : (condition.lastTransitionTime ?? now)
  const next = { ...old, ...condition, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }) } as C
  if (Object.keys(next).every((k) => next[k as keyof C] === old[k as keyof C])) return list
  return list.with(index, next)
}
