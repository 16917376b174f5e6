import { toleratesTaint } from '#api'
import type { SchedulerPlugin } from '../framework.ts'
import { normalizeScores, unresolvable } from '../framework.ts'

/** Keeps pods off nodes whose taints they do not tolerate, and prefers nodes with fewer soft taints. */
export const taintToleration: SchedulerPlugin = {
  name: 'TaintToleration',
  events: ['nodeAdded', 'nodeChanged'],
  weight: 3,
  filter: (_, pod, info) => {
    if (info.taints.length === 0) return undefined
    const taint = info.taints.find((t) => t.effect !== 'PreferNoSchedule' && !toleratesTaint(pod.spec.tolerations, t))
    return taint ? unresolvable(`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`) : undefined
  },
  preScore: (_, __, nodes) =>
    nodes.some((info) => info.taints.length > 0 && info.taints.some((t) => t.effect === 'PreferNoSchedule')) ? undefined : 'skip',
  score: (_, pod, info) => info.taints.filter((t) => t.effect === 'PreferNoSchedule' && !toleratesTaint(pod.spec.tolerations, t)).length,
  normalize: (_, __, scores) => normalizeScores(scores, true),
}
