import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandError, run } from '#base'
import { saveDirectory, saveImage } from '#build'
import type { ClusterConfig } from '../config.ts'
import { clusterPaths } from '../config.ts'
import { importImage } from '../local/containerd.ts'
import { loadImages } from './images.ts'

/** Puts images of this machine's store on every node; of a layer that every node has nothing is copied. */
export async function loadStored(cluster: ClusterConfig, names: readonly string[]): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'k8ts-image-'))
  try {
    for (const [index, name] of names.entries()) {
      const at = join(work, String(index))
      await mkdir(at)
      if (!(await loadMissing(cluster, name, at))) {
        const archive = join(at, 'image.tar')
        await saveImage(name, archive)
        await loadImages(cluster, [archive])
      }
      await rm(at, { recursive: true })
    }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/**
 * Imports the image's manifest with those of its blobs that some node lacks; containerd finds the rest in its own store. False when a node does not run, or has
 * lost a layer meanwhile.
 */
async function loadMissing(cluster: ClusterConfig, name: string, work: string): Promise<boolean> {
  const known = await knownBlobs(cluster)
  if (known.size === 0) return false
  const saved = join(work, 'image')
  await saveDirectory(name, saved)
  const text = await readFile(join(saved, 'manifest.json'))
  const manifest = JSON.parse(text.toString()) as Manifest
  const digest = createHash('sha256').update(text).digest('hex')
  const layout = join(work, 'layout')
  const blobs = join(layout, 'blobs/sha256')
  await mkdir(blobs, { recursive: true })
  await writeFile(join(blobs, digest), text)
  // the configuration tells the layers: it goes along
  const layers = manifest.layers.map((layer) => layer.digest.replace('sha256:', '')).filter((hex) => !known.has(hex))
  for (const hex of new Set([manifest.config.digest.replace('sha256:', ''), ...layers])) await rename(join(saved, hex), join(blobs, hex))
  await writeFile(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  const described = {
    mediaType: manifest.mediaType,
    digest: `sha256:${digest}`,
    size: text.length,
    annotations: { 'io.containerd.image.name': name },
  }
  await writeFile(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [described] }))
  const archive = join(work, 'layout.tar')
  await run('tar', ['-C', layout, '-cf', archive, 'oci-layout', 'index.json', 'blobs'])
  try {
    for (const node of cluster.nodes) await importImage(clusterPaths(cluster.name).node(node.name).containerdSocket, archive)
    return true
  } catch (error) {
    if (error instanceof CommandError) return false
    throw error
  }
}

interface Manifest {
  mediaType: string
  config: { digest: string }
  layers: { digest: string }[]
}

/** Digests of the blobs that the containerd of every node has. */
async function knownBlobs(cluster: ClusterConfig): Promise<Set<string>> {
  let common: Set<string> | undefined
  for (const node of cluster.nodes) {
    const directory = join(clusterPaths(cluster.name).node(node.name).containerdRoot, 'io.containerd.content.v1.content/blobs/sha256')
    const own = new Set(await readdir(directory).catch(() => []))
    common = common ? common.intersection(own) : own
  }
  return common ?? new Set()
}
