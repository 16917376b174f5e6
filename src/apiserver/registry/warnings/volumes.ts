import type { DeepReadonly, core } from '#api'
import { mostWarnings } from './most.ts'
import { fractionWarnings } from './quantities.ts'

type Volume = DeepReadonly<core.Volume>
type Projection = DeepReadonly<core.VolumeProjection>

const gone = new Map<string, string>([
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
])

/** Warnings about kinds of volumes that no longer work, and about files that would lie over each other. */
export function volumeWarnings(warnings: string[], path: string, volumes: readonly Volume[]): void {
  volumes.forEach((volume, i) => {
    for (const kind in volume) {
      const message = gone.get(kind)
      // upstream's path differs from the field's name here
      if (message && volume[kind as keyof Volume]) warnings.push(`${path}[${i}].${kind === 'storageos' ? 'storageOS' : kind}: ${message}`)
    }
    const resources = volume.ephemeral?.volumeClaimTemplate?.spec?.resources
    if (!resources) return
    const at = `${path}[${i}].ephemeral.volumeClaimTemplate.spec.resources`
    fractionWarnings(warnings, `${at}.requests`, resources.requests, ['storage'])
    fractionWarnings(warnings, `${at}.limits`, resources.limits, ['storage'])
  })
  for (const volume of volumes) overlapWarnings(warnings, volume)
}

interface File {
  path: string
  /** What it comes from, where there may be several. */
  source: string
}

function overlapWarnings(warnings: string[], { name, configMap, secret, downwardAPI, projected }: Volume): void {
  if (configMap?.items) overlaps(warnings, `volume "${name}" (ConfigMap "${configMap.name ?? ''}")`, files(configMap.items, ''))
  if (secret?.items) overlaps(warnings, `volume "${name}" (Secret "${secret.secretName ?? ''}")`, files(secret.items, ''))
  if (downwardAPI?.items) overlaps(warnings, `volume "${name}" (DownwardAPI)`, files(downwardAPI.items, ''))
  if (!projected) return
  const all: File[] = []
  for (const source of projected.sources ?? []) {
    if (Object.values(source).some((value) => value !== undefined)) all.push(...filesOf(source))
    else warnings.push(`volume "${name}" (Projected) has no sources provided`)
  }
  overlaps(warnings, `volume "${name}" (Projected)`, all)
}

const files = (items: DeepReadonly<{ path?: string }[]> | undefined, source: string): File[] =>
  (items ?? []).map(({ path = '' }) => ({ path: path.replace(/\/+$/, ''), source }))

function filesOf({ configMap, secret, downwardAPI, serviceAccountToken: token, clusterTrustBundle: bundle, podCertificate }: Projection): File[] {
  if (configMap?.items) return files(configMap.items, `ConfigMap "${configMap.name ?? ''}"`)
  if (secret?.items) return files(secret.items, `Secret "${secret.name ?? ''}"`)
  const items = (downwardAPI as core.DownwardAPIProjection | undefined)?.items
  if (items) return files(items, 'DownwardAPI')
  if (token) return files([token], 'ServiceAccountToken')
  if (bundle) return files([bundle], `ClusterTrustBundle "${bundle.name ?? bundle.signerName ?? ''}"`)
  if (!podCertificate) return []
  const { certificateChainPath, keyPath, credentialBundlePath } = podCertificate
  return [
    ...(certificateChainPath ? files([{ path: certificateChainPath }], 'PodCertificate chain') : []),
    ...(keyPath ? files([{ path: keyPath }], 'PodCertificate key') : []),
    ...(credentialBundlePath ? files([{ path: credentialBundlePath }], 'PodCertificate credential bundle') : []),
  ]
}

/** Says which files lie over each other; that there is any is found out without comparing each with each. */
function overlaps(warnings: string[], where: string, all: readonly File[]): void {
  const files = new Set<string>()
  const directories = new Set<string>()
  all.forEach((file, i) => {
    const above = directoriesOf(file.path)
    if (files.has(file.path) || directories.has(file.path) || above.some((directory) => files.has(directory)))
      for (const other of all.slice(0, i)) {
        if (warnings.length >= mostWarnings) return
        if (isSame(file, other)) warnings.push(`${where}: overlapping paths: ${shown(file)} with ${shown(other)}`)
      }
    files.add(file.path)
    for (const directory of above) directories.add(directory)
  })
}

/** What a path is deep enough for. */
const deepest = 64

function directoriesOf(path: string): string[] {
  const found: string[] = []
  for (let at = path.indexOf('/'); at >= 0 && found.length < deepest; at = path.indexOf('/', at + 1)) found.push(path.slice(0, at))
  return found
}

function isSame({ path: a }: File, { path: b }: File): boolean {
  if (a === '' || b === '') return false
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`)
}

const shown = ({ path, source }: File) => (source ? `"${path}" (${source})` : `"${path}"`)
