import type { core } from '#api'
import { dns1123Label } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, invalid } from '../../validation/causes.ts'
import { validateFinalizerName } from '../../validation/object-meta.ts'
import { keepAllButStatus, keepStatus } from '../status.ts'

const nameLabel = 'kubernetes.io/metadata.name'

export const namespaceStrategy: ResourceStrategy<core.Namespace> = {
  default(object) {
    ;(object.status ??= {}).phase ||= 'Active'
    labelWithName(object)
  },
  prepareForCreate(object) {
    object.spec ??= {}
    object.status = { phase: 'Active' }
    const finalizers = (object.spec.finalizers ??= [])
    if (!finalizers.includes('kubernetes')) finalizers.push('kubernetes')
    // A generated name is known only now.
    labelWithName(object)
  },
  prepareForUpdate(object, old) {
    object.spec = { ...object.spec, finalizers: old.spec.finalizers as string[] }
    keepStatus(object, old)
  },
  prepareForStatusUpdate: keepAllButStatus,
  validate({ spec }) {
    const causes: Causes = []
    spec?.finalizers?.forEach((finalizer) => validateFinalizerName(causes, 'spec.finalizers', finalizer))
    return causes
  },
  validateStatusUpdate(object) {
    const phase = object.status?.phase
    if (object.metadata.deletionTimestamp) {
      if (phase !== 'Terminating') return [invalid('status.Phase', phase ?? '', "may only be 'Terminating' if `deletionTimestamp` is not empty")]
    } else if (phase !== 'Active') return [invalid('status.Phase', phase ?? '', "may only be 'Active' if `deletionTimestamp` is empty")]
    return []
  },
  validateName: dns1123Label,
  selectableFields: (object) => ({ 'status.phase': object.status?.phase ?? '' }),
}

function labelWithName({ metadata }: core.Namespace): void {
  if (metadata.name) (metadata.labels ??= {})[nameLabel] = metadata.name
}
