import type { DeepReadonly, core } from '#api'
import { dns1123Label, dns1123Subdomain, qualifiedName, volumeAnnotations } from '#api'
import { type Causes, forbidden, immutable, invalid, invalidEach, notSupported, required, same } from './causes.ts'
import { compareQuantities, isNegativeQuantity, isZeroQuantity, quantityNumber, quantityText } from './quantities.ts'
import { validateLabelSelector } from './selectors.ts'

type Claim = DeepReadonly<core.PersistentVolumeClaim>
type Spec = DeepReadonly<core.PersistentVolumeClaimSpec>

export const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
export const volumeModes = ['Block', 'Filesystem']

export function validateAccessModes(causes: Causes, path: string, modes: readonly string[] | undefined, missing: string): void {
  if (!modes?.length) {
    causes.push(required(path, missing))
    return
  }
  for (const mode of modes) if (!accessModes.includes(mode)) causes.push(notSupported(path, mode, accessModes))
  if (modes.includes('ReadWriteOncePod') && modes.some((mode) => mode !== 'ReadWriteOncePod' && accessModes.includes(mode)))
    causes.push(forbidden(path, 'may not use ReadWriteOncePod with other access modes'))
}

/** Checks the spec of a claim, of a StatefulSet's claim template or of an ephemeral volume; `old` is what an update replaces. */
export function validateClaimSpec(causes: Causes, path: string, spec: Spec, old?: Spec): void {
  validateAccessModes(causes, `${path}.accessModes`, spec.accessModes, 'at least 1 access mode is required')
  validateLabelSelector(causes, `${path}.selector`, spec.selector, old && { invalidValues: hasInvalidSelector(old) })
  const storage = spec.resources?.requests?.storage
  if (storage === undefined) causes.push(required(`${path}.resources[storage]`))
  else if (isNegativeQuantity(storage) || isZeroQuantity(storage))
    causes.push(invalid(`${path}.resources[storage]`, quantityText(storage), 'must be greater than zero'))
  if (spec.storageClassName) invalidEach(causes, `${path}.storageClassName`, spec.storageClassName, dns1123Subdomain(spec.storageClassName))
  if (spec.volumeMode !== undefined && !volumeModes.includes(spec.volumeMode))
    causes.push(notSupported(`${path}.volumeMode`, spec.volumeMode, volumeModes))
  validateDataSources(causes, path, spec, old)
  const attributes = spec.volumeAttributesClassName
  if (attributes) invalidEach(causes, `${path}.volumeAttributesClassName`, attributes, dns1123Subdomain(attributes))
}

function hasInvalidSelector(spec: Spec): boolean {
  const causes: Causes = []
  validateLabelSelector(causes, '', spec.selector)
  return causes.length > 0
}

function validateDataSources(causes: Causes, path: string, spec: Spec, old: Spec | undefined): void {
  const { dataSource, dataSourceRef } = spec
  // groups were not looked at once
  const anyGroup = old?.dataSource?.apiGroup !== undefined || old?.dataSourceRef?.apiGroup !== undefined
  for (const [field, source] of [
    ['dataSource', dataSource],
    ['dataSourceRef', dataSourceRef],
  ] as const) {
    if (!source) continue
    const at = `${path}.${field}`
    if (!source.name) causes.push(required(`${at}.name`))
    if (!source.kind) causes.push(required(`${at}.kind`))
    if (!source.apiGroup && source.kind !== 'PersistentVolumeClaim')
      causes.push(invalid(at, source.kind ?? '', "must be 'PersistentVolumeClaim' when referencing the default apiGroup"))
    if (source.apiGroup && !anyGroup) invalidEach(causes, `${at}.apiGroup`, source.apiGroup, dns1123Subdomain(source.apiGroup))
  }
  const namespace = dataSourceRef?.namespace
  if (namespace) invalidEach(causes, `${path}.dataSourceRef.namespace`, namespace, dns1123Label(namespace))
  if (!dataSource || !dataSourceRef) return
  // nothing of a value is shown, which is how upstream has it
  if (namespace) causes.push(invalid(path, {}, 'may not be specified when dataSourceRef.namespace is specified'))
  else if (dataSource.apiGroup !== dataSourceRef.apiGroup || dataSource.kind !== dataSourceRef.kind || dataSource.name !== dataSourceRef.name)
    causes.push(invalid(path, {}, 'must match dataSourceRef'))
}

const immutableSpec = 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'

/** Only what a bound claim may still grow into changes: its size, the class of its attributes, and a class that it did not have. */
export function validateClaimUpdate(causes: Causes, claim: Claim, old: Claim): void {
  const { spec } = claim
  const previous = old.spec
  const bound = old.status?.phase === 'Bound'
  const request = spec.resources?.requests?.storage
  const had = previous.resources?.requests?.storage
  const comparable = {
    ...spec,
    volumeName: previous.volumeName ? spec.volumeName : previous.volumeName,
    storageClassName: settleClass(causes, claim, old) ? previous.storageClassName : spec.storageClassName,
    ...(bound && spec.volumeAttributesClassName !== undefined ? { volumeAttributesClassName: previous.volumeAttributesClassName } : {}),
    ...(bound && spec.resources?.requests ? { resources: { ...spec.resources, requests: { ...spec.resources.requests, storage: had } } } : {}),
  }
  if (!same(comparable, previous)) causes.push(forbidden('spec', immutableSpec))
  if (request !== undefined && had !== undefined && compareQuantities(request, had) < 0) {
    // smaller than asked for, never smaller than it is: so that a failed expansion can be given up
    if (compareQuantities(request, old.status?.capacity?.storage ?? '0') <= 0)
      causes.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'))
  }
  immutable(causes, 'volumeMode', spec.volumeMode, previous.volumeMode)
  if (previous.volumeAttributesClassName === undefined) return
  const at = 'spec.volumeAttributesClassName'
  if (spec.volumeAttributesClassName === undefined) causes.push(forbidden(at, 'update from non-nil value to nil is forbidden'))
  else if (spec.volumeAttributesClassName === '' && previous.volumeAttributesClassName !== '')
    causes.push(forbidden(at, 'update from non-nil value to an empty string is forbidden'))
}

/**
 * Whether the claim gets a storage class that it had not, as it may: that of its old annotation, or a default that came later. The
 * annotation stays, unless it moves into the field.
 */
function settleClass(causes: Causes, { spec, metadata }: Claim, { spec: previous, metadata: before }: Claim): boolean {
  const key = volumeAnnotations.betaStorageClass
  const [annotation, had] = [metadata.annotations?.[key], before.annotations?.[key]]
  const gets = previous.storageClassName === undefined && spec.storageClassName !== undefined
  if (gets && had !== undefined && spec.storageClassName === had && (annotation === undefined || annotation === had)) return true
  if ((annotation ?? '') !== (had ?? '')) causes.push(invalid(`metadata.annotations.${key}`, annotation ?? '', 'field is immutable'))
  return gets && (had === undefined || spec.storageClassName === had)
}

const resizeStatuses = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
]

export function validateClaimStatus(causes: Causes, status: Claim['status']): void {
  for (const name in status?.capacity) validateBasicQuantity(causes, `status.capacity[${name}]`, status.capacity[name]!)
  const path = 'status.allocatedResourceStatus'
  for (const name in status?.allocatedResourceStatuses) {
    validateResourceKey(causes, path, name)
    if (!resizeStatuses.includes(status.allocatedResourceStatuses[name]!)) causes.push(notSupported(path, name, resizeStatuses))
  }
  for (const name in status?.allocatedResources) {
    if (!validateResourceKey(causes, 'status.allocatedResources', name)) continue
    validateBasicQuantity(causes, `status.allocatedResources[${name}]`, status.allocatedResources[name]!)
  }
}

/** Of the resources without a domain of their own, claims have storage alone. */
function validateResourceKey(causes: Causes, path: string, name: string): boolean {
  const before = causes.length
  const messages = qualifiedName(name)
  invalidEach(causes, path, name, messages)
  const native = !name.includes('/') || name.includes('kubernetes.io/')
  if (messages.length === 0 && native && name !== 'storage') causes.push(notSupported(path, name, ['storage']))
  return causes.length === before
}

function validateBasicQuantity(causes: Causes, path: string, quantity: string): void {
  if (isNegativeQuantity(quantity)) causes.push(invalid(path, Math.trunc(quantityNumber(quantity)), 'must be a valid resource quantity'))
}
