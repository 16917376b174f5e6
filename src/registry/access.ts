import type { core } from '#api'
import { isStatus, resources } from '#api'
import type { Client } from '#client'
import { clusterAddress, registryNamespace } from './addresses.ts'

/** The Secret that holds who may use the registry; keys `host`, `username`, `password`, `htpasswd`, `httpSecret`. */
export const accessSecret = 'registry-access'

/** What the Secret of `ensurePullSecret` is called when nothing else is asked for. */
export const pullSecretName = 'k8ts-registry'

/** How the registry of a cluster is used. */
export interface RegistryAccess {
  /** As images name it: `localhost:PORT`. */
  host: string
  /** Its address inside the cluster. */
  cluster: string
  username: string
  password: string
}

/** The registry of the cluster; undefined when `k8ts registry up` has not been run. Needs the right to read Secrets of the registry's namespace. */
export async function findRegistry(client: Client): Promise<RegistryAccess | undefined> {
  try {
    const { data = {} } = await client.resource<core.Secret>(resources.secrets).get(accessSecret, registryNamespace)
    const text = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString()
    return { host: text('host'), cluster: clusterAddress, username: text('username'), password: text('password') }
  } catch (error) {
    if (isStatus(error, 'NotFound')) return undefined
    throw error
  }
}

/** A docker `config.json` with the registry's credentials under both of its addresses. */
export function dockerConfig({ host, cluster, username, password }: RegistryAccess): { auths: Record<string, { auth: string }> } {
  const auth = Buffer.from(`${username}:${password}`).toString('base64')
  return { auths: { [host]: { auth }, [cluster]: { auth } } }
}

/**
 * Puts the credentials of the registry into a namespace, as a Secret of type `kubernetes.io/dockerconfigjson` with entries for `localhost:PORT` and for
 * the address inside the cluster: it serves as a pod's `imagePullSecrets`, and mounted as `config.json` it is what a pod pushes with. Answers the Secret's
 * name. An error says what to do when there is no registry.
 */
export async function ensurePullSecret(client: Client, namespace: string, name = pullSecretName): Promise<string> {
  const access = await findRegistry(client)
  if (!access) throw new Error('the cluster has no registry: make one with `k8ts registry up`')
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels: { 'app.kubernetes.io/managed-by': 'k8ts' } },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(JSON.stringify(dockerConfig(access))).toString('base64') },
  }
  await client.resource<core.Secret>(resources.secrets).apply(secret, { fieldManager: 'k8ts-registry', force: true })
  return name
}

/** Makes a namespace's default service account hand the Secret to its pods; the account's other pull secrets stay. */
export async function useByDefault(client: Client, namespace: string, secret: string): Promise<void> {
  await client
    .resource<core.ServiceAccount>(resources.serviceAccounts)
    .patch('default', namespace, 'strategic', { imagePullSecrets: [{ name: secret }] })
}
