import { toleratesTaint } from '#api'
import type { SchedulerPlugin } from '../framework.ts'
import { unresolvable } from '../framework.ts'

/** A pod with scheduling gates is not ready to be looked at (KEP-3521). */
export const schedulingGates: SchedulerPlugin = {
  name: 'SchedulingGates',
  preEnqueue: (pod) => {
    const gates = pod.spec.schedulingGates ?? []
    return gates.length === 0 ? undefined : unresolvable(`waiting for scheduling gates: [${gates.map((g) => g.name).join(' ')}]`)
  },
}

/** A pod that names its node goes there or nowhere. */
export const nodeName: SchedulerPlugin = {
  name: 'NodeName',
  events: ['nodeAdded'],
  preFilter: (_, pod) => (pod.spec.nodeName ? undefined : 'skip'),
  filter: (_, pod, info) =>
    pod.spec.nodeName && pod.spec.nodeName !== info.name ? unresolvable("node(s) didn't match the requested node name") : undefined,
}

const unschedulableTaint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' as const }

/** A cordoned node takes no pods but those that tolerate it. */
export const nodeUnschedulable: SchedulerPlugin = {
  name: 'NodeUnschedulable',
  events: ['nodeAdded', 'nodeChanged'],
  filter: (_, pod, info) =>
    info.unschedulable && !toleratesTaint(pod.spec.tolerations, unschedulableTaint) ? unresolvable('node(s) were unschedulable') : undefined,
}
