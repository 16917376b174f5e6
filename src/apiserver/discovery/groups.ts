import { createHash } from 'node:crypto'
import type { Kind } from '#api'
import { groups } from '#api'
import type { ExtensionGroup, ExtensionResource } from './extension.ts'

export interface DiscoveredVersion {
  version: string
  /** Sorted by name, subresources right behind their resource. */
  resources: readonly ExtensionResource[]
  stale: boolean
}

export interface DiscoveredGroup {
  name: string
  /** In order of preference. */
  versions: readonly DiscoveredVersion[]
}

interface Version extends DiscoveredVersion {
  priority: number
}

// Above every priority that an extension can ask for within a group: built-in versions come first, in the table's order.
const builtInVersionPriority = 1_000_000
const defaultGroupPriority = 1000
const defaultVersionPriority = 100

/** Every group that is served, built-in and extensions together, in the order of discovery. */
export function discoveredGroups(extensions: readonly ExtensionGroup[]): DiscoveredGroup[] {
  const found = new Map<string, { priority: number; versions: Version[] }>()
  for (const { name, priority, versions } of groups())
    found.set(name, {
      priority,
      versions: versions.map(({ version, kinds }, i) => ({
        version,
        resources: byName(kinds.flatMap(resourcesOf)),
        stale: false,
        priority: builtInVersionPriority - i,
      })),
    })
  for (const extension of extensions) {
    const { group, version, resources, stale = false } = extension
    const priority = extension.groupPriority ?? defaultGroupPriority
    const target = found.get(group) ?? { priority, versions: [] }
    found.set(group, target)
    target.priority = Math.max(target.priority, priority)
    const same = target.versions.find((v) => v.version === version)
    if (same) same.resources = byName([...same.resources, ...resources])
    else target.versions.push({ version, resources: byName(resources), stale, priority: extension.versionPriority ?? defaultVersionPriority })
  }
  return [...found]
    .toSorted(([a, x], [b, y]) => y.priority - x.priority || (a < b ? -1 : 1))
    .map(([name, { versions }]) => ({
      name,
      versions: versions.toSorted((a, b) => b.priority - a.priority || compareVersions(b.version, a.version)),
    }))
}

function byName(resources: readonly ExtensionResource[]): ExtensionResource[] {
  return resources.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

function resourcesOf(kind: Kind): ExtensionResource[] {
  const { group, version, resource, namespaced } = kind
  const list: ExtensionResource[] = [
    {
      name: resource,
      singularName: kind.singular,
      namespaced,
      kind: kind.kind,
      verbs: kind.verbs,
      ...(kind.shortNames.length > 0 ? { shortNames: kind.shortNames } : {}),
      ...(kind.categories.length > 0 ? { categories: kind.categories } : {}),
      // Only what is stored has one: not the reviews, bindings and component statuses.
      ...(kind.verbs.includes('watch') ? { storageVersionHash: storageVersionHash(kind.storage, kind.kind) } : {}),
    },
  ]
  for (const sub of kind.subresources) {
    const foreign = sub.group !== undefined && (sub.group !== group || sub.version !== version)
    list.push({
      name: `${resource}/${sub.name}`,
      singularName: '',
      namespaced,
      ...(foreign ? { group: sub.group, version: sub.version } : {}),
      kind: sub.kind ?? kind.kind,
      verbs: sub.verbs,
    })
  }
  return list
}

/** The opaque value by which clients see that objects are stored in another version now; the same as upstream computes. */
export function storageVersionHash({ group, version }: { group: string; version: string }, kind: string): string {
  return createHash('sha256').update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString('base64')
}

/** Kubernetes' order of versions: v2 > v1 > v2beta1 > v1beta2 > v1alpha1 > anything else, alphabetically. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [rank(a), rank(b)]
  if (!x || !y) return x ? 1 : y ? -1 : a < b ? 1 : a > b ? -1 : 0
  return x.stage - y.stage || x.major - y.major || x.minor - y.minor
}

const stages = ['alpha', 'beta', 'ga']

function rank(version: string): { stage: number; major: number; minor: number } | undefined {
  const match = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(version)
  return match ? { stage: stages.indexOf(match[2] ?? 'ga'), major: Number(match[1]), minor: Number(match[3] ?? 0) } : undefined
}
