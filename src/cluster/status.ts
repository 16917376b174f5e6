import type { core } from '#api'
import { resources } from '#api'
import type { ClusterConfig } from './config.ts'
import { clusterPaths, nodeAddress, rangesOf } from './config.ts'
import { adminClient, contextName, controlPlaneReady, internalServer, localServer } from './access.ts'
import { findProcess, wasStarted } from './local/process.ts'
import { ingressPorts, ingressProcess } from './ingress.ts'
import { ciProcess, ciUrl } from './ci.ts'
import { agentProcess, controlPlaneProcess } from './up.ts'

/** What `k8ts status -o json` prints. */
export interface ClusterStatus {
  name: string
  context: string
  /** `running`: the API server is ready; `stopped`: nothing of it runs; `degraded`: something in between. */
  state: 'running' | 'degraded' | 'stopped'
  dataDirectory: string
  endpoints: { local: string; internal: string }
  ranges: { pods: string; services: string; nodes: string; balancers: string }
  /** Where all Ingresses answer on the host's own address; null as long as there is none. */
  ingress: { http: string; https: string } | null
  /** Where the CI service answers; null where there is none. */
  ci: string | null
  components: { name: string; pid: number | null }[]
  nodes: { name: string; address: string; containerd: string; ready: boolean | null }[]
}

export async function clusterStatus(cluster: ClusterConfig): Promise<ClusterStatus> {
  const paths = clusterPaths(cluster.name)
  const names = [
    controlPlaneProcess,
    ...(cluster.ci ? [ciProcess] : []),
    ...(wasStarted(paths.run, ingressProcess) ? [ingressProcess] : []),
    ...cluster.nodes.flatMap((node) => [...(cluster.runtime === 'containerd' ? [`containerd-${node.name}`] : []), agentProcess(node.name)]),
  ]
  const components = names.map((name) => ({ name, pid: findProcess(paths.run, name)?.pid ?? null }))
  const apiReady = await controlPlaneReady(cluster)
  const ready = apiReady ? await nodeReadiness(cluster.name) : new Map<string, boolean>()
  const { pods, services, nodes, balancers } = rangesOf(cluster.index)
  const ports = findProcess(paths.run, ingressProcess) ? await ingressPorts(paths) : undefined
  const running = components.every((c) => c.pid !== null) && apiReady
  return {
    name: cluster.name,
    context: contextName(cluster.name),
    state: running ? 'running' : components.every((c) => c.pid === null) ? 'stopped' : 'degraded',
    dataDirectory: paths.dir,
    endpoints: { local: localServer(cluster), internal: internalServer(cluster) },
    ranges: { pods, services, nodes, balancers },
    ingress: ports ? { http: `http://127.0.0.1:${ports.http}`, https: `https://127.0.0.1:${ports.https}` } : null,
    ci: ciUrl(cluster) ?? null,
    components,
    nodes: cluster.nodes.map((node) => ({
      name: node.name,
      address: nodeAddress(cluster.index, node),
      containerd: paths.node(node.name).containerdSocket,
      ready: ready.get(node.name) ?? null,
    })),
  }
}

async function nodeReadiness(cluster: string): Promise<Map<string, boolean>> {
  await using admin = await adminClient(cluster)
  const { items } = await admin.client.resource<core.Node>(resources.nodes).list()
  return new Map(items.map((node) => [node.metadata.name, node.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false]))
}
