import type { DeepReadonly, core, storage } from '#api'
import { allowsTopology, claimSize, compareQuantity, quantityValue, volumeAnnotations, volumeSize } from '#api'

type Claim = DeepReadonly<core.PersistentVolumeClaim>
type Volume = DeepReadonly<core.PersistentVolume>
type StorageClass = DeepReadonly<storage.StorageClass>
type Node = DeepReadonly<core.Node>

export const provisioner = 'k8ts.dev/local-path'
/** Keeps a volume's object until its data are gone; upstream's name for provisioners that are not built in. */
export const finalizer = 'external-provisioner.volume.kubernetes.io/finalizer'
const hostname = 'kubernetes.io/hostname'

export type ClaimPlan =
  | { action: 'provision'; node: Node; storageClass: StorageClass }
  /** Nothing that waiting would change: the user is told. */
  | { action: 'refuse'; message: string }
  /** The node is no more: the scheduler chooses another. */
  | { action: 'reschedule'; message: string }
  | { action: 'grow'; volume: Volume; bytes: number }
  | { action: 'nothing' }

export interface Surroundings {
  storageClass(name: string): StorageClass | undefined
  node(name: string): Node | undefined
  nodes(): Iterable<Node>
  volume(name: string): Volume | undefined
}

const localModes = ['ReadWriteOnce', 'ReadWriteOncePod']

/** What this provisioner does for a claim; pure. */
export function planClaim(claim: Claim, around: Surroundings): ClaimPlan {
  const { annotations, deletionTimestamp } = claim.metadata
  if (deletionTimestamp) return { action: 'nothing' }
  if (claim.spec.volumeName) return planGrowth(claim, around.volume(claim.spec.volumeName))
  if ((annotations?.[volumeAnnotations.storageProvisioner] ?? annotations?.[volumeAnnotations.betaStorageProvisioner]) !== provisioner)
    return { action: 'nothing' }
  const storageClass = around.storageClass(annotations?.[volumeAnnotations.betaStorageClass] ?? claim.spec.storageClassName ?? '')
  if (storageClass?.provisioner !== provisioner) return { action: 'nothing' }
  const message = unsupported(claim, storageClass)
  if (message) return { action: 'refuse', message }
  const selected = annotations?.[volumeAnnotations.selectedNode]
  if (selected) {
    const node = around.node(selected)
    return node ? { action: 'provision', node, storageClass } : { action: 'reschedule', message: `node ${JSON.stringify(selected)} not found` }
  }
  if (storageClass.volumeBindingMode === 'WaitForFirstConsumer') return { action: 'nothing' }
  const allowed = [...around.nodes()].filter((n) => allowsTopology(storageClass, n))
  const node = anyNode(claim, allowed)
  return node ? { action: 'provision', node, storageClass } : { action: 'refuse', message: 'no node is ready to have the volume' }
}

function unsupported(claim: Claim, { parameters, mountOptions }: StorageClass): string | undefined {
  const mode = claim.spec.accessModes?.find((m) => !localModes.includes(m))
  if (mode) return `access mode ${mode} is not supported: a volume of ${provisioner} is on one node, use ${localModes.join(' or ')}`
  if (claim.spec.volumeMode === 'Block') return `volumeMode Block is not supported by ${provisioner}`
  if (claim.spec.selector) return 'claim.spec.selector is not supported for dynamic provisioning'
  if (claim.spec.dataSource || claim.spec.dataSourceRef)
    return `${provisioner} makes empty volumes only: dataSource and dataSourceRef are not supported`
  if (mountOptions?.length) return `mountOptions of the storage class are not supported: ${provisioner} mounts nothing, its volumes are directories`
  const parameter = Object.keys(parameters ?? {})[0]
  return parameter ? `storage class parameter ${JSON.stringify(parameter)} is not known to ${provisioner}, which has none` : undefined
}

/** For a claim that cannot wait for its pod: the same node each time, and not the same one for all claims. */
function anyNode(claim: Claim, nodes: Iterable<Node>): Node | undefined {
  const ready = [...nodes]
    .filter((n) => !n.spec?.unschedulable && n.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'))
    .sort((a, b) => a.metadata.name.localeCompare(b.metadata.name))
  let hash = 0
  for (const char of claim.metadata.uid ?? '') hash = (hash * 31 + char.charCodeAt(0)) >>> 0
  return ready[hash % ready.length]
}

function planGrowth(claim: Claim, volume: Volume | undefined): ClaimPlan {
  const had = claim.status?.capacity?.storage
  if (!volume || !isOurs(volume) || claim.status?.phase !== 'Bound' || !had || volume.spec.claimRef?.uid !== claim.metadata.uid)
    return { action: 'nothing' }
  if (compareQuantity(claimSize(claim), had) <= 0) return { action: 'nothing' }
  return { action: 'grow', volume, bytes: Math.max(0, quantityValue(claimSize(claim)) - quantityValue(volumeSize(volume))) }
}

const isOurs = (volume: Volume) => volume.metadata.annotations?.[volumeAnnotations.provisionedBy] === provisioner

/** The volume for a claim whose directory on the node is there. */
export function volumeOf(claim: Claim, node: Node, storageClass: StorageClass, path: string): core.PersistentVolume {
  const { name, namespace, uid, resourceVersion } = claim.metadata
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: volumeNameOf(claim), annotations: { [volumeAnnotations.provisionedBy]: provisioner }, finalizers: [finalizer] },
    spec: {
      capacity: { storage: claimSize(claim) },
      accessModes: [...(claim.spec.accessModes ?? [])],
      claimRef: { kind: 'PersistentVolumeClaim', apiVersion: 'v1', name, namespace, uid, resourceVersion },
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy === 'Retain' ? 'Retain' : 'Delete',
      storageClassName: storageClass.metadata.name,
      volumeMode: 'Filesystem',
      local: { path },
      nodeAffinity: {
        required: { nodeSelectorTerms: [{ matchExpressions: [{ key: hostname, operator: 'In', values: [hostnameOf(node)] }] }] },
      },
    },
  }
}

export const volumeNameOf = (claim: Claim): string => `pvc-${claim.metadata.uid}`
export const hostnameOf = (node: Node): string => node.metadata.labels?.[hostname] ?? node.metadata.name

export type VolumePlan =
  /** Data first, then the object. */
  | { action: 'delete'; hostname: string }
  /** The object may go and the data stay. */
  | { action: 'release' }
  | { action: 'nothing' }

/** What becomes of a volume of this provisioner that nobody uses any more; pure. */
export function planVolume(volume: Volume): VolumePlan {
  const { deletionTimestamp, finalizers } = volume.metadata
  if (!isOurs(volume)) return { action: 'nothing' }
  const deletes = volume.spec.persistentVolumeReclaimPolicy === 'Delete'
  const place = placeOf(volume)
  if (!deletionTimestamp)
    return deletes && volume.status?.phase === 'Released' && place ? { action: 'delete', hostname: place } : { action: 'nothing' }
  // a claim still has it: the protection of volumes goes before us
  if (finalizers?.includes('kubernetes.io/pv-protection') || !finalizers?.includes(finalizer)) return { action: 'nothing' }
  return deletes && place ? { action: 'delete', hostname: place } : { action: 'release' }
}

/** The host name of the node whose disk the volume is on. */
export function placeOf(volume: Volume): string | undefined {
  const terms = volume.spec.nodeAffinity?.required?.nodeSelectorTerms ?? []
  return terms.flatMap((t) => t.matchExpressions ?? []).find((e) => e.key === hostname && e.operator === 'In')?.values?.[0]
}
