import type { DeepReadonly, core } from '#api'
import { dns1123Subdomain } from '#api'
import { type Causes, forbidden, invalid, invalidEach, notSupported, optionalOneOf, required, same } from './causes.ts'
import { validateAccessModes, volumeModes } from './claims.ts'
import { stableNodeLabel } from './node-labels.ts'
import { validateNoBacksteps } from './pod/paths.ts'
import { validateNodeSelector } from './pod/scheduling.ts'
import { validateHostPath, validateNfs } from './pod/volumes.ts'
import { isNegativeQuantity, isZeroQuantity, quantityNumber, quantityText } from './quantities.ts'
import { validateCsiVolume, volumeSources } from './volume-sources.ts'

export type VolumeSpec = DeepReadonly<core.PersistentVolumeSpec>
type Source = keyof core.PersistentVolumeSource

/** In the order in which upstream looks for them: the first is the volume's, the others are too many. */
const order: readonly Source[] = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'flocker',
  'nfs',
  'rbd',
  'quobyte',
  'cephfs',
  'iscsi',
  'cinder',
  'fc',
  'flexVolume',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'scaleIO',
  'local',
  'storageos',
  'csi',
]

/** The sources that a volume has, each with its name. */
export const sourcesOf = (spec: VolumeSpec): [Source, unknown][] =>
  order.flatMap((name): [Source, unknown][] => (spec[name] === undefined || spec[name] === null ? [] : [[name, spec[name]]]))

const notInline = 'may not be specified in the context of inline volumes'

/** `inline`: the volume is described in an attachment, where no claim binds it. */
export function validateVolumeSpec(causes: Causes, path: string, spec: VolumeSpec, inline = false): void {
  if (inline) {
    if (spec.claimRef) causes.push(forbidden(`${path}.claimRef`, notInline))
    if (Object.keys(spec.capacity ?? {}).length > 0) causes.push(forbidden(`${path}.capacity`, notInline))
    if (!spec.csi) causes.push(required(`${path}.csi`, 'has to be specified in the context of inline volumes'))
  }
  validateAccessModes(causes, `${path}.accessModes`, spec.accessModes, '')
  if (!inline) validateCapacity(causes, `${path}.capacity`, spec.capacity)
  const policy = spec.persistentVolumeReclaimPolicy
  if (policy && inline) {
    if (policy !== 'Retain') causes.push(forbidden(`${path}.persistentVolumeReclaimPolicy`, 'may only be Retain in the context of inline volumes'))
  } else if (policy) optionalOneOf(causes, `${path}.persistentVolumeReclaimPolicy`, policy, ['Delete', 'Recycle', 'Retain'])
  if (spec.nodeAffinity) {
    const at = `${path}.nodeAffinity`
    if (inline) causes.push(forbidden(at, notInline))
    else if (!spec.nodeAffinity.required) causes.push(required(`${at}.required`, 'must specify required node constraints'))
    else validateNodeSelector(causes, `${at}.required`, spec.nodeAffinity.required)
  }
  validateSource(causes, path, spec, inline)
  validateClasses(causes, path, spec, inline)
}

function validateCapacity(causes: Causes, path: string, capacity: VolumeSpec['capacity']): void {
  const names = Object.keys(capacity ?? {})
  if (names.length === 0) causes.push(required(path))
  if (!names.includes('storage') || names.length > 1) causes.push(notSupported(path, capacity, ['storage']))
  for (const name of names) {
    const quantity = capacity![name]!
    const at = `${path}[${name}]`
    if (isNegativeQuantity(quantity)) causes.push(invalid(at, Math.trunc(quantityNumber(quantity)), 'must be a valid resource quantity'))
    if (isNegativeQuantity(quantity) || isZeroQuantity(quantity)) causes.push(invalid(at, quantityText(quantity), 'must be greater than zero'))
  }
}

function validateSource(causes: Causes, path: string, spec: VolumeSpec, inline: boolean): void {
  const sources = sourcesOf(spec)
  if (sources.length === 0) causes.push(required(path, 'must specify a volume type'))
  sources.forEach(([name, source], i) => {
    // flexVolume may stand beside another, which is how upstream has it
    if (i > 0 && name !== 'flexVolume')
      causes.push(forbidden(`${path}.${name === 'cephfs' ? 'cephFS' : name}`, 'may not specify more than 1 volume type'))
    else validators[name]?.(causes, `${path}.${name}`, source as never)
  })
  if (spec.local?.path !== undefined && sources[0]?.[0] === 'local' && (inline || !spec.nodeAffinity))
    causes.push(required(`${path}.nodeAffinity`, 'Local volume requires node affinity'))
  if (spec.hostPath && /^\/+(\.?\/*)*$/.test(spec.hostPath.path ?? '') && spec.persistentVolumeReclaimPolicy === 'Recycle')
    causes.push(forbidden(`${path}.persistentVolumeReclaimPolicy`, "may not be 'recycle' for a hostPath mount of '/'"))
}

const validators: { [K in Source]?: (causes: Causes, path: string, source: NonNullable<DeepReadonly<core.PersistentVolumeSource>[K]>) => void } = {
  ...(volumeSources as object),
  hostPath: validateHostPath,
  nfs: validateNfs,
  csi: validateCsiVolume,
  local(causes, path, source) {
    if (!source.path) causes.push(required(`${path}.path`))
    else validateNoBacksteps(causes, `${path}.path`, source.path)
  },
  glusterfs(causes, path, source) {
    volumeSources.glusterfs(causes, path, source)
    const namespace = source.endpointsNamespace
    if (namespace === '') causes.push(invalid(`${path}.endpointsNamespace`, '', 'if the endpointnamespace is set, it must be a valid namespace name'))
  },
  storageos(causes, path, source) {
    volumeSources.storageos(causes, path, source)
    if (!source.secretRef) return
    if (!source.secretRef.name) causes.push(required(`${path}.secretRef.name`))
    if (!source.secretRef.namespace) causes.push(required(`${path}.secretRef.namespace`))
  },
}

function validateClasses(causes: Causes, path: string, spec: VolumeSpec, inline: boolean): void {
  const { storageClassName, volumeMode, volumeAttributesClassName } = spec
  if (storageClassName && inline) causes.push(forbidden(`${path}.storageClassName`, notInline))
  else if (storageClassName) invalidEach(causes, `${path}.storageClassName`, storageClassName, dns1123Subdomain(storageClassName))
  if (volumeMode !== undefined && inline) {
    if (volumeMode !== 'Filesystem')
      causes.push(forbidden(`${path}.volumeMode`, 'may not specify volumeMode other than Filesystem in the context of inline volumes'))
  } else optionalOneOf(causes, `${path}.volumeMode`, volumeMode, volumeModes)
  // attachments know nothing of classes of attributes
  if (volumeAttributesClassName === undefined || inline) return
  const at = `${path}.volumeAttributesClassName`
  if (volumeAttributesClassName === '') causes.push(required(at, 'an empty string is disallowed'))
  else invalidEach(causes, at, volumeAttributesClassName, dns1123Subdomain(volumeAttributesClassName))
  if (!spec.csi) causes.push(required(`${path}.csi`, 'has to be specified when using volumeAttributesClassName'))
}

/** The paths are upstream's. */
export function validateVolumeUpdate(causes: Causes, spec: VolumeSpec, old: VolumeSpec): void {
  // how to grow it may still be said
  const later = spec.csi?.controllerExpandSecretRef && old.csi && !old.csi.controllerExpandSecretRef
  const now = later ? { ...spec, csi: { ...spec.csi!, controllerExpandSecretRef: undefined } } : spec
  if (!same(Object.fromEntries(sourcesOf(now as VolumeSpec)), Object.fromEntries(sourcesOf(old))))
    causes.push(forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation'))
  if (spec.volumeMode !== old.volumeMode) causes.push(invalid('volumeMode', spec.volumeMode, 'field is immutable'))
  if (old.nodeAffinity && !sameAffinity(spec.nodeAffinity, old.nodeAffinity))
    causes.push(invalid('nodeAffinity', spec.nodeAffinity, 'field is immutable, except for updating from beta label to GA'))
  if (old.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined)
    causes.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'))
}

/** Labels of nodes may be replaced by those that took their places. */
function sameAffinity(now: VolumeSpec['nodeAffinity'], old: VolumeSpec['nodeAffinity']): boolean {
  const renamed = old?.required?.nodeSelectorTerms.map((term, i) => ({
    ...term,
    matchExpressions: term.matchExpressions?.map((one, j) => {
      const key = now?.required?.nodeSelectorTerms?.[i]?.matchExpressions?.[j]?.key
      return key !== undefined && stableNodeLabel(one.key) === key ? { ...one, key } : one
    }),
  }))
  return same(now, renamed ? { ...old, required: { ...old!.required, nodeSelectorTerms: renamed } } : old)
}
