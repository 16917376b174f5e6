import type { Node, Pod } from './framework.ts'
import type { Resources } from './resources.ts'
import { addTo, parseResources, requestOf } from './resources.ts'

/** A node with the pods that are on it or on their way to it. Plugins read it and never change it. */
export class NodeInfo {
  node: Node
  readonly pods = new Map<string, Pod>()
  readonly requested: Resources = new Map()
  readonly nonZero = { cpu: 0, memory: 0 }
  /** `protocol/hostIP/port` in use. */
  readonly ports = new Map<string, number>()
  /** How many of the pods have (anti-)affinity terms: most have none, and then nobody needs to look. */
  affine = 0
  allocatable: Resources

  constructor(node: Node) {
    this.node = node
    this.allocatable = parseResources(node.status?.allocatable)
  }

  get name(): string {
    return this.node.metadata.name
  }

  setNode(node: Node): void {
    if (node.status?.allocatable !== this.node.status?.allocatable) this.allocatable = parseResources(node.status?.allocatable)
    this.node = node
  }

  add(pod: Pod): void {
    this.remove(pod)
    this.pods.set(pod.metadata.uid!, pod)
    this.#count(pod, 1)
  }

  remove(pod: Pod): void {
    const present = this.pods.get(pod.metadata.uid!)
    if (!present) return
    this.pods.delete(pod.metadata.uid!)
    this.#count(present, -1)
  }

  /** A copy for what-if questions. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.node)
    for (const pod of this.pods.values()) copy.add(pod)
    return copy
  }

  #count(pod: Pod, sign: 1 | -1): void {
    const { requests, nonZero } = requestOf(pod)
    addTo(this.requested, requests, sign)
    this.nonZero.cpu += sign * nonZero.cpu
    this.nonZero.memory += sign * nonZero.memory
    if (pod.spec.affinity?.podAffinity ?? pod.spec.affinity?.podAntiAffinity) this.affine += sign
    for (const key of hostPorts(pod)) {
      const uses = (this.ports.get(key) ?? 0) + sign
      if (uses > 0) this.ports.set(key, uses)
      else this.ports.delete(key)
    }
  }
}

export function hostPorts(pod: Pod): string[] {
  const keys: string[] = []
  for (const container of pod.spec.containers)
    for (const port of container.ports ?? []) if (port.hostPort) keys.push(`${port.protocol ?? 'TCP'}/${port.hostIP || '0.0.0.0'}/${port.hostPort}`)
  return keys
}

/** All nodes at one moment; a cycle runs to its decision without a pause, so nothing changes under it. */
export interface Snapshot {
  readonly nodes: readonly NodeInfo[]
  get(name: string): NodeInfo | undefined
}

/**
 * The scheduler's picture of the cluster, kept up by events instead of copied per cycle. A pod counts on its node from the decision on (it is assumed), before the API
 * server has confirmed it.
 */
export class ClusterState implements Snapshot {
  readonly #byName = new Map<string, NodeInfo>()
  #list: NodeInfo[] | undefined
  /** Pods on nodes that are not known (yet). */
  readonly #homeless = new Map<string, Map<string, Pod>>()
  readonly #placed = new Map<string, { node: string; pod: Pod }>()

  /** In an order that takes a node of each zone in turn, so that a partial look at the nodes sees all zones. */
  get nodes(): readonly NodeInfo[] {
    this.#list ??= interleaveZones([...this.#byName.values()])
    return this.#list
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
    this.#list = undefined
  }

  removeNode(name: string): void {
    const info = this.#byName.get(name)
    if (!info) return
    this.#byName.delete(name)
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
    if (info) return info.add(pod)
    const homeless = this.#homeless.get(node) ?? new Map<string, Pod>()
    homeless.set(uid, pod)
    this.#homeless.set(node, homeless)
  }

  displace(pod: Pod): void {
    const uid = pod.metadata.uid!
    const before = this.#placed.get(uid)
    if (!before) return
    this.#placed.delete(uid)
    this.#byName.get(before.node)?.remove(before.pod)
    this.#homeless.get(before.node)?.delete(uid)
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
