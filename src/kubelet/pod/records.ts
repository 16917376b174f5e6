import type { cri } from '../cri/index.ts'
import { annotations, labels } from './names.ts'

/** A pod sandbox as the kubelet remembers it. Times are milliseconds since the epoch. */
export interface SandboxRecord {
  id: string
  ready: boolean
  attempt: number
  createdAt: number
  hostNetwork: boolean
  /** Empty on the host's network, and when the network is gone. */
  ips: string[]
}

/** A container as the kubelet remembers it. Times are milliseconds since the epoch, 0 where they do not apply. */
export interface ContainerRecord {
  id: string
  name: string
  sandboxId: string
  /** How often this container was restarted before: the restart count. */
  attempt: number
  state: 'created' | 'running' | 'exited' | 'unknown'
  createdAt: number
  startedAt: number
  finishedAt: number
  exitCode: number
  reason: string
  /** The termination message, once exited. */
  message: string
  hash: string
  image: string
  imageID: string
  logPath: string
  /** The limits that hold now, where the runtime tells. */
  resources?: ContainerLimits
}

export interface ContainerLimits {
  cpuShares: number
  /** Microseconds per period of 100 ms; 0 is none. */
  cpuQuota: number
  /** Bytes; 0 is none. */
  memory: number
}

/** What the runtime has of one pod. Both lists have the newest first. */
export interface PodRecord {
  uid: string
  name: string
  namespace: string
  sandboxes: readonly SandboxRecord[]
  containers: readonly ContainerRecord[]
}

export const emptyRecord = (uid: string, namespace: string, name: string): PodRecord => ({ uid, namespace, name, sandboxes: [], containers: [] })

const millis = (nanos: number) => Math.floor(nanos / 1e6)

export function sandboxRecord(status: cri.PodSandboxStatus): SandboxRecord {
  const ips = status.network?.ip ? [status.network.ip, ...status.network.additionalIps.map((a) => a.ip)] : []
  return {
    id: status.id,
    ready: status.state === 'SANDBOX_READY',
    attempt: status.metadata.attempt,
    createdAt: millis(status.createdAt),
    hostNetwork: status.linux?.namespaces?.options?.network === 'NODE',
    ips,
  }
}

const states: Record<cri.ContainerState, ContainerRecord['state']> = {
  CONTAINER_CREATED: 'created',
  CONTAINER_RUNNING: 'running',
  CONTAINER_EXITED: 'exited',
  CONTAINER_UNKNOWN: 'unknown',
}

export function containerRecord(status: cri.ContainerStatus, sandboxId: string, message: string): ContainerRecord {
  const limits = status.resources?.linux
  return {
    id: status.id,
    name: status.labels[labels.containerName] ?? status.metadata.name,
    sandboxId,
    attempt: Number(status.annotations[annotations.restartCount] ?? status.metadata.attempt),
    state: states[status.state],
    createdAt: millis(status.createdAt),
    startedAt: millis(status.startedAt),
    finishedAt: millis(status.finishedAt),
    exitCode: status.exitCode,
    reason: status.reason,
    message,
    hash: status.annotations[annotations.hash] ?? '',
    image: status.image?.image ?? '',
    imageID: status.imageRef,
    logPath: status.logPath,
    ...(limits && (limits.cpuShares ?? 0) > 0 ? { resources: containerLimits(limits) } : {}),
  }
}

/** No limit is told as zero by some and as -1 by others. */
export function containerLimits(resources: cri.LinuxContainerResources): ContainerLimits {
  const positive = (n: number | undefined) => Math.max(n ?? 0, 0)
  return { cpuShares: positive(resources.cpuShares), cpuQuota: positive(resources.cpuQuota), memory: positive(resources.memoryLimitInBytes) }
}

export const criState = (state: cri.ContainerState): ContainerRecord['state'] => states[state]

/** The newest record of each container name. */
export function latestByName(record: PodRecord): Map<string, ContainerRecord> {
  const latest = new Map<string, ContainerRecord>()
  for (const container of record.containers) if (!latest.has(container.name)) latest.set(container.name, container)
  return latest
}

export function sortRecord(record: PodRecord): PodRecord {
  return {
    ...record,
    sandboxes: record.sandboxes.toSorted((a, b) => b.attempt - a.attempt || b.createdAt - a.createdAt),
    containers: record.containers.toSorted((a, b) => b.createdAt - a.createdAt || b.attempt - a.attempt),
  }
}
