import type { DeepReadonly, core } from '#api'

type Status = DeepReadonly<core.PodStatus>

/** A client that does not know observedGeneration must not erase it, neither the pod's nor that of a condition. */
export function keepObservedGenerations(status: core.PodStatus, before: Status | undefined): void {
  if (!before) return
  if (!status.observedGeneration && before.observedGeneration) status.observedGeneration = before.observedGeneration
  if (!status.conditions || !before.conditions) return
  // a type may be there more than once: the first new one follows the first old one
  const used = new Set<number>()
  for (const condition of status.conditions) {
    const i = before.conditions.findIndex(({ type }, j) => type === condition.type && !used.has(j))
    if (i < 0) continue
    used.add(i)
    const generation = before.conditions[i]!.observedGeneration
    if (!condition.observedGeneration && generation) condition.observedGeneration = generation
  }
}
