import { existsSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '#base'
import type { ClusterConfig } from '../config.ts'
import { clusterPaths } from '../config.ts'
import { imageNames, importImage } from '../local/containerd.ts'
import { buildRequirements, ensureInstalled } from '../preflight.ts'

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

export interface BuildOptions {
  /** NAME:TAG. */
  tag: string
  /** The build context. */
  directory: string
  /** The Dockerfile; `Dockerfile` in the context when absent. */
  file?: string
  buildArgs?: readonly string[]
  onLine?: (line: string) => void
}

/** Builds an image from a Dockerfile with buildah, which needs no daemon, and puts it on every node. */
export async function buildImage(cluster: ClusterConfig | undefined, options: BuildOptions): Promise<string[]> {
  await ensureInstalled(buildRequirements, options.onLine)
  if (!existsSync(options.directory)) throw new Error(`${options.directory}: no such directory`)
  const work = await mkdtemp(join(tmpdir(), 'k8ts-build-'))
  try {
    const archive = join(work, 'image.tar')
    const reference = fullName(options.tag)
    const output = options.onLine ? { onLine: options.onLine } : {}
    const file = options.file ? ['--file', options.file] : []
    const args = (options.buildArgs ?? []).flatMap((arg) => ['--build-arg', arg])
    // buildah 1.28 (Debian 12) takes a layer of ENV or LABEL from its cache although the argument that stands in it has another value now
    const layers = args.length === 0 ? '--layers' : '--layers=false'
    // chroot isolation works also where no further container may be made
    await run(
      'buildah',
      ['build', '--isolation', 'chroot', '--format', 'docker', layers, '--tag', reference, ...file, ...args, options.directory],
      output,
    )
    if (!cluster) return [reference]
    await run('buildah', ['push', '--quiet', reference, `docker-archive:${archive}:${reference}`], output)
    return await loadImages(cluster, [archive])
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** A name as the kubelet will ask for it: with registry and tag. */
export function fullName(name: string): string {
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  const registry = first.includes('.') || first.includes(':') || first === 'localhost'
  const qualified = registry ? name : slash < 0 ? `docker.io/library/${name}` : `docker.io/${name}`
  return qualified.lastIndexOf(':') > qualified.lastIndexOf('/') || qualified.includes('@') ? qualified : `${qualified}:latest`
}

export async function listImages(cluster: ClusterConfig): Promise<{ node: string; images: string[] }[]> {
  const paths = clusterPaths(cluster.name)
  return Promise.all(cluster.nodes.map(async (node) => ({ node: node.name, images: await imageNames(paths.node(node.name).containerdSocket) })))
}
