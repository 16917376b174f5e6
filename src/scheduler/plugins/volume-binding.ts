import type { DeepReadonly, core } from '#api'
import { claimNames, findVolume, isReachable, storageClassOf, volumeAnnotations } from '#api'
import type { ClusterReader, Node, Pod, SchedulerPlugin, VolumeWriter } from '../framework.ts'
import { unresolvable, unschedulable } from '../framework.ts'

type Claim = DeepReadonly<core.PersistentVolumeClaim>

const key = 'VolumeBinding'
const { selectedNode, bindCompleted } = volumeAnnotations
const noProvisioner = 'kubernetes.io/no-provisioner'

/** A pod's claims: those that have their volume, and those that wait for the pod's node. */
interface Claims {
  bound: Claim[]
  waiting: Claim[]
}

/** A pod goes where its volumes are: claims must exist, and be bound, or wait for this very decision. */
export function volumeBinding(reader: ClusterReader, writer: VolumeWriter): SchedulerPlugin {
  return {
    name: 'VolumeBinding',
    events: ['nodeAdded', 'nodeChanged', 'volumeChanged'],
    preFilter: (state, pod) => {
      const names = claimNames(pod)
      if (names.length === 0) return 'skip'
      const claims: Claims = { bound: [], waiting: [] }
      for (const name of names) {
        const claim = reader.claim(pod.metadata.namespace!, name)
        if (!claim) return unresolvable(`persistentvolumeclaim "${name}" not found`)
        if (claim.metadata.deletionTimestamp) return unresolvable(`persistentvolumeclaim "${name}" is being deleted`)
        if (claim.status?.phase === 'Lost')
          return unresolvable(`persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec.volumeName ?? ''}"`)
        if (claim.spec.volumeName) claims.bound.push(claim)
        else if (classOf(claim)?.volumeBindingMode === 'WaitForFirstConsumer') claims.waiting.push(claim)
        else return unresolvable('pod has unbound immediate PersistentVolumeClaims')
      }
      state.set(key, claims)
      return undefined
    },
    filter: (state, _, info) => {
      const { bound, waiting } = state.get(key) as Claims
      for (const claim of bound) {
        const volume = reader.volume(claim.spec.volumeName!)
        if (!volume) return unresolvable('node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)')
        if (!isReachable(volume, info.node)) return unresolvable('node(s) had volume node affinity conflict')
      }
      const taken = new Set<string>()
      for (const claim of waiting) {
        const volume = findVolume(claim, reader.volumes(), { node: info.node, taken })
        if (volume) taken.add(volume.metadata.name)
        else if (!mayProvision(claim, info.node)) return unschedulable("node(s) didn't find available persistent volumes to bind")
      }
      return undefined
    },
    preBind: async (state, _, node, signal) => {
      const { waiting } = (state.get(key) as Claims | undefined) ?? { waiting: [] }
      if (waiting.length === 0) return
      const target = reader.node(node)
      const taken = new Set<string>()
      for (const claim of waiting) {
        const volume = target && findVolume(claim, reader.volumes(), { node: target, taken })
        if (volume) {
          taken.add(volume.metadata.name)
          await writer.reserve(volume, claim, signal)
        } else if (claim.metadata.annotations?.[selectedNode] !== node) await writer.annotate(claim, { [selectedNode]: node }, signal)
      }
      await writer.untilBound(waiting, signal)
    },
  }

  function classOf(claim: Claim) {
    const name = storageClassOf(claim)
    return name ? reader.storageClass(name) : undefined
  }

  function mayProvision(claim: Claim, node: Node): boolean {
    const storageClass = classOf(claim)
    if (!storageClass || storageClass.provisioner === noProvisioner) return false
    const topologies = storageClass.allowedTopologies ?? []
    const allows = (term: (typeof topologies)[number]) =>
      (term.matchLabelExpressions ?? []).every((r) => r.values.includes(node.metadata.labels?.[r.key] ?? ''))
    return topologies.length === 0 || topologies.some(allows)
  }
}

/** Whether a claim has got its volume for good. */
export const isBound = (claim: Claim): boolean => Boolean(claim.spec.volumeName) && claim.metadata.annotations?.[bindCompleted] !== undefined
