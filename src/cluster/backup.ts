import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import type { BackupSummary } from '#store'
import { StoreError, exportStore, importBackup, openSqliteStore, readBackup } from '#store'
import { silentLogger } from '#base'
import { adminClient, controlPlaneReady } from './access.ts'
import { aboutOf, backupPath } from './backup-endpoint.ts'
import type { ClusterConfig } from './config.ts'
import { clusterPaths, rangesOf } from './config.ts'
import { requireRoot } from './preflight.ts'
import { steps } from './steps.ts'
import { openClusterStore } from './store.ts'
import { startControlPlane, stopControlPlane } from './up.ts'

/** Writes a backup of the cluster's objects, running or not, to a file that is there only once it is whole and was read again. */
export async function backupCluster(cluster: ClusterConfig, file: string): Promise<BackupSummary> {
  const partial = `${file}.partial`
  try {
    if (await controlPlaneReady(cluster)) {
      await using admin = await adminClient(cluster.name)
      const response = await admin.transport.send({ method: 'GET', path: backupPath, query: new URLSearchParams(), headers: {} })
      if (response.status !== 200 || !('stream' in response.body)) throw new Error(`the API server answered ${response.status} instead of a backup`)
      await write(response.body.stream, partial)
    } else {
      if (cluster.store === 'memory')
        throw new Error(`cluster ${cluster.name} keeps its objects in memory and does not run: there is nothing to back up`)
      await using store = await openClusterStore(cluster, silentLogger)
      await write(exportStore(store, new Date(), aboutOf(cluster)), partial)
    }
    const summary = await verifyBackup(partial)
    await rename(partial, file)
    return summary
  } finally {
    await rm(partial, { force: true })
  }
}

async function write(chunks: AsyncIterable<Uint8Array>, file: string): Promise<void> {
  // secrets are in it
  await pipeline(Readable.from(chunks, { objectMode: false }), createGzip({ level: 3 }), createWriteStream(file, { mode: 0o600 }))
  await using handle = await open(file)
  await handle.sync()
}

/** Reads a backup to its end. Throws when it is damaged. */
export async function verifyBackup(file: string): Promise<BackupSummary> {
  try {
    return await readBackup(contentsOf(file))
  } catch (error) {
    throw new Error(`${file} is damaged, or no backup: ${(error as Error).message}`, { cause: error })
  }
}

function contentsOf(file: string): AsyncIterable<Uint8Array> {
  const source = createReadStream(file)
  const unzipped = createGunzip()
  source.on('error', (error) => unzipped.destroy(error))
  unzipped.on('close', () => source.destroy())
  return source.pipe(unzipped)
}

/**
 * Replaces the objects of a cluster by those of a backup, which may be of another store. The API server is stopped meanwhile; pods go on. Revisions go on from where they were, so that clients that
 * remember one start over instead of missing something. An embedded store is replaced in one step, and what it held stays beside it.
 */
export async function restoreCluster(cluster: ClusterConfig, file: string): Promise<BackupSummary> {
  requireRoot('k8ts restore')
  if (!existsSync(file)) throw new Error(`${file}: no such file`)
  if (cluster.store === 'memory')
    throw new Error(
      `cluster ${cluster.name} keeps its objects in memory, where a backup would not stay: restore it to a cluster with --store sqlite or etcd`,
    )
  const paths = clusterPaths(cluster.name)
  let verified: BackupSummary | undefined
  let summary: BackupSummary | undefined
  const runs = await controlPlaneReady(cluster)
  await steps([
    {
      title: 'Backup',
      task: async () => {
        verified = await verifyBackup(file)
        checkRange(cluster, verified)
      },
    },
    { title: 'Control plane stops', task: () => stopControlPlane(cluster, paths) },
    {
      title: 'Objects',
      task: async () => {
        try {
          summary = await replaceObjects(cluster, file, verified!)
        } catch (error) {
          if (runs) await startControlPlane(cluster, paths)
          throw error
        }
      },
    },
    { title: 'Control plane', enabled: () => runs, task: () => startControlPlane(cluster, paths) },
  ])
  return summary!
}

function checkRange(cluster: ClusterConfig, { about }: BackupSummary): void {
  const { services } = rangesOf(cluster.index)
  if (about['services'] === services) return
  throw new Error(
    `the backup is of a cluster with services in ${about['services']}, those of ${cluster.name} are in ${services}: make a cluster with \`k8ts up --range ${about['range']}\` for it`,
  )
}

async function replaceObjects(cluster: ClusterConfig, file: string, verified: BackupSummary): Promise<BackupSummary> {
  if (cluster.store !== 'sqlite') {
    await using store = await openClusterStore(cluster, silentLogger)
    return await importBackup(store, contentsOf(file))
  }
  const path = clusterPaths(cluster.name).store
  const next = `${path}.restored`
  await removeDatabase(next)
  const revision = await newestRevision(cluster, verified)
  let summary: BackupSummary
  {
    await using store = await openSqliteStore({ path: next, firstRevision: revision + 1 })
    summary = await importBackup(store, contentsOf(file))
  }
  await removeDatabase(`${path}.before-restore`)
  // what a process that ended suddenly had not moved into the file belongs to this one, and to no other
  for (const suffix of ['', '-wal', '-shm']) if (existsSync(path + suffix)) await rename(path + suffix, `${path}.before-restore${suffix}`)
  await rename(next, path)
  await removeDatabase(next)
  return summary
}

/** More than a cluster has written since its backup, where that cannot be asked any more. */
const unknownWrites = 1_000_000_000

/** A revision that no client of the cluster can know a later one of. */
async function newestRevision(cluster: ClusterConfig, backup: BackupSummary): Promise<number> {
  try {
    await using old = await openClusterStore(cluster, silentLogger)
    return await old.currentRevision()
  } catch (error) {
    if (!(error instanceof StoreError && error.kind === 'damaged')) throw error
    return backup.revision + unknownWrites
  }
}

async function removeDatabase(path: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '.reserve']) await rm(path + suffix, { force: true })
}
