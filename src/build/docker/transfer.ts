import { CommandError } from '#base'
import type { BaseImages } from '../base-images.ts'
import { buildah, inspectImage, pullImage, pushImage, tagImage } from '../buildah.ts'
import { fullName, registryOf } from '../reference.ts'
import type { PodRegistry } from './credentials.ts'
import { authFile, fromPod, mirrorName, podRegistry } from './credentials.ts'
import type { DockerIo } from './io.ts'
import { print } from './io.ts'

/** The image's full name (or ID), when the store has it. */
export async function stored(name: string): Promise<string> {
  if (await inspectImage(fullName(name))) return fullName(name)
  const id = name.replace(/^sha256:/, '')
  if (/^[0-9a-f]{6,64}$/.test(id) && (await inspectImage(id))) return id
  throw new Error(`there is no image ${name} here: \`docker images\` lists those that are`)
}

export async function push(name: string, io: DockerIo): Promise<void> {
  const registry = podRegistry(io.env)
  const reference = await stored(name)
  if (registryOf(reference) === 'docker.io' || registryOf(reference) === 'localhost')
    throw new Error(`docker push: ${name} names no registry that can be pushed to${registry ? `: tag it ${registry.host}/NAME:TAG` : ''}`)
  const auth = await authFile(io.env)
  print(io, `The push refers to repository [${reference.replace(/[:@][^/]*$/, '')}]`)
  try {
    await pushImage(reference, { destination: fromPod(reference, registry), ...(auth ? { authFile: auth } : {}) })
  } catch (error) {
    throw new Error(`docker push ${name}: ${registryOf(reference)} did not take it: ${reason(error)}`, { cause: error })
  }
  print(io, `${reference.slice(reference.lastIndexOf(':') + 1)}: pushed`)
}

/** Why a registry did not do what it was asked for, without the chain of what buildah was doing. */
export function reason(error: unknown): string {
  if (!(error instanceof CommandError)) return error instanceof Error ? error.message : String(error)
  const last = error.stderr.trim().split('\n').at(-1)!
  if (/unauthorized|authentication required|invalid username\/password/.test(last)) return 'not logged in, or not allowed (docker login)'
  const network = /dial tcp .*?: ((?:connect: |lookup )?[^:"]+(?:timeout|refused|unreachable|no such host)[^:"]*)$/.exec(last)
  if (network) return `it does not answer (${network[1]!.replace(/^connect: /, '')})`
  return last.replace(/^Error: /, '')
}

/** Brings an image into the store from the cluster's registry: its own images, and its copies of base images. False when it has none of this name. */
export async function pull(name: string, registry: PodRegistry | undefined, auth: string | undefined): Promise<boolean> {
  const own = fromPod(name, registry)
  const place = own !== name || !registry ? own : mirrorName(name, registry.address)
  if (!registry) return false
  try {
    await pullImage(place, auth ? { authFile: auth } : {})
  } catch (error) {
    if (error instanceof CommandError && /manifest unknown|name unknown|not found/i.test(error.stderr)) return false
    throw new Error(`${name} cannot be had from the registry of the cluster: ${reason(error)}`, { cause: error })
  }
  if (place !== name) {
    await tagImage(place, name)
    // of two names, this takes the one
    await buildah(['rmi', '--', place])
  }
  return true
}

export const clusterImages = (registry: PodRegistry | undefined, auth: string | undefined): BaseImages => ({
  offers: registry ? `images of ${registry.host}, and base images that were put there with \`k8ts image mirror NAME\`` : '',
  provide: (reference) => pull(reference, registry, auth),
})

export const unreachable = (name: string, registry: PodRegistry | undefined): string =>
  registry
    ? `the registry of the cluster has no ${name}: \`k8ts image mirror ${name}\` puts a base image there`
    : `${name} cannot be had: this pod knows no registry (K8TS_REGISTRY is not set)`
