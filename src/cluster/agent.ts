import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { authentication, authorization } from '#api'
import { resources } from '#api'
import type { Clock, Logger } from '#base'
import { createLogger, realClock, Teardown } from '#base'
import type { Client } from '#client'
import { cachedView, startDnsServer } from '#dns'
import type { ContainerRuntime, Kubelet } from '#kubelet'
import {
  connectContainerd,
  createFakeRuntime,
  createKubelet,
  hollowVolumes,
  kubeletServer,
  localVolumes,
  runLogRotation,
  statsSource,
} from '#kubelet'
import { healthCheckServers, nftablesBackend, runProxy } from '#proxy'
import { createContext, startCache } from '#runtime'
import { clientFrom } from './access.ts'
import type { ClusterConfig, NodeConfig } from './config.ts'
import { clusterPaths, kubeletPort, nodeAddress, rangesOf } from './config.ts'
import { nodeCgroup } from './local/cgroup.ts'
import { plainNetworkHandler } from './local/containerd.ts'
import { furtherRanges, keepServiceRoutes } from './local/service-routes.ts'

export const clusterDomain = 'cluster.local'

/** What runs on a node beside containerd, in this process: kubelet, service proxy, DNS. Runs until the signal aborts; pods stay when it ends. */
export async function runAgent(cluster: ClusterConfig, nodeName: string, signal: AbortSignal): Promise<void> {
  const node = cluster.nodes.find((n) => n.name === nodeName)
  if (!node) throw new Error(`cluster ${cluster.name} has no node ${nodeName}`)
  const log = createLogger({ level: 'info' })
  const paths = clusterPaths(cluster.name).node(nodeName)
  await using teardown = new Teardown()
  const { client } = teardown.use(await clientFrom(paths.kubeconfig, 'kubelet'))
  const network = teardown.use(await clientFrom(paths.proxyKubeconfig, 'kube-proxy'))
  const context = teardown.use(createContext({ client: network.client, component: 'kube-proxy', host: nodeName, log }))
  const services = context.cache(resources.services)
  const runtime = cluster.runtime === 'fake' ? createFakeRuntime() : teardown.use(connectContainerd({ socket: paths.containerdSocket }))
  const kubelet = teardown.use(
    createKubelet({
      nodeName,
      nodeIPs: [nodeAddress(cluster.index, node)],
      client,
      runtime,
      rootDir: paths.kubelet,
      pullConfig: clusterPaths(cluster.name).pullConfig,
      logsDir: join(paths.dir, 'pods'),
      // a node that runs nothing needs neither groups nor mounts
      ...(cluster.runtime === 'fake' ? { cgroupRoot: false, volumes: hollowVolumes() } : { cgroupRoot: nodeCgroup(cluster.name, nodeName) }),
      dns: { servers: [rangesOf(cluster.index).clusterDns], domain: clusterDomain },
      port: kubeletPort,
      ...(cluster.compat === '1.20' ? { version: 'v1.20.2' } : {}),
      services,
      ...(cluster.runtime === 'fake' ? {} : { endpointSlices: context.cache(resources.endpointSlices) }),
      ...(cluster.runtime === 'fake' ? {} : { plainHandler: plainNetworkHandler }),
      // images come by hand and no registry could give them back; and the disk is the machine's, not the node's to clear
      imageCollection: false,
      eviction: { 'memory.available': '100Mi' },
      log,
    }),
  )
  const running = [serveDns(cluster, node, context, log, signal)]
  if (cluster.runtime === 'containerd') {
    const serviceCidrs = context.cache(resources.serviceCIDRs)
    const own = rangesOf(cluster.index).services
    const query = { fieldSelector: `metadata.name=${nodeName}` }
    running.push(
      keepServiceRoutes({ serviceCidrs, own, dev: 'eth0', log: log.named('routes') }, signal),
      runProxy(
        {
          nodeName,
          services,
          endpointSlices: context.cache(resources.endpointSlices),
          node: teardown.use(startCache({ client: network.client, ref: resources.nodes, query, clock: realClock, log })),
          ranges: { list: () => furtherRanges(serviceCidrs.list(), own), subscribe: (changed) => serviceCidrs.subscribe(changed) },
          health: teardown.use(healthCheckServers({ address: nodeAddress(cluster.index, node), log: log.named('proxy') })),
          backend: nftablesBackend(ranges(cluster)),
          log: log.named('proxy'),
        },
        signal,
      ),
    )
  }
  await kubelet.start()
  running.push(serveKubelet(cluster, kubelet, runtime, client, log, signal))
  log.info('agent is running', { node: nodeName })
  await Promise.all(running)
}

const ranges = (cluster: ClusterConfig) => {
  const { services, pods } = rangesOf(cluster.index)
  return { serviceCidr: services, podCidr: pods }
}

/** The node's own resolver; the service kube-dns leads to it. */
async function serveDns(
  cluster: ClusterConfig,
  node: NodeConfig,
  context: Parameters<typeof cachedView>[0],
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const { view, ready } = cachedView(context)
  await ready(signal)
  await using _server = await startDnsServer({ address: nodeAddress(cluster.index, node), zone: clusterDomain, view, log: log.named('dns') })
  await aborted(signal)
}

/** The kubelet's own API, and what goes with running it. */
async function serveKubelet(
  cluster: ClusterConfig,
  kubelet: Kubelet,
  runtime: ContainerRuntime,
  client: Client,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const pki = join(clusterPaths(cluster.name).pki)
  const serving = join(pki, 'nodes', kubelet.nodeName, 'serving')
  const [cert, key, clientCa] = await Promise.all([`${serving}.crt`, `${serving}.key`, join(pki, 'ca.crt')].map((file) => readFile(file, 'utf8')))
  const clock: Clock = realClock
  const node = cluster.nodes.find((n) => n.name === kubelet.nodeName)!
  const stats = statsSource({ runtime, nodeName: kubelet.nodeName, clock, rootDir: kubelet.paths.root, mounted: () => kubelet.volumes.mounted() })
  await using server = kubeletServer({
    runtime,
    records: kubelet.records,
    pods: { list: () => kubelet.pods.list(), get: (namespace, name) => kubelet.pods.get(`${namespace}/${name}`) },
    stats,
    nodeName: kubelet.nodeName,
    tls: { cert: cert!, key: key!, clientCa: clientCa! },
    address: nodeAddress(cluster.index, node),
    port: kubeletPort,
    logsDir: kubelet.paths.logs,
    localVolumes: localVolumes({
      dir: clusterPaths(cluster.name).node(kubelet.nodeName).volumes,
      // a pod that was deleted by force may still run here
      inUse: (path) => kubelet.volumes.mounted().some(({ volume }) => volume.hostPath === path),
    }),
    authenticateToken: async (token) => {
      const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', metadata: {}, spec: { token } }
      const { status } = await client.raw<authentication.TokenReview>('POST', '/apis/authentication.k8s.io/v1/tokenreviews', review)
      const user = status?.authenticated ? status.user : undefined
      return user?.username ? { username: user.username, groups: user.groups ?? [], ...(user.uid ? { uid: user.uid } : {}) } : undefined
    },
    authorize: async (user, { verb, resource, subresource, name }) => {
      const spec = { user: user.username, groups: user.groups, resourceAttributes: { verb, resource, subresource, name } }
      const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', metadata: {}, spec }
      const { status } = await client.raw<authorization.SubjectAccessReview>('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', review)
      return status?.allowed ?? false
    },
    clock,
    log: log.named('kubelet-server'),
  })
  await server.start()
  const logs = () =>
    kubelet.pods
      .list()
      .flatMap((pod) =>
        (kubelet.records.get(pod.metadata.uid!)?.containers ?? [])
          .filter((c) => c.state === 'running')
          .map((c) => ({ containerId: c.id, path: c.logPath })),
      )
  await runLogRotation({ runtime, logs, clock, log }, signal)
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })))
}
