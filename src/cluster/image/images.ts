import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { ClusterConfig } from '../config.ts'
import { clusterPaths } from '../config.ts'
import { imageNames, importImage } from '../local/containerd.ts'

/** Puts docker or OCI archives on every node of the cluster; answers the names of the images. */
export async function loadImages(cluster: ClusterConfig, archives: readonly string[]): Promise<string[]> {
  const paths = clusterPaths(cluster.name)
  for (const archive of archives) if (!existsSync(archive) || !(await stat(archive)).isFile()) throw new Error(`${archive}: no such file`)
  const loaded = new Set<string>()
  for (const archive of archives)
    for (const node of cluster.nodes) {
      const socket = paths.node(node.name).containerdSocket
      if (!existsSync(socket)) throw new Error(`node ${node.name} does not run: \`k8ts up --name ${cluster.name}\` first`)
      for (const name of await importImage(socket, archive)) loaded.add(name)
    }
  return [...loaded]
}

export async function listImages(cluster: ClusterConfig): Promise<{ node: string; images: string[] }[]> {
  const paths = clusterPaths(cluster.name)
  return Promise.all(cluster.nodes.map(async (node) => ({ node: node.name, images: await imageNames(paths.node(node.name).containerdSocket) })))
}
