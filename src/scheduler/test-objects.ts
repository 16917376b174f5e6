import type { DeepReadonly, core } from '#api'
import type { ClusterReader, Node, Pod, VolumeWriter } from './framework.ts'
import { ClusterState } from './snapshot.ts'

export interface TestNode {
  labels?: Record<string, string>
  taints?: core.Taint[]
  unschedulable?: boolean
  allocatable?: Record<string, string>
  images?: core.ContainerImage[]
}

/** A node with 4 cores, 8 GiB and 10 pods unless told otherwise. */
export function testNode(name: string, options: TestNode = {}): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid: name, labels: { 'kubernetes.io/hostname': name, ...options.labels } },
    spec: { ...(options.taints ? { taints: options.taints } : {}), ...(options.unschedulable ? { unschedulable: true } : {}) },
    status: { allocatable: { cpu: '4', memory: '8Gi', pods: '10', ...options.allocatable }, ...(options.images ? { images: options.images } : {}) },
  }
}

export interface TestPod extends Partial<DeepReadonly<core.PodSpec>> {
  namespace?: string
  labels?: Record<string, string>
  cpu?: string
  memory?: string
  status?: DeepReadonly<core.PodStatus>
  leaving?: boolean
  owner?: { kind: string; name: string }
}

/** A pod that asks for nothing unless told otherwise. */
export function testPod(name: string, options: TestPod = {}): Pod {
  const { namespace = 'default', labels, cpu, memory, status = {}, leaving, owner, ...spec } = options
  const requests = { ...(cpu ? { cpu } : {}), ...(memory ? { memory } : {}) }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      uid: `uid-${name}`,
      ...(labels ? { labels } : {}),
      ...(leaving ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
      ...(owner ? { ownerReferences: [{ apiVersion: 'v1', uid: owner.name, controller: true, ...owner }] } : {}),
    },
    spec: { containers: [{ name: 'app', image: 'app', resources: { requests } }], ...spec },
    status,
  }
}

export function testCluster(nodes: readonly Node[], placed: Readonly<Record<string, readonly Pod[]>> = {}): ClusterState {
  const state = new ClusterState()
  for (const node of nodes) state.setNode(node)
  for (const [node, pods] of Object.entries(placed)) for (const pod of pods) state.place(pod, node)
  return state
}

/** A cluster without services, controllers and volumes but those given. */
export function testReader(parts: Partial<ClusterReader> = {}): ClusterReader {
  return {
    services: () => [],
    controllerSelector: () => undefined,
    namespaceLabels: () => undefined,
    node: () => undefined,
    claim: () => undefined,
    volume: () => undefined,
    volumes: () => [],
    storageClass: () => undefined,
    csiNode: () => undefined,
    attachments: () => [],
    ...parts,
  }
}

export const noVolumes: VolumeWriter = {
  annotate: (claim) => Promise.resolve(claim),
  reserve: () => Promise.resolve(),
  untilBound: () => Promise.resolve(),
}
