import { connect } from 'node:net'
import { join } from 'node:path'
import type { ListrTask } from 'listr2'
import type { core } from '#api'
import { resources } from '#api'
import type { Client } from '#client'
import type { ApiServerFlags } from './apiserver-settings.ts'
import { planApiServer, setApiServer } from './apiserver-settings.ts'
import type { ClusterConfig, ClusterPaths, NodeConfig } from './config.ts'
import { clusterPaths, freeIndex, kubeletPort, loadCluster, nodeAddress, nodePodCidr, saveCluster } from './config.ts'
import { adminClient, controlPlaneReady, ensureKubeconfigs, mergeUserContext } from './access.ts'
import { startCi } from './ci.ts'
import { choosePort, isFree } from './ports.ts'
import { ensureInstalled, nodeRequirements, requireRoot } from './preflight.ts'
import { clusterCgroup, nodeCgroup } from './local/cgroup.ts'
import { ensureContainerd } from './local/containerd.ts'
import { exclusively } from './local/lock.ts'
import { ensureBridge, ensureNodeNetwork, netnsPath } from './local/network.ts'
import { findProcess, killGroup, startProcess, waitUntil } from './local/process.ts'
import { ownProgram } from './local/program.ts'
import { publishRegistry, renewRegistryCertificate } from './registry/up.ts'
import { steps } from './steps.ts'
import { checkStoreName, setEncryption } from './store.ts'

export interface UpOptions {
  name: string
  nodes?: number
  runtime?: 'containerd' | 'fake'
  store?: string
  hollow?: number
  compat?: '1.20'
  apiPort?: number
  ingressPorts?: { http: number; https: number }
  /** A file with an EncryptionConfiguration; on a cluster that is there it replaces the one it has. */
  encryptionProviderConfig?: string
  /** What of the API server is asked for; on a cluster that is there it replaces what it has. */
  apiServer?: ApiServerFlags
  /** Which slice of private addresses the cluster gets, from 0; a free one when absent. */
  range?: number
  /** Give up when a node is not Ready after this many seconds; 120 when absent. */
  waitSeconds?: number
}

const defaultApiPort = 6443
/** What the node network has addresses for. */
const maxNodes = 200

/** Brings the cluster up: makes it when there is none of this name, and starts whatever of it does not run. */
export async function up(options: UpOptions): Promise<ClusterConfig> {
  requireRoot('k8ts up')
  const existing = await loadCluster(options.name)
  // what is wrong with it is said before anything is made
  if (!existing && options.apiServer) await planApiServer(options.name, {}, options.apiServer)
  const cluster = existing ? agreeing(existing, options) : await exclusively('clusters', () => newCluster(options))
  const paths = clusterPaths(cluster.name)
  const plan: ListrTask[] = [
    { title: 'Programs', task: async (_, task) => void (await ensureInstalled(nodeRequirements, (line) => (task.output = line))) },
    {
      title: 'Control plane',
      task: async () => {
        await ensureBridge(cluster)
        await publishRegistry(cluster)
        await ensureKubeconfigs(cluster)
        const encryption = options.encryptionProviderConfig && (await setEncryption(cluster, options.encryptionProviderConfig))
        const settings = options.apiServer && (await setApiServer(cluster, options.apiServer))
        if (encryption || settings) await stopControlPlane(cluster, paths)
        await startControlPlane(cluster, paths)
      },
    },
    ...cluster.nodes.map((node) => ({
      title: `Node ${node.name}`,
      task: () => startNode(cluster, node, paths, options.waitSeconds ?? 120),
    })),
    ...(cluster.registry ? [{ title: 'Registry', task: () => renewRegistryCertificate(cluster) }] : []),
    ...(cluster.ci ? [{ title: 'CI', task: () => startCi(cluster) }] : []),
    { title: `Context k8ts-${cluster.name}`, task: () => mergeUserContext(cluster) },
  ]
  await steps(plan)
  return cluster
}

/** Chooses what no other cluster has, and writes it down: the next one to choose sees it. */
async function newCluster(options: UpOptions): Promise<ClusterConfig> {
  if (options.store !== undefined) checkStoreName(options.store)
  const apiPort = await choosePort({ first: defaultApiPort, asked: options.apiPort, flag: '--api-port' })
  if ((options.nodes ?? 1) > maxNodes) throw new Error(`a cluster has at most ${maxNodes} nodes`)
  const nodes = Array.from({ length: options.nodes ?? 1 }, (_, i): NodeConfig => ({ name: i === 0 ? 'node-1' : `node-${i + 1}`, index: i + 1 }))
  const cluster: ClusterConfig = {
    name: options.name,
    index: await freeIndex(options.range),
    apiPort,
    store: options.store ?? 'sqlite',
    runtime: options.runtime ?? 'containerd',
    ...(options.compat ? { compat: options.compat } : {}),
    ...(options.ingressPorts ? { ingressPorts: options.ingressPorts } : {}),
    nodes,
    hollow: options.hollow ?? 0,
  }
  await saveCluster(cluster)
  return cluster
}

/** A cluster is what it was made as; a flag that says otherwise is an error and changes nothing. */
function agreeing(existing: ClusterConfig, options: UpOptions): ClusterConfig {
  const asked: [string, unknown, unknown][] = [
    ['--nodes', options.nodes, existing.nodes.length],
    ['--store', options.store, existing.store],
    ['--runtime', options.runtime, existing.runtime],
    ['--compat', options.compat, existing.compat],
    ['--api-port', options.apiPort, existing.apiPort],
    ['--hollow', options.hollow, existing.hollow],
    ['--range', options.range, existing.index],
    ['--ingress-ports', pair(options.ingressPorts), pair(existing.ingressPorts)],
  ]
  for (const [flag, want, have] of asked)
    if (want !== undefined && want !== have)
      throw new Error(
        `cluster ${existing.name} exists with ${flag} ${have ?? '(unset)'}, not ${want}: \`k8ts down --name ${existing.name}\` first, or use another --name`,
      )
  return existing
}

const pair = (ports: { http: number; https: number } | undefined) => ports && `${ports.http},${ports.https}`

export const controlPlaneProcess = 'control-plane'
export const agentProcess = (node: string): string => `agent-${node}`

/** Ends the control plane and waits until it is gone; nodes and their pods go on. */
export async function stopControlPlane(cluster: ClusterConfig, paths: ClusterPaths): Promise<void> {
  if (!findProcess(paths.run, controlPlaneProcess)) return
  await killGroup(`${clusterCgroup(cluster.name)}/control-plane`, 5000 + (cluster.apiServer?.shutdownDelay ?? 0))
}

export async function startControlPlane(cluster: ClusterConfig, paths: ClusterPaths): Promise<void> {
  if (!findProcess(paths.run, controlPlaneProcess)) {
    if (!(await isFree(cluster.apiPort)))
      throw new Error(`port ${cluster.apiPort}, where the API server of this cluster listens, is used by another program`)
    await startProcess({
      ...ownProgram('internal', 'control-plane', cluster.name),
      name: controlPlaneProcess,
      run: paths.run,
      logFile: join(paths.logs, `${controlPlaneProcess}.log`),
      cgroup: `${clusterCgroup(cluster.name)}/control-plane`,
    })
  }
  const ready = await waitUntil(async () => {
    if (!findProcess(paths.run, controlPlaneProcess))
      throw new Error(`the control plane ended at its start; see \`k8ts logs --name ${cluster.name} control-plane\``)
    return controlPlaneReady(cluster)
  }, 30_000)
  if (!ready) throw new Error(`the API server is not ready after 30 s; see \`k8ts logs --name ${cluster.name} control-plane\``)
}

async function startNode(cluster: ClusterConfig, node: NodeConfig, paths: ClusterPaths, waitSeconds: number): Promise<void> {
  await ensureNodeNetwork(cluster, node)
  if (cluster.runtime === 'containerd') await ensureContainerd(cluster, node, paths)
  if (!findProcess(paths.run, agentProcess(node.name)))
    await startProcess({
      ...ownProgram('internal', 'agent', cluster.name, node.name),
      name: agentProcess(node.name),
      run: paths.run,
      logFile: join(paths.logs, `${agentProcess(node.name)}.log`),
      cgroup: `${nodeCgroup(cluster.name, node.name)}/agent`,
      netns: netnsPath(cluster.name, node.name),
    })
  const look = `k8ts logs --name ${cluster.name} ${node.name}`
  // what the Node says may be older than the process that was started now
  const serves = await waitUntil(async () => {
    if (!findProcess(paths.run, agentProcess(node.name))) throw new Error(`the agent of node ${node.name} ended at its start; see \`${look}\``)
    return accepts(nodeAddress(cluster.index, node), kubeletPort)
  }, waitSeconds * 1000)
  if (!serves) throw new Error(`the kubelet of node ${node.name} does not answer after ${waitSeconds} s; see \`${look}\``)
  await using admin = await adminClient(cluster.name)
  await nodeReady(admin.client, node.name, waitSeconds, look)
  // the ranges of local nodes are fixed: routes lead to them before a node is there
  const podCidr = nodePodCidr(cluster.index, node)
  await admin.client.resource(resources.nodes).patch(node.name, undefined, 'merge', { spec: { podCIDR: podCidr, podCIDRs: [podCidr] } })
}

/** Whether a TCP connection to the address is taken. */
function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2000 })
    const done = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.on('connect', () => done(true))
    socket.on('timeout', () => done(false))
    socket.on('error', () => done(false))
  })
}

/** Watches the Node until it is Ready. */
async function nodeReady(client: Client, name: string, waitSeconds: number, look: string): Promise<void> {
  const signal = AbortSignal.timeout(waitSeconds * 1000)
  const isReady = (node: { status?: { conditions?: readonly { type: string; status: string }[] } }) =>
    node.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false
  try {
    const watch = client.resource<core.Node>(resources.nodes).watch({ fieldSelector: `metadata.name=${name}`, resourceVersion: '0', signal })
    for await (const event of watch) if (event.type !== 'BOOKMARK' && event.type !== 'ERROR' && isReady(event.object)) return
  } catch (error) {
    if (!signal.aborted) throw error
  }
  throw new Error(`node ${name} is not Ready after ${waitSeconds} s; see \`${look}\``)
}
