import type { DeepReadonly, core } from '#api'
import { hostPorts } from '#api'
import type { Node, Pod } from './framework.ts'
import type { Resources } from './resources.ts'
import { addTo, parseResources, requestOf } from './resources.ts'

type Taint = DeepReadonly<core.Taint>
const noTaints: readonly Taint[] = []

/** How many pods of a node match. */
export interface Tally {
  /** Tells equal questions; absent when the answer may change without a change of the pods, so that it cannot be remembered. */
  key?: string
  matches(pod: Pod): boolean
}

/** Answers that a node remembers; more different questions than that are rare, and cost no more than to be counted again. */
const rememberedTallies = 64

/** A node with the pods that are on it or on their way to it. Plugins read it and never change it. */
export class NodeInfo {
  readonly name: string
  node: Node
  /** Of the node, at hand: every pod asks every node for them. */
  unschedulable = false
  taints: readonly Taint[] = noTaints
  readonly pods = new Map<string, Pod>()
  /** Those of the pods that have (anti-)affinity terms: most have none, and then nobody needs to look. */
  readonly affine = new Set<Pod>()
  readonly requested: Resources = new Map()
  /** Milli-cores, bytes and pods that are not taken yet, and what there is of them: looked at for every pod, beside the maps that have everything. */
  freeCpu = 0
  freeMemory = 0
  freePods = 0
  cpu = 0
  memory = 0
  /** What is asked for, where a container that asks for nothing counts as a little. */
  askedCpu = 0
  askedMemory = 0
  /** Whether the node says which images it has. */
  hasImages = false
  /** `protocol/hostIP/port` in use. */
  readonly ports = new Map<string, number>()
  allocatable: Resources
  readonly #tallies = new Map<string, number>()
  #summary: unknown
  #images: ReadonlyMap<string, number> | undefined

  constructor(node: Node) {
    this.name = node.metadata.name
    this.node = node
    this.allocatable = parseResources(node.status?.allocatable)
    this.#takeOver(node)
  }

  setNode(node: Node): void {
    if (node.status?.allocatable !== this.node.status?.allocatable) this.allocatable = parseResources(node.status?.allocatable)
    this.#takeOver(node)
  }

  add(pod: Pod): void {
    this.remove(pod)
    this.pods.set(pod.metadata.uid!, pod)
    this.#account(pod, 1)
  }

  remove(pod: Pod): void {
    const present = this.pods.get(pod.metadata.uid!)
    if (!present) return
    this.pods.delete(pod.metadata.uid!)
    this.#account(present, -1)
  }

  /** How many of the pods the tally counts; counted once, until the pods change. */
  count(tally: Tally): number {
    if (this.pods.size === 0) return 0
    const known = tally.key === undefined ? undefined : this.#tallies.get(tally.key)
    if (known !== undefined) return known
    let n = 0
    for (const pod of this.pods.values()) if (tally.matches(pod)) n++
    if (tally.key === undefined) return n
    if (this.#tallies.size >= rememberedTallies) this.#tallies.clear()
    this.#tallies.set(tally.key, n)
    return n
  }

  /** What one plugin makes of the pods with (anti-)affinity terms; worked out once, until the pods change. */
  summary<T>(summarise: (affine: Iterable<Pod>) => T): T {
    this.#summary ??= summarise(this.affine)
    return this.#summary as T
  }

  /** Size in bytes of an image that is on the node, by any of its names. */
  imageSize(image: string): number | undefined {
    this.#images ??= new Map((this.node.status?.images ?? []).flatMap(({ names, sizeBytes }) => (names ?? []).map((name) => [name, sizeBytes ?? 0])))
    return this.#images.get(image)
  }

  /** A copy for what-if questions. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.node)
    for (const pod of this.pods.values()) copy.add(pod)
    return copy
  }

  #reckonFree(): void {
    this.freeCpu = this.cpu - (this.requested.get('cpu') ?? 0)
    this.freeMemory = this.memory - (this.requested.get('memory') ?? 0)
    this.freePods = (this.allocatable.get('pods') ?? Infinity) - this.pods.size
  }

  #takeOver(node: Node): void {
    this.node = node
    this.unschedulable = node.spec?.unschedulable ?? false
    this.taints = node.spec?.taints ?? noTaints
    this.hasImages = (node.status?.images?.length ?? 0) > 0
    this.cpu = this.allocatable.get('cpu') ?? 0
    this.memory = this.allocatable.get('memory') ?? 0
    this.#images = undefined
    this.#reckonFree()
  }

  #account(pod: Pod, sign: 1 | -1): void {
    this.#tallies.clear()
    this.#summary = undefined
    const { requests, nonZero } = requestOf(pod)
    addTo(this.requested, requests, sign)
    this.#reckonFree()
    this.askedCpu += sign * nonZero.cpu
    this.askedMemory += sign * nonZero.memory
    if (pod.spec.affinity?.podAffinity ?? pod.spec.affinity?.podAntiAffinity) {
      if (sign > 0) this.affine.add(pod)
      else this.affine.delete(pod)
    }
    for (const key of hostPorts(pod.spec)) {
      const uses = (this.ports.get(key) ?? 0) + sign
      if (uses > 0) this.ports.set(key, uses)
      else this.ports.delete(key)
    }
  }
}

/** All nodes at one moment; a cycle runs to its decision without a pause, so nothing changes under it. */
export interface Snapshot {
  readonly nodes: readonly NodeInfo[]
  /** Those of the nodes that have pods with (anti-)affinity terms. */
  readonly affineNodes: Iterable<NodeInfo>
  get(name: string): NodeInfo | undefined
}

/**
 * The scheduler's picture of the cluster, kept up by events instead of copied per cycle. A pod counts on its node from the decision on (it is assumed), before the API
 * server has confirmed it.
 */
export class ClusterState implements Snapshot {
  readonly #byName = new Map<string, NodeInfo>()
  #list: NodeInfo[] | undefined
  readonly #affine = new Set<NodeInfo>()
  /** Pods on nodes that are not known (yet). */
  readonly #homeless = new Map<string, Map<string, Pod>>()
  readonly #placed = new Map<string, { node: string; pod: Pod }>()

  /** In an order that takes a node of each zone in turn, so that a partial look at the nodes sees all zones. */
  get nodes(): readonly NodeInfo[] {
    this.#list ??= interleaveZones([...this.#byName.values()])
    return this.#list
  }

  get affineNodes(): Iterable<NodeInfo> {
    return this.#affine
  }

  get(name: string): NodeInfo | undefined {
    return this.#byName.get(name)
  }

  setNode(node: Node): void {
    const known = this.#byName.get(node.metadata.name)
    if (known) {
      if (zoneOf(known.node) !== zoneOf(node)) this.#list = undefined
      return known.setNode(node)
    }
    const info = new NodeInfo(node)
    for (const pod of this.#homeless.get(info.name)?.values() ?? []) info.add(pod)
    this.#homeless.delete(info.name)
    this.#byName.set(info.name, info)
    this.#noteAffine(info)
    this.#list = undefined
  }

  removeNode(name: string): void {
    const info = this.#byName.get(name)
    if (!info) return
    this.#byName.delete(name)
    this.#affine.delete(info)
    this.#list = undefined
    if (info.pods.size > 0) this.#homeless.set(name, new Map(info.pods))
  }

  /** Places a pod on a node, or replaces what was known of it. */
  place(pod: Pod, node: string): void {
    const uid = pod.metadata.uid!
    const before = this.#placed.get(uid)
    if (before && before.node !== node) this.displace(pod)
    this.#placed.set(uid, { node, pod })
    const info = this.#byName.get(node)
    if (info) {
      info.add(pod)
      return this.#noteAffine(info)
    }
    const homeless = this.#homeless.get(node) ?? new Map<string, Pod>()
    homeless.set(uid, pod)
    this.#homeless.set(node, homeless)
  }

  displace(pod: Pod): void {
    const uid = pod.metadata.uid!
    const before = this.#placed.get(uid)
    if (!before) return
    this.#placed.delete(uid)
    const info = this.#byName.get(before.node)
    info?.remove(before.pod)
    if (info) this.#noteAffine(info)
    const homeless = this.#homeless.get(before.node)
    if (homeless?.delete(uid) && homeless.size === 0) this.#homeless.delete(before.node)
  }

  #noteAffine(info: NodeInfo): void {
    if (info.affine.size > 0) this.#affine.add(info)
    else this.#affine.delete(info)
  }

  isPlaced(uid: string): boolean {
    return this.#placed.has(uid)
  }
}

const zoneOf = (node: Node) =>
  `${node.metadata.labels?.['topology.kubernetes.io/region'] ?? ''}/${node.metadata.labels?.['topology.kubernetes.io/zone'] ?? ''}`

function interleaveZones(nodes: NodeInfo[]): NodeInfo[] {
  const zones = new Map<string, NodeInfo[]>()
  for (const node of nodes) {
    const zone = zoneOf(node.node)
    const members = zones.get(zone)
    if (members) members.push(node)
    else zones.set(zone, [node])
  }
  if (zones.size <= 1) return nodes
  const ordered: NodeInfo[] = []
  for (let i = 0; ordered.length < nodes.length; i++) for (const members of zones.values()) if (members[i]) ordered.push(members[i]!)
  return ordered
}
