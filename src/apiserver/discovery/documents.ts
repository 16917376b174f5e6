import { apiVersionOf } from '#api'
import type { ExtensionResource } from './extension.ts'
import type { DiscoveredGroup, DiscoveredVersion } from './groups.ts'

/** The core group's own documents have no version. */
export interface DiscoveryDocument {
  kind: string
  apiVersion?: string
  [field: string]: unknown
}

/** `/api`: the versions of the core group. `serverAddress` is host and port as clients reach the server. */
export function apiVersions(core: DiscoveredGroup, serverAddress: string | undefined): DiscoveryDocument {
  return {
    kind: 'APIVersions',
    versions: core.versions.map((v) => v.version),
    serverAddressByClientCIDRs: serverAddress ? [{ clientCIDR: '0.0.0.0/0', serverAddress }] : [],
  }
}

/** `/apis`: every group but the core one. */
export function apiGroupList(groups: readonly DiscoveredGroup[]): DiscoveryDocument {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupBody) }
}

/** `/apis/<group>`. */
export function apiGroup(group: DiscoveredGroup): DiscoveryDocument {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupBody(group) }
}

function groupBody({ name, versions }: DiscoveredGroup): object {
  const list = versions.map(({ version }) => ({ groupVersion: apiVersionOf({ group: name, version }), version }))
  return { name, versions: list, preferredVersion: list[0] }
}

/** `/api/v1` and `/apis/<group>/<version>`. */
export function apiResourceList(group: string, { version, resources }: DiscoveredVersion): DiscoveryDocument {
  return {
    kind: 'APIResourceList',
    // Upstream's legacy installer leaves it out for the core group.
    ...(group ? { apiVersion: 'v1' } : {}),
    groupVersion: apiVersionOf({ group, version }),
    resources: resources.map(resourceBody),
  }
}

// Written field by field: the order is upstream's, whatever order an extension has.
function resourceBody(r: ExtensionResource): object {
  return {
    name: r.name,
    singularName: r.singularName,
    namespaced: r.namespaced,
    ...(r.group ? { group: r.group } : {}),
    ...(r.version ? { version: r.version } : {}),
    kind: r.kind,
    verbs: r.verbs,
    ...(r.shortNames?.length ? { shortNames: r.shortNames } : {}),
    ...(r.categories?.length ? { categories: r.categories } : {}),
    ...(r.storageVersionHash ? { storageVersionHash: r.storageVersionHash } : {}),
  }
}
