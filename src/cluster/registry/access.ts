import type { Client } from '#client'
import type { RegistryAccess, RegistryClient } from '#registry'
import { findRegistry, registryClient } from '#registry'
import { clusterPki } from '../access.ts'
import type { ClusterConfig } from '../config.ts'

const flag = (name: string) => (name === 'default' ? '' : ` --name ${name}`)

/** How the cluster's registry is used; an error says how to make one. */
export async function registryAccess(cluster: ClusterConfig, client: Client): Promise<RegistryAccess> {
  const access = cluster.registry && (await findRegistry(client))
  if (!access) throw new Error(`cluster ${cluster.name} has no registry: make one with \`k8ts registry up${flag(cluster.name)}\``)
  return access
}

/** The registry's protocol from the host, at its Service or at `address`, one of its pods. */
export async function openRegistry(cluster: ClusterConfig, client: Client, address?: string): Promise<RegistryClient> {
  const { username, password } = await registryAccess(cluster, client)
  const { ca } = await clusterPki(cluster)
  const { registry } = cluster
  const at = address === undefined ? { address: '127.0.0.1', port: registry!.port } : { address, port: registry!.targetPort }
  return registryClient({ ...at, serverName: 'localhost', ca: ca.certificate, username, password })
}
