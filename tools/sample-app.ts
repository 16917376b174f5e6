import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { KubeObject, apps, batch, core } from '#api'
import { isStatus, kindOf, resources } from '#api'
import type { Client } from '#client'
import type { ClusterConfig } from '#cluster'
import { buildImage, clusterCgroup, clusterPaths, findProcess, loadImages, rangesOf, startProcess } from '#cluster'

export const appDirectory = join(import.meta.dirname, '../examples/app')
const databasePort = 5432

/** Builds the image's base from the Node that runs this and the libraries it is linked with: no registry is asked for it. */
export async function buildBaseImage(onLine?: (line: string) => void): Promise<void> {
  const context = mkdtempSync(join(tmpdir(), 'k8ts-base-'))
  try {
    const rootfs = join(context, 'rootfs')
    const copy = (from: string, to = from) => {
      mkdirSync(dirname(join(rootfs, to)), { recursive: true })
      copyFileSync(realpathSync(from), join(rootfs, to))
    }
    copy(process.execPath, '/usr/local/bin/node')
    const linked = execFileSync('ldd', [process.execPath], { encoding: 'utf8' })
    for (const library of linked.match(/\/\S+/g) ?? []) if (existsSync(library) && library !== process.execPath) copy(library)
    mkdirSync(join(rootfs, 'tmp'))
    chmodSync(join(rootfs, 'tmp'), 0o1777)
    copyFileSync(join(appDirectory, 'base/Dockerfile'), join(context, 'Dockerfile'))
    await buildImage(undefined, { tag: 'localhost/node:26', directory: context, ...(onLine ? { onLine } : {}) })
  } finally {
    rmSync(context, { recursive: true, force: true })
  }
}

/** Builds the app's image under a tag and puts it on the nodes. */
export async function buildApp(cluster: ClusterConfig, tag = 'localhost/app:1', onLine?: (line: string) => void): Promise<void> {
  await buildImage(cluster, { tag, directory: appDirectory, ...(onLine ? { onLine } : {}) })
}

export { loadImages }

/** Starts the database on the host, as a process of the cluster: it goes with `k8ts down`. Answers where it is and its password. */
export async function startDatabase(cluster: ClusterConfig, client: Client): Promise<{ host: string; port: number; password: string }> {
  const paths = clusterPaths(cluster.name)
  const host = rangesOf(cluster.index).gateway
  const known = await credentials(client)
  const password = known?.password ?? randomBytes(16).toString('hex')
  if (!findProcess(paths.run, 'database'))
    await startProcess({
      name: 'database',
      program: process.execPath,
      args: [join(appDirectory, 'database/database.ts'), host, String(databasePort), join(paths.dir, 'database.db')],
      env: { DATABASE_PASSWORD: password },
      run: paths.run,
      logFile: join(paths.logs, 'database.log'),
      cgroup: `${clusterCgroup(cluster.name)}/database`,
    })
  return { host, port: databasePort, password }
}

async function credentials(client: Client): Promise<{ password: string } | undefined> {
  try {
    const secret = await client.resource<core.Secret>(resources.secrets).get('database-credentials', 'default')
    return JSON.parse(Buffer.from(secret.data!['credentials.json']!, 'base64').toString()) as { password: string }
  } catch (error) {
    if (isStatus(error, 'NotFound')) return undefined
    throw error
  }
}

export async function createSecrets(client: Client, database: { host: string; port: number; password: string }): Promise<void> {
  const secret = (name: string, stringData: Record<string, string>) =>
    apply(client, { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'default' }, stringData } as Applied)
  await secret('app-env', { SECRET_KEY_BASE: randomBytes(32).toString('hex'), DATABASE_NAME: 'app' })
  await secret('database-credentials', { 'credentials.json': JSON.stringify(database) })
}

/** Applies every document of a file, as `kubectl apply --server-side -f` does. */
export async function applyFile(client: Client, file: string): Promise<void> {
  for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) await apply(client, document.toJS() as Applied)
}

interface Applied {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string }
}

async function apply(client: Client, object: Applied): Promise<void> {
  const kind = kindOf(object.apiVersion, object.kind)
  if (!kind) throw new Error(`no kind ${object.kind} in ${object.apiVersion}`)
  if (kind.namespaced) object.metadata.namespace ??= 'default'
  await client.resource(kind).apply(object, { fieldManager: 'k8ts-start', force: true })
}

/** Watches the Job until it is complete; throws when it failed. */
export async function jobComplete(client: Client, name: string, timeoutMs: number): Promise<void> {
  await until<batch.Job>(client, resources.jobs, name, timeoutMs, (job) => {
    const condition = job.status?.conditions?.find((c) => c.status === 'True' && (c.type === 'Complete' || c.type === 'Failed'))
    if (condition?.type === 'Failed') throw new Error(`job ${name} failed: ${condition.message}`)
    return condition !== undefined
  })
}

/** Watches the Deployment until all its replicas are of the newest template and available. */
export async function rolledOut(client: Client, name: string, timeoutMs: number): Promise<void> {
  await until<apps.Deployment>(client, resources.deployments, name, timeoutMs, ({ spec, status, metadata }) => {
    const wanted = spec.replicas ?? 1
    return (
      (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0) &&
      status?.updatedReplicas === wanted &&
      status.replicas === wanted &&
      status.availableReplicas === wanted
    )
  })
}

async function until<T extends KubeObject>(
  client: Client,
  ref: Parameters<typeof client.resource<T>>[0],
  name: string,
  timeoutMs: number,
  done: (object: T) => boolean,
): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    for await (const event of client
      .resource<T>(ref)
      .watch({ namespace: 'default', fieldSelector: `metadata.name=${name}`, resourceVersion: '0', signal }))
      if ((event.type === 'ADDED' || event.type === 'MODIFIED') && done(event.object as T)) return
  } catch (error) {
    if (!signal.aborted) throw error
  }
  throw new Error(`${ref.resource} ${name} is not there after ${timeoutMs / 1000} s: see \`kubectl describe ${ref.resource} ${name}\``)
}
