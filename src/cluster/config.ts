import type { WebhookBatching } from '#apiserver'
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What a cluster of `k8ts up` is: written once at its first start, read by every later command. */
export interface ClusterConfig {
  name: string
  /** Which slice of private addresses the cluster owns; unique on the machine. */
  index: number
  apiPort: number
  store: string
  runtime: 'containerd' | 'fake'
  /** Behave as clients and components of this release expect. */
  compat?: '1.20'
  nodes: NodeConfig[]
  hollow: number
  /** Components that the control plane does not run: they run elsewhere, or nobody needs them. */
  without?: readonly ('scheduler' | 'controllers')[]
  /** Ports of all Ingresses together on 127.0.0.1; the first free ones when absent. */
  ingressPorts?: { http: number; https: number }
  /** A file of tokens with a user each, as upstream's `--token-auth-file`. */
  tokenFile?: string
  /** The CI service, once `k8ts ci init` was run: its port on 127.0.0.1 and the bridge, and the image of its agents. */
  ci?: { port: number; toolImage?: string }
  apiServer?: ApiServerSettings
  /** The image registry, when there is one: where it answers on the host's 127.0.0.1, and what it leads to. */
  registry?: PublishedPort
}

/** What of the API server was asked for, beside what every cluster has. */
export interface ApiServerSettings {
  /** Sizes in megabytes, ages in days. */
  auditLog?: { path: string; maxSize?: number; maxBackup?: number; maxAge?: number; compress?: boolean }
  /** The kubeconfig of a webhook that gets audit events. */
  auditWebhook?: string
  /** How events are sent to it. */
  auditBatching?: WebhookBatching
  /** Names of admission plugins that are on beside the default ones, or off. */
  admission?: { enable?: string[]; disable?: string[] }
  /** Milliseconds that it goes on serving when it is asked to stop. */
  shutdownDelay?: number
}

/** A port of the host's 127.0.0.1 that leads to an address of the cluster. */
export interface PublishedPort {
  port: number
  address: string
  targetPort: number
}

export interface NodeConfig {
  name: string
  /** 1, 2, 3 …: the node's place in the cluster's ranges. */
  index: number
}

/** The address ranges of a cluster; each is private to its bridge. */
export interface Ranges {
  /** Network of the nodes; `.1` is the bridge, where the API server answers. */
  nodes: string
  gateway: string
  pods: string
  services: string
  clusterDns: string
  /** Addresses of Ingresses and of Services of type LoadBalancer. */
  balancers: string
}

const maxClusters = 32

/** Where a node's kubelet serves its own API. */
export const kubeletPort = 10250

/** 10.64–10.191 in groups of four: pods, services, nodes, and addresses of load balancers. */
export function rangesOf(index: number): Ranges {
  const base = 64 + index * 4
  return {
    pods: `10.${base}.0.0/16`,
    services: `10.${base + 1}.0.0/16`,
    nodes: `10.${base + 2}.0.0/24`,
    gateway: `10.${base + 2}.0.1`,
    clusterDns: `10.${base + 1}.0.10`,
    balancers: `10.${base + 3}.0.0/16`,
  }
}

export function nodeAddress(index: number, node: NodeConfig): string {
  return rangesOf(index).gateway.replace(/\.1$/, `.${10 + node.index}`)
}

export function nodePodCidr(index: number, node: NodeConfig): string {
  return rangesOf(index).pods.replace('.0.0/16', `.${node.index}.0/24`)
}

/** Everything a cluster keeps on disk. */
export interface ClusterPaths {
  dir: string
  config: string
  pki: string
  store: string
  /** An EncryptionConfiguration; not there when nothing is kept encrypted. */
  encryption: string
  /** What is recorded of requests, when something is: a Policy of audit.k8s.io. */
  auditPolicy: string
  /** What admission plugins are told: an AdmissionConfiguration with all that it names in it; not there when it is nothing. */
  admission: string
  /** A TracingConfiguration; not there when nothing is traced. */
  tracing: string
  kubeconfig: string
  logs: string
  run: string
  /** Where registries are and whom to trust there, for all nodes' containerd: `HOST:PORT/hosts.toml`. */
  registryHosts: string
  /** Credentials that all nodes pull with beside the pods' own, a docker `config.json`. */
  pullConfig: string
  node(name: string): NodePaths
}

export interface NodePaths {
  dir: string
  kubelet: string
  /** Persistent volumes that are directories of this node. */
  volumes: string
  containerdRoot: string
  containerdState: string
  containerdSocket: string
  containerdConfig: string
  cniConf: string
  kubeconfig: string
  /** Of the service proxy and the resolver. */
  proxyKubeconfig: string
}

/** Where all clusters live: `K8TS_HOME`, or /var/lib/k8ts. */
export const homeDirectory = (): string => process.env['K8TS_HOME'] ?? '/var/lib/k8ts'

export function clusterPaths(name: string): ClusterPaths {
  const dir = join(homeDirectory(), name)
  return {
    dir,
    config: join(dir, 'cluster.json'),
    pki: join(dir, 'pki'),
    store: join(dir, 'store.db'),
    encryption: join(dir, 'encryption.yaml'),
    auditPolicy: join(dir, 'audit-policy.yaml'),
    admission: join(dir, 'admission.json'),
    tracing: join(dir, 'tracing.yaml'),
    kubeconfig: join(dir, 'admin.kubeconfig'),
    logs: join(dir, 'logs'),
    run: join(dir, 'run'),
    registryHosts: join(dir, 'certs.d'),
    pullConfig: join(dir, 'pull-config.json'),
    node: (node) => {
      const nodeDir = join(dir, 'nodes', node)
      // a unix socket's path is at most 107 bytes, and shims add to it: the state stands in /run
      const state = join('/run/k8ts', name, node)
      return {
        dir: nodeDir,
        kubelet: join(nodeDir, 'kubelet'),
        volumes: join(nodeDir, 'volumes'),
        containerdRoot: join(nodeDir, 'containerd'),
        containerdState: state,
        containerdSocket: join(state, 'containerd.sock'),
        containerdConfig: join(nodeDir, 'containerd.toml'),
        cniConf: join(nodeDir, 'cni'),
        kubeconfig: join(nodeDir, 'kubelet.kubeconfig'),
        proxyKubeconfig: join(nodeDir, 'proxy.kubeconfig'),
      }
    },
  }
}

/** Names go into interface, namespace, cgroup and table names: short, lower-case, and nothing that a path could mean. */
export function checkClusterName(name: string): void {
  if (!/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(name))
    throw new Error(`invalid cluster name ${JSON.stringify(name)}: use up to 32 lower-case letters, digits and dashes`)
}

export async function loadCluster(name: string): Promise<ClusterConfig | undefined> {
  checkClusterName(name)
  const file = clusterPaths(name).config
  if (!existsSync(file)) return undefined
  return JSON.parse(await readFile(file, 'utf8')) as ClusterConfig
}

export async function saveCluster(config: ClusterConfig): Promise<void> {
  const paths = clusterPaths(config.name)
  await mkdir(paths.dir, { recursive: true, mode: 0o700 })
  await writeAtomically(paths.config, `${JSON.stringify(config, undefined, 2)}\n`)
}

/** Readers see the old file or the new one, never half of one. */
export async function writeAtomically(file: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`
  await writeFile(temporary, content, { mode })
  await rename(temporary, file)
}

export async function listClusters(): Promise<ClusterConfig[]> {
  const names = existsSync(homeDirectory()) ? await readdir(homeDirectory()) : []
  const clusters = await Promise.all(names.filter((n) => existsSync(clusterPaths(n).config)).map((n) => loadCluster(n)))
  return clusters.filter((c) => c !== undefined)
}

/** The lowest index that no cluster on this machine has, or the one that is asked for. */
export async function freeIndex(asked?: number): Promise<number> {
  const taken = new Map((await listClusters()).map((c) => [c.index, c.name]))
  if (asked !== undefined) {
    if (asked >= maxClusters) throw new Error(`there are ${maxClusters} ranges, from 0 to ${maxClusters - 1}`)
    if (taken.has(asked)) throw new Error(`range ${asked} belongs to cluster ${taken.get(asked)}`)
    return asked
  }
  for (let index = 0; index < maxClusters; index++) if (!taken.has(index)) return index
  throw new Error(`there are ${maxClusters} clusters on this machine already: take one down with \`k8ts down --name NAME\``)
}

export async function removeCluster(name: string): Promise<void> {
  await rm(clusterPaths(name).dir, { recursive: true, force: true })
  await rm(join('/run/k8ts', name), { recursive: true, force: true })
}
