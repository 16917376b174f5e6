import { existsSync } from 'node:fs'
import { request } from 'node:https'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client, Kubeconfig, Transport } from '#client'
import {
  createClient,
  emptyKubeconfig,
  httpsTransport,
  kubeconfigPaths,
  loadKubeconfig,
  parseKubeconfig,
  resolveContext,
  saveKubeconfig,
  withContext,
  withoutContext,
} from '#client'
import type { ClusterConfig, NodeConfig } from './config.ts'
import { clusterPaths, nodeAddress, rangesOf } from './config.ts'
import { exclusively } from './local/lock.ts'
import type { KeyPair, Pki } from './pki/index.ts'
import { loadOrCreatePki, serviceNames } from './pki/index.ts'

export const contextName = (cluster: string): string => `k8ts-${cluster}`

/** The cluster's certificates, made at its first start; every name and address that the API server is reached by stands in its own. */
export function clusterPki(cluster: ClusterConfig): Promise<Pki> {
  const { gateway, services } = rangesOf(cluster.index)
  return loadOrCreatePki(clusterPaths(cluster.name).pki, {
    serverNames: ['localhost', '127.0.0.1', gateway, services.replace('.0.0/16', '.0.1'), ...serviceNames()],
  })
}

/** Where nodes and pods reach the API server. */
export const internalServer = (cluster: ClusterConfig): string => `https://${rangesOf(cluster.index).gateway}:${cluster.apiPort}`

/** Where people reach it. */
export const localServer = (cluster: ClusterConfig): string => `https://127.0.0.1:${cluster.apiPort}`

export function kubeconfigFor(name: string, server: string, ca: string, user: KeyPair): Kubeconfig {
  const base64 = (pem: string) => Buffer.from(pem).toString('base64')
  const config = withContext(emptyKubeconfig(), name, {
    cluster: { server, 'certificate-authority-data': base64(ca) },
    user: { 'client-certificate-data': base64(user.certificate), 'client-key-data': base64(user.key) },
  })
  return { ...config, 'current-context': name }
}

/** Writes the admin's kubeconfig, and for each node its kubelet's and its service proxy's. */
export async function ensureKubeconfigs(cluster: ClusterConfig): Promise<void> {
  const pki = await clusterPki(cluster)
  const paths = clusterPaths(cluster.name)
  await saveKubeconfig(paths.kubeconfig, kubeconfigFor(contextName(cluster.name), localServer(cluster), pki.ca.certificate, pki.admin))
  for (const node of cluster.nodes) {
    const at = paths.node(node.name)
    await saveKubeconfig(at.kubeconfig, await nodeKubeconfig(cluster, node, pki))
    await saveKubeconfig(at.proxyKubeconfig, kubeconfigFor('kube-proxy', internalServer(cluster), pki.ca.certificate, pki.proxy))
  }
}

async function nodeKubeconfig(cluster: ClusterConfig, node: NodeConfig, pki: Pki): Promise<Kubeconfig> {
  const { client } = await pki.node(node.name, [nodeAddress(cluster.index, node), '127.0.0.1', 'localhost'])
  return kubeconfigFor(`node-${node.name}`, internalServer(cluster), pki.ca.certificate, client)
}

export interface OwnedClient extends AsyncDisposable {
  client: Client
  transport: Transport
}

/** A client from a kubeconfig file; disposing it closes its connections. */
export async function clientFrom(kubeconfig: string, userAgent: string): Promise<OwnedClient> {
  const { transport: options } = await resolveContext(parseKubeconfig(await readFile(kubeconfig, 'utf8')))
  const transport = httpsTransport(options)
  return { client: createClient(transport, { userAgent }), transport, [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose]() }
}

export const adminClient = (cluster: string): Promise<OwnedClient> => clientFrom(clusterPaths(cluster).kubeconfig, 'k8ts')

/** Whether the API server says that it is ready; false also when nothing answers. */
export async function controlPlaneReady(cluster: ClusterConfig): Promise<boolean> {
  const ca = join(clusterPaths(cluster.name).pki, 'ca.crt')
  if (!existsSync(ca)) return false
  const certificate = await readFile(ca)
  return new Promise((resolve) => {
    const probe = request(`${localServer(cluster)}/readyz`, { ca: certificate, agent: false, timeout: 2000 }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    probe.on('error', () => resolve(false))
    probe.on('timeout', () => probe.destroy())
    probe.end()
  })
}

/** Adds the context `k8ts-NAME` to the user's kubeconfig and makes it the current one, as kind does. */
export async function mergeUserContext(cluster: ClusterConfig): Promise<void> {
  const own = parseKubeconfig(await readFile(clusterPaths(cluster.name).kubeconfig, 'utf8'))
  const name = contextName(cluster.name)
  await changeUserConfig((config) => ({
    ...withContext(config, name, { cluster: own.clusters[0]!.cluster, user: own.users[0]!.user }),
    'current-context': name,
  }))
}

export async function removeUserContext(cluster: string): Promise<void> {
  const name = contextName(cluster)
  await changeUserConfig((config) => (config.contexts.some((c) => c.name === name) ? withoutContext(config, name) : undefined))
}

/** Only the first file of KUBECONFIG is ever written, like kubectl does. */
async function changeUserConfig(change: (config: Kubeconfig) => Kubeconfig | undefined): Promise<void> {
  const [file] = kubeconfigPaths()
  await exclusively('kubeconfig', async () => {
    const changed = change(await loadKubeconfig([file!]))
    if (changed) await saveKubeconfig(file!, changed)
  })
}
