import type { apps, core } from '#api'
import { isStatus, resources } from '#api'
import { clusterAddress, dataClaim, registryName, registryNamespace, serveArgs } from '#registry'
import { adminClient } from '../access.ts'
import type { ClusterConfig } from '../config.ts'
import { openRegistry } from './access.ts'
import { nodesHaveCredentials } from './node-access.ts'

export interface RegistryStatus {
  /** `absent`: there is none; `starting`: no pod of it is ready; `read-only`: garbage is being collected, or was when something crashed. */
  state: 'absent' | 'starting' | 'running' | 'read-only'
  /** As images name it. */
  host?: string
  /** Inside the cluster. */
  cluster?: string
  /** Whether nodes pull without a pod's image pull secrets. */
  nodeCredentials?: boolean
  /** Its volume's size. */
  storage?: string
  repositories?: number
}

export async function registryStatus(cluster: ClusterConfig): Promise<RegistryStatus> {
  if (!cluster.registry) return { state: 'absent' }
  await using admin = await adminClient(cluster.name)
  const { client } = admin
  const known = {
    host: `localhost:${cluster.registry.port}`,
    cluster: clusterAddress,
    nodeCredentials: nodesHaveCredentials(cluster),
  }
  try {
    const [deployment, claim] = await Promise.all([
      client.resource<apps.Deployment>(resources.deployments).get(registryName, registryNamespace),
      client.resource<core.PersistentVolumeClaim>(resources.persistentVolumeClaims).get(dataClaim, registryNamespace),
    ])
    const storage = String(claim.status?.capacity?.['storage'] ?? claim.spec?.resources?.requests?.['storage'] ?? '')
    if ((deployment.status?.availableReplicas ?? 0) === 0) return { state: 'starting', ...known, storage }
    using registry = await openRegistry(cluster, client)
    const readOnly = deployment.spec.template.spec!.containers[0]!.args?.join(' ') === serveArgs('read-only').join(' ')
    return { state: readOnly ? 'read-only' : 'running', ...known, storage, repositories: (await registry.repositories()).length }
  } catch (error) {
    if (isStatus(error, 'NotFound')) return { state: 'starting', ...known }
    throw error
  }
}
