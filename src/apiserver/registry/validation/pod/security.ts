import type { DeepReadonly, core } from '#api'
import { type Causes, duplicate, invalid, notSupported, optionalOneOf, required } from '../causes.ts'

const idRange = 'must be between 0 and 2147483647, inclusive'
const sysctlName = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/
const sysctlPattern = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$'
const profiles = ['Localhost', 'RuntimeDefault', 'Unconfined']

export function validateContainerSecurityContext(causes: Causes, path: string, context: DeepReadonly<core.SecurityContext>): void {
  validateId(causes, `${path}.runAsUser`, context.runAsUser)
  validateId(causes, `${path}.runAsGroup`, context.runAsGroup)
  optionalOneOf(causes, `${path}.procMount`, context.procMount, ['Default', 'Unmasked'])
  if (context.seccompProfile) validateProfile(causes, `${path}.seccompProfile`, context.seccompProfile, 'seccomp')
  if (context.appArmorProfile) validateProfile(causes, `${path}.appArmorProfile`, context.appArmorProfile, 'AppArmor')
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged) causes.push(invalid(path, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'))
    if (context.capabilities?.add?.some((capability) => capability === 'CAP_SYS_ADMIN'))
      causes.push(invalid(path, context, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'))
  }
}

export function validatePodSecurityContext(causes: Causes, path: string, spec: DeepReadonly<core.PodSpec>): void {
  const context = spec.securityContext
  if (!context) return
  const at = `${path}.securityContext`
  validateId(causes, `${at}.fsGroup`, context.fsGroup)
  validateId(causes, `${at}.runAsUser`, context.runAsUser)
  validateId(causes, `${at}.runAsGroup`, context.runAsGroup)
  context.supplementalGroups?.forEach((group, i) => validateId(causes, `${at}.supplementalGroups[${i}]`, group))
  if (spec.shareProcessNamespace && spec.hostPID)
    causes.push(invalid(`${at}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'))
  if (context.sysctls) validateSysctls(causes, `${at}.sysctls`, context.sysctls, spec)
  optionalOneOf(causes, `${at}.fsGroupChangePolicy`, context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'])
  optionalOneOf(causes, `${at}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, ['Merge', 'Strict'])
  if (context.seccompProfile) validateProfile(causes, `${at}.seccompProfile`, context.seccompProfile, 'seccomp')
  if (context.appArmorProfile) validateProfile(causes, `${at}.appArmorProfile`, context.appArmorProfile, 'AppArmor')
}

function validateId(causes: Causes, path: string, id: number | undefined): void {
  if (id !== undefined && !(id >= 0 && id <= 2147483647)) causes.push(invalid(path, id, idRange))
}

function validateProfile(
  causes: Causes,
  path: string,
  profile: DeepReadonly<{ type: string; localhostProfile?: string }>,
  what: 'seccomp' | 'AppArmor',
): void {
  if (!profile.type)
    causes.push(required(`${path}.type`, `type is required when ${what === 'seccomp' ? 'seccompProfile' : 'appArmorProfile'} is set`))
  else if (!profiles.includes(profile.type)) causes.push(notSupported(`${path}.type`, profile.type, profiles))
  if (profile.type === 'Localhost') {
    if (!profile.localhostProfile) causes.push(required(`${path}.localhostProfile`, `must be set when ${what} type is Localhost`))
    else if (profile.localhostProfile.startsWith('/'))
      causes.push(invalid(`${path}.localhostProfile`, profile.localhostProfile, 'must be a relative path'))
    else if (profile.localhostProfile.split('/').includes('..'))
      causes.push(invalid(`${path}.localhostProfile`, profile.localhostProfile, "must not contain '..'"))
  } else if (profile.localhostProfile !== undefined)
    causes.push(invalid(`${path}.localhostProfile`, profile, `can only be set when ${what} type is Localhost`))
}

function validateSysctls(causes: Causes, path: string, sysctls: DeepReadonly<core.Sysctl[]>, spec: DeepReadonly<core.PodSpec>): void {
  const names = new Set<string>()
  sysctls.forEach((sysctl, i) => {
    const at = `${path}[${i}].name`
    if (!sysctl.name) causes.push(required(at))
    else if (sysctl.name.length > 253 || !sysctlName.test(sysctl.name))
      causes.push(invalid(at, sysctl.name, `must have at most 253 characters and match regex ${sysctlPattern}`))
    else if (names.has(sysctl.name)) causes.push(duplicate(at, sysctl.name))
    names.add(sysctl.name)
    const dotted = (sysctl.name ?? '').replaceAll('/', '.')
    if (spec.hostNetwork && dotted.startsWith('net.')) causes.push(invalid(at, sysctl.name, "may not be specified when 'hostNetwork' is true"))
    if (
      spec.hostIPC &&
      (dotted.startsWith('kernel.shm') || dotted.startsWith('kernel.msg') || dotted === 'kernel.sem' || dotted.startsWith('fs.mqueue.'))
    )
      causes.push(invalid(at, sysctl.name, "may not be specified when 'hostIPC' is true"))
  })
}
