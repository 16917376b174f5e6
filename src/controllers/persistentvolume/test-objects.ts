import type { core } from '#api'
import type { Claim, StorageClass, Volume } from './plan-claim.ts'

export interface TestClaim extends Partial<core.PersistentVolumeClaimSpec> {
  size?: string
  annotations?: Record<string, string>
  status?: core.PersistentVolumeClaimStatus
  uid?: string
  leaving?: boolean
}

/** `default/data` with the uid `claim`: 1Gi, ReadWriteOnce and no class, unless told otherwise. */
export function testClaim({ size = '1Gi', annotations, status = { phase: 'Pending' }, uid = 'claim', leaving, ...spec }: TestClaim = {}): Claim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: 'data',
      namespace: 'default',
      uid,
      resourceVersion: '7',
      ...(annotations ? { annotations } : {}),
      ...(leaving ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: size } }, storageClassName: '', ...spec },
    status,
  }
}

export interface TestVolume extends Partial<core.PersistentVolumeSpec> {
  size?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  phase?: core.PersistentVolumePhase
  finalizers?: string[]
  leaving?: boolean
}

/** A free volume of 1Gi, ReadWriteOnce and no class, unless told otherwise. */
export function testVolume(
  name: string,
  { size = '1Gi', labels, annotations, phase = 'Available', finalizers, leaving, ...spec }: TestVolume = {},
): Volume {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name,
      uid: `uid-${name}`,
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
      ...(leaving ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: { capacity: { storage: size }, accessModes: ['ReadWriteOnce'], persistentVolumeReclaimPolicy: 'Retain', ...spec },
    status: { phase },
  }
}

/** A reference to the claim of `testClaim`. */
export const testClaimRef = (uid?: string): core.ObjectReference => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  namespace: 'default',
  name: 'data',
  ...(uid ? { uid } : {}),
})

export const testClass = (name: string, more: Partial<StorageClass> = {}): StorageClass => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name },
  provisioner: 'example.com/disks',
  volumeBindingMode: 'Immediate',
  ...more,
})
