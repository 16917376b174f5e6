import type { DeepReadonly, core } from '#api'
import { type Causes, duplicate, forbidden, invalid, notSupported, optionalOneOf, required, tooLong } from '../causes.ts'
import { internalForm, internalForms } from '../internal-form.ts'
import { forEveryContainer } from './every-container.ts'
import { validateDescendingPath } from './paths.ts'
import { validateWindowsOptions } from './windows.ts'

type PodSpec = DeepReadonly<core.PodSpec>
type SeccompProfile = DeepReadonly<core.SeccompProfile>
type AppArmorProfile = DeepReadonly<core.AppArmorProfile>

const idRange = 'must be between 0 and 2147483647, inclusive'
const sysctlName = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/
const sysctlPattern = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$'
const profiles = ['Localhost', 'RuntimeDefault', 'Unconfined']
/** PATH_MAX - 1. */
const maxProfilePath = 4095

export function validateContainerSecurityContext(
  causes: Causes,
  path: string,
  context: DeepReadonly<core.SecurityContext>,
  hostUsers: boolean | undefined,
): void {
  validateId(causes, `${path}.runAsUser`, context.runAsUser)
  validateId(causes, `${path}.runAsGroup`, context.runAsGroup)
  const { procMount } = context
  if (procMount !== undefined) {
    optionalOneOf(causes, `${path}.procMount`, procMount, ['Default', 'Unmasked'])
    if (procMount === 'Unmasked' && hostUsers !== false)
      causes.push(invalid(`${path}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`'))
  }
  if (context.seccompProfile) validateSeccompProfile(causes, `${path}.seccompProfile`, context.seccompProfile)
  if (context.allowPrivilegeEscalation === false) {
    const shown = () => internalForm(context, internalForms.securityContext)
    if (context.privileged) causes.push(invalid(path, shown(), 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'))
    for (const capability of context.capabilities?.add ?? [])
      if (capability === 'CAP_SYS_ADMIN')
        causes.push(invalid(path, shown(), 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'))
  }
  if (context.windowsOptions) validateWindowsOptions(causes, `${path}.windowsOptions`, context.windowsOptions)
  if (context.appArmorProfile) validateAppArmorProfile(causes, `${path}.appArmorProfile`, context.appArmorProfile)
}

export function validatePodSecurityContext(causes: Causes, path: string, spec: PodSpec): void {
  const context = spec.securityContext
  const at = `${path}.securityContext`
  if (spec.shareProcessNamespace && spec.hostPID)
    causes.push(invalid(`${at}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'))
  if (!context) return
  validateId(causes, `${at}.fsGroup`, context.fsGroup)
  validateId(causes, `${at}.runAsUser`, context.runAsUser)
  validateId(causes, `${at}.runAsGroup`, context.runAsGroup)
  context.supplementalGroups?.forEach((group, i) => validateId(causes, `${at}.supplementalGroups[${i}]`, group))
  if (context.sysctls) validateSysctls(causes, `${at}.sysctls`, context.sysctls, spec)
  optionalOneOf(causes, `${at}.fsGroupChangePolicy`, context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'])
  if (context.seccompProfile) validateSeccompProfile(causes, `${at}.seccompProfile`, context.seccompProfile)
  if (context.windowsOptions) validateWindowsOptions(causes, `${at}.windowsOptions`, context.windowsOptions)
  if (context.appArmorProfile) validateAppArmorProfile(causes, `${at}.appArmorProfile`, context.appArmorProfile)
  optionalOneOf(causes, `${at}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, ['Merge', 'Strict'])
  optionalOneOf(causes, `${at}.seLinuxChangePolicy`, context.seLinuxChangePolicy, ['MountOption', 'Recursive'])
}

function validateId(causes: Causes, path: string, id: number | undefined): void {
  if (id !== undefined && !(id >= 0 && id <= 2147483647)) causes.push(invalid(path, id, idRange))
}

function validateSeccompProfile(causes: Causes, path: string, profile: SeccompProfile): void {
  const { type, localhostProfile } = profile
  if (!type) causes.push(required(`${path}.type`, 'type is required when seccompProfile is set'))
  else if (!profiles.includes(type)) causes.push(notSupported(`${path}.type`, type, profiles))
  const at = `${path}.localhostProfile`
  if (type === 'Localhost') {
    if (localhostProfile === undefined) causes.push(required(at, 'must be set when seccomp type is Localhost'))
    else validateDescendingPath(causes, at, localhostProfile)
  } else if (localhostProfile !== undefined)
    causes.push(invalid(at, internalForm(profile, internalForms.profile), 'can only be set when seccomp type is Localhost'))
}

/** Also checks profiles that annotations name. */
export function validateAppArmorProfile(causes: Causes, path: string, { type, localhostProfile }: AppArmorProfile): void {
  const at = `${path}.localhostProfile`
  const missing = 'must be set when AppArmor type is Localhost'
  if (!type) causes.push(required(`${path}.type`, 'type is required when appArmorProfile is set'))
  else if (!profiles.includes(type)) causes.push(notSupported(`${path}.type`, type, profiles))
  else if (type !== 'Localhost') {
    if (localhostProfile !== undefined) causes.push(invalid(at, localhostProfile, 'can only be set when AppArmor type is Localhost'))
  } else if (localhostProfile === undefined) causes.push(required(at, missing))
  else {
    if (localhostProfile.trim() !== localhostProfile) causes.push(invalid(at, localhostProfile, 'must not be padded with whitespace'))
    else if (localhostProfile === '') causes.push(required(at, missing))
    if (localhostProfile.length > maxProfilePath) causes.push(tooLong(at, maxProfilePath))
  }
}

function validateSysctls(causes: Causes, path: string, sysctls: DeepReadonly<core.Sysctl[]>, spec: PodSpec): void {
  const names = new Set<string>()
  sysctls.forEach(({ name = '' }, i) => {
    const at = `${path}[${i}].name`
    if (!name) causes.push(required(at))
    else if (name.length > 253 || !sysctlName.test(name))
      causes.push(invalid(at, name, `must have at most 253 characters and match regex ${sysctlPattern}`))
    else if (names.has(name)) causes.push(duplicate(at, name))
    names.add(name)
    const namespace = sysctlNamespace(name)
    if (spec.hostNetwork && namespace === 'net') causes.push(invalid(at, name, "may not be specified when 'hostNetwork' is true"))
    else if (spec.hostIPC && namespace === 'ipc') causes.push(invalid(at, name, "may not be specified when 'hostIPC' is true"))
  })
}

/** The kernel namespace that a sysctl belongs to. Slashes stand for dots when the first separator is one (sysctl.d(5)). */
function sysctlNamespace(name: string): 'net' | 'ipc' | undefined {
  const first = name.search(/[./]/)
  const dotted = first >= 0 && name[first] === '/' ? name.replace(/[./]/g, (one) => (one === '/' ? '.' : '/')) : name
  if (dotted.startsWith('net.')) return 'net'
  return /^kernel\.(sem$|shm|msg)|^fs\.mqueue\./.test(dotted) ? 'ipc' : undefined
}

/** With users of its own, a pod has no namespace of the host's, and no raw devices, whose owners cannot be mapped. */
export function validateHostUsers(causes: Causes, path: string, spec: PodSpec): void {
  if (spec.hostUsers !== false) return
  const why = 'when `hostUsers` is false'
  if (spec.hostNetwork) causes.push(forbidden(`${path}.hostNetwork`, why))
  // upstream writes these two with a capital letter
  if (spec.hostPID) causes.push(forbidden(`${path}.HostPID`, why))
  if (spec.hostIPC) causes.push(forbidden(`${path}.HostIPC`, why))
  forEveryContainer(spec, path, ({ volumeDevices }, at) => {
    if (volumeDevices?.length) causes.push(forbidden(`${at}.volumeDevices`, why))
  })
}
