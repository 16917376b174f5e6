import type { apidiscovery } from '#api'
import type { DiscoveryDocument } from './documents.ts'
import type { ExtensionResource } from './extension.ts'
import type { DiscoveredGroup, DiscoveredVersion } from './groups.ts'

/** Everything below `/api` or `/apis` in one document, in version `v2` or `v2beta1` (which have the same shape). */
export function groupDiscoveryList(groups: readonly DiscoveredGroup[], version: 'v2' | 'v2beta1'): DiscoveryDocument {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(({ name, versions }) => ({ metadata: name ? { name } : {}, versions: versions.map((v) => versionDiscovery(name, v)) })),
  }
}

function versionDiscovery(group: string, { version, resources, stale }: DiscoveredVersion): apidiscovery.APIVersionDiscovery {
  const kindOf = (r: ExtensionResource) => ({ group: r.group ?? group, version: r.version ?? version, kind: r.kind })
  const subresourcesOf = (name: string) =>
    resources
      .filter((r) => r.name.startsWith(`${name}/`))
      .map((r) => ({ subresource: r.name.slice(name.length + 1), responseKind: kindOf(r), verbs: [...r.verbs] }))
  return {
    version,
    resources: resources
      .filter((r) => !r.name.includes('/'))
      .map((r) => {
        const subresources = subresourcesOf(r.name)
        return {
          resource: r.name,
          responseKind: kindOf(r),
          scope: r.namespaced ? 'Namespaced' : 'Cluster',
          singularResource: r.singularName,
          verbs: [...r.verbs],
          ...(r.shortNames?.length ? { shortNames: [...r.shortNames] } : {}),
          ...(r.categories?.length ? { categories: [...r.categories] } : {}),
          ...(subresources.length > 0 ? { subresources } : {}),
        }
      }),
    freshness: stale ? 'Stale' : 'Current',
  }
}
