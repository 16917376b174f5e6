import type { DeepReadonly, core } from '#api'
import { dns1123Subdomain, qualifiedName } from '#api'
import { type Causes, forbidden, invalid, invalidEach, notSupported, required, same } from './causes.ts'
import { compareQuantities, isNegativeQuantity, isZeroQuantity, quantityText } from './quantities.ts'
import { validateLabelSelector } from './selectors.ts'

export const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']

export function validateAccessModes(causes: Causes, path: string, modes: readonly string[] | undefined, missing: string): void {
  if (!modes?.length) {
    causes.push(required(path, missing))
    return
  }
  for (const mode of modes) if (!accessModes.includes(mode)) causes.push(notSupported(path, mode, accessModes))
  if (modes.includes('ReadWriteOncePod') && modes.length > 1) causes.push(forbidden(path, 'may not use ReadWriteOncePod with other access modes'))
}

/** Checks the spec of a claim, of a StatefulSet's claim template or of an ephemeral volume. */
export function validateClaimSpec(causes: Causes, path: string, spec: DeepReadonly<core.PersistentVolumeClaimSpec>): void {
  validateAccessModes(causes, `${path}.accessModes`, spec.accessModes, 'at least 1 access mode is required')
  validateLabelSelector(causes, `${path}.selector`, spec.selector)
  const storage = spec.resources?.requests?.storage
  if (storage === undefined) causes.push(required(`${path}.resources[storage]`))
  else if (isNegativeQuantity(storage) || isZeroQuantity(storage))
    causes.push(invalid(`${path}.resources[storage]`, quantityText(storage), 'must be greater than zero'))
  if (spec.storageClassName) invalidEach(causes, `${path}.storageClassName`, spec.storageClassName, dns1123Subdomain(spec.storageClassName))
  if (spec.volumeMode !== undefined && spec.volumeMode !== 'Block' && spec.volumeMode !== 'Filesystem')
    causes.push(notSupported(`${path}.volumeMode`, spec.volumeMode, ['Block', 'Filesystem']))
  for (const field of ['dataSource', 'dataSourceRef'] as const) {
    const source = spec[field]
    if (!source) continue
    if (!source.name) causes.push(required(`${path}.${field}.name`))
    if (!source.kind) causes.push(required(`${path}.${field}.kind`))
    if (!source.apiGroup && source.kind !== 'PersistentVolumeClaim')
      causes.push(invalid(`${path}.${field}`, source.kind ?? '', "must be 'PersistentVolumeClaim' when referencing the default apiGroup"))
  }
}

/** Only what a bound claim may still grow into changes: its size, and the class of an unset one. */
export function validateClaimUpdate(
  causes: Causes,
  claim: DeepReadonly<core.PersistentVolumeClaim>,
  old: DeepReadonly<core.PersistentVolumeClaim>,
): void {
  const { spec } = claim
  const previous = old.spec
  const request = spec.resources?.requests?.storage
  const had = previous.resources?.requests?.storage
  const settles = previous.volumeName === undefined || previous.volumeName === ''
  const comparable = {
    ...spec,
    volumeName: settles ? previous.volumeName : spec.volumeName,
    storageClassName: previous.storageClassName === undefined ? undefined : spec.storageClassName,
    volumeAttributesClassName: previous.volumeAttributesClassName,
    resources: { ...spec.resources, requests: { ...spec.resources?.requests, storage: had } },
  }
  if (!same(comparable, previous))
    causes.push(forbidden('spec', 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'))
  if (request === undefined || had === undefined || request === had) return
  const phase = old.status?.phase
  if (phase !== 'Bound' && compareQuantities(request, had) !== 0)
    causes.push(forbidden('spec', 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'))
  else if (compareQuantities(request, had) < 0) {
    const capacity = old.status?.capacity?.storage
    if (capacity === undefined || compareQuantities(request, capacity) <= 0)
      causes.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'))
  }
}

/** A resource name as quotas and limits list it. */
export function validateResourceName(causes: Causes, path: string, name: string): void {
  invalidEach(causes, path, name, qualifiedName(name))
}
