import type { RegistryClient } from './registry-client.ts'

/** Digests of manifests, by repository. */
export type Revisions = ReadonlyMap<string, ReadonlySet<string>>

/**
 * What `docker-registry garbage-collect --dry-run` prints says which manifests each repository has, with and without a tag: no other interface lists those
 * without.
 */
export function parseRevisions(printed: string): Revisions {
  const revisions = new Map<string, Set<string>>()
  for (const [, repository, digest] of printed.matchAll(/^(\S+): marking manifest (sha256:[0-9a-f]{64})/gm)) {
    const known = revisions.get(repository!) ?? new Set<string>()
    revisions.set(repository!, known.add(digest!))
  }
  return revisions
}

/** What a collection did: `N blobs marked, M blobs and K manifests eligible for deletion` is docker-registry's last word before it deletes. */
export function parseCollected(printed: string): { kept: number; removed: number } {
  const match = /(\d+) blobs marked, (\d+) blobs(?: and \d+ manifests)? eligible for deletion/.exec(printed)
  return { kept: Number(match?.[1] ?? 0), removed: Number(match?.[2] ?? 0) }
}

/** How many uploads the command of `removeUploads` removed: each is a directory of its own. */
export const parseUploads = (printed: string): number => [...printed.matchAll(/\/_uploads\/[^/\n]+$/gm)].length

/** The manifests that no tag leads to, neither by itself nor by an index. Pure. */
export function untagged(revisions: ReadonlySet<string>, tagged: readonly string[], children: ReadonlyMap<string, readonly string[]>): string[] {
  const reached = new Set<string>()
  const queue = [...tagged]
  for (let digest = queue.pop(); digest !== undefined; digest = queue.pop()) {
    if (reached.has(digest)) continue
    reached.add(digest)
    queue.push(...(children.get(digest) ?? []))
  }
  return [...revisions].filter((digest) => !reached.has(digest))
}

/**
 * Deletes the manifests that no tag leads to; answers how many. Nobody else may write meanwhile: what is being pushed has no tag yet. docker-registry's own
 * `--delete-untagged` is no way to do this: it takes the platforms of an image for several away from it.
 */
export async function deleteUntagged(client: RegistryClient, revisions: Revisions): Promise<number> {
  let count = 0
  for (const [repository, known] of revisions) {
    const tagged: string[] = []
    for (const tag of await client.tags(repository)) {
      const digest = await client.digest(repository, tag)
      if (digest !== undefined) tagged.push(digest)
    }
    const children = new Map<string, readonly string[]>()
    for (const digest of known)
      children.set(
        digest,
        ((await client.manifest(repository, digest))?.manifests ?? []).map((one) => one.digest),
      )
    for (const digest of untagged(known, tagged, children)) {
      await client.deleteManifest(repository, digest)
      count++
    }
  }
  return count
}
