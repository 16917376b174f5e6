import type { Pod, SchedulerPlugin } from '../framework.ts'
import { maxScore, unresolvable, unschedulable } from '../framework.ts'
import { requestOf } from '../resources.ts'
import type { NodeInfo } from '../snapshot.ts'

/** What the node lacks for the pod, worded as events show it. */
export function insufficient(pod: Pod, info: NodeInfo): { reasons: string[]; never: boolean } {
  const reasons: string[] = []
  let never = false
  const podLimit = info.allocatable.get('pods')
  if (podLimit !== undefined && info.pods.size + 1 > podLimit) reasons.push('Too many pods')
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

/** Whether the pod fits; of those where it does, the emptiest node is best (LeastAllocated). */
export const nodeResourcesFit: SchedulerPlugin = {
  name: 'NodeResourcesFit',
  events: ['nodeAdded', 'nodeChanged', 'podGone', 'podChanged'],
  filter: (_, pod, info) => {
    const { reasons, never } = insufficient(pod, info)
    if (reasons.length === 0) return undefined
    return never ? unresolvable(...reasons) : unschedulable(...reasons)
  },
  score: (_, pod, info) => {
    const { cpu, memory } = shares(pod, info)
    return Math.floor((free(cpu) + free(memory)) / 2)
  },
}

const free = (share: number) => Math.floor((1 - Math.min(share, 1)) * maxScore)

/** The shares of the node's cpu and memory that are asked for once the pod is there. */
function shares(pod: Pod, info: NodeInfo): { cpu: number; memory: number } {
  const { nonZero } = requestOf(pod)
  const cpu = info.allocatable.get('cpu') ?? 0
  const memory = info.allocatable.get('memory') ?? 0
  return { cpu: cpu === 0 ? 1 : (info.nonZero.cpu + nonZero.cpu) / cpu, memory: memory === 0 ? 1 : (info.nonZero.memory + nonZero.memory) / memory }
}

/** Prefers nodes on which cpu and memory fill up evenly. */
export const balancedAllocation: SchedulerPlugin = {
  name: 'NodeResourcesBalancedAllocation',
  score: (_, pod, info) => {
    const { cpu, memory } = shares(pod, info)
    const deviation = Math.abs(Math.min(cpu, 1) - Math.min(memory, 1)) / 2
    return Math.floor((1 - deviation) * maxScore)
  },
}
