import type { resource } from '#api'
import type { ResourceStrategy } from '../strategy.ts'
import { type Causes, immutable, required } from '../validation/causes.ts'
import { keepAllButStatus, keepStatus } from './status.ts'

function defaultClaimSpec(spec: resource.ResourceClaimSpec | undefined): void {
  for (const request of spec?.devices?.requests ?? []) {
    for (const wanted of [...(request.exactly ? [request.exactly] : []), ...(request.firstAvailable ?? [])]) {
      wanted.allocationMode ||= 'ExactCount'
      if (wanted.allocationMode === 'ExactCount') wanted.count ||= 1
      for (const toleration of wanted.tolerations ?? []) toleration.operator ||= 'Equal'
    }
  }
}

export const resourceClaimStrategy: ResourceStrategy<resource.ResourceClaim> = {
  default: (object) => defaultClaimSpec(object.spec),
  prepareForCreate(object) {
    object.status = {}
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatus,
  validateUpdate(object, old) {
    const causes: Causes = []
    immutable(causes, 'spec', object.spec, old.spec)
    return causes
  },
}

export const resourceClaimTemplateStrategy: ResourceStrategy<resource.ResourceClaimTemplate> = {
  default: (object) => defaultClaimSpec(object.spec?.spec),
  validateUpdate(object, old) {
    const causes: Causes = []
    immutable(causes, 'spec', object.spec, old.spec)
    return causes
  },
}

export const resourceSliceStrategy: ResourceStrategy<resource.ResourceSlice> = {
  validate(object) {
    const causes: Causes = []
    if (!object.spec.driver) causes.push(required('spec.driver'))
    if (!object.spec.pool?.name) causes.push(required('spec.pool.name'))
    return causes
  },
  selectableFields: ({ spec }) => ({ 'spec.driver': spec.driver ?? '', 'spec.nodeName': spec.nodeName ?? '' }),
}
