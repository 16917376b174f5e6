import { claimNames, storageClassOf } from '#api'
import type { ClusterReader, Pod, SchedulerPlugin } from '../framework.ts'
import { unresolvable, unschedulable } from '../framework.ts'

const key = 'NodeVolumeLimits'

/** Names of volumes, unique in the cluster, with the CSI driver that attaches each. */
type Attached = ReadonlyMap<string, string>

/**
 * A node takes no more volumes of a CSI driver than the driver says in the node's CSINode. What counts are the volumes of the node's pods and what is attached to
 * it; a volume that several pods share counts once.
 */
export function nodeVolumeLimits(reader: ClusterReader): SchedulerPlugin {
  return {
    name: 'NodeVolumeLimits',
    events: ['podGone', 'nodeAdded', 'volumeChanged'],
    preFilter: (state, pod) => {
      for (const name of claimNames(pod)) {
        if (!reader.claim(pod.metadata.namespace!, name)) return unresolvable(`persistentvolumeclaim ${JSON.stringify(name)} not found`)
      }
      const wanted = volumesOf(pod, reader)
      if (wanted.size === 0) return 'skip'
      state.set(key, wanted)
      return undefined
    },
    filter: (state, _, { name, pods }) => {
      const limits = limitsOf(name, reader)
      if (limits.size === 0) return undefined
      const wanted = state.get(key) as Attached
      const there = new Map(attachedTo(name, reader))
      for (const other of pods.values()) for (const [volume, driver] of volumesOf(other, reader)) there.set(volume, driver)
      for (const driver of new Set(wanted.values())) {
        const limit = limits.get(driver)
        if (limit === undefined) continue
        const used = [...there.values()].filter((d) => d === driver).length
        const more = [...wanted].filter(([volume, d]) => d === driver && !there.has(volume)).length
        if (more > 0 && used + more > limit) return unschedulable('node(s) exceed max volume count')
      }
      return undefined
    },
  }
}

/** The volumes of CSI drivers behind a pod's claims; those that are still to be made go by their claim. */
function volumesOf(pod: Pod, reader: ClusterReader): Attached {
  const volumes = new Map<string, string>()
  const { namespace } = pod.metadata
  for (const name of claimNames(pod)) {
    const claim = reader.claim(namespace!, name)
    if (!claim) continue
    if (claim.spec.volumeName) {
      const csi = reader.volume(claim.spec.volumeName)?.spec.csi
      if (csi) volumes.set(`${csi.driver}/${csi.volumeHandle}`, csi.driver)
      continue
    }
    const driver = reader.storageClass(storageClassOf(claim))?.provisioner
    if (driver) volumes.set(`${driver}/${namespace}/${name}`, driver)
  }
  return volumes
}

function limitsOf(node: string, reader: ClusterReader): Map<string, number> {
  const drivers = reader.csiNode(node)?.spec.drivers ?? []
  return new Map(drivers.flatMap(({ name, allocatable }) => (allocatable?.count === undefined ? [] : [[name, allocatable.count]])))
}

function* attachedTo(node: string, reader: ClusterReader): Iterable<[string, string]> {
  for (const { spec } of reader.attachments()) {
    if (spec.nodeName !== node || !spec.source.persistentVolumeName) continue
    const csi = reader.volume(spec.source.persistentVolumeName)?.spec.csi
    if (csi) yield [`${csi.driver}/${csi.volumeHandle}`, csi.driver]
  }
}
