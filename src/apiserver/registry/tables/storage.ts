import type { DeepReadonly, core, storage } from '#api'
import type { TableDefinition } from '../strategy.ts'
import { ageColumn, column, nameColumn, wide } from './columns.ts'
import { age } from './duration.ts'

const shortModes: readonly [core.PersistentVolumeAccessMode, string][] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
]

const modesText = (modes: DeepReadonly<string[]> | undefined) =>
  shortModes
    .filter(([mode]) => modes?.includes(mode))
    .map(([, short]) => short)
    .join(',')

// The class was an annotation before it was a field, and the annotation wins.
const classOf = (object: DeepReadonly<{ metadata: { annotations?: Record<string, string> }; spec: { storageClassName?: string } }>) =>
  object.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? object.spec.storageClassName ?? ''

export const persistentVolumeTable: TableDefinition<core.PersistentVolume> = {
  columns: [
    nameColumn,
    column('Capacity'),
    column('Access Modes'),
    column('Reclaim Policy'),
    column('Status'),
    column('Claim'),
    column('StorageClass'),
    column('VolumeAttributesClass'),
    column('Reason'),
    ageColumn,
    wide('VolumeMode'),
  ],
  cells: (volume, now) => [
    volume.metadata.name,
    volume.spec.capacity?.storage ?? '0',
    modesText(volume.spec.accessModes),
    volume.spec.persistentVolumeReclaimPolicy ?? '',
    volume.metadata.deletionTimestamp ? 'Terminating' : (volume.status?.phase ?? ''),
    volume.spec.claimRef ? `${volume.spec.claimRef.namespace ?? ''}/${volume.spec.claimRef.name ?? ''}` : '',
    classOf(volume),
    volume.spec.volumeAttributesClassName ?? '<unset>',
    volume.status?.reason ?? '',
    age(volume.metadata.creationTimestamp, now),
    volume.spec.volumeMode ?? '<unset>',
  ],
}

export const persistentVolumeClaimTable: TableDefinition<core.PersistentVolumeClaim> = {
  columns: [
    nameColumn,
    column('Status'),
    column('Volume'),
    column('Capacity'),
    column('Access Modes'),
    column('StorageClass'),
    column('VolumeAttributesClass'),
    ageColumn,
    wide('VolumeMode'),
  ],
  cells(claim, now) {
    const bound = Boolean(claim.spec.volumeName)
    return [
      claim.metadata.name,
      claim.metadata.deletionTimestamp ? 'Terminating' : (claim.status?.phase ?? ''),
      claim.spec.volumeName ?? '',
      bound ? (claim.status?.capacity?.storage ?? '0') : '',
      bound ? modesText(claim.status?.accessModes) : '',
      classOf(claim),
      claim.spec.volumeAttributesClassName ?? '<unset>',
      age(claim.metadata.creationTimestamp, now),
      claim.spec.volumeMode ?? '<unset>',
    ]
  },
}

const defaultClass = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class']

export const storageClassTable: TableDefinition<storage.StorageClass> = {
  columns: [nameColumn, column('Provisioner'), column('ReclaimPolicy'), column('VolumeBindingMode'), column('AllowVolumeExpansion'), ageColumn],
  cells: (object, now) => [
    defaultClass.some((key) => object.metadata.annotations?.[key] === 'true') ? `${object.metadata.name} (default)` : object.metadata.name,
    object.provisioner,
    object.reclaimPolicy ?? 'Delete',
    object.volumeBindingMode ?? 'Immediate',
    object.allowVolumeExpansion ?? false,
    age(object.metadata.creationTimestamp, now),
  ],
}

export const csiDriverTable: TableDefinition<storage.CSIDriver> = {
  columns: [
    nameColumn,
    column('AttachRequired', 'boolean'),
    column('PodInfoOnMount', 'boolean'),
    column('StorageCapacity', 'boolean'),
    column('TokenRequests'),
    column('RequiresRepublish', 'boolean'),
    column('Modes'),
    ageColumn,
  ],
  cells: ({ metadata, spec }, now) => [
    metadata.name,
    spec.attachRequired ?? true,
    spec.podInfoOnMount ?? false,
    spec.storageCapacity ?? false,
    spec.tokenRequests ? spec.tokenRequests.map((request) => request.audience).join(',') : '<unset>',
    spec.requiresRepublish ?? false,
    spec.volumeLifecycleModes?.join(',') || '<none>',
    age(metadata.creationTimestamp, now),
  ],
}

export const csiNodeTable: TableDefinition<storage.CSINode> = {
  columns: [nameColumn, column('Drivers', 'integer'), ageColumn],
  cells: ({ metadata, spec }, now) => [metadata.name, spec.drivers?.length ?? 0, age(metadata.creationTimestamp, now)],
}

export const csiStorageCapacityTable: TableDefinition<storage.CSIStorageCapacity> = {
  columns: [nameColumn, column('StorageClassName'), column('Capacity')],
  cells: ({ metadata, storageClassName, capacity }) => [metadata.name, storageClassName, capacity ?? '<unset>'],
}

export const volumeAttachmentTable: TableDefinition<storage.VolumeAttachment> = {
  columns: [nameColumn, column('Attacher', 'string', 'name'), column('PV'), column('Node'), column('Attached', 'boolean'), ageColumn],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    spec.attacher,
    spec.source.persistentVolumeName ?? '',
    spec.nodeName,
    status?.attached ?? false,
    age(metadata.creationTimestamp, now),
  ],
}

export const volumeAttributesClassTable: TableDefinition<storage.VolumeAttributesClass> = {
  columns: [nameColumn, column('DriverName'), ageColumn],
  cells: ({ metadata, driverName }, now) => [metadata.name, driverName, age(metadata.creationTimestamp, now)],
}
