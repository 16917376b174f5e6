import type { DeepReadonly, core } from '#api'
import { dns1123Label, portName, portNumber } from '#api'
import { type Causes, duplicate, forbidden, invalid, invalidEach, notFound, notSupported, required } from '../causes.ts'
import { validateResourceRequirements } from '../resources.ts'
import { validateEnv, validateEnvFrom } from './env.ts'
import { validateLifecycle, validateProbes } from './probes.ts'
import { validateContainerSecurityContext } from './security.ts'

type Container = DeepReadonly<core.Container>
type PodSpec = DeepReadonly<core.PodSpec>

const pullPolicies = ['Always', 'IfNotPresent', 'Never']
const protocols = ['SCTP', 'TCP', 'UDP']
const propagationModes = ['Bidirectional', 'HostToContainer', 'None']

/** Checks the containers of a pod, the init containers and the ephemeral ones. `volumes` are the pod's volumes by name. */
export function validateContainers(causes: Causes, path: string, spec: PodSpec, volumes: ReadonlyMap<string, DeepReadonly<core.Volume>>): void {
  const names = new Set<string>()
  const grace = spec.terminationGracePeriodSeconds
  if (spec.containers.length === 0) causes.push(required(`${path}.containers`))
  let hostPorts: Set<string> | undefined
  for (let i = 0; i < spec.containers.length; i++) {
    const container = spec.containers[i]!
    const at = `${path}.containers[${i}]`
    validateCommon(causes, at, container, names, volumes, spec)
    validateLifecycle(causes, `${at}.lifecycle`, container.lifecycle, grace)
    validateProbes(causes, at, container)
    if (container.restartPolicy !== undefined && !['Always', 'Never', 'OnFailure'].includes(container.restartPolicy))
      causes.push(notSupported(`${at}.restartPolicy`, container.restartPolicy, ['Always', 'Never', 'OnFailure']))
    if (container.ports) hostPorts = claimHostPorts(causes, at, container.ports, hostPorts)
  }
  spec.initContainers?.forEach((container, i) => {
    const at = `${path}.initContainers[${i}]`
    validateCommon(causes, at, container, names, volumes, spec)
    if (container.restartPolicy === 'Always') {
      validateLifecycle(causes, `${at}.lifecycle`, container.lifecycle, grace)
      validateProbes(causes, at, container)
      if (container.ports) hostPorts = claimHostPorts(causes, at, container.ports, hostPorts)
      return
    }
    for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const)
      if (container[field]) causes.push(forbidden(`${at}.${field}`, 'may not be set for init containers without restartPolicy=Always'))
    if (container.restartPolicy !== undefined && !['Never', 'OnFailure'].includes(container.restartPolicy))
      causes.push(notSupported(`${at}.restartPolicy`, container.restartPolicy, ['Always', 'Never', 'OnFailure']))
    if (container.ports) claimHostPorts(causes, at, container.ports, undefined)
  })
  if (spec.ephemeralContainers) validateEphemeralContainers(causes, `${path}.ephemeralContainers`, spec, names, volumes)
}

const ephemeralForbidden = ['ports', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'] as const

function validateEphemeralContainers(
  causes: Causes,
  path: string,
  spec: PodSpec,
  names: Set<string>,
  volumes: ReadonlyMap<string, DeepReadonly<core.Volume>>,
): void {
  const targets = new Set([...spec.containers, ...(spec.initContainers ?? [])].map((c) => c.name))
  spec.ephemeralContainers!.forEach((container, i) => {
    const at = `${path}[${i}]`
    validateCommon(causes, at, container, names, volumes, spec)
    if (container.targetContainerName && !targets.has(container.targetContainerName))
      causes.push(notFound(`${at}.targetContainerName`, container.targetContainerName))
    for (const field of ephemeralForbidden) {
      const value = container[field]
      if (Array.isArray(value) ? value.length > 0 : value !== undefined)
        causes.push(forbidden(`${at}.${field}`, 'cannot be set for an Ephemeral Container'))
    }
    if (container.resources?.limits || container.resources?.requests)
      causes.push(forbidden(`${at}.resources`, 'cannot be set for an Ephemeral Container'))
    container.volumeMounts?.forEach((mount, j) => {
      if (mount.subPath) causes.push(forbidden(`${at}.volumeMounts[${j}].subPath`, 'cannot be set for an Ephemeral Container'))
      if (mount.subPathExpr) causes.push(forbidden(`${at}.volumeMounts[${j}].subPathExpr`, 'cannot be set for an Ephemeral Container'))
    })
  })
}

function validateCommon(
  causes: Causes,
  path: string,
  container: Container,
  names: Set<string>,
  volumes: ReadonlyMap<string, DeepReadonly<core.Volume>>,
  spec: PodSpec,
): void {
  const { name, image } = container
  if (!name) causes.push(required(`${path}.name`))
  else {
    invalidEach(causes, `${path}.name`, name, dns1123Label(name))
    if (names.has(name)) causes.push(duplicate(`${path}.name`, name))
    names.add(name)
  }
  if (!image) causes.push(required(`${path}.image`))
  else if (image.trim().length !== image.length) causes.push(invalid(`${path}.image`, image, 'must not have leading or trailing whitespace'))
  if (container.terminationMessagePolicy !== 'File' && container.terminationMessagePolicy !== 'FallbackToLogsOnError')
    causes.push(
      container.terminationMessagePolicy
        ? invalid(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, "must be 'File' or 'FallbackToLogsOnError'")
        : required(`${path}.terminationMessagePolicy`),
    )
  if (container.ports) validatePorts(causes, `${path}.ports`, container.ports, spec.hostNetwork === true)
  validateEnv(causes, `${path}.env`, container.env)
  validateEnvFrom(causes, `${path}.envFrom`, container.envFrom)
  if (container.volumeMounts) validateVolumeMounts(causes, `${path}.volumeMounts`, container, volumes)
  if (container.volumeDevices) validateVolumeDevices(causes, `${path}.volumeDevices`, container, volumes)
  const policy = container.imagePullPolicy
  if (policy !== 'IfNotPresent' && policy !== 'Always' && policy !== 'Never')
    causes.push(policy ? notSupported(`${path}.imagePullPolicy`, policy, pullPolicies) : required(`${path}.imagePullPolicy`))
  validateResourceRequirements(causes, `${path}.resources`, container.resources)
  container.resources?.claims?.forEach((claim, i) => {
    if (!claim.name) causes.push(required(`${path}.resources.claims[${i}]`))
    else if (!spec.resourceClaims?.some((c) => c.name === claim.name)) causes.push(notFound(`${path}.resources.claims[${i}]`, claim.name))
  })
  container.resizePolicy?.forEach((resize, i) => {
    const at = `${path}.resizePolicy[${i}]`
    if (!['cpu', 'memory'].includes(resize.resourceName)) causes.push(notSupported(`${at}.resourceName`, resize.resourceName, ['cpu', 'memory']))
    if (!['NotRequired', 'RestartContainer'].includes(resize.restartPolicy))
      causes.push(notSupported(`${at}.restartPolicy`, resize.restartPolicy, ['NotRequired', 'RestartContainer']))
  })
  if (container.securityContext) validateContainerSecurityContext(causes, `${path}.securityContext`, container.securityContext)
}

function validatePorts(causes: Causes, path: string, ports: DeepReadonly<core.ContainerPort[]>, hostNetwork: boolean): void {
  let names: Set<string> | undefined
  for (let i = 0; i < ports.length; i++) {
    const port = ports[i]!
    const at = `${path}[${i}]`
    if (port.name) {
      const messages = portName(port.name)
      if (messages.length > 0) invalidEach(causes, `${at}.name`, port.name, messages)
      else if (names?.has(port.name)) causes.push(duplicate(`${at}.name`, port.name))
      else (names ??= new Set()).add(port.name)
    }
    if (!port.containerPort) causes.push(required(`${at}.containerPort`))
    else invalidEach(causes, `${at}.containerPort`, port.containerPort, portNumber(port.containerPort))
    if (port.hostPort) invalidEach(causes, `${at}.hostPort`, port.hostPort, portNumber(port.hostPort))
    if (hostNetwork && port.hostPort && port.hostPort !== port.containerPort)
      causes.push(invalid(`${at}.containerPort`, port.containerPort, 'must match `hostPort` when `hostNetwork` is true'))
    if (port.protocol !== 'TCP' && port.protocol !== 'UDP' && port.protocol !== 'SCTP')
      causes.push(port.protocol ? notSupported(`${at}.protocol`, port.protocol, protocols) : required(`${at}.protocol`))
  }
}

function claimHostPorts(
  causes: Causes,
  path: string,
  ports: DeepReadonly<core.ContainerPort[]>,
  taken: Set<string> | undefined,
): Set<string> | undefined {
  ports.forEach((port, i) => {
    if (!port.hostPort) return
    const key = `${port.protocol}/${port.hostIP ?? ''}/${port.hostPort}`
    if (taken?.has(key)) causes.push(duplicate(`${path}.ports[${i}].hostPort`, key))
    ;(taken ??= new Set()).add(key)
  })
  return taken
}

function validateVolumeMounts(causes: Causes, path: string, container: Container, volumes: ReadonlyMap<string, DeepReadonly<core.Volume>>): void {
  const points = new Set<string>()
  container.volumeMounts!.forEach((mount, i) => {
    const at = `${path}[${i}]`
    if (!mount.name) causes.push(required(`${at}.name`))
    if (!volumes.has(mount.name)) causes.push(notFound(`${at}.name`, mount.name))
    if (!mount.mountPath) causes.push(required(`${at}.mountPath`))
    if (points.has(mount.mountPath)) causes.push(invalid(`${at}.mountPath`, mount.mountPath, 'must be unique'))
    points.add(mount.mountPath)
    if (container.volumeDevices?.some((device) => device.devicePath === mount.mountPath))
      causes.push(invalid(`${at}.mountPath`, mount.mountPath, 'must not already exist as a path in volumeDevices'))
    if (mount.subPath) validateDescendingPath(causes, `${path}.subPath`, mount.subPath)
    if (mount.subPathExpr) {
      if (mount.subPath) causes.push(invalid(`${at}.subPathExpr`, mount.subPathExpr, 'subPathExpr and subPath are mutually exclusive'))
      validateDescendingPath(causes, `${path}.subPathExpr`, mount.subPathExpr)
    }
    const mode = mount.mountPropagation
    if (mode !== undefined && !propagationModes.includes(mode)) causes.push(notSupported(`${path}.mountPropagation`, mode, propagationModes))
    if (mode === 'Bidirectional' && !container.securityContext?.privileged)
      causes.push(forbidden(`${path}.mountPropagation`, 'Bidirectional mount propagation is available only to privileged containers'))
    const recursive = mount.recursiveReadOnly
    if (recursive !== undefined && recursive !== 'Disabled') {
      if (!['Enabled', 'IfPossible'].includes(recursive))
        causes.push(notSupported(`${path}.recursiveReadOnly`, recursive, ['Disabled', 'Enabled', 'IfPossible']))
      else if (!mount.readOnly) causes.push(forbidden(`${path}.recursiveReadOnly`, 'may only be specified when readOnly is true'))
    }
  })
}

function validateVolumeDevices(causes: Causes, path: string, container: Container, volumes: ReadonlyMap<string, DeepReadonly<core.Volume>>): void {
  const paths = new Set<string>()
  container.volumeDevices!.forEach((device, i) => {
    const at = `${path}[${i}]`
    if (!device.name) causes.push(required(`${at}.name`))
    const volume = volumes.get(device.name)
    if (!volume) causes.push(notFound(`${at}.name`, device.name))
    else if (!volume.persistentVolumeClaim && !volume.ephemeral)
      causes.push(invalid(`${at}.name`, device.name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'))
    if (!device.devicePath) causes.push(required(`${at}.devicePath`))
    else if (paths.has(device.devicePath)) causes.push(invalid(`${at}.devicePath`, device.devicePath, 'must be unique'))
    paths.add(device.devicePath)
  })
}

/** A path below the volume: relative, and without any way up. */
export function validateDescendingPath(causes: Causes, path: string, target: string): void {
  if (target.startsWith('/')) causes.push(invalid(path, target, 'must be a relative path'))
  validateNoBacksteps(causes, path, target)
}

export function validateNoBacksteps(causes: Causes, path: string, target: string): void {
  if (target.includes('..') && target.split('/').includes('..')) causes.push(invalid(path, target, "must not contain '..'"))
}
