export type { ExtensionGroup, ExtensionResource } from './extension.ts'
export { discoveryHandler, etagOf, isSame, type DiscoveryOptions, type StaticAnswer } from './handler.ts'
export { compareVersions, storageVersionHash } from './groups.ts'
