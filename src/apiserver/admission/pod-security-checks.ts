import type { DeepReadonly, core } from '#api'

export type PodSecurityLevel = 'privileged' | 'baseline' | 'restricted'

type Pod = DeepReadonly<core.Pod>
type Container = DeepReadonly<core.Container | core.EphemeralContainer>
/** `version` is the minor one of the standard's release; what a check has been since which, it decides itself. */
type Check = (pod: Pod, containers: readonly Container[], version: number) => string | undefined

/**
 * What a pod does that a level of the Pod Security Standards forbids, worded as upstream (`reason (detail)`); empty when it keeps to it. `version`:
 * as of which minor release of Kubernetes 1.
 */
export function podSecurityViolations(pod: Pod, level: PodSecurityLevel, version = Infinity): string[] {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {}
  const all: Container[] = [...initContainers, ...containers, ...ephemeralContainers]
  const checks =
    level === 'privileged'
      ? []
      : level === 'baseline'
        ? baseline
        : [...baseline.filter((check) => !(version >= (replacedSince.get(check) ?? NaN))), ...restricted]
  return checks.flatMap((check) => check(pod, all, version) ?? [])
}

const defaultCapabilities = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])
/** Sysctls that pods may set, by the release since which. */
const safeSysctls: Record<string, number> = {
  'kernel.shm_rmid_forced': 0,
  'net.ipv4.ip_local_port_range': 0,
  'net.ipv4.ip_unprivileged_port_start': 0,
  'net.ipv4.ping_group_range': 0,
  'net.ipv4.tcp_syncookies': 0,
  'net.ipv4.ip_local_reserved_ports': 27,
  'net.ipv4.tcp_fin_timeout': 29,
  'net.ipv4.tcp_keepalive_intvl': 29,
  'net.ipv4.tcp_keepalive_probes': 29,
  'net.ipv4.tcp_keepalive_time': 29,
  'net.ipv4.tcp_rmem': 32,
  'net.ipv4.tcp_wmem': 32,
}
const selinuxTypes: Record<string, number> = { '': 0, container_t: 0, container_init_t: 0, container_kvm_t: 0, container_engine_t: 31 }
const allowedIn = (since: Record<string, number>, name: string, version: number): boolean => Object.hasOwn(since, name) && version >= since[name]!
const restrictedVolumeTypes = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
  'image',
])

const capabilities: Check = (_, containers) => {
  const added = (c: Container) => (c.securityContext?.capabilities?.add ?? []).filter((capability) => !defaultCapabilities.has(capability))
  const bad = containers.filter((c) => added(c).length > 0)
  if (bad.length === 0) return undefined
  const names = [...new Set(bad.flatMap(added))].sort()
  return `non-default capabilities (${subjects(bad)} must not include ${quoted(names)} in securityContext.capabilities.add)`
}

const seccomp: Check = (pod, containers, version) => {
  if (version < 19) return undefined
  const unconfined = (context: { readonly seccompProfile?: { readonly type?: string } } | undefined) => context?.seccompProfile?.type === 'Unconfined'
  const bad = containers.filter((c) => unconfined(c.securityContext))
  const who = [...(unconfined(pod.spec?.securityContext) ? ['pod'] : []), ...(bad.length > 0 ? [subjects(bad)] : [])]
  return who.length > 0 ? `seccompProfile (${who.join(' and ')} must not set securityContext.seccompProfile.type to "Unconfined")` : undefined
}

const hostPath: Check = (pod) => {
  const names = (pod.spec?.volumes ?? []).filter((volume) => volume.hostPath).map((volume) => volume.name)
  return names.length > 0 ? `hostPath volumes (${plural('volume', names)} ${quoted(names)})` : undefined
}

/** Probes and hooks that ask another host than the pod. */
const hostHandlers: Check = (_, containers, version) => {
  if (version < 34) return undefined
  const hostsOf = ({ livenessProbe, readinessProbe, startupProbe, lifecycle }: Container) =>
    [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop].flatMap((handler) =>
      [handler?.httpGet?.host, handler?.tcpSocket?.host].filter((host) => host !== undefined && host !== ''),
    )
  const bad = containers.filter((c) => hostsOf(c).length > 0).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  if (bad.length === 0) return undefined
  const hosts = [...new Set(bad.flatMap(hostsOf) as string[])].sort()
  const what = hosts.length === 1 ? 'probe or lifecycle host' : 'probe or lifecycle hosts'
  return `probe or lifecycle host (${subjects(bad)} ${bad.length === 1 ? 'uses' : 'use'} ${what} ${quoted(hosts)})`
}

const baseline: Check[] = [
  (pod, containers) => {
    const allowed = (type: string | undefined) => type === undefined || type === 'RuntimeDefault' || type === 'Localhost'
    const bad = containers.filter((c) => !allowed(c.securityContext?.appArmorProfile?.type))
    const podWide = pod.spec?.securityContext?.appArmorProfile?.type
    const who = [...(allowed(podWide) ? [] : ['pod']), ...(bad.length > 0 ? [subjects(bad)] : [])]
    return who.length > 0 ? `forbidden AppArmor profile (${who.join(' and ')} must not set AppArmor profile type to "Unconfined")` : undefined
  },
  capabilities,
  ({ spec }) => {
    const shared = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec?.[field]).map((field) => `${field}=true`)
    return shared.length > 0 ? `host namespaces (${shared.join(', ')})` : undefined
  },
  hostPath,
  (_, containers) => {
    const ports = (c: Container) => (c.ports ?? []).flatMap((port) => port.hostPort || [])
    const bad = containers.filter((c) => ports(c).length > 0)
    const used = [...new Set(bad.flatMap(ports))].sort((a, b) => a - b)
    if (bad.length === 0) return undefined
    return `hostPort (${subjects(bad)} ${bad.length === 1 ? 'uses' : 'use'} ${used.length === 1 ? 'hostPort' : 'hostPorts'} ${used.join(', ')})`
  },
  (pod, containers) => {
    const bad = containers.filter((c) => c.securityContext?.windowsOptions?.hostProcess)
    const who = [...(pod.spec?.securityContext?.windowsOptions?.hostProcess ? ['pod'] : []), ...(bad.length > 0 ? [subjects(bad)] : [])]
    return who.length > 0 ? `hostProcess (${who.join(' and ')} must not set securityContext.windowsOptions.hostProcess=true)` : undefined
  },
  hostHandlers,
  mustNot('privileged', 'securityContext.privileged=true', (c) => c.securityContext?.privileged === true),
  mustNot('procMount', 'securityContext.procMount to "Unmasked"', (c) => (c.securityContext?.procMount ?? 'Default') !== 'Default'),
  (pod, containers, version) => {
    const isAllowed = (type: string | undefined) => allowedIn(selinuxTypes, type ?? '', version)
    const forbidden = (options: DeepReadonly<core.SELinuxOptions> | undefined) =>
      Boolean(options && (!isAllowed(options.type) || options.user || options.role))
    const bad = containers.filter((c) => forbidden(c.securityContext?.seLinuxOptions))
    const who = [...(forbidden(pod.spec?.securityContext?.seLinuxOptions) ? ['pod'] : []), ...(bad.length > 0 ? [subjects(bad)] : [])]
    if (who.length === 0) return undefined
    const set = [pod.spec?.securityContext?.seLinuxOptions, ...bad.map((c) => c.securityContext?.seLinuxOptions)]
    const types = [...new Set(set.flatMap((options) => (options && !isAllowed(options.type) ? [options.type!] : [])))].sort()
    const parts = [
      ...(types.length > 0 ? [`${plural('type', types)} ${quoted(types)}`] : []),
      ...(set.some((options) => options?.user) ? ['user may not be set'] : []),
      ...(set.some((options) => options?.role) ? ['role may not be set'] : []),
    ]
    return `seLinuxOptions (${who.join(' and ')} set forbidden securityContext.seLinuxOptions: ${parts.join('; ')})`
  },
  seccomp,
  (pod, _, version) => {
    const names = (pod.spec?.securityContext?.sysctls ?? []).map((sysctl) => sysctl.name).filter((name) => !allowedIn(safeSysctls, name, version))
    return names.length > 0 ? `forbidden sysctls (${names.join(', ')})` : undefined
  },
]

/** Baseline checks that a stricter one stands for, and since when. */
const replacedSince = new Map<Check, number>([
  [capabilities, 22],
  [hostPath, 0],
  [seccomp, 19],
])

const restricted: Check[] = [
  (pod, containers, version) => {
    if (version < 8 || isExempt(pod, version)) return undefined
    const bad = containers.filter((c) => c.securityContext?.allowPrivilegeEscalation !== false)
    return bad.length > 0 ? `allowPrivilegeEscalation != false (${subjects(bad)} must set securityContext.allowPrivilegeEscalation=false)` : undefined
  },
  (pod, containers, version) => {
    if (version < 22 || isExempt(pod, version)) return undefined
    const keeps = containers.filter((c) => !c.securityContext?.capabilities?.drop?.includes('ALL'))
    const added = (c: Container) => (c.securityContext?.capabilities?.add ?? []).filter((capability) => capability !== 'NET_BIND_SERVICE')
    const adds = containers.filter((c) => added(c).length > 0)
    const parts = [
      ...(keeps.length > 0 ? [`${subjects(keeps)} must set securityContext.capabilities.drop=["ALL"]`] : []),
      ...(adds.length > 0
        ? [`${subjects(adds)} must not include ${quoted([...new Set(adds.flatMap(added))].sort())} in securityContext.capabilities.add`]
        : []),
    ]
    return parts.length > 0 ? `unrestricted capabilities (${parts.join('; ')})` : undefined
  },
  (pod) => {
    const bad = (pod.spec?.volumes ?? []).flatMap((volume) => {
      const type = Object.keys(volume).find((key) => key !== 'name' && volume[key as keyof typeof volume] !== undefined)
      return type && !restrictedVolumeTypes.has(type) ? [{ name: volume.name, type }] : []
    })
    if (bad.length === 0) return undefined
    const names = bad.map((volume) => volume.name)
    const types = [...new Set(bad.map((volume) => volume.type))].sort()
    return `restricted volume types (${plural('volume', names)} ${quoted(names)} ${names.length === 1 ? 'uses' : 'use'} restricted volume ${plural('type', types)} ${quoted(types)})`
  },
  (pod, containers) => {
    const podWide = pod.spec?.securityContext?.runAsNonRoot
    const root = containers.filter((c) => c.securityContext?.runAsNonRoot === false)
    const unset = podWide ? [] : containers.filter((c) => c.securityContext?.runAsNonRoot === undefined)
    const who = [...(podWide === false && unset.length > 0 ? ['pod'] : []), ...(root.length > 0 ? [subjects(root)] : [])]
    if (who.length > 0) return `runAsNonRoot != true (${who.join(' and ')} must not set securityContext.runAsNonRoot=false)`
    return unset.length > 0 ? `runAsNonRoot != true (pod or ${subjects(unset)} must set securityContext.runAsNonRoot=true)` : undefined
  },
  (pod, containers, version) => {
    if (version < 23) return undefined
    const bad = containers.filter((c) => c.securityContext?.runAsUser === 0)
    const who = [...(pod.spec?.securityContext?.runAsUser === 0 ? ['pod'] : []), ...(bad.length > 0 ? [subjects(bad)] : [])]
    return who.length > 0 ? `runAsUser=0 (${who.join(' and ')} must not set runAsUser=0)` : undefined
  },
  (pod, containers, version) => {
    if (version < 19 || isExempt(pod, version)) return undefined
    const good = (type: string | undefined) => type === 'RuntimeDefault' || type === 'Localhost'
    const podWide = pod.spec?.securityContext?.seccompProfile?.type
    const typeOf = (c: Container) => c.securityContext?.seccompProfile?.type
    const wrong = containers.filter((c) => typeOf(c) !== undefined && !good(typeOf(c)))
    const who = [...(podWide !== undefined && !good(podWide) ? ['pod'] : []), ...(wrong.length > 0 ? [subjects(wrong)] : [])]
    if (who.length > 0) return `seccompProfile (${who.join(' and ')} must not set securityContext.seccompProfile.type to "Unconfined")`
    const unset = good(podWide) ? [] : containers.filter((c) => typeOf(c) === undefined)
    if (unset.length === 0) return undefined
    return `seccompProfile (pod or ${subjects(unset)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")`
  },
]

function mustNot(title: string, what: string, isBad: (container: Container) => boolean): Check {
  return (_, containers) => {
    const bad = containers.filter(isBad)
    return bad.length > 0 ? `${title} (${subjects(bad)} must not set ${what})` : undefined
  }
}

/** What only Linux has is not asked of pods that say they are for Windows. */
const isExempt = (pod: Pod, version: number): boolean => version >= 25 && pod.spec?.os?.name === 'windows'

function subjects(containers: readonly Container[]): string {
  const names = containers.map((container) => container.name)
  return `${plural('container', names)} ${quoted(names)}`
}

const plural = (word: string, of: readonly unknown[]): string => (of.length === 1 ? word : `${word}s`)

const quoted = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(', ')
