import type { DeepReadonly, core } from '#api'
import type { SchedulerPlugin } from '../framework.ts'
import { normalizeScores, unresolvable } from '../framework.ts'

type Tolerations = readonly DeepReadonly<core.Toleration>[] | undefined
type Taint = Pick<DeepReadonly<core.Taint>, 'key' | 'value' | 'effect'>

/** Whether one of the tolerations covers the taint (core/v1 Toleration). */
export function tolerates(tolerations: Tolerations, taint: Taint): boolean {
  return (tolerations ?? []).some(
    (t) =>
      (!t.effect || t.effect === taint.effect) &&
      (!t.key ? t.operator === 'Exists' : t.key === taint.key) &&
      (t.operator === 'Exists' || (t.value ?? '') === (taint.value ?? '')),
  )
}

/** Keeps pods off nodes whose taints they do not tolerate, and prefers nodes with fewer soft taints. */
export const taintToleration: SchedulerPlugin = {
  name: 'TaintToleration',
  events: ['nodeAdded', 'nodeChanged'],
  weight: 3,
  filter: (_, pod, info) => {
    const taint = info.node.spec?.taints?.find((t) => t.effect !== 'PreferNoSchedule' && !tolerates(pod.spec.tolerations, t))
    return taint ? unresolvable(`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`) : undefined
  },
  preScore: (_, __, nodes) => (nodes.some((info) => info.node.spec?.taints?.some((t) => t.effect === 'PreferNoSchedule')) ? undefined : 'skip'),
  score: (_, pod, info) =>
    (info.node.spec?.taints ?? []).filter((t) => t.effect === 'PreferNoSchedule' && !tolerates(pod.spec.tolerations, t)).length,
  normalize: (_, __, scores) => normalizeScores(scores, true),
}
