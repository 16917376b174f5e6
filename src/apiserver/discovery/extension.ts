/** A group and version that is served besides the built-in ones: custom resources, aggregated API servers. */
export interface ExtensionGroup {
  group: string
  version: string
  /** As in APIResourceList; subresources by `name/subresource`. */
  resources: readonly ExtensionResource[]
  /** Groups of higher priority come first; 1000 where absent (custom resources). */
  groupPriority?: number
  /** Versions of higher priority come first, then by Kubernetes' version order; 100 where absent. */
  versionPriority?: number
  /** Whether what is known of an aggregated API server may be out of date. */
  stale?: boolean
}

export interface ExtensionResource {
  name: string
  singularName: string
  namespaced: boolean
  kind: string
  /** Where they differ from the list's, e.g. of a scale subresource. */
  group?: string
  version?: string
  verbs: readonly string[]
  shortNames?: readonly string[]
  categories?: readonly string[]
  storageVersionHash?: string
}
