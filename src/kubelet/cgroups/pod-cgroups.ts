import { milliValue } from '#api'
import type { Pod } from '../pod/names.ts'
import { qosClass } from '../pod/qos.ts'
import { cpuShares, podCgroupLimits, podTotal } from '../pod/resources.ts'
import type { CgroupHierarchy } from './hierarchy.ts'

/** The cgroups of the node's pods: `<root>/kubepods[/burstable|/besteffort]/pod<uid>`, upstream's layout below a root of the node's own. */
export interface PodCgroups {
  /** The cgroup under which the runtime puts the pod's containers. */
  path(pod: Pod): string
  /** Makes the pod's cgroup and sets what its resources ask for. */
  ensure(pod: Pod): Promise<void>
  remove(pod: Pod): Promise<void>
  /** Shares CPU between the classes by what the pods of each ask for. */
  balance(pods: Iterable<Pod>): Promise<void>
  /** Removes the cgroups of pods that `isKnown` does not know. */
  removeExcept(isKnown: (podUid: string) => boolean): Promise<void>
  /** Removes the whole tree; for the end of a node. */
  removeAll(): Promise<void>
}

const classDirs = { Guaranteed: '', Burstable: '/burstable', BestEffort: '/besteffort' } as const

export function podCgroups(hierarchy: CgroupHierarchy, root: string): PodCgroups {
  const top = `${root === '/' ? '' : root}/kubepods`
  const path = (pod: Pod) => `${top}${classDirs[qosClass(pod)]}/pod${pod.metadata.uid}`
  return {
    path,
    async ensure(pod) {
      await hierarchy.create(path(pod))
      await hierarchy.set(path(pod), podCgroupLimits(pod))
    },
    remove: (pod) => hierarchy.remove(path(pod)),
    async balance(pods) {
      let burstable = 0
      for (const pod of pods) if (qosClass(pod) === 'Burstable') burstable += podTotal(pod, 'requests', 'cpu', milliValue).total
      await hierarchy.create(`${top}/burstable`)
      await hierarchy.create(`${top}/besteffort`)
      await hierarchy.set(`${top}/burstable`, { cpuShares: cpuShares(burstable) })
      await hierarchy.set(`${top}/besteffort`, { cpuShares: cpuShares(0) })
    },
    async removeExcept(isKnown) {
      for (const dir of Object.values(classDirs)) {
        for (const name of await hierarchy.children(`${top}${dir}`)) {
          if (name.startsWith('pod') && !isKnown(name.slice(3))) await hierarchy.remove(`${top}${dir}/${name}`)
        }
      }
    },
    removeAll: () => hierarchy.remove(top),
  }
}

/** For nodes without cgroups of their own: hollow nodes and tests. */
export const noCgroups: PodCgroups = {
  path: () => '',
  async ensure() {},
  async remove() {},
  async balance() {},
  async removeExcept() {},
  async removeAll() {},
}
