import type { DeepReadonly, core } from '#api'
import { compareQuantity, matchesNodeSelectorTerms, selectorFromLabelSelector } from '#api'
import type { ClusterReader, Node, Pod, SchedulerPlugin, VolumeWriter } from '../framework.ts'
import { unresolvable, unschedulable } from '../framework.ts'

type Claim = DeepReadonly<core.PersistentVolumeClaim>
type Volume = DeepReadonly<core.PersistentVolume>

const key = 'VolumeBinding'
const selectedNode = 'volume.kubernetes.io/selected-node'
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
        const volume = volumeFor(claim, info.node, taken)
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
        const volume = target && volumeFor(claim, target, taken)
        if (volume) {
          taken.add(volume.metadata.name)
          await writer.reserve(volume, claim, signal)
        } else if (claim.metadata.annotations?.[selectedNode] !== node) await writer.annotate(claim, { [selectedNode]: node }, signal)
      }
      await writer.untilBound(waiting, signal)
    },
  }

  function classOf(claim: Claim) {
    return claim.spec.storageClassName ? reader.storageClass(claim.spec.storageClassName) : undefined
  }

  /** The smallest volume that waits for a claim like this one and can be reached from the node. */
  function volumeFor(claim: Claim, node: Node, taken: ReadonlySet<string>): Volume | undefined {
    let best: Volume | undefined
    for (const volume of reader.volumes()) {
      if (taken.has(volume.metadata.name) || !suits(volume, claim) || !isReachable(volume, node)) continue
      if (!best || compareQuantity(sizeOf(volume), sizeOf(best)) < 0) best = volume
    }
    return best
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

const claimNames = (pod: Pod): string[] =>
  (pod.spec.volumes ?? []).flatMap((v) =>
    v.persistentVolumeClaim ? [v.persistentVolumeClaim.claimName] : v.ephemeral ? [`${pod.metadata.name}-${v.name}`] : [],
  )

function isReachable(volume: Volume, node: Node): boolean {
  const required = volume.spec.nodeAffinity?.required
  return !required || matchesNodeSelectorTerms(required.nodeSelectorTerms, node)
}

const sizeOf = (volume: Volume) => volume.spec.capacity?.storage ?? '0'

function suits(volume: Volume, claim: Claim): boolean {
  const { spec, status, metadata } = volume
  const { claimRef } = spec
  if (claimRef)
    return (
      claimRef.namespace === claim.metadata.namespace &&
      claimRef.name === claim.metadata.name &&
      (!claimRef.uid || claimRef.uid === claim.metadata.uid)
    )
  if (metadata.deletionTimestamp || (status?.phase && status.phase !== 'Available' && status.phase !== 'Pending')) return false
  return (
    (spec.storageClassName ?? '') === (claim.spec.storageClassName ?? '') &&
    (spec.volumeMode ?? 'Filesystem') === (claim.spec.volumeMode ?? 'Filesystem') &&
    (claim.spec.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode)) &&
    compareQuantity(sizeOf(volume), claim.spec.resources?.requests?.storage ?? '0') >= 0 &&
    (!claim.spec.selector || selectorFromLabelSelector(claim.spec.selector).matches(metadata.labels))
  )
}

/** Whether a claim has got its volume for good. */
export const isBound = (claim: Claim): boolean =>
  Boolean(claim.spec.volumeName) && claim.metadata.annotations?.['pv.kubernetes.io/bind-completed'] !== undefined
