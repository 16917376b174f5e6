import type { ServedResource } from './registry/registry.ts'

/** What a request names a resource by. */
export interface ResourceName {
  group: string
  version: string
  resource: string
}

/** Finds what is served under a name; undefined when nothing is. On the path of every request: it makes no text. */
export type FindServed = (name: ResourceName) => ServedResource | undefined

export function findServed(all: Iterable<ServedResource>): FindServed {
  const byResource = new Map<string, ServedResource[]>()
  for (const served of all) {
    const several = byResource.get(served.kind.resource)
    if (several) several.push(served)
    else byResource.set(served.kind.resource, [served])
  }
  return ({ group, version, resource }) => {
    const several = byResource.get(resource)
    if (!several) return undefined
    for (const served of several) if (served.kind.version === version && served.kind.group === group) return served
    return undefined
  }
}
