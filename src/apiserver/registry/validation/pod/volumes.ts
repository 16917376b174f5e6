import type { DeepReadonly, core } from '#api'
import { configMapKey, dns1123Label, dns1123Subdomain } from '#api'
import { type Causes, duplicate, forbidden, invalid, invalidEach, notSupported, required } from '../causes.ts'
import { isNegativeQuantity } from '../quantities.ts'
import { validateClaimSpec } from '../claims.ts'
import { validateDriverName, volumeSources } from '../volume-sources.ts'
import { validateDescendingPath, validateNoBacksteps } from './containers.ts'
import { validateDownwardFieldRef, validateResourceFieldRef } from './env.ts'

type Volume = DeepReadonly<core.Volume>
type Items = DeepReadonly<core.KeyToPath[]> | undefined

const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket']
const noVolumes: ReadonlyMap<string, Volume> = new Map()

/** Checks a pod's volumes and answers them by name. */
export function validateVolumes(causes: Causes, path: string, volumes: DeepReadonly<core.Volume[]> | undefined): ReadonlyMap<string, Volume> {
  if (!volumes) return noVolumes
  const byName = new Map<string, Volume>()
  for (let i = 0; i < volumes.length; i++) {
    const volume = volumes[i]!
    const at = `${path}[${i}]`
    validateVolumeSource(causes, at, volume)
    if (!volume.name) causes.push(required(`${at}.name`))
    else {
      const messages = dns1123Label(volume.name)
      if (messages.length > 0) invalidEach(causes, `${at}.name`, volume.name, messages)
      else if (byName.has(volume.name)) causes.push(duplicate(`${at}.name`, volume.name))
      byName.set(volume.name, volume)
    }
  }
  return byName
}

/** One check per kind of source; a source without a check needs none. */
const sources: { [K in keyof core.VolumeSource]?: (causes: Causes, path: string, source: NonNullable<DeepReadonly<core.VolumeSource>[K]>) => void } =
  {
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
    csi: (causes, path, source) => {
      validateDriverName(causes, `${path}.driver`, source.driver)
      if (source.nodePublishSecretRef && !source.nodePublishSecretRef.name) causes.push(required(`${path}.nodePublishSecretRef.name`))
    },
    ephemeral: (causes, path, source) => {
      if (!source.volumeClaimTemplate) causes.push(required(`${path}.volumeClaimTemplate`))
      else validateClaimSpec(causes, `${path}.volumeClaimTemplate.spec`, source.volumeClaimTemplate.spec ?? {})
    },
    image: (causes, path, source) => {
      if (!source.reference) causes.push(required(`${path}.reference`))
      if (source.pullPolicy && !['Always', 'IfNotPresent', 'Never'].includes(source.pullPolicy))
        causes.push(notSupported(`${path}.pullPolicy`, source.pullPolicy, ['Always', 'IfNotPresent', 'Never']))
    },
    ...(volumeSources as object),
  }

function validateVolumeSource(causes: Causes, path: string, volume: Volume): void {
  let count = 0
  // With several sources, upstream keeps an emptyDir and complains about the others.
  const { emptyDir } = volume
  if (emptyDir) {
    count = 1
    sources.emptyDir!(causes, `${path}.emptyDir`, emptyDir)
  }
  for (const key in volume) {
    if (key === 'name' || key === 'emptyDir') continue
    const source = volume[key as keyof core.VolumeSource]
    if (source === undefined || source === null) continue
    if (count++ > 0) causes.push(forbidden(`${path}.${key}`, 'may not specify more than 1 volume type'))
    else sources[key as keyof core.VolumeSource]?.(causes, `${path}.${key}`, source as never)
  }
  if (count === 0) causes.push(required(path, 'must specify a volume type'))
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

function validateMode(causes: Causes, path: string, mode: number | undefined): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777))
    causes.push(invalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive'))
}

/** Files that the API names: below the volume, and not the names that atomic writers keep for themselves. */
function validateFilePath(causes: Causes, path: string, file: string): void {
  if (!file) {
    causes.push(required(path))
    return
  }
  validateDescendingPath(causes, path, file)
  if (file.startsWith('..') && !file.startsWith('../')) causes.push(invalid(path, file, "must not start with '..'"))
}

function validateItems(causes: Causes, path: string, items: Items): void {
  items?.forEach((item, i) => {
    const at = `${path}.items[${i}]`
    if (!item.key) causes.push(required(`${at}.key`))
    else invalidEach(causes, `${at}.key`, item.key, configMapKey(item.key))
    validateFilePath(causes, `${at}.path`, item.path)
    validateMode(causes, `${at}.mode`, item.mode)
  })
}

function validateDownwardItem(causes: Causes, path: string, item: DeepReadonly<core.DownwardAPIVolumeFile>): void {
  validateFilePath(causes, `${path}.path`, item.path)
  if (item.fieldRef) {
    validateDownwardFieldRef(causes, `${path}.fieldRef`, item.fieldRef)
    if (item.resourceFieldRef) causes.push(invalid(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'))
  } else if (item.resourceFieldRef) validateResourceFieldRef(causes, `${path}.resourceFieldRef`, item.resourceFieldRef, true)
  else causes.push(required(path, 'one of fieldRef and resourceFieldRef is required'))
  validateMode(causes, `${path}.mode`, item.mode)
}

function validateProjections(causes: Causes, path: string, projections: DeepReadonly<core.VolumeProjection[]> | undefined): void {
  const paths = new Set<string>()
  const claim = (file: string, source: string | undefined) => {
    if (!file) return
    if (paths.has(file)) causes.push(invalid(path, source ?? '', 'conflicting duplicate paths'))
    paths.add(file)
  }
  projections?.forEach((projection, i) => {
    const at = `${path}.sources[${i}]`
    let count = 0
    const first = () => {
      if (count++ === 0) return true
      causes.push(forbidden(at, 'may not specify more than 1 volume type'))
      return false
    }
    const { secret, configMap, serviceAccountToken, clusterTrustBundle, podCertificate } = projection
    const downwardAPI = projection.downwardAPI as DeepReadonly<core.DownwardAPIProjection> | undefined
    if (secret && first()) {
      if (!secret.name) causes.push(required(`${at}.secret.name`))
      else invalidEach(causes, `${at}.secret.name`, secret.name, dns1123Subdomain(secret.name))
      validateItems(causes, `${at}.secret`, secret.items)
      secret.items?.forEach((item) => claim(item.path, secret.name))
    }
    if (configMap && first()) {
      if (!configMap.name) causes.push(required(`${at}.configMap.name`))
      else invalidEach(causes, `${at}.configMap.name`, configMap.name, dns1123Subdomain(configMap.name))
      validateItems(causes, `${at}.configMap`, configMap.items)
      configMap.items?.forEach((item) => claim(item.path, configMap.name))
    }
    if (downwardAPI && first()) {
      downwardAPI.items?.forEach((item) => {
        validateDownwardItem(causes, `${at}.downwardAPI`, item)
        claim(item.path, item.path)
      })
    }
    if (serviceAccountToken && first()) {
      const seconds = serviceAccountToken.expirationSeconds
      if (seconds !== undefined && seconds < 600)
        causes.push(invalid(`${at}.serviceAccountToken.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'))
      if (seconds !== undefined && seconds > 2 ** 32)
        causes.push(invalid(`${at}.serviceAccountToken.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'))
      if (!serviceAccountToken.path) causes.push(required(`${path}.path`))
      else validateDescendingPath(causes, `${path}.path`, serviceAccountToken.path)
    }
    if (clusterTrustBundle && first()) {
      if (!clusterTrustBundle.path) causes.push(required(`${at}.clusterTrustBundle.path`))
      claim(clusterTrustBundle.path, clusterTrustBundle.path)
    }
    if (podCertificate && first() && !podCertificate.signerName) causes.push(required(`${at}.podCertificate.signerName`))
  })
}
