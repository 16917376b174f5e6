import type { DeepReadonly, resource } from '#api'
import type { ResourceStrategy, WriteContext } from '../../strategy.ts'
import { type Causes, immutable, same } from '../../validation/causes.ts'
import { validateTemplateMeta } from '../../validation/object-meta.ts'
import { validateClaimSpec } from '../../validation/resource/claim.ts'
import { validateClaimStatusUpdate } from '../../validation/resource/claim-status.ts'
import { validateDeviceClass } from '../../validation/resource/device-class.ts'
import { validateSlice } from '../../validation/resource/slice.ts'
import { keepAllButStatusWithLabels, keepStatus } from '../status.ts'

function defaultTolerations(tolerations: resource.DeviceToleration[] | undefined): void {
  for (const toleration of tolerations ?? []) toleration.operator ||= 'Equal'
}

function defaultClaimSpec(spec: resource.ResourceClaimSpec | undefined): void {
  for (const request of spec?.devices?.requests ?? []) {
    for (const wanted of [...(request.exactly ? [request.exactly] : []), ...(request.firstAvailable ?? [])]) {
      wanted.allocationMode ||= 'ExactCount'
      if (wanted.allocationMode === 'ExactCount') wanted.count ||= 1
      defaultTolerations(wanted.tolerations)
    }
  }
}

/** A claim's spec says what is wanted, once and for all; its status what was given for it. */
export const resourceClaimStrategy: ResourceStrategy<resource.ResourceClaim> = {
  default(object) {
    object.spec ??= {}
    defaultClaimSpec(object.spec)
    for (const result of object.status?.allocation?.devices?.results ?? []) defaultTolerations(result.tolerations)
  },
  prepareForCreate(object) {
    object.status = {}
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate(object, old) {
    keepAllButStatusWithLabels(object, old)
    dropDeallocated(object, old)
  },
  validateCreate({ spec }) {
    const causes: Causes = []
    validateClaimSpec(causes, 'spec', spec)
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    immutable(causes, 'spec', object.spec, old.spec)
    return causes
  },
  validateStatusUpdate: validateClaimStatusUpdate,
}

/** What is said of devices goes with their allocation. */
function dropDeallocated({ status }: resource.ResourceClaim, old: DeepReadonly<resource.ResourceClaim>): void {
  if (!status?.devices) return
  const id = ({ driver, pool, device }: { driver: string; pool: string; device: string }) => `${driver}/${pool}/${device}`
  const gone = new Set(old.status?.allocation?.devices?.results?.map(id))
  for (const result of status.allocation?.devices?.results ?? []) gone.delete(id(result))
  status.devices = status.devices.filter((device) => !gone.has(id(device)))
  if (status.devices.length === 0) delete status.devices
}

export const resourceClaimTemplateStrategy: ResourceStrategy<resource.ResourceClaimTemplate> = {
  default(object) {
    const spec = (object.spec ??= { spec: {} })
    spec.spec ??= {}
    defaultClaimSpec(spec.spec)
  },
  validateCreate({ spec }) {
    const causes: Causes = []
    validateTemplateMeta(causes, 'spec.metadata', spec?.metadata)
    validateClaimSpec(causes, 'spec.spec', spec?.spec)
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    immutable(causes, 'spec', object.spec, old.spec)
    return causes
  },
}

export const deviceClassStrategy: ResourceStrategy<resource.DeviceClass> = {
  default(object) {
    object.spec ??= {}
  },
  validateCreate: ({ spec }) => validateDeviceClass(spec),
  validateUpdate: ({ spec }, old) => validateDeviceClass(spec, old.spec ?? {}),
  generationChanged: (object, old) => !same(object.spec, old.spec),
}

type Slice = DeepReadonly<resource.ResourceSlice>

export const resourceSliceStrategy: ResourceStrategy<resource.ResourceSlice> = {
  prepareForCreate: prepareSlice,
  prepareForUpdate: (object, _old, context) => prepareSlice(object, context),
  validateCreate: ({ spec }) => validateSlice(spec ?? {}),
  validateUpdate: ({ spec }, old) => validateSlice(spec, old.spec),
  generationChanged: (object, old) => !same(object.spec, old.spec),
  warnings({ spec }: Slice) {
    const { driver } = spec
    if (driver === driver.toLowerCase()) return []
    return [`spec.driver: driver names should be lowercase; ${JSON.stringify(driver)} contains uppercase characters`]
  },
  selectableFields: ({ spec }) => ({ 'spec.driver': spec.driver ?? '', 'spec.nodeName': spec.nodeName ?? '' }),
}

const alphaAttributes = ['bools', 'ints', 'strings', 'versions'] as const

/** Dates taints, and drops fields behind gates that are off by default in 1.36 (DRAListTypeAttributes, DRANodeAllocatableResources). */
function prepareSlice({ spec }: resource.ResourceSlice, { now }: WriteContext): void {
  for (const device of spec?.devices ?? []) {
    for (const taint of device.taints ?? []) taint.timeAdded ??= now
    delete device.nodeAllocatableResourceMappings
    for (const attribute of Object.values(device.attributes ?? {})) for (const field of alphaAttributes) delete attribute[field]
  }
}
