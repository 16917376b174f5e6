import { randomBytes } from 'node:crypto'
import { compare, hash } from 'bcryptjs'
import type { KubeObject, apps, core } from '#api'
import { isStatus, kindOf, resources } from '#api'
import type { Client } from '#client'
import type { RegistryOptions } from '#registry'
import {
  accessSecret,
  clusterAddress,
  dataClaim,
  hostAddress,
  hostingConfigMap,
  namespaceObject,
  registryName,
  registryNames,
  registryNamespace,
  registryObjects,
  registryPort,
  serviceObject,
  tlsSecret,
} from '#registry'
import { adminClient, clusterPki } from '../access.ts'
import type { ClusterConfig } from '../config.ts'
import { clusterPaths, loadCluster, saveCluster } from '../config.ts'
import { loadImages } from '../image/images.ts'
import { exclusively } from '../local/lock.ts'
import { publishPorts, removePublishedPorts } from '../local/published-ports.ts'
import type { KeyPair } from '../pki/index.ts'
import { issueCertificate, isUsable } from '../pki/index.ts'
import { choosePort } from '../ports.ts'
import { requireRoot } from '../preflight.ts'
import { steps } from '../steps.ts'
import { registryImage } from './image.ts'
import { removeLogins } from './login.ts'
import { allowNodes, forbidNodes, nodesHaveCredentials } from './node-access.ts'
import { rolledOut } from './rollout.ts'

export interface RegistryUpOptions {
  /** Port of 127.0.0.1, part of every image's name; the first free one from 5000 on when absent. */
  port?: number
  /** Size of the claim for its data; 10Gi when absent. */
  storage?: string
  /** Whether nodes pull without a pod's image pull secrets; as before, or true, when absent. */
  nodeCredentials?: boolean
  /** Give up when the registry is not ready after this many seconds; 120 when absent. */
  waitSeconds?: number
}

const fieldManager = 'k8ts-registry'
const defaultPort = 5000
/** The user's name; the password is made at the first start. */
const username = 'k8ts'

/** Makes the cluster's registry, or brings the one that is there into this form; doing it again changes nothing. */
export async function registryUp(name: string, options: RegistryUpOptions): Promise<ClusterConfig> {
  requireRoot('k8ts registry up')
  return exclusively(`registry/${name}`, async () => {
    let cluster = (await loadCluster(name))!
    if (cluster.runtime !== 'containerd') throw new Error(`cluster ${name} runs no containers (runtime ${cluster.runtime}): a registry needs them`)
    if (cluster.registry && options.port !== undefined && options.port !== cluster.registry.port)
      throw new Error(
        `the registry of cluster ${name} is ${hostAddress(cluster.registry.port)}, which is part of its images’ names: \`k8ts registry down\` first to move it`,
      )
    await using admin = await adminClient(name)
    const { client } = admin
    const image = { reference: '' }
    await steps([
      {
        title: 'Image of docker-registry',
        task: async () => {
          const { reference, file } = await registryImage(clusterPaths(name).dir)
          await loadImages(cluster, [file])
          image.reference = reference
        },
      },
      {
        title: 'Address',
        task: async () => {
          const address = await ensureService(client)
          const port = cluster.registry?.port ?? (await choosePort({ first: defaultPort, asked: options.port, flag: '--port' }))
          cluster = { ...cluster, registry: { port, address, targetPort: registryPort } }
          // written down before anything uses it: the next cluster to choose a port sees it
          await saveCluster({ ...(await loadCluster(name))!, registry: cluster.registry! })
          await publishRegistry(cluster)
        },
      },
      {
        title: 'Registry',
        task: async () => {
          const { port, address } = cluster.registry!
          const host = hostAddress(port)
          const { ca } = await clusterPki(cluster)
          const first = !(await exists(client))
          const access = await accessOf(client)
          const tls = await certificateOf(client, ca, address)
          const storage = await storageOf(client, options.storage)
          for (const object of registryObjects({ host, image: image.reference, access, tls, storage })) await apply(client, object)
          const credentials = options.nodeCredentials ?? (first || nodesHaveCredentials(cluster))
          await allowNodes(cluster, { access: { ...access, host, cluster: clusterAddress }, address, ca: ca.certificate, credentials })
          await apply(client, hostingConfigMap(host))
          await rolledOut(client, (options.waitSeconds ?? 120) * 1000)
        },
      },
    ])
    return cluster
  })
}

/** Makes `localhost:PORT` lead to the registry; after a restart of the machine, too. */
export async function publishRegistry(cluster: ClusterConfig): Promise<void> {
  if (cluster.registry) await publishPorts(cluster, registryName, [cluster.registry])
}

/** Gives the registry a new certificate when its own is about to expire, as `k8ts up` does with the cluster's others. */
export async function renewRegistryCertificate(cluster: ClusterConfig): Promise<void> {
  if (!cluster.registry) return
  const { address, port } = cluster.registry
  await using admin = await adminClient(cluster.name)
  const { client } = admin
  const found = await secretText(client, tlsSecret)
  const deployment = await optional(() => client.resource<apps.Deployment>(resources.deployments).get(registryName, registryNamespace))
  if (!found || !deployment) return
  const tls = await certificateOf(client, (await clusterPki(cluster)).ca, address)
  if (tls.certificate === found['tls.crt']) return
  const image = deployment.spec.template.spec!.containers[0]!.image!
  const [access, storage] = [await accessOf(client), await storageOf(client, undefined)]
  for (const object of registryObjects({ host: hostAddress(port), image, access, tls, storage })) await apply(client, object)
}

/** Removes the registry with all its images. Answers whether there was one. */
export async function registryDown(name: string): Promise<boolean> {
  requireRoot('k8ts registry down')
  return exclusively(`registry/${name}`, async () => {
    const cluster = (await loadCluster(name))!
    if (!cluster.registry) return false
    await using admin = await adminClient(name)
    const { client } = admin
    await steps([
      { title: 'Logins', task: () => removeLogins(name) },
      { title: 'Address', task: () => removePublishedPorts(name, registryName) },
      { title: 'Nodes', task: () => forbidNodes(cluster) },
      {
        title: 'Registry and its data',
        task: async () => {
          await gone(() => client.resource<core.ConfigMap>(resources.configMaps).delete('local-registry-hosting', 'kube-public'))
          await gone(() => client.resource<core.Namespace>(resources.namespaces).delete(registryNamespace))
          await namespaceGone(client)
        },
      },
    ])
    const { registry: _, ...rest } = (await loadCluster(name))!
    await saveCluster(rest)
    return true
  })
}

async function apply(client: Client, object: KubeObject): Promise<void> {
  await client.resource(kindOf(object.apiVersion, object.kind)!).apply(object, { fieldManager, force: true })
}

async function ensureService(client: Client): Promise<string> {
  await apply(client, namespaceObject)
  await apply(client, serviceObject as unknown as KubeObject)
  const service = await client.resource<core.Service>(resources.services).get(registryName, registryNamespace)
  return service.spec!.clusterIP!
}

/** A Secret's data as text; undefined when there is none. */
async function secretText(client: Client, name: string): Promise<Record<string, string> | undefined> {
  const secret = await optional(() => client.resource<core.Secret>(resources.secrets).get(name, registryNamespace))
  return secret && Object.fromEntries(Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]))
}

/** What is there stays: its password is in many places. */
async function accessOf(client: Client): Promise<RegistryOptions['access']> {
  const found = await secretText(client, accessSecret)
  const password = found?.['password'] || randomBytes(24).toString('base64url')
  const [user, hashed] = (found?.['htpasswd'] ?? '').trim().split(':')
  // a salt makes every hash another one
  const valid = user === username && hashed !== undefined && (await compare(password, hashed).catch(() => false))
  return {
    username,
    password,
    htpasswd: valid ? found!['htpasswd']! : `${username}:${await hash(password, 8)}\n`,
    httpSecret: found?.['httpSecret'] || randomBytes(32).toString('hex'),
  }
}

async function certificateOf(client: Client, ca: KeyPair, address: string): Promise<KeyPair> {
  const names = [...registryNames, address]
  const found = await secretText(client, tlsSecret)
  const pair = { certificate: found?.['tls.crt'] ?? '', key: found?.['tls.key'] ?? '' }
  if (isUsable(pair, ca, { names, now: Date.now(), renewBeforeDays: 30 })) return pair
  return issueCertificate(ca, { commonName: registryName, names, usages: ['server'] })
}

/** A claim keeps its size, unless another one is asked for. */
async function storageOf(client: Client, asked: string | undefined): Promise<string> {
  if (asked !== undefined) return asked
  const claim = await optional(() => client.resource<core.PersistentVolumeClaim>(resources.persistentVolumeClaims).get(dataClaim, registryNamespace))
  return String(claim?.spec?.resources?.requests?.['storage'] ?? '10Gi')
}

/** Whether the registry was made before. */
async function exists(client: Client): Promise<boolean> {
  return (await optional(() => client.resource<apps.Deployment>(resources.deployments).get(registryName, registryNamespace))) !== undefined
}

async function namespaceGone(client: Client): Promise<void> {
  const signal = AbortSignal.timeout(120_000)
  const namespaces = client.resource<core.Namespace>(resources.namespaces)
  try {
    const { items, metadata } = await namespaces.list({ fieldSelector: `metadata.name=${registryNamespace}` })
    if (items.length === 0) return
    const watch = namespaces.watch({ fieldSelector: `metadata.name=${registryNamespace}`, resourceVersion: metadata.resourceVersion!, signal })
    for await (const event of watch) if (event.type === 'DELETED') return
  } catch (error) {
    if (!signal.aborted) throw error
  }
  throw new Error(`the namespace ${registryNamespace} is still there after 120 s: see \`kubectl describe namespace ${registryNamespace}\``)
}

async function optional<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (isStatus(error, 'NotFound')) return undefined
    throw error
  }
}

const gone = async (remove: () => Promise<void>): Promise<void> => void (await optional(remove))
