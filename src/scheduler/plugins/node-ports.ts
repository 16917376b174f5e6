import type { SchedulerPlugin } from '../framework.ts'
import { unschedulable } from '../framework.ts'
import { hostPorts } from '../snapshot.ts'

const key = 'NodePorts'
const anyAddress = '0.0.0.0'

/** Two pods of a node cannot have the same host port; the address 0.0.0.0 stands for all. */
export const nodePorts: SchedulerPlugin = {
  name: 'NodePorts',
  events: ['nodeAdded', 'podGone'],
  preFilter: (state, pod) => {
    const wanted = hostPorts(pod)
    if (wanted.length === 0) return 'skip'
    state.set(key, wanted)
    return undefined
  },
  filter: (state, _, info) => {
    for (const wanted of state.get(key) as string[])
      if (conflicts(wanted, info.ports)) return unschedulable("node(s) didn't have free ports for the requested pod ports")
    return undefined
  },
}

function conflicts(wanted: string, used: ReadonlyMap<string, number>): boolean {
  const [protocol, address, port] = wanted.split('/')
  if (used.has(wanted) || used.has(`${protocol}/${anyAddress}/${port}`)) return true
  if (address !== anyAddress) return false
  for (const present of used.keys()) {
    const [otherProtocol, , otherPort] = present.split('/')
    if (otherProtocol === protocol && otherPort === port) return true
  }
  return false
}
