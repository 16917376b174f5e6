import { claimNames, storageClassOf } from '#api'
import type { ClusterReader, SchedulerPlugin } from '../framework.ts'
import { unresolvable } from '../framework.ts'

const key = 'VolumeZone'

/** Labels by which volumes and nodes say where they are; the older name means the same as the newer one. */
const topologyLabels = new Map([
  ['topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/zone'],
  ['topology.kubernetes.io/region', 'failure-domain.beta.kubernetes.io/region'],
  ['failure-domain.beta.kubernetes.io/zone', 'topology.kubernetes.io/zone'],
  ['failure-domain.beta.kubernetes.io/region', 'topology.kubernetes.io/region'],
])

interface Place {
  label: string
  values: ReadonlySet<string>
}

/** A pod whose bound volumes are labelled with zones goes to a node of these zones. */
export function volumeZone(reader: ClusterReader): SchedulerPlugin {
  return {
    name: 'VolumeZone',
    events: ['nodeAdded', 'nodeChanged', 'volumeChanged'],
    preFilter: (state, pod) => {
      const places: Place[] = []
      for (const name of claimNames(pod)) {
        const claim = reader.claim(pod.metadata.namespace!, name)
        if (!claim) return unresolvable(`persistentvolumeclaim ${JSON.stringify(name)} not found`)
        if (!claim.spec.volumeName) {
          const waits = reader.storageClass(storageClassOf(claim))?.volumeBindingMode === 'WaitForFirstConsumer'
          if (!waits) return unresolvable('PersistentVolume had no name')
          continue
        }
        const labels = reader.volume(claim.spec.volumeName)?.metadata.labels ?? {}
        // a volume that is in several zones names them all
        for (const label of topologyLabels.keys()) if (labels[label]) places.push({ label, values: new Set(labels[label].split('__')) })
      }
      if (places.length === 0) return 'skip'
      state.set(key, places)
      return undefined
    },
    filter: (state, _, { node }) => {
      const labels = node.metadata.labels ?? {}
      // where nodes have no zones nobody means any
      if (![...topologyLabels.keys()].some((label) => labels[label] !== undefined)) return undefined
      const fits = (state.get(key) as Place[]).every(({ label, values }) => values.has(labels[label] ?? labels[topologyLabels.get(label)!] ?? ''))
      return fits ? undefined : unresolvable('node(s) had no available volume zone')
    },
  }
}
