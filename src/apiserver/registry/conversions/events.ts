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
    toStorage: (object) => rename(object, toCore, 'v1', coreFloor) as unknown as KubeObject,
    fromStorage: (object) => withoutEmpty(rename(object, toEvents, apiVersion, eventsFloor)) as unknown as DeepReadonly<KubeObject>,
  }
}

// Fields that upstream writes whether or not there is anything in them.
const coreFloor = { involvedObject: {}, source: {}, reportingComponent: '', reportingInstance: '' }
const eventsFloor = { eventTime: null, regarding: {}, deprecatedSource: {} }

/** What the events group leaves out when it is empty, and the core group does not. */
function withoutEmpty(event: Record<string, unknown>): Record<string, unknown> {
  for (const key of ['reportingController', 'reportingInstance']) if (event[key] === '') delete event[key]
  return event
}

function rename(object: object, names: Map<string, string>, apiVersion: string, floor: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(object)) result[names.get(key) ?? key] = value
  result.apiVersion = apiVersion
  for (const key in floor) result[key] ??= floor[key]
  return result
}
