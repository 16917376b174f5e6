import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One field as src/api/facts has it, keyed by its protobuf name. */
export interface FactsField {
  n: number
  type: string
  repeated?: boolean
  go?: string
  json?: string
  inline?: boolean
  optional?: boolean
  required?: boolean
  omitempty?: boolean
  listType?: 'atomic' | 'set' | 'map'
  listMapKeys?: string[]
  mapType?: 'atomic' | 'granular'
  patchStrategy?: string
  patchMergeKey?: string
  default?: unknown
  featureGate?: string
}

export interface FactsType {
  fields: Record<string, FactsField>
  kind?: 'object' | 'list'
  mapType?: 'atomic' | 'granular'
}

export interface FactsPackage {
  package: string
  group: string
  version: string
  types: Record<string, FactsType>
  enums: Record<string, { closed: boolean; values: string[] }>
}

export const metaPackage = 'k8s.io.apimachinery.pkg.apis.meta.v1'

const directory = join(import.meta.dirname, '../facts')
const loaded = new Map<string, FactsPackage | undefined>()

/** The facts of one Go package, e.g. `k8s.io.api.core.v1`: read when first asked for, kept from then on. */
export function factsOf(name: string): FactsPackage | undefined {
  if (loaded.has(name)) return loaded.get(name)
  const file = join(directory, `${name}.json`)
  const facts = /^[\w.]+$/.test(name) && existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as FactsPackage) : undefined
  loaded.set(name, facts)
  return facts
}

// Groups whose Go package is not `k8s.io.api.<first label of the group>`.
const packages: Record<string, string> = {
  '': 'k8s.io.api.core',
  'ci.k8ts.dev': 'k8ts.api.ci',
  'apiextensions.k8s.io': 'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions',
  'apiregistration.k8s.io': 'k8s.io.kube_aggregator.pkg.apis.apiregistration',
  'internal.apiserver.k8s.io': 'k8s.io.api.apiserverinternal',
  'meta.k8s.io': 'k8s.io.apimachinery.pkg.apis.meta',
  'metrics.k8s.io': 'k8s.io.metrics.pkg.apis.metrics',
  'custom.metrics.k8s.io': 'k8s.io.metrics.pkg.apis.custom_metrics',
  'external.metrics.k8s.io': 'k8s.io.metrics.pkg.apis.external_metrics',
}

/** The Go package that declares a group and version. */
export function packageOf(group: string, version: string): string {
  return `${packages[group] ?? `k8s.io.api.${group.split('.')[0]}`}.${version}`
}
