import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Report } from '#build'
import { buildToolImage, saveImage, toolImage } from '#build'
import { clusterAddress } from '#registry'
import type { ClusterConfig } from '../config.ts'
import { clusterPaths, homeDirectory } from '../config.ts'
import { imageNames, importImage } from '../local/containerd.ts'
import { exclusively } from '../local/lock.ts'
import { loadStored } from './stored.ts'
import { baseRequirements, buildRequirements, ensureInstalled } from '../preflight.ts'

/** Archives that all clusters of this machine share; no cluster's name starts with a dot. */
const archives = () => join(homeDirectory(), '.images')

/**
 * Sees to it that every node has the tool image: built once per machine and version (Debian's packages, Node, this k8ts), kept as an archive, loaded on
 * nodes that do not have this content. Answers the image's name.
 */
export async function ensureToolImage(cluster: ClusterConfig, report?: Report): Promise<string> {
  const onLine = report && ((text: string) => report({ type: 'note', text }))
  await ensureInstalled([...buildRequirements, ...baseRequirements], onLine)
  const content = await exclusively('tool-image', () => buildToolImage({ registryAddress: clusterAddress, ...(report ? { report } : {}) }))
  for (const node of cluster.nodes) {
    const at = clusterPaths(cluster.name).node(node.name)
    if (!existsSync(at.containerdSocket)) throw new Error(`node ${node.name} does not run: \`k8ts up --name ${cluster.name}\` first`)
    const marker = join(at.dir, 'tool-image')
    const loaded = existsSync(marker) ? await readFile(marker, 'utf8') : undefined
    const there = loaded !== undefined && (await imageNames(at.containerdSocket)).includes(toolImage)
    if (there && loaded === content) continue
    report?.({ type: 'note', text: `loading ${toolImage} on ${node.name} …` })
    // of an image that is there in another state, most layers are the same
    if (there) await loadStored({ ...cluster, nodes: [node] }, [toolImage])
    else await importImage(at.containerdSocket, await exclusively('tool-image', () => archived(content)))
    await writeFile(marker, content)
  }
  return toolImage
}

/** Writes the archive unless it is there, and removes those of other contents. */
async function archived(content: string): Promise<string> {
  await mkdir(archives(), { recursive: true, mode: 0o700 })
  const name = `k8ts-tools-${content}.tar`
  const file = join(archives(), name)
  if (!existsSync(file)) {
    await saveImage(toolImage, `${file}.tmp`)
    await rename(`${file}.tmp`, file)
  }
  for (const other of await readdir(archives()))
    if (/^k8ts-tools-.*\.tar/.test(other) && other !== name) await rm(join(archives(), other), { force: true })
  return file
}
