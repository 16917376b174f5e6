import type { DeepReadonly, core } from '#api'
import { volumeAnnotations } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, forbidden } from '../../validation/causes.ts'
import { nodeSelectorTermWarnings } from '../../validation/node-labels.ts'
import { type VolumeSpec, sourcesOf, validateVolumeSpec, validateVolumeUpdate } from '../../validation/persistent-volume.ts'
import { defaultVolumeSource } from '../pod/defaults.ts'
import { keepAllButStatus, keepStatus } from '../status.ts'
import { defaultAmounts } from '../amounts.ts'

export const betaClassWarning = `metadata.annotations[${volumeAnnotations.betaStorageClass}]: deprecated since v1.8; use "storageClassName" attribute instead`

export const persistentVolumeStrategy: ResourceStrategy<core.PersistentVolume> = {
  default(object) {
    const spec = (object.spec ??= {})
    ;(object.status ??= {}).phase ??= 'Pending'
    spec.persistentVolumeReclaimPolicy ??= 'Retain'
    spec.volumeMode ??= 'Filesystem'
    if (spec.hostPath) spec.hostPath.type ??= ''
    defaultVolumeSource(spec)
    defaultAmounts(spec.capacity)
  },
  prepareForCreate(object, { now }) {
    object.status = { phase: 'Pending', lastPhaseTransitionTime: now }
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate(object, old, { now }) {
    keepAllButStatus(object, old)
    const status = (object.status ??= {})
    if (status.phase !== old.status?.phase && status.lastPhaseTransitionTime === old.status?.lastPhaseTransitionTime)
      status.lastPhaseTransitionTime = now
  },
  validate({ metadata, spec }) {
    const causes: Causes = []
    validateVolumeSpec(causes, 'spec', spec)
    validateMountOptions(causes, metadata.annotations, spec)
    return causes
  },
  validateUpdate({ spec }, { spec: old }) {
    const causes: Causes = []
    validateVolumeUpdate(causes, spec, old)
    return causes
  },
  warnings: volumeWarnings,
}

const mountOptionsAnnotation = 'volume.beta.kubernetes.io/mount-options'
const withMountOptions = [
  'awsElasticBlockStore',
  'azureFile',
  'cephfs',
  'cinder',
  'gcePersistentDisk',
  'glusterfs',
  'iscsi',
  'nfs',
  'quobyte',
  'rbd',
  'vsphereVolume',
]

/** Mount options that an annotation asks for mean something to some kinds of volumes only. */
function validateMountOptions(causes: Causes, annotations: DeepReadonly<Record<string, string>> | undefined, spec: VolumeSpec): void {
  if (annotations?.[mountOptionsAnnotation] === undefined || sourcesOf(spec).some(([name]) => withMountOptions.includes(name))) return
  causes.push(forbidden(`metadata.annotations.${mountOptionsAnnotation}`, 'may not specify mount options for this volume type'))
}

/** Sources that no kubelet serves any more, and since when. */
const gone: Partial<Record<keyof core.PersistentVolumeSource, string>> = {
  cephfs: 'cephfs: deprecated in v1.28, non-functional in v1.31+',
  photonPersistentDisk: 'photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+',
  scaleIO: 'scaleIO: deprecated in v1.16, non-functional in v1.22+',
  storageos: 'storageOS: deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'glusterfs: deprecated in v1.25, non-functional in v1.26+',
  rbd: 'rbd: deprecated in v1.28, non-functional in v1.31+',
}

function volumeWarnings({ metadata, spec }: DeepReadonly<core.PersistentVolume>): string[] {
  const warnings = metadata.annotations?.[volumeAnnotations.betaStorageClass] === undefined ? [] : [betaClassWarning]
  if (spec.persistentVolumeReclaimPolicy === 'Recycle')
    warnings.push(
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    )
  spec.nodeAffinity?.required?.nodeSelectorTerms?.forEach((term, i) =>
    warnings.push(...nodeSelectorTermWarnings(`spec.nodeAffinity.required.nodeSelectorTerms[${i}]`, term)),
  )
  for (const [name, text] of Object.entries(gone)) if (spec[name as keyof typeof gone]) warnings.push(`spec.${text}`)
  return warnings
}
