import type { DeepReadonly, core, storage } from '#api'
import type { NodeInfo, Snapshot } from './snapshot.ts'

export type Pod = DeepReadonly<core.Pod>
export type Node = DeepReadonly<core.Node>

/**
 * Why a pod cannot go to a node. `unschedulable`: it could, if other pods left; `unresolvable`: no eviction would help. Success is undefined: it is by far the
 * most common answer and costs nothing.
 */
export interface Rejection {
  code: 'unschedulable' | 'unresolvable'
  reasons: string[]
  /** The plugin that said so; set by the cycle. */
  plugin?: string
}

export const unschedulable = (...reasons: string[]): Rejection => ({ code: 'unschedulable', reasons })
export const unresolvable = (...reasons: string[]): Rejection => ({ code: 'unresolvable', reasons })

/** What plugins remember during one cycle of one pod. Copied for what-if questions (preemption). */
export type CycleState = Map<string, unknown>

/** What changed in the cluster; a pod that could not be scheduled is tried again when a plugin that rejected it cares. */
export type ClusterEvent = 'nodeAdded' | 'nodeChanged' | 'podGone' | 'podAdded' | 'podChanged' | 'volumeChanged' | 'namespaceChanged'

/**
 * An extension of the scheduling cycle at upstream's points (https://kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework/); all are
 * optional. Filter and score run for many nodes a pod: they read the snapshot and change nothing.
 */
export interface SchedulerPlugin {
  name: string
  /** Events after which a pod that this plugin rejected may fit. */
  events?: readonly ClusterEvent[]
  /** Keeps a pod out of the queue. */
  preEnqueue?(pod: Pod): Rejection | undefined
  /** Once a pod, before the nodes; `skip` drops the plugin's filter for this pod; `nodes` are the only ones worth looking at. */
  preFilter?(state: CycleState, pod: Pod, snapshot: Snapshot): Rejection | 'skip' | { nodes: ReadonlySet<string> } | undefined
  filter?(state: CycleState, pod: Pod, node: NodeInfo): Rejection | undefined
  /** What-if: the state after `other` came to or left `node`. One question moves pods of one node only. */
  addPod?(state: CycleState, pod: Pod, other: Pod, node: NodeInfo): void
  removePod?(state: CycleState, pod: Pod, other: Pod, node: NodeInfo): void
  /** Once a pod, before the scores; `skip` drops the plugin's score for this pod. */
  preScore?(state: CycleState, pod: Pod, nodes: readonly NodeInfo[], snapshot: Snapshot): 'skip' | undefined
  /** Higher is better; 0 to 100 unless `normalize` makes it so. */
  score?(state: CycleState, pod: Pod, node: NodeInfo): number
  normalize?(state: CycleState, pod: Pod, scores: number[], nodes: readonly NodeInfo[]): void
  /** Weight of the score; 1 when absent. */
  weight?: number
  /** Between the decision and the binding; a throw makes the pod wait and try again. */
  preBind?(state: CycleState, pod: Pod, node: string, signal: AbortSignal): Promise<void>
}

/** Reads beside nodes and pods; synchronous, from caches. */
export interface ClusterReader {
  services(namespace: string): readonly DeepReadonly<core.Service>[]
  /** The labels that a replica set, stateful set or replication controller selects by. */
  controllerSelector(namespace: string, kind: string, name: string): Readonly<Record<string, string>> | undefined
  namespaceLabels(name: string): Readonly<Record<string, string>> | undefined
  node(name: string): Node | undefined
  claim(namespace: string, name: string): DeepReadonly<core.PersistentVolumeClaim> | undefined
  volume(name: string): DeepReadonly<core.PersistentVolume> | undefined
  volumes(): readonly DeepReadonly<core.PersistentVolume>[]
  storageClass(name: string): DeepReadonly<storage.StorageClass> | undefined
  /** What CSI drivers say of a node. */
  csiNode(name: string): DeepReadonly<storage.CSINode> | undefined
  attachments(): readonly DeepReadonly<storage.VolumeAttachment>[]
}

type Claim = DeepReadonly<core.PersistentVolumeClaim>

/** What binding a pod's volumes takes; those who provide and bind volumes are others. */
export interface VolumeWriter {
  annotate(claim: Claim, annotations: Record<string, string>, signal: AbortSignal): Promise<Claim>
  /** Keeps a volume for a claim. */
  reserve(volume: DeepReadonly<core.PersistentVolume>, claim: Claim, signal: AbortSignal): Promise<void>
  /**
   * Resolves when all claims (as they were last written) have got their volumes; rejects after ten minutes, and with
   * ProvisioningRefused when whoever should make a volume on the selected node gives up.
   */
  untilBound(claims: readonly Claim[], signal: AbortSignal): Promise<void>
}

/** Whoever makes a claim's volume could not do so on the selected node: another may do. */
export class ProvisioningRefused extends Error {
  readonly claimUid: string
  constructor(claim: Claim) {
    super(`provisioning failed for PVC ${JSON.stringify(claim.metadata.name)}`)
    this.name = 'ProvisioningRefused'
    this.claimUid = claim.metadata.uid!
  }
}

export const maxScore = 100

/** Scales scores to 0–100; reversed, the highest becomes the lowest. */
export function normalizeScores(scores: number[], reverse = false): void {
  let top = 0
  for (const score of scores) if (score > top) top = score
  for (let i = 0; i < scores.length; i++) {
    const scaled = top === 0 ? 0 : Math.floor((scores[i]! * maxScore) / top)
    scores[i] = reverse ? maxScore - scaled : scaled
  }
}

export const priorityOf = (pod: Pod): number => pod.spec.priority ?? 0
