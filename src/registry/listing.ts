import type { RegistryClient } from './registry-client.ts'

export interface RegistryImage {
  repository: string
  tag: string
  digest: string
  /** Bytes of the layers and the configuration as they are stored; of an image for several platforms the sum. */
  size: number
}

/** All images that have a tag, in order. */
export async function listRegistry(client: RegistryClient): Promise<RegistryImage[]> {
  const images: RegistryImage[] = []
  for (const repository of (await client.repositories()).toSorted()) {
    const sizes = new Map<string, number>()
    for (const tag of (await client.tags(repository)).toSorted()) {
      const digest = await client.digest(repository, tag)
      if (digest === undefined) continue // deleted in between
      if (!sizes.has(digest)) sizes.set(digest, await sizeOf(client, repository, digest))
      images.push({ repository, tag, digest, size: sizes.get(digest)! })
    }
  }
  return images
}

async function sizeOf(client: RegistryClient, repository: string, digest: string): Promise<number> {
  const manifest = await client.manifest(repository, digest)
  if (!manifest) return 0
  const parts = await Promise.all(manifest.manifests.map((one) => sizeOf(client, repository, one.digest)))
  return parts.reduce((sum, size) => sum + size, manifest.size)
}

export type Deletion = { kind: 'absent' } | { kind: 'tag'; tag: string; digest: string } | { kind: 'manifest'; digest: string; tags: string[] }

/**
 * Deletes `REPOSITORY:TAG`, or `REPOSITORY@DIGEST` with all its tags. A tag goes alone: what it led to stays for its other tags, and is collected when it
 * has none.
 */
export async function deleteFromRegistry(client: RegistryClient, image: { repository: string; tag?: string; digest?: string }): Promise<Deletion> {
  const { repository, tag } = image
  const digest = await client.digest(repository, image.digest ?? tag!)
  if (digest === undefined) return { kind: 'absent' }
  if (image.digest === undefined) {
    await client.deleteTag(repository, tag!)
    return { kind: 'tag', tag: tag!, digest }
  }
  const tags: string[] = []
  for (const each of await client.tags(repository)) if ((await client.digest(repository, each)) === digest) tags.push(each)
  await client.deleteManifest(repository, digest)
  return { kind: 'manifest', digest, tags }
}

/** `app:1`, `team/app@sha256:…`, with or without `localhost:PORT/` before it. Throws what is wrong with it. */
export function parseImage(text: string, host: string): { repository: string; tag?: string; digest?: string } {
  const name = text.startsWith(`${host}/`) ? text.slice(host.length + 1) : text
  const match = /^([a-z0-9]+(?:(?:[._-]|__|-+|\/)[a-z0-9]+)*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})|@(sha256:[0-9a-f]{64}))$/.exec(name)
  if (!match) throw new Error(`${JSON.stringify(text)} names no image: write REPOSITORY:TAG or REPOSITORY@sha256:DIGEST`)
  const [, repository, tag, digest] = match
  return { repository: repository!, ...(tag ? { tag } : {}), ...(digest ? { digest } : {}) }
}
