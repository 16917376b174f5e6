import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BuildOptions, Report } from '#build'
import { buildImage as build, debianBases, debianMounts, machineApt, makeDebianImage, saveImage } from '#build'
import type { ClusterConfig } from '../config.ts'
import { baseRequirements, buildRequirements, ensureInstalled } from '../preflight.ts'
import { loadImages } from './images.ts'

export interface ImageBuildOptions extends Omit<BuildOptions, 'bases' | 'mounts'> {
  /** What is installed before the build, line by line. */
  onLine?: (line: string) => void
}

/**
 * Builds an image from a Dockerfile on this machine and puts it on every node of the cluster. Debian's images that it starts from are made when they are
 * not there. Answers the image's names.
 */
export async function buildImage(cluster: ClusterConfig | undefined, options: ImageBuildOptions): Promise<string[]> {
  const { onLine, ...rest } = options
  await ensureInstalled(buildRequirements, onLine)
  const debian = debianBases()
  const bases = [
    {
      ...debian,
      provide: async (reference: string, report: Report) => {
        await ensureInstalled(baseRequirements, onLine)
        return debian.provide(reference, report)
      },
    },
  ]
  const { names } = await build({ ...rest, bases, mounts: debianMounts })
  if (cluster) await loadStored(cluster, names)
  return names
}

/** Puts images of this machine's store on every node. */
export async function loadStored(cluster: ClusterConfig, names: readonly string[]): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'k8ts-image-'))
  try {
    for (const name of names) {
      const archive = join(work, 'image.tar')
      await saveImage(name, archive)
      await loadImages(cluster, [archive])
      await rm(archive)
    }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

export interface BaseOptions {
  /** Codename of the release; this machine's when absent. */
  suite?: string
  slim?: boolean
  /** More packages. */
  include?: readonly string[]
  report?: Report
  onLine?: (line: string) => void
}

/** Makes a base image of Debian's packages under a name. */
export async function makeBaseImage(name: string, { suite, slim = false, include = [], report, onLine }: BaseOptions): Promise<void> {
  await ensureInstalled([...buildRequirements, ...baseRequirements], onLine)
  const apt = await machineApt()
  await makeDebianImage(name, { suite: suite ?? apt.codename, slim, include }, apt, report)
}
