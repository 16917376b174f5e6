import type { DeepReadonly, core } from '#api'
import { type Causes, forbidden, invalid, notFound, notSupported, required } from '../causes.ts'
import { hasBacksteps, validateDescendingPath } from './paths.ts'

type Container = DeepReadonly<core.Container>
type Volumes = ReadonlyMap<string, DeepReadonly<core.Volume>>

const propagationModes = ['Bidirectional', 'HostToContainer', 'None']
const recursiveModes = ['Disabled', 'Enabled', 'IfPossible']

export function validateVolumeMounts(causes: Causes, path: string, container: Container, volumes: Volumes): void {
  const points = new Set<string>()
  const devices = container.volumeDevices
  container.volumeMounts!.forEach((mount, i) => {
    const at = `${path}[${i}]`
    if (!mount.name) causes.push(required(`${at}.name`))
    if (!volumes.has(mount.name)) causes.push(notFound(`${at}.name`, mount.name ?? ''))
    if (!mount.mountPath) causes.push(required(`${at}.mountPath`))
    if (points.has(mount.mountPath)) causes.push(invalid(`${at}.mountPath`, mount.mountPath, 'must be unique'))
    points.add(mount.mountPath)
    if (devices?.some((device) => device.name === mount.name))
      causes.push(invalid(`${at}.name`, mount.name, 'must not already exist in volumeDevices'))
    if (devices?.some((device) => device.devicePath === mount.mountPath))
      causes.push(invalid(`${at}.mountPath`, mount.mountPath, 'must not already exist as a path in volumeDevices'))
    // upstream names these fields without the index
    if (mount.subPath) validateDescendingPath(causes, `${path}.subPath`, mount.subPath)
    if (mount.subPathExpr) {
      if (mount.subPath) causes.push(invalid(`${at}.subPathExpr`, mount.subPathExpr, 'subPathExpr and subPath are mutually exclusive'))
      validateDescendingPath(causes, `${path}.subPathExpr`, mount.subPathExpr)
    }
    if (mount.mountPropagation !== undefined) validatePropagation(causes, `${path}.mountPropagation`, mount.mountPropagation, container)
    if (mount.recursiveReadOnly !== undefined) validateRecursive(causes, `${path}.recursiveReadOnly`, mount)
  })
}

function validatePropagation(causes: Causes, path: string, mode: string, container: Container): void {
  if (!propagationModes.includes(mode)) causes.push(notSupported(path, mode, propagationModes))
  if (mode === 'Bidirectional' && !container.securityContext?.privileged)
    causes.push(forbidden(path, 'Bidirectional mount propagation is available only to privileged containers'))
}

function validateRecursive(causes: Causes, path: string, mount: DeepReadonly<core.VolumeMount>): void {
  const mode = mount.recursiveReadOnly!
  if (mode === 'Disabled') return
  if (!recursiveModes.includes(mode)) {
    causes.push(notSupported(path, mode, recursiveModes))
    return
  }
  if (!mount.readOnly) causes.push(forbidden(path, 'may only be specified when readOnly is true'))
  if (mount.mountPropagation !== undefined && mount.mountPropagation !== 'None')
    causes.push(forbidden(path, 'may only be specified when mountPropagation is None or not specified'))
}

export function validateVolumeDevices(causes: Causes, path: string, container: Container, volumes: Volumes): void {
  const [paths, names] = [new Set<string>(), new Set<string>()]
  const mounts = container.volumeMounts
  container.volumeDevices!.forEach(({ name, devicePath }, i) => {
    const at = `${path}[${i}]`
    if (!name) causes.push(required(`${at}.name`))
    if (names.has(name)) causes.push(invalid(`${at}.name`, name, 'must be unique'))
    const volume = volumes.get(name)
    if (!volume) causes.push(notFound(`${at}.name`, name ?? ''))
    else if (!volume.persistentVolumeClaim && !volume.ephemeral)
      causes.push(invalid(`${at}.name`, name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'))
    if (!devicePath) causes.push(required(`${at}.devicePath`))
    if (paths.has(devicePath)) causes.push(invalid(`${at}.devicePath`, devicePath, 'must be unique'))
    if (devicePath && hasBacksteps(devicePath)) causes.push(invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"))
    else paths.add(devicePath)
    if (mounts?.some((mount) => mount.name === name)) causes.push(invalid(`${at}.name`, name, 'must not already exist in volumeMounts'))
    if (mounts?.some((mount) => mount.mountPath === devicePath))
      causes.push(invalid(`${at}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'))
    if (name) names.add(name)
  })
}
