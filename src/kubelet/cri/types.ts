/**
 * The messages of CRI v1 (`runtime.v1`), in camelCase, as far as Kubernetes on Linux uses them. Their names and meaning are CRI's own
 * (https://github.com/kubernetes/cri-api). Conventions of this file:
 * - enums are their wire names as strings;
 * - 64-bit integers are numbers: times are nanoseconds since the epoch and lose what lies under 256 ns, sizes are exact up to 8 PiB;
 * - in answers every scalar, list and map is set (zero value when the runtime left it out); a message that is absent is null or undefined;
 * - in requests what is left out has its zero value.
 */
export type Absent = null | undefined

export interface Int64Value {
  value: number
}

export interface KeyValuePairs {
  [key: string]: string
}

export type ContainerState = 'CONTAINER_CREATED' | 'CONTAINER_RUNNING' | 'CONTAINER_EXITED' | 'CONTAINER_UNKNOWN'
export type PodSandboxState = 'SANDBOX_READY' | 'SANDBOX_NOTREADY'
export type NamespaceMode = 'POD' | 'CONTAINER' | 'NODE' | 'TARGET'
export type Protocol = 'TCP' | 'UDP' | 'SCTP'
export type MountPropagation = 'PROPAGATION_PRIVATE' | 'PROPAGATION_HOST_TO_CONTAINER' | 'PROPAGATION_BIDIRECTIONAL'

export interface DNSConfig {
  servers?: string[]
  searches?: string[]
  options?: string[]
}

export interface PortMapping {
  protocol?: Protocol
  containerPort: number
  hostPort: number
  hostIp?: string
}

export interface Mount {
  containerPath: string
  hostPath: string
  readonly?: boolean
  selinuxRelabel?: boolean
  propagation?: MountPropagation
  /** Only where the runtime's handler has that feature. */
  recursiveReadOnly?: boolean
}

export interface NamespaceOption {
  network?: NamespaceMode
  pid?: NamespaceMode
  ipc?: NamespaceMode
  /** The container whose pid namespace is joined when `pid` is TARGET. */
  targetId?: string
}

export interface SecurityProfile {
  profileType: 'RuntimeDefault' | 'Unconfined' | 'Localhost'
  /** Absolute path of the profile on the node, for Localhost. */
  localhostRef?: string
}

export interface SELinuxOption {
  user?: string
  role?: string
  type?: string
  level?: string
}

export interface LinuxSandboxSecurityContext {
  namespaceOptions?: NamespaceOption
  selinuxOptions?: SELinuxOption
  runAsUser?: Int64Value
  runAsGroup?: Int64Value
  readonlyRootfs?: boolean
  supplementalGroups?: number[]
  privileged?: boolean
  seccomp?: SecurityProfile
  apparmor?: SecurityProfile
}

export interface LinuxPodSandboxConfig {
  cgroupParent?: string
  securityContext?: LinuxSandboxSecurityContext
  sysctls?: KeyValuePairs
  overhead?: LinuxContainerResources
  resources?: LinuxContainerResources
}

export interface PodSandboxMetadata {
  name: string
  uid: string
  namespace: string
  attempt?: number
}

export interface PodSandboxConfig {
  metadata: PodSandboxMetadata
  hostname?: string
  logDirectory?: string
  dnsConfig?: DNSConfig
  portMappings?: PortMapping[]
  labels?: KeyValuePairs
  annotations?: KeyValuePairs
  linux?: LinuxPodSandboxConfig
}

export interface PodSandboxNetworkStatus {
  ip: string
  additionalIps: { ip: string }[]
}

export interface PodSandbox {
  id: string
  metadata: Required<PodSandboxMetadata>
  state: PodSandboxState
  createdAt: number
  labels: KeyValuePairs
  annotations: KeyValuePairs
  runtimeHandler: string
}

export interface PodSandboxStatus extends PodSandbox {
  network?: PodSandboxNetworkStatus | Absent
  linux?: { namespaces?: { options?: NamespaceOption | Absent } | Absent } | Absent
}

export interface PodSandboxFilter {
  id?: string
  state?: { state: PodSandboxState }
  labelSelector?: KeyValuePairs
}

export interface ImageSpec {
  image: string
  annotations?: KeyValuePairs
  userSpecifiedImage?: string
}

export interface LinuxContainerResources {
  /** Microseconds. */
  cpuPeriod?: number
  /** Microseconds per period; 0 or less is no limit. */
  cpuQuota?: number
  cpuShares?: number
  memoryLimitInBytes?: number
  oomScoreAdj?: number
  cpusetCpus?: string
  cpusetMems?: string
  unified?: KeyValuePairs
  memorySwapLimitInBytes?: number
}

export interface Capability {
  addCapabilities?: string[]
  dropCapabilities?: string[]
}

export interface LinuxContainerSecurityContext {
  capabilities?: Capability
  privileged?: boolean
  namespaceOptions?: NamespaceOption
  selinuxOptions?: SELinuxOption
  runAsUser?: Int64Value
  runAsGroup?: Int64Value
  runAsUsername?: string
  readonlyRootfs?: boolean
  supplementalGroups?: number[]
  /** Only where the runtime has that feature. */
  supplementalGroupsPolicy?: 'Merge' | 'Strict'
  noNewPrivs?: boolean
  maskedPaths?: string[]
  readonlyPaths?: string[]
  seccomp?: SecurityProfile
  apparmor?: SecurityProfile
}

export interface ContainerMetadata {
  name: string
  attempt?: number
}

export interface Device {
  containerPath: string
  hostPath: string
  permissions: string
}

export interface ContainerConfig {
  metadata: ContainerMetadata
  image: ImageSpec
  command?: string[]
  args?: string[]
  workingDir?: string
  /** Values are bytes on the wire: an environment may hold any. */
  envs?: { key: string; value: Uint8Array }[]
  mounts?: Mount[]
  devices?: Device[]
  labels?: KeyValuePairs
  annotations?: KeyValuePairs
  /** Relative to the sandbox's `logDirectory`. */
  logPath?: string
  stdin?: boolean
  stdinOnce?: boolean
  tty?: boolean
  linux?: { resources?: LinuxContainerResources; securityContext?: LinuxContainerSecurityContext }
}

export interface Container {
  id: string
  podSandboxId: string
  metadata: Required<ContainerMetadata>
  image?: ImageSpec | Absent
  /** The image the container runs, as the runtime names it: an id or a digest. */
  imageRef: string
  state: ContainerState
  createdAt: number
  labels: KeyValuePairs
  annotations: KeyValuePairs
}

export interface ContainerFilter {
  id?: string
  state?: { state: ContainerState }
  podSandboxId?: string
  labelSelector?: KeyValuePairs
}

export interface ContainerStatus {
  id: string
  metadata: Required<ContainerMetadata>
  state: ContainerState
  createdAt: number
  /** 0 until started. */
  startedAt: number
  /** 0 until exited. */
  finishedAt: number
  exitCode: number
  image?: ImageSpec | Absent
  imageRef: string
  /** Why it is in this state: `Completed`, `Error`, `OOMKilled`, … */
  reason: string
  message: string
  labels: KeyValuePairs
  annotations: KeyValuePairs
  mounts: Mount[]
  /** Absolute path on the node. */
  logPath: string
  resources?: { linux?: LinuxContainerResources | Absent } | Absent
}

export interface Image {
  id: string
  repoTags: string[]
  repoDigests: string[]
  size: number
  /** The image's user where it is numeric. */
  uid?: Int64Value | Absent
  /** The image's user where it is a name. */
  username: string
  pinned: boolean
}

export interface AuthConfig {
  username?: string
  password?: string
  auth?: string
  serverAddress?: string
  identityToken?: string
  registryToken?: string
}

export interface RuntimeCondition {
  /** `RuntimeReady`, `NetworkReady`. */
  type: string
  status: boolean
  reason: string
  message: string
}

export interface RuntimeHandler {
  name: string
  features?: { recursiveReadOnlyMounts: boolean; userNamespaces: boolean } | Absent
}

export interface RuntimeFeatures {
  supplementalGroupsPolicy: boolean
}

export interface UInt64Value {
  value: number
}

export interface CpuUsage {
  timestamp: number
  usageCoreNanoSeconds?: UInt64Value | Absent
  usageNanoCores?: UInt64Value | Absent
}

export interface MemoryUsage {
  timestamp: number
  workingSetBytes?: UInt64Value | Absent
  availableBytes?: UInt64Value | Absent
  usageBytes?: UInt64Value | Absent
  rssBytes?: UInt64Value | Absent
  pageFaults?: UInt64Value | Absent
  majorPageFaults?: UInt64Value | Absent
}

export interface FilesystemUsage {
  timestamp: number
  fsId?: { mountpoint: string } | Absent
  usedBytes?: UInt64Value | Absent
  inodesUsed?: UInt64Value | Absent
}

export interface ContainerStats {
  attributes: { id: string; metadata: Required<ContainerMetadata>; labels: KeyValuePairs; annotations: KeyValuePairs }
  cpu?: CpuUsage | Absent
  memory?: MemoryUsage | Absent
  writableLayer?: FilesystemUsage | Absent
}

export interface NetworkInterfaceUsage {
  name: string
  rxBytes?: UInt64Value | Absent
  rxErrors?: UInt64Value | Absent
  txBytes?: UInt64Value | Absent
  txErrors?: UInt64Value | Absent
}

export interface PodSandboxStats {
  attributes: { id: string; metadata: Required<PodSandboxMetadata>; labels: KeyValuePairs; annotations: KeyValuePairs }
  linux?:
    | {
        cpu?: CpuUsage | Absent
        memory?: MemoryUsage | Absent
        network?: { timestamp: number; defaultInterface?: NetworkInterfaceUsage | Absent; interfaces: NetworkInterfaceUsage[] } | Absent
        process?: { timestamp: number; processCount?: UInt64Value | Absent } | Absent
        containers: ContainerStats[]
      }
    | Absent
}

export interface ContainerStatsFilter {
  id?: string
  podSandboxId?: string
  labelSelector?: KeyValuePairs
}
