import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandError, run } from '#base'
import { saveImage, saveLayout } from '#build'
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
 * Exports the image as an OCI layout in which layers that every node has are only placeholders: buildah takes a blob that is there for done. What is new is
 * imported; containerd finds the rest in its own store. False when a node does not run yet, or has lost a layer meanwhile.
 */
async function loadMissing(cluster: ClusterConfig, name: string, work: string): Promise<boolean> {
  const layout = join(work, 'layout')
  const blobs = join(layout, 'blobs/sha256')
  await mkdir(blobs, { recursive: true })
  const known = await knownBlobs(cluster)
  if (known.size === 0) return false
  for (const [digest, size] of known) {
    await writeFile(join(blobs, digest), '')
    await truncate(join(blobs, digest), size)
  }
  await saveLayout(name, layout)
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as OciIndex
  for (const manifest of index.manifests) manifest.annotations = { 'io.containerd.image.name': name }
  await writeFile(join(layout, 'index.json'), JSON.stringify(index))
  const fresh = (await readdir(blobs)).filter((digest) => !known.has(digest)).map((digest) => `blobs/sha256/${digest}`)
  const archive = join(work, 'layout.tar')
  // names come from a list, which no shell reads
  await run('tar', ['-C', layout, '-cf', archive, '--null', '--files-from=-'], { input: ['oci-layout', 'index.json', ...fresh].join('\0') })
  try {
    for (const node of cluster.nodes) await importImage(clusterPaths(cluster.name).node(node.name).containerdSocket, archive)
    return true
  } catch (error) {
    if (error instanceof CommandError) return false
    throw error
  }
}

interface OciIndex {
  manifests: { annotations?: Record<string, string> }[]
}

/** Layers that the containerd of every node has, with their sizes: what can only be a layer, for manifests and configurations are small. */
async function knownBlobs(cluster: ClusterConfig): Promise<Map<string, number>> {
  let common: Map<string, number> | undefined
  for (const node of cluster.nodes) {
    const directory = join(clusterPaths(cluster.name).node(node.name).containerdRoot, 'io.containerd.content.v1.content/blobs/sha256')
    const digests = await readdir(directory).catch(() => [])
    const own = new Map<string, number>()
    for (const digest of digests) {
      if (common && !common.has(digest)) continue
      const size = (await stat(join(directory, digest)).catch(() => undefined))?.size
      if (size !== undefined && !(await isJson(join(directory, digest)))) own.set(digest, size)
    }
    common = own
  }
  return common ?? new Map()
}

async function isJson(file: string): Promise<boolean> {
  for await (const chunk of createReadStream(file, { end: 0 })) return (chunk as Buffer)[0] === 0x7b
  return true
}
