import { conflictsWithHostPorts, hostPorts } from '#api'
import type { SchedulerPlugin } from '../framework.ts'
import { unschedulable } from '../framework.ts'

const key = 'NodePorts'

/** Two pods of a node cannot have the same host port; the address 0.0.0.0 stands for all. */
export const nodePorts: SchedulerPlugin = {
  name: 'NodePorts',
  events: ['nodeAdded', 'podGone'],
  preFilter: (state, pod) => {
    const wanted = hostPorts(pod.spec)
    if (wanted.length === 0) return 'skip'
    state.set(key, wanted)
    return undefined
  },
  filter: (state, _, info) => {
    for (const wanted of state.get(key) as string[])
      if (conflictsWithHostPorts(wanted, info.ports)) return unschedulable("node(s) didn't have free ports for the requested pod ports")
    return undefined
  },
}
