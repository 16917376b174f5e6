import type { DeepReadonly, core } from '#api'
import { volumeAnnotations } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import type { Causes } from '../../validation/causes.ts'
import { validateClaimSpec, validateClaimStatus, validateClaimUpdate } from '../../validation/claims.ts'
import { isIntegerQuantity, quantityText } from '../../validation/quantities.ts'
import { keepAllButStatus, keepStatus } from '../status.ts'
import { betaClassWarning } from './persistent-volume.ts'
import { defaultAmounts, defaultRequirements } from '../amounts.ts'

type Spec = core.PersistentVolumeClaimSpec

export const persistentVolumeClaimStrategy: ResourceStrategy<core.PersistentVolumeClaim> = {
  default(object) {
    const spec = (object.spec ??= {})
    const status = (object.status ??= {})
    status.phase ??= 'Pending'
    spec.volumeMode ??= 'Filesystem'
    defaultRequirements((spec.resources ??= {}))
    defaultAmounts(status.capacity, status.allocatedResources)
  },
  prepareForCreate(object) {
    object.status = { phase: 'Pending' }
    settleDataSources(object.spec)
  },
  prepareForUpdate(object, old) {
    keepStatus(object, old)
    settleDataSources(object.spec, old.spec)
  },
  prepareForStatusUpdate: keepAllButStatus,
  validate(object, _apiVersion, old) {
    const causes: Causes = []
    validateClaimSpec(causes, 'spec', object.spec, old?.spec)
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    validateClaimUpdate(causes, object, old)
    return causes
  },
  validateStatusUpdate({ status }) {
    const causes: Causes = []
    validateClaimStatus(causes, status)
    return causes
  },
  warnings({ metadata, spec }) {
    const warnings = metadata.annotations?.[volumeAnnotations.betaStorageClass] === undefined ? [] : [betaClassWarning]
    return [...warnings, ...claimSpecWarnings('spec', spec)]
  },
}

/** Bytes are not divided. */
export function claimSpecWarnings(path: string, { resources }: DeepReadonly<Spec>): string[] {
  return (['requests', 'limits'] as const).flatMap((field) => {
    const quantity = resources?.[field]?.storage
    if (quantity === undefined || isIntegerQuantity(quantity)) return []
    return [`${path}.resources.${field}[storage]: fractional byte value "${quantityText(quantity)}" is invalid, must be an integer`]
  })
}

/**
 * The older of the two fields takes claims and snapshots only, and drops everything else without a word; sources in other namespaces
 * are not there yet (CrossNamespaceVolumeDataSource is an alpha). Then each field says what the other does.
 */
function settleDataSources(spec: Spec, old?: DeepReadonly<Spec>): void {
  if (spec.dataSourceRef?.namespace && !old?.dataSourceRef) delete spec.dataSourceRef
  if (!old?.dataSource && !old?.dataSourceRef && !spec.dataSourceRef && !isClaimOrSnapshot(spec.dataSource)) delete spec.dataSource
  if (spec.dataSource && !spec.dataSourceRef) spec.dataSourceRef = { ...spec.dataSource }
  else if (spec.dataSourceRef && !spec.dataSource && !spec.dataSourceRef.namespace) {
    const { namespace: _, ...source } = spec.dataSourceRef
    spec.dataSource = source
  }
}

function isClaimOrSnapshot(source: Spec['dataSource']): boolean {
  const group = source?.apiGroup ?? ''
  return (group === '' && source?.kind === 'PersistentVolumeClaim') || (group === 'snapshot.storage.k8s.io' && source?.kind === 'VolumeSnapshot')
}
