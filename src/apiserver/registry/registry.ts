import type { Clock, Logger } from '#base'
import type { DeepReadonly, GroupResource, Kind, KubeObject } from '#api'
import { apiVersionOf, storageKind } from '#api'
import type { Store } from '#store'
import type { AdmissionPlugin } from '../admission/admission.ts'
import type { InterestedIn } from '../admission/interested.ts'
import type { AdmissionMetrics } from '../metrics/admission-metrics.ts'
import type { RequestInfo } from '../request-info.ts'
import type { ResourceCache } from './resource-cache.ts'
import type { ResourceStrategy, WriteContext } from './strategy.ts'
import type { WatchCache } from './watch-cache.ts'
import type { View } from './watcher.ts'

/** Between a served version of a kind and the stored one. Both make new objects and leave the argument alone. */
export interface Conversion {
  toStorage(object: KubeObject): KubeObject
  fromStorage(object: DeepReadonly<KubeObject>): DeepReadonly<KubeObject> | KubeObject
}

/** One resource of one group and version, as it is served. */
export interface ServedResource {
  kind: Kind
  apiVersion: string
  listKind: string
  /** What errors name it by. */
  gr: GroupResource
  /** The stored kind; the same object as `kind` where that is the stored version. */
  storage: Kind
  storageApiVersion: string
  cache: ResourceCache
  strategy: ResourceStrategy
  conversion: Conversion | undefined
  /** How objects are shown as plain JSON. */
  view: View
  /** What clients are warned of who still use this version. */
  deprecation: string | undefined
}

/** What the verbs need; one per API server. */
export interface Registry {
  store: Store
  cache: WatchCache
  clock: Clock
  log: Logger
  admission: readonly AdmissionPlugin[]
  /** Of `admission`, those that are asked about writes of a resource. */
  interestedIn: InterestedIn
  admissionMetrics: AdmissionMetrics
  /** Reads must ask the store for its newest revision first: others write to it too. */
  sharedStore: boolean
}

/** One write on its way through the registry. */
export interface Write {
  served: ServedResource
  info: RequestInfo
  namespace: string
  /** Empty for a create by generateName. */
  name: string
  subresource: string
  context: WriteContext
  fieldManager: string
  fieldValidation: FieldValidation
  warnings: string[]
}

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

export type Conversions = Record<string, Conversion>

/**
 * Makes the served form of `kind`, for a server of the minor release `release`. `conversions` is keyed by `group/version/resource` of the served, not stored, version; a version without
 * one differs from the stored version in its apiVersion alone.
 */
export function serve(
  kind: Kind,
  cache: WatchCache,
  strategies: Record<string, ResourceStrategy>,
  conversions: Conversions,
  release: number,
): ServedResource {
  const storage = storageKind(kind)
  const apiVersion = apiVersionOf(kind)
  const storageApiVersion = apiVersionOf(storage)
  const conversion = conversionOf(kind, conversions)
  return {
    kind,
    apiVersion,
    listKind: `${kind.kind}List`,
    gr: { group: kind.group, resource: kind.resource },
    storage,
    storageApiVersion,
    cache: cache.resource(storage.group, storage.resource),
    strategy: strategies[`${storage.group || 'core'}/${storage.resource}`] ?? strategies[`${storage.group}/${storage.resource}`] ?? {},
    conversion,
    deprecation:
      minorOf(kind.deprecated) <= release
        ? deprecationOf(kind, apiVersion, storage, storageApiVersion)
        : deprecationOfStaying(kind, apiVersion, release),
    view: { name: conversion ? apiVersion : '', ...(conversion ? { render: conversion.fromStorage } : {}), kind: kind.kind, apiVersion },
  }
}

/** So many releases after its deprecation a version goes, where nothing else was said. */
const untilRemoved = 3

/** What is deprecated and stays for good: since when, and what is there instead. */
const staying: Readonly<Record<string, { since: string; instead: string }>> = {
  'v1 ComponentStatus': { since: '1.19', instead: '' },
  'v1 Endpoints': { since: '1.33', instead: '; use discovery.k8s.io/v1 EndpointSlice' },
}

/** Upstream's text for versions that are on their way out. */
function deprecationOf(kind: Kind, apiVersion: string, storage: Kind, storageApiVersion: string): string {
  const removed = kind.removed ?? `1.${minorOf(kind.deprecated) + untilRemoved}`
  const instead = storage === kind ? '' : `; use ${storageApiVersion} ${storage.kind}`
  return `${apiVersion} ${kind.kind} is deprecated in v${kind.deprecated}+, unavailable in v${removed}+${instead}`
}

function deprecationOfStaying(kind: Kind, apiVersion: string, release: number): string | undefined {
  const stays = staying[`${apiVersion} ${kind.kind}`]
  return stays && minorOf(stays.since) <= release ? `${apiVersion} ${kind.kind} is deprecated in v${stays.since}+${stays.instead}` : undefined
}

/** The minor number of a release such as `1.21`; beyond all of them when there is none. */
function minorOf(release: string | undefined): number {
  return release === undefined ? Infinity : Number(release.split('.')[1])
}

/** Between the version of `kind` and the stored one; undefined where they are the same. */
export function conversionOf(kind: Kind, conversions: Conversions): Conversion | undefined {
  const storage = storageKind(kind)
  if (kind === storage) return undefined
  return conversions[`${kind.group}/${kind.version}/${kind.resource}`] ?? renamed(kind, apiVersionOf(kind), storage, apiVersionOf(storage))
}

function renamed(kind: Kind, apiVersion: string, storage: Kind, storageApiVersion: string): Conversion {
  return {
    toStorage: (object) => ({ ...object, kind: storage.kind, apiVersion: storageApiVersion }),
    fromStorage: (object) => ({ ...object, kind: kind.kind, apiVersion }),
  }
}

let lastSecond = -1
let lastText = ''

/** RFC 3339 with seconds, as metav1.Time writes it. Every write asks, mostly within the same second. */
export function timestamp(ms: number): string {
  const second = Math.floor(ms / 1000)
  if (second !== lastSecond) {
    lastText = new Date(second * 1000).toISOString().slice(0, 19) + 'Z'
    lastSecond = second
  }
  return lastText
}
