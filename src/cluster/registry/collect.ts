import type { apps, core } from '#api'
import { isStatus, resources } from '#api'
import type { Client } from '#client'
import type { RegistryMode } from '#registry'
import {
  configFile,
  deleteUntagged,
  parseCollected,
  parseRevisions,
  parseUploads,
  removeUploads,
  registryName,
  registryNamespace,
  registryPod,
  serveArgs,
} from '#registry'
import { adminClient } from '../access.ts'
import type { ClusterConfig } from '../config.ts'
import { exclusively } from '../local/lock.ts'
import { steps } from '../steps.ts'
import { openRegistry, registryAccess } from './access.ts'
import { rolledOut, until } from './rollout.ts'

export interface Collection {
  /** Uploads that nobody ended. */
  uploads: number
  /** Manifests that no tag led to. */
  manifests: number
  /** Layers, configurations and manifests that were removed from the disk. */
  blobs: number
  /** And those that stay. */
  kept: number
}

const rolloutMs = 120_000
/** A registry of many gigabytes takes its time. */
const podMs = 3_600_000

/**
 * Frees what no tag leads to. Meanwhile the registry answers reads and refuses writes; what is being pushed when it begins may finish within 25 s. However it
 * ends, the registry takes writes again; after a crash `k8ts registry up` or the next collection sees to it.
 */
export async function collectGarbage(cluster: ClusterConfig, options: { signal: AbortSignal; silent?: boolean }): Promise<Collection> {
  const { signal, silent = false } = options
  return exclusively(`registry/${cluster.name}`, async () => {
    await using admin = await adminClient(cluster.name)
    const { client } = admin
    await registryAccess(cluster, client)
    const image = await imageOf(client)
    const result: Collection = { uploads: 0, manifests: 0, blobs: 0, kept: 0 }
    await steps(
      [
        { title: 'Read-only', task: () => setMode(client, 'read-only') },
        {
          title: 'What no tag leads to',
          task: async () => {
            try {
              signal.throwIfAborted()
              result.uploads = parseUploads(await runPod(client, 'registry-gc-uploads', { image, ...removeUploads }, signal))
              using registry = await openRegistry(cluster, client)
              // docker-registry collects nothing where nothing was ever pushed, and calls it an error
              if ((await registry.repositories()).length === 0) return
              const collector = ['garbage-collect', configFile('read-write')]
              const revisions = parseRevisions(await runPod(client, 'registry-gc-list', { image, args: [...collector, '--dry-run'] }, signal))
              result.manifests = await withWriter(cluster, client, image, signal, (writer) => deleteUntagged(writer, revisions))
              const { kept, removed } = parseCollected(await runPod(client, 'registry-gc', { image, args: collector }, signal))
              Object.assign(result, { blobs: removed, kept })
            } finally {
              await setMode(client, 'read-write')
            }
          },
        },
      ],
      { silent },
    )
    return result
  })
}

async function imageOf(client: Client): Promise<string> {
  const deployment = await client.resource<apps.Deployment>(resources.deployments).get(registryName, registryNamespace)
  return deployment.spec.template.spec!.containers[0]!.image!
}

async function setMode(client: Client, mode: RegistryMode): Promise<void> {
  const patch = [{ op: 'replace', path: '/spec/template/spec/containers/0/args', value: serveArgs(mode) }]
  await client.resource(resources.deployments).patch(registryName, registryNamespace, 'json', patch)
  await rolledOut(client, rolloutMs)
}

/** A registry over the same data that takes writes and that nobody else knows: its pod is not the Service's. */
async function withWriter<T>(
  cluster: ClusterConfig,
  client: Client,
  image: string,
  signal: AbortSignal,
  use: (writer: Awaited<ReturnType<typeof openRegistry>>) => Promise<T>,
): Promise<T> {
  const name = 'registry-gc-writer'
  await createPod(client, name, { image, args: serveArgs('read-write') }, true)
  try {
    let address = ''
    const late = new Error(`pod ${name} is not ready: see \`kubectl -n ${registryNamespace} describe pod ${name}\``)
    await until<core.Pod>(client, resources.pods, name, AbortSignal.any([signal, AbortSignal.timeout(rolloutMs)]), late, (pod) => {
      address = pod?.status?.podIP ?? ''
      return pod?.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false
    })
    using writer = await openRegistry(cluster, client, address)
    return await use(writer)
  } finally {
    await deletePod(client, name)
  }
}

interface Program {
  image: string
  command?: string[]
  args: string[]
}

/** Runs a program of the image once over the data; answers what it prints. */
async function runPod(client: Client, name: string, program: Program, signal: AbortSignal): Promise<string> {
  await createPod(client, name, program, false)
  try {
    let phase: string | undefined
    const late = new Error(`pod ${name} did not end within ${podMs / 60_000} min: see \`kubectl -n ${registryNamespace} logs ${name}\``)
    await until<core.Pod>(client, resources.pods, name, AbortSignal.any([signal, AbortSignal.timeout(podMs)]), late, (pod) => {
      phase = pod?.status?.phase
      return pod === undefined || phase === 'Succeeded' || phase === 'Failed'
    })
    // an empty body is no text
    const printed = (await client.raw<string | undefined>('GET', `/api/v1/namespaces/${registryNamespace}/pods/${name}/log`)) ?? ''
    if (phase !== 'Succeeded') throw new Error(`pod ${name} failed: ${printed.trim().split('\n').slice(-3).join(' / ')}`)
    return printed
  } finally {
    await deletePod(client, name)
  }
}

async function createPod(client: Client, name: string, program: Program, serves: boolean): Promise<void> {
  // one that a crash left
  await deletePod(client, name)
  const labels = { app: 'registry-gc', 'app.kubernetes.io/managed-by': 'k8ts' }
  const spec = { ...registryPod({ ...program, serves }), restartPolicy: 'Never' as const }
  await client
    .resource<core.Pod>(resources.pods)
    .create({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: registryNamespace, labels }, spec } as never)
}

async function deletePod(client: Client, name: string): Promise<void> {
  try {
    await client.resource<core.Pod>(resources.pods).delete(name, registryNamespace, { gracePeriodSeconds: 5 })
  } catch (error) {
    if (isStatus(error, 'NotFound')) return
    throw error
  }
  const late = new Error(`pod ${name} does not end: see \`kubectl -n ${registryNamespace} describe pod ${name}\``)
  await until<core.Pod>(client, resources.pods, name, AbortSignal.timeout(60_000), late, (pod) => !pod)
}
