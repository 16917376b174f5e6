import type { cri } from '../cri/index.ts'
import { containersOf, labels } from './names.ts'
import type { NodePaths, Pod } from './names.ts'
import type { PodHostname } from './dns.ts'
import { namespaces } from './security.ts'

export interface SandboxConfigInput {
  pod: Pod
  attempt: number
  paths: NodePaths
  dns: cri.DNSConfig
  hostname: PodHostname
  /** Absolute within the cgroup hierarchy; empty where the runtime decides. */
  cgroupParent: string
}

/** What the runtime is asked for as the pod's sandbox. */
export function sandboxConfig({ pod, attempt, paths, dns, hostname, cgroupParent }: SandboxConfigInput): cri.PodSandboxConfig {
  const { name, namespace = 'default', uid = '' } = pod.metadata
  const context = pod.spec?.securityContext ?? {}
  const all = containersOf(pod)
  return {
    metadata: { name, namespace, uid, attempt },
    ...(pod.spec?.hostNetwork ? {} : { hostname: hostname.hostname }),
    logDirectory: paths.podLogs({ namespace, name, uid }),
    dnsConfig: dns,
    portMappings: portMappings(pod),
    labels: { ...pod.metadata.labels, [labels.podName]: name, [labels.podNamespace]: namespace, [labels.podUid]: uid },
    annotations: { ...pod.metadata.annotations, 'kubernetes.io/config.source': 'api' },
    linux: {
      cgroupParent,
      sysctls: Object.fromEntries((context.sysctls ?? []).map((s) => [s.name.replaceAll('/', '.'), s.value])),
      securityContext: {
        namespaceOptions: namespaces(pod),
        privileged: all.some(({ spec }) => spec.securityContext?.privileged),
        seccomp: { profileType: 'RuntimeDefault' },
        ...(context.runAsUser === undefined ? {} : { runAsUser: { value: context.runAsUser } }),
        ...(context.runAsGroup === undefined || context.runAsUser === undefined ? {} : { runAsGroup: { value: context.runAsGroup } }),
        supplementalGroups: [...(context.fsGroup === undefined ? [] : [context.fsGroup]), ...(context.supplementalGroups ?? [])],
      },
    },
  }
}

/** Host ports; a pod on the host's network has its ports there already. */
function portMappings(pod: Pod): cri.PortMapping[] {
  if (pod.spec?.hostNetwork) return []
  return containersOf(pod).flatMap(({ spec }) =>
    (spec.ports ?? [])
      .filter((p) => p.hostPort)
      .map((p) => ({ protocol: p.protocol ?? 'TCP', containerPort: p.containerPort, hostPort: p.hostPort!, hostIp: p.hostIP ?? '' })),
  )
}

const bandwidth = ['kubernetes.io/ingress-bandwidth', 'kubernetes.io/egress-bandwidth']

/** Whether the pod asks nothing of its network but an address: no host ports, no bandwidth limits. */
export function hasPlainNetwork(pod: Pod): boolean {
  return portMappings(pod).length === 0 && !bandwidth.some((annotation) => pod.metadata.annotations?.[annotation] !== undefined)
}
