import type { BaseImages, BuildOptions, Report } from '#build'
import {
  buildImage as build,
  checkReference,
  debianBases,
  debianMounts,
  fullName,
  inspectImage,
  machineApt,
  makeDebianImage,
  mirrorName,
  pruneImages,
  pullImage,
  pushImage,
  registryOf,
} from '#build'
import type { ClusterConfig } from '../config.ts'
import { exclusively } from '../local/lock.ts'
import { baseRequirements, buildRequirements, ensureInstalled } from '../preflight.ts'
import { hostRegistry } from './registry-login.ts'
import { loadStored } from './stored.ts'

export interface ImageBuildOptions extends Omit<BuildOptions, 'bases' | 'mounts'> {
  /** Sends the image to the cluster's registry, from where nodes pull it, and loads it on no node. A name without a registry becomes one of that registry. */
  push?: boolean
  /** Base images that are not here are asked for at their registries; needs a network that leads there. */
  pull?: boolean
  /** What is installed before the build, line by line. */
  onLine?: (line: string) => void
}

/**
 * Builds an image from a Dockerfile on this machine and puts it on every node of the cluster, or into its registry. Debian's images that it starts from are
 * made when they are not there; others come from the cluster's registry. Answers the image's names.
 */
export async function buildImage(cluster: ClusterConfig | undefined, options: ImageBuildOptions): Promise<string[]> {
  const { onLine, push = false, pull = false, ...rest } = options
  await ensureInstalled(buildRequirements, onLine)
  // asked for before the build: what is missing is known at once
  await using registry = push && cluster ? await hostRegistry(cluster) : undefined
  const tags = [rest.tag].flat()
  tags.forEach(checkReference)
  const tag = registry ? tags.map((each) => inRegistry(each, registry.host)) : tags
  const { names } = await build({ ...rest, tag, bases: [...sources(cluster, onLine), elsewhere(pull)], mounts: debianMounts })
  if (registry) for (const name of names) await pushWithNote(name, name, registry, rest.report)
  else if (cluster) {
    const nodes = cluster.nodes.length
    rest.report?.({ type: 'note', text: `loading on ${nodes === 1 ? 'the node' : `${nodes} nodes`} …` })
    await loadStored(cluster, names)
  }
  return names
}

function sources(cluster: ClusterConfig | undefined, onLine?: (line: string) => void): BaseImages[] {
  const debian = debianBases()
  return [
    {
      ...debian,
      provide: async (reference, report) => {
        await ensureInstalled(baseRequirements, onLine)
        // of two builds at once, one makes it
        return exclusively(`image/${reference}`, async () => (await inspectImage(reference)) !== undefined || debian.provide(reference, report))
      },
    },
    {
      offers: '',
      provide: async (reference, report) => {
        if (!cluster || !/^localhost:\d+$/.test(registryOf(reference))) return false
        await using registry = await hostRegistry(cluster)
        if (registryOf(reference) !== registry.host) return false
        report({ type: 'note', text: `pulling ${reference} …` })
        await pullImage(reference, registry)
        return true
      },
    },
  ]
}

/** Any registry, when the user says so: nothing leaves the machine otherwise. */
const elsewhere = (pull: boolean): BaseImages => ({
  offers: pull ? '' : 'with --pull, images of any registry that this machine reaches',
  provide: async (reference, report) => {
    if (!pull) return false
    report({ type: 'note', text: `pulling ${reference} …` })
    await pullImage(reference)
    return true
  },
})

/** `app:1` is `localhost:5000/app:1` in the registry; a name that has a registry stays. */
function inRegistry(name: string, host: string): string {
  const full = fullName(name)
  const registry = registryOf(full)
  if (registry === host) return full
  if (registry === 'docker.io' && !name.startsWith('docker.io/')) return `${host}/${full.replace(/^docker\.io\/(library\/)?/, '')}`
  if (registry === 'localhost') return `${host}/${full.slice('localhost/'.length)}`
  throw new Error(`${name} is no name of the cluster’s registry: use NAME:TAG or ${host}/NAME:TAG`)
}

async function pushWithNote(name: string, destination: string, registry: { certDir: string; authFile: string }, report?: Report): Promise<void> {
  report?.({ type: 'note', text: `pushing ${destination} …` })
  await pushImage(name, { destination, certDir: registry.certDir, authFile: registry.authFile })
}

/** Puts images of this machine's store on every node, for pods to name them; Debian's are made when they are not there. Answers their full names. */
export async function loadNamed(
  cluster: ClusterConfig,
  names: readonly string[],
  { report = () => {}, onLine }: BaseOptions = {},
): Promise<string[]> {
  names.forEach(checkReference)
  await ensureInstalled(buildRequirements, onLine)
  const full: string[] = []
  for (const name of names) full.push(await provided(name, report, onLine))
  await loadStored(cluster, full)
  return full
}

/** The full name of an image that is in the store, or was put there by this. */
async function provided(name: string, report: Report, onLine?: (line: string) => void): Promise<string> {
  if (!(await inspectImage(fullName(name)))) for (const source of sources(undefined, onLine)) if (await source.provide(fullName(name), report)) break
  return known(name)
}

/** Sends an image of this machine's store to the cluster's registry, under a name there. Answers the name. */
export async function pushStored(cluster: ClusterConfig, name: string, report?: Report): Promise<string> {
  await using registry = await hostRegistry(cluster)
  checkReference(name)
  const destination = inRegistry(name, registry.host)
  await pushWithNote(await known(name), destination, registry, report)
  return destination
}

/**
 * Puts a copy of a base image into the cluster's registry, where builds in pods find it for `FROM` under its own name: `debian:bookworm` at
 * `localhost:PORT/docker.io/library/debian:bookworm`. Debian's images are made when they are not there.
 */
export async function mirrorImage(cluster: ClusterConfig, name: string, { report = () => {}, onLine }: BaseOptions = {}): Promise<string> {
  checkReference(name)
  const reference = fullName(name)
  await ensureInstalled(buildRequirements, onLine)
  await using registry = await hostRegistry(cluster)
  await provided(name, report, onLine)
  const destination = mirrorName(reference, registry.host)
  await pushWithNote(reference, destination, registry, report)
  return destination
}

async function known(name: string): Promise<string> {
  const reference = fullName(name)
  if (await inspectImage(reference)) return reference
  throw new Error(`there is no image ${name} on this machine: build it, or make it with \`k8ts image base ${name}\``)
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

/** Removes images of this machine's store: the layers of earlier builds, or all. The nodes' images stay. */
export async function pruneStore(all: boolean): Promise<number> {
  await ensureInstalled(buildRequirements)
  return pruneImages(all)
}
