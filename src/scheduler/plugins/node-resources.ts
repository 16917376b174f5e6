import type { Pod, SchedulerPlugin } from '../framework.ts'
import { maxScore, unresolvable, unschedulable } from '../framework.ts'
import { requestOf } from '../resources.ts'
import type { NodeInfo } from '../snapshot.ts'

/** What the node lacks for the pod, worded as events show it. */
export function insufficient(pod: Pod, info: NodeInfo): { reasons: string[]; never: boolean } {
  const reasons: string[] = []
  let never = false
  if (info.freePods < 1) reasons.push('Too many pods')
  for (const [name, amount] of requestOf(pod).requests) {
    if (amount === 0) continue
    const capacity = info.allocatable.get(name) ?? 0
    if (amount > capacity - (info.requested.get(name) ?? 0)) {
      reasons.push(`Insufficient ${name}`)
      if (amount > capacity) never = true
    }
  }
  return { reasons, never }
}

const key = 'NodeResourcesFit'

/** A pod's request, the common part of it at hand. */
interface Wanted {
  cpu: number
  memory: number
  others: readonly (readonly [name: string, amount: number])[]
  nonZero: { cpu: number; memory: number }
}

function fits({ cpu, memory, others }: Wanted, info: NodeInfo): boolean {
  if ((cpu > 0 && cpu > info.freeCpu) || (memory > 0 && memory > info.freeMemory) || info.freePods < 1) return false
  for (const [name, amount] of others) if (amount > (info.allocatable.get(name) ?? 0) - (info.requested.get(name) ?? 0)) return false
  return true
}

/** Whether the pod fits; of those where it does, the emptiest node is best (LeastAllocated). */
export const nodeResourcesFit: SchedulerPlugin = {
  name: key,
  events: ['nodeAdded', 'nodeChanged', 'podGone', 'podChanged'],
  preFilter: (state, pod) => {
    const { requests, nonZero } = requestOf(pod)
    const others = [...requests].filter(([name, amount]) => name !== 'cpu' && name !== 'memory' && amount > 0)
    state.set(key, { cpu: requests.get('cpu') ?? 0, memory: requests.get('memory') ?? 0, others, nonZero } satisfies Wanted)
    return undefined
  },
  filter: (state, pod, info) => {
    if (fits(state.get(key) as Wanted, info)) return undefined
    const { reasons, never } = insufficient(pod, info)
    return never ? unresolvable(...reasons) : unschedulable(...reasons)
  },
  score: (state, _, info) => {
    const { nonZero } = state.get(key) as Wanted
    const cpu = free(info.cpu, info.askedCpu + nonZero.cpu)
    const memory = free(info.memory, info.askedMemory + nonZero.memory)
    return Math.floor((cpu + memory) / 2)
  },
}

const free = (capacity: number, asked: number) => (asked >= capacity ? 0 : Math.floor(((capacity - asked) * maxScore) / capacity))

/** Prefers nodes on which cpu and memory fill up evenly. */
export const balancedAllocation: SchedulerPlugin = {
  name: 'NodeResourcesBalancedAllocation',
  score: (state, _, info) => {
    const { nonZero } = state.get(key) as Wanted
    const cpu = share(info.cpu, info.askedCpu + nonZero.cpu)
    const memory = share(info.memory, info.askedMemory + nonZero.memory)
    return Math.floor((1 - Math.abs(cpu - memory) / 2) * maxScore)
  },
}

const share = (capacity: number, asked: number) => (asked >= capacity ? 1 : asked / capacity)
