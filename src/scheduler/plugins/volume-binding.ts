import type { DeepReadonly, core } from '#api'
import type { Clock } from '#base'
import { realClock } from '#base'
import {
  allowsTopology,
  claimSize,
  compareQuantity,
  findVolume,
  isClaimOfPod,
  isReachable,
  isVolumeFor,
  storageClassOf,
  volumeAnnotations,
} from '#api'
import type { ClusterReader, Node, Pod, Rejection, SchedulerPlugin, VolumeWriter } from '../framework.ts'
import { ProvisioningRefused, unresolvable } from '../framework.ts'

type Claim = DeepReadonly<core.PersistentVolumeClaim>
type Volume = DeepReadonly<core.PersistentVolume>

const key = 'VolumeBinding'
const { selectedNode, bindCompleted } = volumeAnnotations
/** Milliseconds in which a node is not tried again for a claim that could get no volume there; pods that went or volumes that shrank may have made room since. */
const refusalHolds = 60_000
const noProvisioner = 'kubernetes.io/no-provisioner'

/** A pod's claims: those that have their volume, and those that wait for the pod's node. */
interface Claims {
  bound: Claim[]
  waiting: Claim[]
}

/** What was decided for a claim that the caches do not show yet. */
interface Assumed {
  node: string
  volume?: Volume
}

/**
 * A pod goes where its volumes are: claims must exist, and be bound, or wait for this very decision. What is decided here counts from then on: another pod that is looked at
 * before the API server has confirmed it gets neither the same volume for another claim, nor the same claim on another node.
 */
export function volumeBinding(reader: ClusterReader, writer: VolumeWriter, clock: Clock = realClock): SchedulerPlugin {
  const assumed = new Map<string, Assumed>()
  // uid of a claim -> name of a node -> until when, monotonic
  const refusals = new Map<string, Map<string, number>>()
  return {
    name: 'VolumeBinding',
    events: ['nodeAdded', 'nodeChanged', 'volumeChanged'],
    preFilter: (state, pod) => {
      const claims = claimsOf(pod, reader)
      if ('code' in claims) return claims
      if (claims.bound.length + claims.waiting.length === 0) return 'skip'
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
      if (waiting.length === 0) return undefined
      if (refusals.size > 0 && waiting.some((claim) => isRefused(claim, info.name))) return unresolvable('node(s) did not have enough free storage')
      return place(waiting, info.node) ? undefined : unresolvable("node(s) didn't find available persistent volumes to bind")
    },
    preBind: async (state, _, node, signal) => {
      const { waiting } = (state.get(key) as Claims | undefined) ?? { waiting: [] }
      if (waiting.length === 0) return
      const target = reader.node(node)
      const places = target && place(waiting, target)
      if (!places) throw new Error(`running PreBind plugin "VolumeBinding": the volumes on node ${JSON.stringify(node)} have changed`)
      // before anything is waited for: the next pod is looked at then
      for (const { claim, volume } of places) assumed.set(claim.metadata.uid!, volume ? { node, volume } : { node })
      try {
        const written = await Promise.all(places.map(({ claim, volume }) => write(claim, volume, node, signal)))
        await writer.untilBound(written, signal)
      } catch (error) {
        if (error instanceof ProvisioningRefused) remember(error.claimUid, node)
        throw new Error(`running PreBind plugin "VolumeBinding": binding volumes: ${(error as Error).message}`, { cause: error })
      } finally {
        for (const { claim } of places) assumed.delete(claim.metadata.uid!)
      }
    },
  }

  function isRefused(claim: Claim, node: string): boolean {
    const until = refusals.get(claim.metadata.uid!)?.get(node)
    return until !== undefined && until > clock.monotonic()
  }

  function remember(claimUid: string, node: string): void {
    const now = clock.monotonic()
    for (const [uid, nodes] of refusals) if ([...nodes.values()].every((until) => until <= now)) refusals.delete(uid)
    const nodes = refusals.get(claimUid) ?? new Map<string, number>()
    refusals.set(claimUid, nodes.set(node, now + refusalHolds))
  }

  async function write(claim: Claim, volume: Volume | undefined, node: string, signal: AbortSignal): Promise<Claim> {
    if (volume) {
      if (volume.spec.claimRef?.uid !== claim.metadata.uid) await writer.reserve(volume, claim, signal)
      return claim
    }
    return claim.metadata.annotations?.[selectedNode] === node ? claim : writer.annotate(claim, { [selectedNode]: node }, signal)
  }

  /** For each claim the volume that it gets on the node, or none where one can be made there; undefined when one of them gets nothing. */
  function place(waiting: readonly Claim[], node: Node): { claim: Claim; volume?: Volume }[] | undefined {
    const taken = new Set([...assumed.values()].flatMap(({ volume }) => (volume ? [volume.metadata.name] : [])))
    const places: { claim: Claim; volume?: Volume }[] = []
    // the large ones have the least choice
    for (const claim of waiting.toSorted((a, b) => compareQuantity(claimSize(b), claimSize(a)))) {
      const before = assumed.get(claim.metadata.uid!)
      if (before) {
        if (before.volume ? !isReachable(before.volume, node) : before.node !== node.metadata.name) return undefined
        places.push(before.volume ? { claim, volume: before.volume } : { claim })
        continue
      }
      // somebody may be at work there already
      const chosen = claim.metadata.annotations?.[selectedNode]
      if (chosen && chosen !== node.metadata.name) return undefined
      const volume = chosen ? undefined : findVolume(claim, reader.volumes(), { node, taken })
      if (volume) taken.add(volume.metadata.name)
      else if (!mayProvision(claim, node)) return undefined
      places.push(volume ? { claim, volume } : { claim })
    }
    return places
  }

  function mayProvision(claim: Claim, node: Node): boolean {
    const storageClass = reader.storageClass(storageClassOf(claim))
    return storageClass !== undefined && storageClass.provisioner !== noProvisioner && allowsTopology(storageClass, node)
  }
}

/** The pod's claims by what they wait for, or why no node will do. */
function claimsOf(pod: Pod, reader: ClusterReader): Claims | Rejection {
  const claims: Claims = { bound: [], waiting: [] }
  let unbound = false
  for (const { name: volume, persistentVolumeClaim, ephemeral } of pod.spec.volumes ?? []) {
    if (!persistentVolumeClaim && !ephemeral) continue
    const name = persistentVolumeClaim?.claimName ?? `${pod.metadata.name}-${volume}`
    const quoted = JSON.stringify(name)
    const claim = reader.claim(pod.metadata.namespace!, name)
    if (!claim)
      return unresolvable(
        ephemeral
          ? `waiting for ephemeral volume controller to create the persistentvolumeclaim ${quoted}`
          : `persistentvolumeclaim ${quoted} not found`,
      )
    if (claim.status?.phase === 'Lost')
      return unresolvable(`persistentvolumeclaim ${quoted} bound to non-existent persistentvolume ${JSON.stringify(claim.spec.volumeName ?? '')}`)
    if (claim.metadata.deletionTimestamp) return unresolvable(`persistentvolumeclaim ${quoted} is being deleted`)
    if (ephemeral && !isClaimOfPod(claim, pod)) {
      const { namespace, name: own } = pod.metadata
      return unresolvable(`PVC ${namespace}/${name} was not created for pod ${namespace}/${own} (pod is not owner)`)
    }
    if (isBound(claim)) claims.bound.push(claim)
    else if (!claim.spec.volumeName && reader.storageClass(storageClassOf(claim))?.volumeBindingMode === 'WaitForFirstConsumer')
      claims.waiting.push(claim)
    else unbound = true
  }
  return unbound ? unresolvable('pod has unbound immediate PersistentVolumeClaims') : claims
}

/** Whether a claim has got its volume for good. */
export const isBound = (claim: Claim): boolean => Boolean(claim.spec.volumeName) && claim.metadata.annotations?.[bindCompleted] !== undefined

/** What a volume has to say about a claim once it is kept for it. */
export function reservation(volume: Volume, claim: Claim): object {
  const { name, namespace, uid } = claim.metadata
  const { uid: volumeUid, resourceVersion } = volume.metadata
  const annotations = isVolumeFor(volume, claim) ? {} : { annotations: { [volumeAnnotations.boundByController]: 'yes' } }
  return {
    metadata: { uid: volumeUid, resourceVersion, ...annotations },
    spec: { claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid } },
  }
}
