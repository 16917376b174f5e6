import type { DeepReadonly, core, storage } from '#api'
import { dns1123Subdomain, qualifiedName, volumeAnnotations } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import {
  type Causes,
  duplicate,
  forbidden,
  immutable,
  invalid,
  invalidEach,
  nonNegative,
  notSupported,
  optionalOneOf,
  required,
  same,
  tooLong,
} from '../../validation/causes.ts'
import { validateAccessModes, validateClaimSpec, validateClaimUpdate } from '../../validation/claims.ts'
import { validateNodeSelector } from '../../validation/pod/scheduling.ts'
import { validateHostPath, validateNfs } from '../../validation/pod/volumes.ts'
import { compareQuantities, isNegativeQuantity, quantityNumber, quantityText } from '../../validation/quantities.ts'
import { validateCsiVolume, validateDriverName, volumeSources } from '../../validation/volume-sources.ts'
import { defaultVolumeSource } from '../pod/defaults.ts'
import { keepAllButStatus, keepStatus } from '../status.ts'

const notSources = new Set([
  'capacity',
  'accessModes',
  'claimRef',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'mountOptions',
  'volumeMode',
  'nodeAffinity',
  'volumeAttributesClassName',
])

type VolumeSpec = DeepReadonly<core.PersistentVolumeSpec>

const sourceOf = (spec: VolumeSpec) => Object.entries(spec).filter(([key, value]) => !notSources.has(key) && value !== undefined && value !== null)

export const persistentVolumeStrategy: ResourceStrategy<core.PersistentVolume> = {
  default(object) {
    const spec = (object.spec ??= {})
    ;(object.status ??= {}).phase ??= 'Pending'
    spec.persistentVolumeReclaimPolicy ??= 'Retain'
    spec.volumeMode ??= 'Filesystem'
    if (spec.hostPath) spec.hostPath.type ??= ''
    defaultVolumeSource(spec)
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
    validateAccessModes(causes, 'spec.accessModes', spec.accessModes, '')
    if (!spec.capacity || Object.keys(spec.capacity).length === 0) causes.push(required('spec.capacity'))
    if (!spec.capacity || spec.capacity.storage === undefined || Object.keys(spec.capacity).length > 1)
      causes.push(notSupported('spec.capacity', spec.capacity, ['storage']))
    else if (compareQuantities(spec.capacity.storage, '0') <= 0)
      causes.push(invalid('spec.capacity[storage]', quantityText(spec.capacity.storage), 'must be greater than zero'))
    optionalOneOf(causes, 'spec.persistentVolumeReclaimPolicy', spec.persistentVolumeReclaimPolicy, ['Delete', 'Recycle', 'Retain'])
    optionalOneOf(causes, 'spec.volumeMode', spec.volumeMode, ['Block', 'Filesystem'])
    if (spec.storageClassName) invalidEach(causes, 'spec.storageClassName', spec.storageClassName, dns1123Subdomain(spec.storageClassName))
    if (spec.nodeAffinity) {
      if (!spec.nodeAffinity.required) causes.push(required('spec.nodeAffinity.required', 'must specify required node constraints'))
      else validateNodeSelector(causes, 'spec.nodeAffinity.required', spec.nodeAffinity.required)
    }
    validateVolumeSource(causes, spec)
    validateMountOptions(causes, metadata.annotations, spec)
    return causes
  },
  validateUpdate({ spec }, { spec: old }) {
    const causes: Causes = []
    if (!same(sourceOf(spec), sourceOf(old)))
      causes.push(forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation'))
    // the paths are upstream's
    immutable(causes, 'volumeMode', spec.volumeMode, old.volumeMode)
    if (old.nodeAffinity) immutable(causes, 'nodeAffinity', spec.nodeAffinity, old.nodeAffinity)
    return causes
  },
}

function validateVolumeSource(causes: Causes, spec: VolumeSpec): void {
  const sources = sourceOf(spec)
  if (sources.length === 0) causes.push(required('spec', 'must specify a volume type'))
  for (const [name] of sources.slice(1)) causes.push(forbidden(`spec.${name}`, 'may not specify more than 1 volume type'))
  if (spec.hostPath) {
    validateHostPath(causes, 'spec.hostPath', spec.hostPath)
    if (spec.hostPath.path === '/' && spec.persistentVolumeReclaimPolicy === 'Recycle')
      causes.push(forbidden('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'"))
  }
  if (spec.nfs) validateNfs(causes, 'spec.nfs', spec.nfs)
  if (spec.local) {
    if (!spec.local.path) causes.push(required('spec.local.path'))
    else if (spec.local.path.split('/').includes('..')) causes.push(invalid('spec.local.path', spec.local.path, "must not contain '..'"))
    if (!spec.nodeAffinity) causes.push(required('spec.nodeAffinity', 'Local volume requires node affinity'))
  }
  if (spec.csi) validateCsiVolume(causes, 'spec.csi', spec.csi)
  const [first] = sources
  const check = first && (volumeSources as unknown as Record<string, (causes: Causes, path: string, source: unknown) => void>)[first[0]]
  check?.(causes, `spec.${first![0]}`, first![1])
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
  if (annotations?.[mountOptionsAnnotation] === undefined || sourceOf(spec).some(([name]) => withMountOptions.includes(name))) return
  causes.push(forbidden(`metadata.annotations.${mountOptionsAnnotation}`, 'may not specify mount options for this volume type'))
}

export const persistentVolumeClaimStrategy: ResourceStrategy<core.PersistentVolumeClaim> = {
  default(object) {
    const spec = (object.spec ??= {})
    ;(object.status ??= {}).phase ??= 'Pending'
    spec.volumeMode ??= 'Filesystem'
    spec.resources ??= {}
  },
  prepareForCreate(object) {
    object.status = { phase: 'Pending' }
    dropForeignDataSource(object.spec)
    linkDataSources(object.spec)
  },
  prepareForUpdate(object, old) {
    keepStatus(object, old)
    linkDataSources(object.spec)
  },
  prepareForStatusUpdate: keepAllButStatus,
  validate(object) {
    const causes: Causes = []
    validateClaimSpec(causes, 'spec', object.spec)
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    const key = volumeAnnotations.betaStorageClass
    const [annotation, before] = [object.metadata.annotations?.[key], old.metadata.annotations?.[key]]
    // it may be taken away in favour of the field
    if (before !== undefined && annotation !== undefined) immutable(causes, `metadata.annotations.${key}`, annotation, before)
    validateClaimUpdate(causes, object, old)
    return causes
  },
  validateStatusUpdate({ status }) {
    const causes: Causes = []
    for (const name in status?.capacity)
      if (isNegativeQuantity(status.capacity[name]!))
        causes.push(invalid(`status.capacity[${name}]`, quantityNumber(status.capacity[name]!), 'must be a valid resource quantity'))
    status?.conditions?.forEach((condition, i) => invalidEach(causes, `status.conditions[${i}].type`, condition.type, qualifiedName(condition.type)))
    return causes
  },
}

/** The older of the two fields takes claims and snapshots only, and drops everything else without a word. */
function dropForeignDataSource(spec: core.PersistentVolumeClaimSpec): void {
  const { apiGroup = '', kind } = spec.dataSource ?? {}
  const known = (apiGroup === '' && kind === 'PersistentVolumeClaim') || (apiGroup === 'snapshot.storage.k8s.io' && kind === 'VolumeSnapshot')
  if (spec.dataSource && !known) delete spec.dataSource
}

/** `dataSource` and `dataSourceRef` say the same: whichever is set, the other follows where it can. */
function linkDataSources(spec: core.PersistentVolumeClaimSpec): void {
  if (spec.dataSource && !spec.dataSourceRef) spec.dataSourceRef = { ...spec.dataSource }
  else if (spec.dataSourceRef && !spec.dataSource && !spec.dataSourceRef.namespace) {
    const { namespace: _, ...source } = spec.dataSourceRef
    spec.dataSource = source
  }
}

export const storageClassStrategy: ResourceStrategy<storage.StorageClass> = {
  default(object) {
    object.reclaimPolicy ??= 'Delete'
    object.volumeBindingMode ??= 'Immediate'
  },
  validate(object) {
    const causes: Causes = []
    if (!object.provisioner) causes.push(required('provisioner'))
    else invalidEach(causes, 'provisioner', object.provisioner, qualifiedName(object.provisioner.toLowerCase()))
    validateParameters(causes, object.parameters)
    if (object.reclaimPolicy) optionalOneOf(causes, 'reclaimPolicy', object.reclaimPolicy, ['Delete', 'Retain'])
    if (object.volumeBindingMode === undefined) causes.push(required('volumeBindingMode'))
    else optionalOneOf(causes, 'volumeBindingMode', object.volumeBindingMode, ['Immediate', 'WaitForFirstConsumer'])
    validateTopologies(causes, object.allowedTopologies)
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    if (!same(object.parameters, old.parameters)) causes.push(forbidden('parameters', 'updates to parameters are forbidden.'))
    if (object.provisioner !== old.provisioner) causes.push(forbidden('provisioner', 'updates to provisioner are forbidden.'))
    if (object.reclaimPolicy !== old.reclaimPolicy) causes.push(forbidden('reclaimPolicy', 'updates to reclaimPolicy are forbidden.'))
    immutable(causes, 'volumeBindingMode', object.volumeBindingMode, old.volumeBindingMode)
    return causes
  },
}

const maxParameters = 512
const maxParameterBytes = 256 * 1024

function validateParameters(causes: Causes, parameters: DeepReadonly<Record<string, string>> | undefined): void {
  const entries = Object.entries(parameters ?? {})
  if (entries.length > maxParameters) {
    causes.push(tooLong('parameters', maxParameters))
    return
  }
  let bytes = 0
  for (const [key, value] of entries) {
    if (key === '') causes.push(invalid('parameters', key, 'field can not be empty.'))
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (bytes > maxParameterBytes) causes.push(tooLong('parameters', maxParameterBytes))
}

function validateTopologies(causes: Causes, terms: DeepReadonly<core.TopologySelectorTerm[]> | undefined): void {
  const seen: string[] = []
  terms?.forEach((term, i) => {
    const at = `allowedTopologies[${i}].matchLabelExpressions`
    const keys = new Map<string, readonly string[]>()
    term.matchLabelExpressions?.forEach(({ key, values }, j) => {
      if (!values?.length) causes.push(required(`${at}[${j}].values`))
      values?.forEach((value, k) => {
        if (values.indexOf(value) < k) causes.push(duplicate(`${at}[${j}].values[${k}]`, value))
      })
      invalidEach(causes, `${at}[${j}].key`, key, qualifiedName(key))
      if (keys.has(key)) causes.push(duplicate(`${at}[${j}].key`, key))
      keys.set(key, [...(values ?? [])].sort())
    })
    const text = JSON.stringify([...keys].sort())
    if (keys.size === 0 || seen.includes(text)) causes.push(duplicate(at, ''))
    seen.push(text)
  })
}

export const csiDriverStrategy: ResourceStrategy<storage.CSIDriver> = {
  allowUnconditionalUpdate: false,
  default(object) {
    const spec = (object.spec ??= {})
    spec.attachRequired ??= true
    spec.podInfoOnMount ??= false
    spec.storageCapacity ??= false
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType'
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent']
    spec.requiresRepublish ??= false
    spec.seLinuxMount ??= false
  },
  validate({ spec }) {
    const causes: Causes = []
    if (spec.attachRequired === undefined) causes.push(required('spec.attachedRequired'))
    optionalOneOf(causes, 'spec.fsGroupPolicy', spec.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType'])
    spec.volumeLifecycleModes?.forEach((mode) => optionalOneOf(causes, 'spec.volumeLifecycleModes', mode, ['Persistent', 'Ephemeral']))
    return causes
  },
  validateUpdate({ spec }, { spec: old }) {
    const causes: Causes = []
    immutable(causes, 'spec.attachedRequired', spec.attachRequired, old.attachRequired)
    immutable(causes, 'spec.volumeLifecycleModes', spec.volumeLifecycleModes, old.volumeLifecycleModes)
    return causes
  },
}

export const csiNodeStrategy: ResourceStrategy<storage.CSINode> = {
  allowUnconditionalUpdate: false,
  default(object) {
    ;(object.spec ??= { drivers: [] }).drivers ??= []
  },
  validate({ spec }) {
    const causes: Causes = []
    const names = new Set<string>()
    spec.drivers.forEach((driver, i) => {
      const at = `spec.drivers[${i}]`
      validateDriverName(causes, `${at}.name`, driver.name)
      if (names.has(driver.name))
        causes.push({ reason: 'FieldValueDuplicate', message: `Duplicate value: ${JSON.stringify(driver.name)}`, field: `${at}.name` })
      names.add(driver.name)
      if (!driver.nodeID) causes.push(required(`${at}.nodeID`))
      else if (driver.nodeID.length > maxNodeID) causes.push(invalid(`${at}.nodeID`, driver.nodeID, `must be ${maxNodeID} characters or less`))
      validateTopologyKeys(causes, at, driver.topologyKeys)
      nonNegative(causes, `${at}.allocatable.count`, driver.allocatable?.count)
    })
    return causes
  },
  validateUpdate({ spec }, { spec: old }) {
    const causes: Causes = []
    for (const before of old.drivers) {
      const now = spec.drivers.find((driver) => driver.name === before.name)
      // what a node can attach may change, nothing else of a driver
      if (now && !same({ ...now, allocatable: undefined }, { ...before, allocatable: undefined }))
        causes.push(invalid('CSINodeDriver', now, 'field is immutable'))
    }
    return causes
  },
}

const maxNodeID = 192

function validateTopologyKeys(causes: Causes, path: string, keys: readonly string[] | undefined): void {
  keys?.forEach((key, i) => {
    if (keys.indexOf(key) < i) causes.push(duplicate(path, key))
    if (!key) causes.push(required(path))
    invalidEach(causes, path, keys, qualifiedName(key))
  })
}

export const volumeAttachmentStrategy: ResourceStrategy<storage.VolumeAttachment> = {
  allowUnconditionalUpdate: false,
  prepareForCreate(object) {
    object.status = { attached: false }
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatus,
  validate({ spec }) {
    const causes: Causes = []
    validateDriverName(causes, 'spec.attacher', spec.attacher)
    const { persistentVolumeName, inlineVolumeSpec } = spec.source ?? {}
    if (persistentVolumeName === undefined && !inlineVolumeSpec)
      causes.push(required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'))
    else if (persistentVolumeName !== undefined && inlineVolumeSpec)
      causes.push(forbidden('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'))
    else if (persistentVolumeName !== undefined) {
      if (!persistentVolumeName) causes.push(required('spec.source.persistentVolumeName', 'must specify non empty persistentVolumeName'))
      invalidEach(causes, 'spec.source.persistentVolumeName', persistentVolumeName, dns1123Subdomain(persistentVolumeName))
    }
    invalidEach(causes, 'spec.nodeName', spec.nodeName ?? '', dns1123Subdomain(spec.nodeName ?? ''))
    return causes
  },
  validateStatusUpdate({ status }) {
    const causes: Causes = []
    for (const field of ['attachError', 'detachError'] as const)
      if ((status?.[field]?.message?.length ?? 0) > 1024) causes.push(tooLong(`status.${field}.message`, 262_144))
    return causes
  },
  validateUpdate({ spec }, { spec: old }) {
    return same(spec, old) ? [] : [invalid('spec', spec, 'field is immutable')]
  },
}

export const csiStorageCapacityStrategy: ResourceStrategy<storage.CSIStorageCapacity> = {
  validate(object) {
    return object.storageClassName ? [] : [required('storageClassName')]
  },
}

export const volumeAttributesClassStrategy: ResourceStrategy<storage.VolumeAttributesClass> = {
  validate: (object) => (object.driverName ? [] : [required('driverName')]),
  validateUpdate(object, old) {
    const causes: Causes = []
    if (object.driverName !== old.driverName) causes.push(forbidden('driverName', 'updates to driverName are forbidden.'))
    if (!same(object.parameters, old.parameters)) causes.push(forbidden('parameters', 'updates to parameters are forbidden.'))
    return causes
  },
}
