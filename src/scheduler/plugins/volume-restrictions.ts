import { claimNames } from '#api'
import type { ClusterReader, Pod, SchedulerPlugin } from '../framework.ts'
import { unresolvable, unschedulable } from '../framework.ts'

const key = 'VolumeRestrictions'

/** The claims that only one pod of the cluster may use, and how many others do. */
interface Exclusive {
  claims: ReadonlySet<string>
  users: number
}

/** A claim with the access mode ReadWriteOncePod is for one pod in the whole cluster; a more important pod may push that one out. */
export function volumeRestrictions(reader: ClusterReader): SchedulerPlugin {
  const count = (pod: Pod, other: Pod, claims: ReadonlySet<string>) =>
    other.metadata.namespace === pod.metadata.namespace && other.metadata.uid !== pod.metadata.uid
      ? claimNames(other).filter((name) => claims.has(name)).length
      : 0
  return {
    name: 'VolumeRestrictions',
    events: ['podGone', 'volumeChanged'],
    preFilter: (state, pod, snapshot) => {
      const claims = new Set<string>()
      for (const name of claimNames(pod)) {
        const claim = reader.claim(pod.metadata.namespace!, name)
        if (!claim) return unresolvable(`persistentvolumeclaim ${JSON.stringify(name)} not found`)
        if (claim.spec.accessModes?.includes('ReadWriteOncePod')) claims.add(name)
      }
      if (claims.size === 0) return 'skip'
      let users = 0
      for (const info of snapshot.nodes) for (const other of info.pods.values()) users += count(pod, other, claims)
      state.set(key, { claims, users } satisfies Exclusive)
      return undefined
    },
    addPod: (state, pod, other) => shift(state, (s) => count(pod, other, s.claims)),
    removePod: (state, pod, other) => shift(state, (s) => -count(pod, other, s.claims)),
    filter: (state) =>
      (state.get(key) as Exclusive).users > 0
        ? unschedulable('node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode')
        : undefined,
  }

  function shift(state: Map<string, unknown>, by: (exclusive: Exclusive) => number): void {
    const now = state.get(key) as Exclusive | undefined
    if (now) state.set(key, { ...now, users: now.users + by(now) })
  }
}
