import type { DeepReadonly, core } from '#api'
import { dns1123Label } from '#api'
import { type Causes, duplicate, forbidden, invalid, invalidEach, notFound, notSupported, required } from '../causes.ts'
import { validateResourceRequirements } from '../resources.ts'
import { validateEnv, validateEnvFrom } from './env.ts'
import { claimHostPorts, validatePorts } from './ports.ts'
import { validateLifecycle, validateProbes } from './probes.ts'
import { validateContainerClaims } from './resource-claims.ts'
import { validateResizePolicy, validateRestartPolicy } from './restart.ts'
import { validateContainerSecurityContext } from './security.ts'
import { validateVolumeDevices, validateVolumeMounts } from './volume-mounts.ts'

type Container = DeepReadonly<core.Container>
type PodSpec = DeepReadonly<core.PodSpec>
type Volumes = ReadonlyMap<string, DeepReadonly<core.Volume>>

const pullPolicies = ['Always', 'IfNotPresent', 'Never']
const messagePolicies = ['File', 'FallbackToLogsOnError']

/** Checks the containers of a pod, the init containers and the ephemeral ones. `volumes` are the pod's volumes by name. */
export function validateContainers(causes: Causes, path: string, spec: PodSpec, volumes: Volumes): void {
  const names = new Set<string>()
  if (spec.containers.length === 0) causes.push(required(`${path}.containers`))
  let hostPorts: Set<string> | undefined
  for (let i = 0; i < spec.containers.length; i++) {
    const container = spec.containers[i]!
    const at = `${path}.containers[${i}]`
    validateCommon(causes, at, container, volumes, spec)
    claimName(causes, at, container.name, names)
    validateLifecycle(causes, `${at}.lifecycle`, container.lifecycle, spec)
    validateProbes(causes, at, container)
    if (container.restartPolicy !== undefined || container.restartPolicyRules) validateRestartPolicy(causes, at, container)
    if (container.ports) hostPorts = claimHostPorts(causes, at, container.ports, hostPorts)
  }
  spec.initContainers?.forEach((container, i) => validateInitContainer(causes, `${path}.initContainers[${i}]`, container, spec, volumes, names))
  if (spec.ephemeralContainers?.length) validateEphemeralContainers(causes, `${path}.ephemeralContainers`, spec, names, volumes)
}

const notOfInitContainers = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const

function validateInitContainer(causes: Causes, path: string, container: Container, spec: PodSpec, volumes: Volumes, names: Set<string>): void {
  validateCommon(causes, path, container, volumes, spec)
  validateRestartPolicy(causes, path, container)
  claimName(causes, path, container.name, names)
  // init containers run one by one, so that only a container's own ports can collide; upstream counts each as the first
  if (container.ports) claimHostPorts(causes, path.replace(/\[\d+\]$/, '[0]'), container.ports, undefined)
  if (container.restartPolicy === 'Always') {
    validateLifecycle(causes, `${path}.lifecycle`, container.lifecycle, spec)
    validateProbes(causes, path, container)
    return
  }
  for (const field of notOfInitContainers)
    if (container[field]) causes.push(forbidden(`${path}.${field}`, 'may not be set for init containers without restartPolicy=Always'))
  container.resizePolicy?.forEach(({ restartPolicy }, j) => {
    if (restartPolicy === 'RestartContainer')
      causes.push(
        invalid(`${path}.resizePolicy[${j}].restartPolicy`, restartPolicy, "must not be set to 'RestartContainer' for non-sidecar initContainers"),
      )
  })
}

const notOfEphemeralContainers = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const

function validateEphemeralContainers(causes: Causes, path: string, spec: PodSpec, names: Set<string>, volumes: Volumes): void {
  const targets = new Set([...spec.containers, ...(spec.initContainers ?? [])].map((c) => c.name))
  const refused = 'cannot be set for an Ephemeral Container'
  spec.ephemeralContainers!.forEach((container, i) => {
    const at = `${path}[${i}]`
    validateCommon(causes, at, container, volumes, spec)
    validateImageText(causes, at, container.image)
    claimName(causes, at, container.name, names)
    if (container.targetContainerName && !targets.has(container.targetContainerName))
      causes.push(notFound(`${at}.targetContainerName`, container.targetContainerName))
    for (const field of notOfEphemeralContainers) if (isSet(container[field])) causes.push(forbidden(`${at}.${field}`, refused))
    container.volumeMounts?.forEach((mount, j) => {
      if (mount.subPath) causes.push(forbidden(`${at}.volumeMounts[${j}].subPath`, refused))
      if (mount.subPathExpr) causes.push(forbidden(`${at}.volumeMounts[${j}].subPathExpr`, refused))
    })
  })
}

/** Whether there is anything in it: defaulting makes empty resources, and an empty list says nothing. */
function isSet(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value !== undefined && value !== null
  return Object.keys(value).length > 0
}

/** Containers of all kinds share one room for names. */
function claimName(causes: Causes, path: string, name: string | undefined, names: Set<string>): void {
  if (!name) return
  if (names.has(name)) causes.push(duplicate(`${path}.name`, name))
  else names.add(name)
}

/** Pods, unlike templates, name images exactly. */
export function validateImageText(causes: Causes, path: string, image: string | undefined): void {
  if (image && image.trim().length !== image.length) causes.push(invalid(`${path}.image`, image, 'must not have leading or trailing whitespace'))
}

function validateCommon(causes: Causes, path: string, container: Container, volumes: Volumes, spec: PodSpec): void {
  const { name, resources } = container
  if (!name) causes.push(required(`${path}.name`))
  else invalidEach(causes, `${path}.name`, name, dns1123Label(name))
  if (!container.image) causes.push(required(`${path}.image`))
  const messages = container.terminationMessagePolicy
  if (messages !== 'File' && messages !== 'FallbackToLogsOnError')
    causes.push(messages ? notSupported(`${path}.terminationMessagePolicy`, messages, messagePolicies) : required(`${path}.terminationMessagePolicy`))
  if (container.ports) validatePorts(causes, `${path}.ports`, container.ports)
  validateEnv(causes, `${path}.env`, container.env)
  validateEnvFrom(causes, `${path}.envFrom`, container.envFrom)
  if (container.volumeMounts) validateVolumeMounts(causes, `${path}.volumeMounts`, container, volumes)
  if (container.volumeDevices) validateVolumeDevices(causes, `${path}.volumeDevices`, container, volumes)
  const policy = container.imagePullPolicy
  if (policy !== 'IfNotPresent' && policy !== 'Always' && policy !== 'Never')
    causes.push(policy ? notSupported(`${path}.imagePullPolicy`, policy, pullPolicies) : required(`${path}.imagePullPolicy`))
  validateResourceRequirements(causes, `${path}.resources`, resources)
  if (resources?.claims) validateContainerClaims(causes, `${path}.resources.claims`, resources.claims, spec.resourceClaims)
  if (container.resizePolicy) validateResizePolicy(causes, `${path}.resizePolicy`, container.resizePolicy, spec.restartPolicy)
  if (container.securityContext) validateContainerSecurityContext(causes, `${path}.securityContext`, container.securityContext, spec.hostUsers)
}
