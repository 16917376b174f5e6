import type { core, storage } from '#api'
import type { ObjectReader } from '../object-reader.ts'
import { compareQuantity } from '#api'
import type { DeepReadonly } from '#api'
import type { AdmissionPlugin } from './admission.ts'
import { rejected, targets } from './rejection.ts'

const finalizers: Record<string, string> = {
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
  persistentvolumes: 'kubernetes.io/pv-protection',
}

/** Claims and volumes are not removed while a pod or a claim uses them: controllers take the finalizer away once none does. */
export function storageObjectInUseProtection(): AdmissionPlugin {
  return {
    name: 'StorageObjectInUseProtection',
    resources: Object.keys(finalizers).map((name) => `/${name}`),
    handles: (request) => request.operation === 'CREATE' && Object.keys(finalizers).some((resource) => targets(request, '', resource)),
    mutate({ object, context }) {
      const finalizer = finalizers[context.request.resource!.resource]!
      const { metadata } = object!
      if (!metadata.finalizers?.includes(finalizer)) metadata.finalizers = [...(metadata.finalizers ?? []), finalizer]
    },
  }
}

/** A claim can grow only when it was provisioned by a class that allows it. */
export function persistentVolumeClaimResize(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    resources: ['/persistentvolumeclaims'],
    handles: (request) => request.operation === 'UPDATE' && targets(request, '', 'persistentvolumeclaims'),
    validate(request) {
      const claim = request.object as core.PersistentVolumeClaim
      const old = request.old as DeepReadonly<core.PersistentVolumeClaim> | undefined
      const [asked, had] = [claim.spec?.resources?.requests?.['storage'], old?.spec?.resources?.requests?.['storage']]
      if (!asked || !had || compareQuantity(asked, had) <= 0) return
      if (old?.status?.phase !== 'Bound') throw rejected(request, 'Only bound persistent volume claims can be expanded')
      const name = claim.spec?.storageClassName
      const found = name ? reader.get<storage.StorageClass>('storage.k8s.io', 'storageclasses', '', name) : undefined
      if (found?.allowVolumeExpansion) return
      throw rejected(request, 'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize')
    },
  }
}
