import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RegistryAccess } from '#registry'
import { dockerConfig, registryPort } from '#registry'
import type { ClusterConfig } from '../config.ts'
import { clusterPaths, writeAtomically } from '../config.ts'

/**
 * Tells all nodes where the registry is: containerd reads hosts.toml at every pull, the kubelets read the credentials. With `credentials` false a pod needs
 * an image pull secret.
 */
export async function allowNodes(
  cluster: ClusterConfig,
  options: { access: RegistryAccess; address: string; ca: string; credentials: boolean },
): Promise<void> {
  const { access, address, ca, credentials } = options
  const { registryHosts, pullConfig } = clusterPaths(cluster.name)
  const dir = join(registryHosts, access.host)
  const caFile = join(dir, 'ca.crt')
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await writeAtomically(caFile, ca)
  await writeAtomically(join(dir, 'hosts.toml'), hostsToml(`https://${address}:${registryPort}`, caFile))
  if (credentials) await writeAtomically(pullConfig, JSON.stringify(dockerConfig(access)))
  else await rm(pullConfig, { force: true })
}

/** The one place where the registry's images are: containerd must not try `localhost` of the node after it, whose refusal would hide the
 * registry's. containerd 1.6 wants a `host` table, also an empty one. */
export const hostsToml = (server: string, ca: string): string => `server = ${JSON.stringify(server)}
ca = ${JSON.stringify(ca)}
[host]
`

export async function forbidNodes(cluster: ClusterConfig): Promise<void> {
  const { registryHosts, pullConfig } = clusterPaths(cluster.name)
  await rm(registryHosts, { recursive: true, force: true })
  await rm(pullConfig, { force: true })
}

/** Whether nodes pull without a pod's image pull secrets. */
export const nodesHaveCredentials = (cluster: ClusterConfig): boolean => existsSync(clusterPaths(cluster.name).pullConfig)
