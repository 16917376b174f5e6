import { join } from 'node:path'
import type { DeepReadonly, core } from '#api'
import type { cri } from '../cri/index.ts'
import type { ContainerSpec, Pod } from './names.ts'
import { podDescription } from './names.ts'

/** A container's security context with what it inherits from its pod's. */
export function effectiveSecurityContext(pod: Pod, container: ContainerSpec): DeepReadonly<core.SecurityContext> {
  const own = container.securityContext ?? {}
  const { runAsUser, runAsGroup, runAsNonRoot, seLinuxOptions, seccompProfile, appArmorProfile } = pod.spec?.securityContext ?? {}
  return {
    ...own,
    runAsUser: own.runAsUser ?? runAsUser,
    runAsGroup: own.runAsGroup ?? runAsGroup,
    runAsNonRoot: own.runAsNonRoot ?? runAsNonRoot,
    seLinuxOptions: own.seLinuxOptions ?? seLinuxOptions,
    seccompProfile: own.seccompProfile ?? seccompProfile,
    appArmorProfile: own.appArmorProfile ?? appArmorProfile,
  }
}

/** Whom the image runs as by default: a number or a name. */
export interface ImageUser {
  uid?: number
  username: string
}

/** Why a container that must not run as root would or might do so; undefined when it does not. */
export function nonRootViolation(pod: Pod, container: ContainerSpec, user: ImageUser): string | undefined {
  const context = effectiveSecurityContext(pod, container)
  if (!context.runAsNonRoot) return undefined
  const where = `(pod: "${podDescription(pod)}", container: ${container.name})`
  if (context.runAsUser !== undefined) return context.runAsUser === 0 ? `container's runAsUser breaks non-root policy ${where}` : undefined
  if (user.uid === 0) return `container has runAsNonRoot and image will run as root ${where}`
  if (user.uid === undefined && user.username !== '') {
    return `container has runAsNonRoot and image has non-numeric user (${user.username}), cannot verify user is non-root ${where}`
  }
  return undefined
}

/** Paths that the kubelet hides from containers whose `procMount` is Default. */
const maskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
]
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

export function seccompProfile(profile: DeepReadonly<core.SeccompProfile> | undefined, profileRoot: string): cri.SecurityProfile {
  switch (profile?.type) {
    case 'RuntimeDefault':
      return { profileType: 'RuntimeDefault' }
    case 'Localhost':
      return { profileType: 'Localhost', localhostRef: join(profileRoot, profile.localhostProfile ?? '') }
    default:
      return { profileType: 'Unconfined' }
  }
}

function appArmorProfile({ type, localhostProfile }: DeepReadonly<core.AppArmorProfile>): cri.SecurityProfile {
  if (type === 'Localhost') return { profileType: 'Localhost', localhostRef: localhostProfile ?? '' }
  return { profileType: type === 'RuntimeDefault' ? 'RuntimeDefault' : 'Unconfined' }
}

export function namespaces(pod: Pod): cri.NamespaceOption {
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace } = pod.spec ?? {}
  return {
    network: hostNetwork ? 'NODE' : 'POD',
    pid: hostPID ? 'NODE' : shareProcessNamespace ? 'POD' : 'CONTAINER',
    ipc: hostIPC ? 'NODE' : 'POD',
  }
}

const int64 = (value: number | undefined) => (value === undefined ? {} : { value })

export interface ContainerSecurityInput {
  pod: Pod
  container: ContainerSpec
  user: ImageUser
  /** Groups that volumes ask for, besides the pod's own. */
  volumeGroups: readonly number[]
  seccompRoot: string
  /** The container whose processes an ephemeral container sees. */
  targetId?: string
  /** The runtime can keep an image's own groups out; pods that ask for it are not admitted where it cannot. */
  strictGroups: boolean
}

export function containerSecurity(input: ContainerSecurityInput): cri.LinuxContainerSecurityContext {
  const { pod, container, user, seccompRoot, targetId } = input
  const context = effectiveSecurityContext(pod, container)
  const podContext = pod.spec?.securityContext ?? {}
  const groups = [...(podContext.supplementalGroups ?? []), ...(podContext.fsGroup === undefined ? [] : [podContext.fsGroup]), ...input.volumeGroups]
  const uid = context.runAsUser ?? user.uid
  const unmasked = context.procMount === 'Unmasked'
  return {
    namespaceOptions: targetId ? { ...namespaces(pod), pid: 'TARGET', targetId } : namespaces(pod),
    ...(uid === undefined ? (user.username ? { runAsUsername: user.username } : {}) : { runAsUser: int64(uid) as cri.Int64Value }),
    ...(context.runAsGroup === undefined ? {} : { runAsGroup: { value: context.runAsGroup } }),
    supplementalGroups: [...new Set(groups)],
    ...(input.strictGroups ? { supplementalGroupsPolicy: podContext.supplementalGroupsPolicy === 'Strict' ? 'Strict' : 'Merge' } : {}),
    privileged: context.privileged ?? false,
    readonlyRootfs: context.readOnlyRootFilesystem ?? false,
    noNewPrivs: context.allowPrivilegeEscalation === false,
    capabilities: { addCapabilities: [...(context.capabilities?.add ?? [])], dropCapabilities: [...(context.capabilities?.drop ?? [])] },
    ...(context.seLinuxOptions ? { selinuxOptions: { ...context.seLinuxOptions } } : {}),
    seccomp: seccompProfile(context.seccompProfile, seccompRoot),
    ...(context.appArmorProfile ? { apparmor: appArmorProfile(context.appArmorProfile) } : {}),
    maskedPaths: unmasked ? [] : maskedPaths,
    readonlyPaths: unmasked ? [] : readonlyPaths,
  }
}
