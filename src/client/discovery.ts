import type { apidiscovery, meta } from '#api'
import type { Client, ResourceRef } from './resource-client.ts'

/** A resource as the server describes it. */
export interface DiscoveredResource extends ResourceRef {
  verbs: readonly string[]
  /** Whether this is the version in which the server prefers to speak of the resource. */
  preferred: boolean
}

export interface Discovery {
  /** Every resource in every served version, without subresources. */
  resources: DiscoveredResource[]
  /** Groups or versions that could not be asked, e.g. of an extension server that is down: what they serve is unknown, not absent. */
  failures: { groupVersion: string; error: Error }[]
}

type GroupDiscovery = apidiscovery.APIGroupDiscoveryList['items'][number]

const aggregated =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json'

/** What the server serves: from two aggregated documents where it has them (1.27 and later), else from one document per version. */
export async function discover(client: Client, options: { signal?: AbortSignal } = {}): Promise<Discovery> {
  const [core, named] = await Promise.all(
    ['/api', '/apis'].map((path) =>
      client.raw<{ kind: string; versions?: string[]; items?: GroupDiscovery[]; groups?: meta.APIGroup[] }>('GET', path, undefined, {
        ...options,
        headers: { accept: aggregated },
      }),
    ),
  )
  const result: Discovery = { resources: [], failures: [] }
  const waiting: Promise<void>[] = []
  for (const document of [core!, named!]) {
    if (document.kind === 'APIGroupDiscoveryList') fromAggregated(document.items ?? [], result)
    else if (document.kind === 'APIVersions') waiting.push(fromVersions(client, '', document.versions ?? [], options, result))
    else
      for (const group of document.groups ?? []) {
        const preferred = group.preferredVersion?.version
        // the preferred version first, whatever the order of the list
        const versions = group.versions.map((v) => v.version).sort((a, b) => Number(b === preferred) - Number(a === preferred))
        waiting.push(fromVersions(client, group.name, versions, options, result))
      }
  }
  await Promise.all(waiting)
  return result
}

function fromAggregated(groups: GroupDiscovery[], result: Discovery): void {
  for (const group of groups) {
    const name = group.metadata?.name ?? ''
    const seen = new Set<string>()
    for (const { version, resources, freshness } of group.versions ?? []) {
      if (freshness === 'Stale')
        result.failures.push({ groupVersion: `${name}/${version}`, error: new Error(`stale GroupVersion discovery: ${name}/${version}`) })
      for (const { resource, responseKind, scope, verbs } of resources ?? []) {
        const preferred = !seen.has(resource)
        seen.add(resource)
        result.resources.push({
          // scale and its like answer another group's kind; resources of their own always answer their own
          group: name,
          version,
          resource,
          kind: responseKind?.kind ?? '',
          namespaced: scope === 'Namespaced',
          verbs: verbs ?? [],
          preferred,
        })
      }
    }
  }
}

async function fromVersions(client: Client, group: string, versions: string[], options: { signal?: AbortSignal }, result: Discovery): Promise<void> {
  const lists = await Promise.all(
    versions.map((version) =>
      client.raw<meta.APIResourceList>('GET', group ? `/apis/${group}/${version}` : `/api/${version}`, undefined, options).catch((error: Error) => {
        options.signal?.throwIfAborted()
        result.failures.push({ groupVersion: group ? `${group}/${version}` : version, error })
        return undefined
      }),
    ),
  )
  const seen = new Set<string>()
  for (const [i, list] of lists.entries()) {
    for (const { name, kind, namespaced, verbs } of list?.resources ?? []) {
      if (name.includes('/')) continue
      result.resources.push({ group, version: versions[i]!, resource: name, kind, namespaced, verbs, preferred: !seen.has(name) })
      seen.add(name)
    }
  }
}
