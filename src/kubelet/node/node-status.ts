import type { DeepReadonly, core } from '#api'
import { canonicalQuantity } from '#api'
import type { cri } from '../cri/index.ts'
import type { RuntimeFeatures } from '../cri/runtime-features.ts'
import { timestamp } from '../pod/status.ts'
import type { Machine } from './machine.ts'

/** Whether one of the node's resources runs short. */
export interface Pressure {
  memory: boolean
  disk: boolean
  pids: boolean
}

export interface NodeFacts {
  name: string
  ips: readonly string[]
  machine: Machine
  maxPods: number
  /** Taken from the capacity for the system and the kubelet; 100Mi of memory and a tenth of the disk are upstream's eviction thresholds. */
  reserved: { cpuMillis: number; memoryBytes: number; storageBytes: number }
  labels: Readonly<Record<string, string>>
  runtimeVersion: string
  version: string
  kubeletPort: number
}

export interface NodeHealth {
  now: number
  /** Why the node is not ready; empty when it is. */
  problems: readonly string[]
  pressure: Pressure
  images: readonly cri.Image[]
  features?: RuntimeFeatures
}

/** As the API server will answer it: a status that it writes in another way would be sent again and again. */
const kibibytes = (bytes: number): string => canonicalQuantity(`${Math.floor(bytes / 1024)}Ki`)

/** The most images that a node's status lists. */
const maxImages = 50

export function nodeLabels(facts: Pick<NodeFacts, 'name' | 'labels' | 'machine'>): Record<string, string> {
  const { architecture, operatingSystem } = facts.machine.info
  return {
    'beta.kubernetes.io/arch': architecture,
    'beta.kubernetes.io/os': operatingSystem,
    'kubernetes.io/arch': architecture,
    'kubernetes.io/hostname': facts.name,
    'kubernetes.io/os': operatingSystem,
    ...facts.labels,
  }
}

export function allocatableOf({ machine, reserved, maxPods }: Pick<NodeFacts, 'machine' | 'reserved' | 'maxPods'>): Record<string, string> {
  const { cpu, memoryBytes, storageBytes } = machine.capacity
  const millis = cpu * 1000 - reserved.cpuMillis
  return {
    cpu: millis % 1000 === 0 ? String(millis / 1000) : `${millis}m`,
    'ephemeral-storage': String(Math.max(storageBytes - reserved.storageBytes, 0)),
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    memory: kibibytes(memoryBytes - reserved.memoryBytes),
    pods: String(maxPods),
  }
}

export function capacityOf({ machine, maxPods }: Pick<NodeFacts, 'machine' | 'maxPods'>): Record<string, string> {
  const { cpu, memoryBytes, storageBytes } = machine.capacity
  return {
    cpu: String(cpu),
    'ephemeral-storage': kibibytes(storageBytes),
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    memory: kibibytes(memoryBytes),
    pods: String(maxPods),
  }
}

/** The node's status from its facts, its health and its last status. Pure. */
export function nodeStatus(facts: NodeFacts, health: NodeHealth, previous: DeepReadonly<core.NodeStatus> | undefined): core.NodeStatus {
  // extended resources are written into the capacity by whoever provides them; all of it may be given away
  // (https://kubernetes.io/docs/tasks/administer-cluster/extended-resource-node/)
  const extended = Object.fromEntries(Object.entries(previous?.capacity ?? {}).filter(([name]) => name.includes('/')))
  return {
    addresses: [...facts.ips.map((address) => ({ type: 'InternalIP', address })), { type: 'Hostname', address: facts.name }],
    capacity: { ...extended, ...capacityOf(facts) },
    allocatable: { ...extended, ...allocatableOf(facts) },
    conditions: conditions(health, previous?.conditions ?? []),
    daemonEndpoints: { kubeletEndpoint: { Port: facts.kubeletPort } },
    nodeInfo: {
      ...facts.machine.info,
      containerRuntimeVersion: facts.runtimeVersion,
      kubeletVersion: facts.version,
      kubeProxyVersion: facts.version,
    },
    images: imageList(health.images),
    ...featureStatus(health.features),
  }
}

function featureStatus(features: RuntimeFeatures | undefined): Pick<core.NodeStatus, 'runtimeHandlers' | 'features'> {
  if (!features) return {}
  const { handlers, supplementalGroupsPolicy } = features
  return {
    ...(handlers.size > 0 ? { runtimeHandlers: [...handlers].map(([name, own]) => ({ name, features: { ...own } })) } : {}),
    ...(supplementalGroupsPolicy === undefined ? {} : { features: { supplementalGroupsPolicy } }),
  }
}

function imageList(images: readonly cri.Image[]): core.ContainerImage[] {
  return images
    .toSorted((a, b) => b.size - a.size)
    .slice(0, maxImages)
    .map((image) => ({ names: [...image.repoDigests, ...image.repoTags].slice(0, 5), sizeBytes: image.size }))
}

type ConditionFact = Pick<core.NodeCondition, 'type' | 'status' | 'reason' | 'message'>

function conditions({ now, problems, pressure }: NodeHealth, previous: readonly DeepReadonly<core.NodeCondition>[]): core.NodeCondition[] {
  const facts: ConditionFact[] = [
    pressure.memory
      ? { type: 'MemoryPressure', status: 'True', reason: 'KubeletHasInsufficientMemory', message: 'kubelet has insufficient memory available' }
      : { type: 'MemoryPressure', status: 'False', reason: 'KubeletHasSufficientMemory', message: 'kubelet has sufficient memory available' },
    pressure.disk
      ? { type: 'DiskPressure', status: 'True', reason: 'KubeletHasDiskPressure', message: 'kubelet has disk pressure' }
      : { type: 'DiskPressure', status: 'False', reason: 'KubeletHasNoDiskPressure', message: 'kubelet has no disk pressure' },
    pressure.pids
      ? { type: 'PIDPressure', status: 'True', reason: 'KubeletHasInsufficientPID', message: 'kubelet has insufficient PID available' }
      : { type: 'PIDPressure', status: 'False', reason: 'KubeletHasSufficientPID', message: 'kubelet has sufficient PID available' },
    problems.length > 0
      ? { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: problems.join(', ') }
      : { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' },
  ]
  return facts.map((fact) => {
    const before = previous.find((c) => c.type === fact.type)
    const since = before?.status === fact.status ? before.lastTransitionTime : undefined
    return { ...fact, lastHeartbeatTime: timestamp(now), lastTransitionTime: since ?? timestamp(now) }
  })
}

/** Whether two statuses say the same apart from heartbeats. */
export function sameNodeStatus(a: DeepReadonly<core.NodeStatus> | undefined, b: core.NodeStatus): boolean {
  const essence = (s: DeepReadonly<core.NodeStatus> | undefined) =>
    s &&
    JSON.stringify([
      s.addresses,
      sorted(s.capacity),
      sorted(s.allocatable),
      (s.conditions ?? []).map(({ type, status, reason, message }) => [type, status, reason, message]).toSorted(),
      s.nodeInfo && sorted(s.nodeInfo as unknown as Record<string, string>),
      s.daemonEndpoints?.kubeletEndpoint?.Port,
      (s.images ?? []).map((i) => i.names),
      s.runtimeHandlers ?? [],
      s.features ?? {},
    ])
  return essence(a) === essence(b)
}

const sorted = (map: Readonly<Record<string, unknown>> | undefined) => Object.entries(map ?? {}).toSorted(([x], [y]) => (x < y ? -1 : 1))
