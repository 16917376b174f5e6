import type { DeepReadonly, core } from '#api'
import { dns1123Label, dns1123Subdomain } from '#api'
import { type Causes, invalid, invalidEach, notSupported, required, tooLong } from './causes.ts'

/** The disks and file systems that a pod names itself or by a volume, and that nodes reach over a network or a cloud. */
type Sources = {
  [K in keyof core.PersistentVolumeSource]?: (causes: Causes, path: string, source: NonNullable<DeepReadonly<core.PersistentVolumeSource>[K]>) => void
}

/** Requires each of the fields to be there and not empty. */
const needs =
  <T extends object>(...fields: (keyof T & string)[]) =>
  (causes: Causes, path: string, source: DeepReadonly<T>): void => {
    for (const field of fields) {
      const value = (source as Record<string, unknown>)[field]
      if (value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0))
        causes.push(required(`${path}.${field}`))
    }
  }

/** A secret for a volume is in a namespace that has to be named: volumes are in none. */
function validateSecretReference(causes: Causes, path: string, reference: DeepReadonly<core.SecretReference> | undefined): void {
  if (!reference) return
  const { name, namespace } = reference
  if (!name) causes.push(required(`${path}.name`))
  else invalidEach(causes, `${path}.name`, name, dns1123Subdomain(name))
  if (!namespace) causes.push(required(`${path}.namespace`))
  else invalidEach(causes, `${path}.namespace`, namespace, dns1123Label(namespace))
}

function validatePartition(causes: Causes, path: string, partition: number | undefined): void {
  if (partition !== undefined && (partition < 0 || partition > 255))
    causes.push(invalid(`${path}.partition`, partition, 'must be between 1 and 255, inclusive'))
}

/** Names of drivers are compared without regard to case. */
export function validateDriverName(causes: Causes, path: string, name: string | undefined): void {
  if (!name) {
    causes.push(required(path))
    return
  }
  if (name.length > 63) causes.push(tooLong(path, 63))
  invalidEach(causes, path, name, dns1123Subdomain(name.toLowerCase()))
}

const iscsiNames = [/^iqn\.\d{4}-\d{2}\.[A-Za-z0-9\-.]+(:[^,;*&$|\s]+)$/, /^eui\.[A-Za-z0-9]{16}$/, /^naa\.[A-Za-z0-9]{32}$/]
const lunRange = 'must be between 0 and 255, inclusive'

/** The check of each kind of source that a pod and a volume have in common. */
export const volumeSources = {
  iscsi(causes, path, source) {
    if (!source.targetPortal) causes.push(required(`${path}.targetPortal`))
    if (!source.iqn) causes.push(required(`${path}.iqn`))
    // of a pod's volumes more is said
    else if (path.includes('volumes[') && !/^(iqn|eui|naa)/.test(source.iqn))
      causes.push(invalid(`${path}.iqn`, source.iqn, 'must be valid format starting with iqn, eui, or naa'))
    else if (!iscsiNames.some((name) => name.test(source.iqn))) causes.push(invalid(`${path}.iqn`, source.iqn, 'must be valid format'))
    if (source.lun < 0 || source.lun > 255) causes.push(invalid(`${path}.lun`, source.lun, lunRange))
    if ((source.chapAuthDiscovery || source.chapAuthSession) && !source.secretRef) causes.push(required(`${path}.secretRef`))
    else if (source.secretRef && !source.secretRef.name) causes.push(required(`${path}.secretRef.name`))
    if (source.initiatorName !== undefined && !iscsiNames.some((name) => name.test(source.initiatorName!)))
      causes.push(invalid(`${path}.initiatorname`, source.initiatorName, 'must be valid format'))
  },
  fc(causes, path, source) {
    const [names, ids] = [source.targetWWNs ?? [], source.wwids ?? []]
    if (names.length === 0 && ids.length === 0) causes.push(required(`${path}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'))
    if (names.length > 0 && ids.length > 0)
      causes.push(invalid(`${path}.targetWWNs`, names, 'targetWWNs and wwids can not be specified simultaneously'))
    if (names.length === 0) return
    if (source.lun === undefined) causes.push(required(`${path}.lun`, 'lun is required if targetWWNs is specified'))
    else if (source.lun < 0 || source.lun > 255) causes.push(invalid(`${path}.lun`, source.lun, lunRange))
  },
  gcePersistentDisk(causes, path, source) {
    const at = path.replace(/gcePersistentDisk$/, 'persistentDisk')
    if (!source.pdName) causes.push(required(`${at}.pdName`))
    validatePartition(causes, at, source.partition)
  },
  awsElasticBlockStore(causes, path, source) {
    if (!source.volumeID) causes.push(required(`${path}.volumeID`))
    validatePartition(causes, path, source.partition)
  },
  azureDisk(causes, path, source) {
    needs<core.AzureDiskVolumeSource>('diskName', 'diskURI')(causes, path, source)
    const managed = source.kind === 'Managed'
    const example = managed
      ? '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}'
      : 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd'
    if (!source.diskURI?.startsWith(managed ? '/subscriptions/' : 'https://'))
      causes.push(notSupported(`${path}.diskURI`, source.diskURI ?? '', [example]))
    if (source.cachingMode && !['None', 'ReadOnly', 'ReadWrite'].includes(source.cachingMode))
      causes.push(notSupported(`${path}.cachingMode`, source.cachingMode, ['None', 'ReadOnly', 'ReadWrite']))
  },
  azureFile(causes, path, source) {
    needs<core.AzureFilePersistentVolumeSource>('secretName', 'shareName')(causes, path, source)
    if (source.secretNamespace === '') causes.push(required(`${path}.secretNamespace`))
  },
  cephfs: needs<core.CephFSPersistentVolumeSource>('monitors'),
  cinder: needs<core.CinderPersistentVolumeSource>('volumeID'),
  flocker(causes, path, { datasetName, datasetUUID }) {
    if (!datasetName && !datasetUUID) causes.push(required(path, 'one of datasetName and datasetUUID is required'))
    if (datasetName && datasetUUID) causes.push(invalid(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'))
    if (datasetName?.includes('/')) causes.push(invalid(`${path}.datasetName`, datasetName, "must not contain '/'"))
  },
  flexVolume: needs<core.FlexPersistentVolumeSource>('driver'),
  glusterfs: needs<core.GlusterfsPersistentVolumeSource>('endpoints', 'path'),
  photonPersistentDisk: needs<core.PhotonPersistentDiskVolumeSource>('pdID'),
  portworxVolume: needs<core.PortworxVolumeSource>('volumeID'),
  rbd: needs<core.RBDPersistentVolumeSource>('monitors', 'image'),
  scaleIO: needs<core.ScaleIOPersistentVolumeSource>('gateway', 'system', 'volumeName'),
  vsphereVolume: needs<core.VsphereVirtualDiskVolumeSource>('volumePath'),
  quobyte(causes, path, source) {
    const pairs = 'must be a host:port pair or multiple pairs separated by commas'
    if (!source.registry) causes.push(required(`${path}.registry`, pairs))
    else if (source.registry.split(',').some((pair) => !/^[^:]+:\d+$/.test(pair))) causes.push(invalid(`${path}.registry`, source.registry, pairs))
    if (source.tenant && source.tenant.length >= 65)
      causes.push(required(`${path}.tenant`, 'must be a UUID and may not exceed a length of 64 characters'))
    if (!source.volume) causes.push(required(`${path}.volume`))
  },
  storageos(causes, path, source) {
    if (!source.volumeName) causes.push(required(`${path}.volumeName`))
    else invalidEach(causes, `${path}.volumeName`, source.volumeName, dns1123Label(source.volumeName))
    if (source.volumeNamespace) invalidEach(causes, `${path}.volumeNamespace`, source.volumeNamespace, dns1123Label(source.volumeNamespace))
  },
} satisfies Sources

/** What a CSI volume has to say. */
export function validateCsiVolume(causes: Causes, path: string, source: DeepReadonly<core.CSIPersistentVolumeSource>): void {
  validateDriverName(causes, `${path}.driver`, source.driver)
  if (!source.volumeHandle) causes.push(required(`${path}.volumeHandle`))
  for (const field of ['controllerPublishSecretRef', 'controllerExpandSecretRef', 'nodePublishSecretRef', 'nodeExpandSecretRef'] as const)
    validateSecretReference(causes, `${path}.${field}`, source[field])
}
