import type { DeepReadonly, KubeObject, core, events } from '#api'
import type { Conversion } from '../registry.ts'

const renames = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
  ['reportingController', 'reportingComponent'],
] as const satisfies readonly (readonly [keyof events.Event, keyof core.Event])[]

const toCore = new Map<string, string>(renames)
const toEvents = new Map<string, string>(renames.map(([a, b]) => [b, a]))

/** Events of the group events.k8s.io are those of the core group under other field names; they are stored as the latter. */
export function eventOfEventsGroup(apiVersion: string): Conversion {
  return {
    toStorage: (object) => rename(object, toCore, 'v1', { involvedObject: {} }) as unknown as KubeObject,
    fromStorage: (object) => rename(object, toEvents, apiVersion, { eventTime: null }) as unknown as DeepReadonly<KubeObject>,
  }
}

function rename(object: object, names: Map<string, string>, apiVersion: string, floor: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(object)) result[names.get(key) ?? key] = value
  result.apiVersion = apiVersion
  for (const key in floor) result[key] ??= floor[key]
  return result
}
