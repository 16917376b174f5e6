import type { DeepReadonly, core } from '#api'
import { dns1123Label, dns1123Subdomain } from '#api'
import { type Causes, duplicate, forbidden, invalid, invalidEach, notSupported, required } from '../causes.ts'
import { validateClaimSpec } from '../claims.ts'
import { validateTemplateMeta } from '../object-meta.ts'
import { isNegativeQuantity } from '../quantities.ts'
import { validateDriverName, volumeSources } from '../volume-sources.ts'
import { validateDownwardItem, validateItems, validateMode } from './items.ts'
import { validateDescendingPath, validateNoBacksteps } from './paths.ts'
import { validateProjections } from './projected.ts'

type Volume = DeepReadonly<core.Volume>
type Claim = DeepReadonly<core.EphemeralVolumeSource>['volumeClaimTemplate']

const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket']
const pullPolicies = ['Always', 'IfNotPresent', 'Never']
const noVolumes: ReadonlyMap<string, Volume> = new Map()

/**
 * Checks a pod's volumes and answers the valid ones by name. `podName` is absent for templates, whose pods have names that nobody
 * knows yet.
 */
export function validateVolumes(
  causes: Causes,
  path: string,
  volumes: DeepReadonly<core.Volume[]> | undefined,
  podName: string | undefined,
): ReadonlyMap<string, Volume> {
  if (!volumes) return noVolumes
  const byName = new Map<string, Volume>()
  for (let i = 0; i < volumes.length; i++) {
    const volume = volumes[i]!
    const at = `${path}[${i}]`
    const before = causes.length
    validateVolumeSource(causes, at, volume, podName)
    if (!volume.name) causes.push(required(`${at}.name`))
    else invalidEach(causes, `${at}.name`, volume.name, dns1123Label(volume.name))
    if (byName.has(volume.name)) causes.push(duplicate(`${at}.name`, volume.name))
    if (causes.length === before) byName.set(volume.name, volume)
    const claimName = volume.persistentVolumeClaim?.claimName
    if (claimName && podName && volumes.some((other) => other.ephemeral && `${podName}-${other.name}` === claimName))
      causes.push(invalid(`${at}.persistentVolumeClaim.claimName`, claimName, 'must not reference a PVC that gets created for an ephemeral volume'))
  }
  return byName
}

/** One check per kind of source; a source without a check needs none. */
const sources: { [K in keyof core.VolumeSource]?: (causes: Causes, path: string, source: NonNullable<DeepReadonly<core.VolumeSource>[K]>) => void } =
  {
    ...(volumeSources as object),
    emptyDir: (causes, path, source) => {
      if (source.sizeLimit !== undefined && isNegativeQuantity(source.sizeLimit))
        causes.push(forbidden(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity'))
    },
    hostPath: validateHostPath,
    gitRepo: (causes, path, source) => {
      if (!source.repository) causes.push(required(`${path}.repository`))
      validateDescendingPath(causes, `${path}.directory`, source.directory ?? '')
    },
    secret: (causes, path, source) => {
      if (!source.secretName) causes.push(required(`${path}.secretName`))
      validateMode(causes, `${path}.defaultMode`, source.defaultMode)
      validateItems(causes, path, source.items)
    },
    configMap: (causes, path, source) => {
      if (!source.name) causes.push(required(`${path}.name`))
      validateMode(causes, `${path}.defaultMode`, source.defaultMode)
      validateItems(causes, path, source.items)
    },
    downwardAPI: (causes, path, source) => {
      validateMode(causes, `${path}.defaultMode`, source.defaultMode)
      source.items?.forEach((item) => validateDownwardItem(causes, path, item))
    },
    projected: (causes, path, source) => {
      validateMode(causes, `${path}.defaultMode`, source.defaultMode)
      validateProjections(causes, path, source.sources)
    },
    persistentVolumeClaim: (causes, path, source) => {
      if (!source.claimName) causes.push(required(`${path}.claimName`))
    },
    nfs: validateNfs,
    flocker: (causes, path, { datasetName, datasetUUID }) => {
      if (!datasetName && !datasetUUID) causes.push(required(path, 'one of datasetName and datasetUUID is required'))
      if (datasetName && datasetUUID) causes.push(invalid(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'))
      if (datasetName?.includes('/')) causes.push(invalid(`${path}.datasetName`, datasetName, "must not contain '/'"))
    },
    csi: (causes, path, { driver, nodePublishSecretRef: secret }) => {
      validateDriverName(causes, `${path}.driver`, driver)
      if (secret && !secret.name) causes.push(required(`${path}.nodePublishSecretRef.name`))
      // upstream leaves out whose name it is
      else if (secret) invalidEach(causes, `${path}.name`, secret.name, dns1123Subdomain(secret.name!))
    },
    ephemeral: (causes, path, source) => {
      if (!source.volumeClaimTemplate) causes.push(required(`${path}.volumeClaimTemplate`))
      else validateClaimTemplate(causes, `${path}.volumeClaimTemplate`, source.volumeClaimTemplate)
    },
    image: (causes, path, { reference, pullPolicy }) => {
      if (!reference) causes.push(required(`${path}.reference`))
      if (!pullPolicy) causes.push(required(`${path}.pullPolicy`))
      else if (!pullPolicies.includes(pullPolicy)) causes.push(notSupported(`${path}.pullPolicy`, pullPolicy, pullPolicies))
    },
  }

/** The order in which upstream looks for sources: with several, the first counts. */
const sourceOrder = (
  'emptyDir hostPath gitRepo gcePersistentDisk awsElasticBlockStore secret nfs iscsi glusterfs flocker ' +
  'persistentVolumeClaim rbd cinder cephfs quobyte downwardAPI fc flexVolume configMap azureFile ' +
  'vsphereVolume photonPersistentDisk portworxVolume azureDisk storageos projected scaleIO csi ephemeral image'
).split(' ') as (keyof core.VolumeSource)[]

/** What upstream calls a source when it is one too many. */
const misnamed: Partial<Record<keyof core.VolumeSource, string>> = { downwardAPI: 'downwarAPI', cephfs: 'cephFS' }

function validateVolumeSource(causes: Causes, path: string, volume: Volume, podName: string | undefined): void {
  let only: keyof core.VolumeSource | undefined
  let count = 0
  for (const key in volume) {
    if (key === 'name' || volume[key as keyof core.VolumeSource] === undefined || volume[key as keyof core.VolumeSource] === null) continue
    only = key as keyof core.VolumeSource
    count++
  }
  if (count === 0) causes.push(required(path, 'must specify a volume type'))
  else if (count === 1) validateSource(causes, path, volume, only!, podName)
  else {
    const present = sourceOrder.filter((source) => volume[source])
    present.forEach((source, i) => {
      if (i === 0) validateSource(causes, path, volume, source, podName)
      else causes.push(forbidden(`${path}.${misnamed[source] ?? source}`, 'may not specify more than 1 volume type'))
    })
  }
}

function validateSource(causes: Causes, path: string, volume: Volume, kind: keyof core.VolumeSource, podName: string | undefined): void {
  sources[kind]?.(causes, `${path}.${kind}`, volume[kind] as never)
  if (kind === 'iscsi' && volume.iscsi!.initiatorName !== undefined && `${volume.name}:${volume.iscsi!.targetPortal}`.length > 64)
    causes.push(
      invalid(
        `${path}.name`,
        volume.name,
        'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.',
      ),
    )
  if (kind !== 'ephemeral' || !podName || !volume.name) return
  const claim = `${podName}-${volume.name}`
  for (const message of dns1123Subdomain(claim)) causes.push(invalid(`${path}.name`, volume.name, `PVC name ${JSON.stringify(claim)}: ${message}`))
}

/** Checks what a volume's claim is made from. Of its metadata, the pod decides all but labels and annotations. */
function validateClaimTemplate(causes: Causes, path: string, template: NonNullable<Claim>): void {
  validateTemplateMeta(causes, `${path}.metadata`, template.metadata)
  validateClaimSpec(causes, `${path}.spec`, template.spec ?? {})
}

export function validateHostPath(causes: Causes, path: string, source: DeepReadonly<core.HostPathVolumeSource>): void {
  if (!source.path) {
    causes.push(required(`${path}.path`))
    return
  }
  validateNoBacksteps(causes, `${path}.path`, source.path)
  if (source.type !== undefined && !hostPathTypes.includes(source.type)) causes.push(notSupported(`${path}.type`, source.type, hostPathTypes))
}

export function validateNfs(causes: Causes, path: string, source: DeepReadonly<core.NFSVolumeSource>): void {
  if (!source.server) causes.push(required(`${path}.server`))
  if (!source.path) causes.push(required(`${path}.path`))
  if (!source.path?.startsWith('/')) causes.push(invalid(`${path}.path`, source.path ?? '', 'must be an absolute path'))
}
