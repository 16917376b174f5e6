import { matchesNodeSelectorTerms } from '#api'
import type { ClusterReader, SchedulerPlugin } from '../framework.ts'
import { unresolvable } from '../framework.ts'

/** A pod goes where its volumes are: claims must exist, and be bound, or wait for this very decision. */
export function volumeBinding(reader: ClusterReader): SchedulerPlugin {
  const claimNames = (pod: Parameters<NonNullable<SchedulerPlugin['filter']>>[1]) =>
    (pod.spec.volumes ?? []).flatMap((v) =>
      v.persistentVolumeClaim ? [v.persistentVolumeClaim.claimName] : v.ephemeral ? [`${pod.metadata.name}-${v.name}`] : [],
    )
  return {
    name: 'VolumeBinding',
    events: ['nodeAdded', 'nodeChanged', 'volumeChanged'],
    preFilter: (_, pod) => {
      const names = claimNames(pod)
      if (names.length === 0) return 'skip'
      for (const name of names) {
        const claim = reader.claim(pod.metadata.namespace!, name)
        if (!claim) return unresolvable(`persistentvolumeclaim "${name}" not found`)
        if (claim.metadata.deletionTimestamp) return unresolvable(`persistentvolumeclaim "${name}" is being deleted`)
        if (claim.status?.phase === 'Lost')
          return unresolvable(`persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec.volumeName ?? ''}"`)
        const waits = claim.spec.storageClassName !== undefined && reader.bindingMode(claim.spec.storageClassName) === 'WaitForFirstConsumer'
        if (!claim.spec.volumeName && !waits) return unresolvable('pod has unbound immediate PersistentVolumeClaims')
      }
      return undefined
    },
    filter: (_, pod, info) => {
      for (const name of claimNames(pod)) {
        const volumeName = reader.claim(pod.metadata.namespace!, name)?.spec.volumeName
        if (!volumeName) continue
        const volume = reader.volume(volumeName)
        if (!volume) return unresolvable(`node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)`)
        const required = volume.spec.nodeAffinity?.required
        if (required && !matchesNodeSelectorTerms(required.nodeSelectorTerms, info.node))
          return unresolvable('node(s) had volume node affinity conflict')
      }
      return undefined
    },
  }
}
