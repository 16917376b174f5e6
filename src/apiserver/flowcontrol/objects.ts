import type { DeepReadonly, KubeObject, flowcontrol } from '#api'
import { isStatus, resources } from '#api'
import type { Client, ResourceRef } from '#client'
import { autoUpdateAnnotation, defaultLevels, defaultSchemas, mandatoryNames } from './defaults.ts'

type Configured = flowcontrol.FlowSchema | flowcontrol.PriorityLevelConfiguration
export type DefaultStep<T> = { action: 'create' | 'update' | 'delete'; object: T }

/**
 * What is missing of the default objects, and which of them say something else than they should. Mandatory ones are always put right (of `exempt`, its shares are the administrator's),
 * suggested ones while their annotation asks for it: without one, an object that nobody has changed since it was made. What was a default of another release, and is maintained by the
 * server still, goes.
 */
export function planDefaults<T extends Configured>(wanted: readonly T[], existing: readonly DeepReadonly<T>[]): DefaultStep<T>[] {
  const known = new Map(existing.map((object) => [object.metadata.name, object]))
  const names = new Set(wanted.map((want) => want.metadata.name))
  const gone = existing.filter(({ metadata }) => !names.has(metadata.name) && truthOf(metadata.annotations?.[autoUpdateAnnotation]) === true)
  const steps = wanted.flatMap((want): DefaultStep<T>[] => {
    const have = known.get(want.metadata.name)
    if (!have) return [{ action: 'create', object: want }]
    const mandatory = mandatoryNames.has(want.metadata.name)
    const asked = truthOf(have.metadata.annotations?.[autoUpdateAnnotation])
    const auto = mandatory || (asked ?? have.metadata.generation === 1)
    const spec = !auto ? have.spec : mandatory ? keepingShares(want.spec, have.spec) : want.spec
    if (asked === auto && same(spec, have.spec)) return []
    const metadata = { ...have.metadata, annotations: { ...have.metadata.annotations, [autoUpdateAnnotation]: String(auto) } }
    return [{ action: 'update', object: { ...have, metadata, spec } as unknown as T }]
  })
  return [...steps, ...gone.map((object) => ({ action: 'delete' as const, object: object as T }))]
}

/** What Go's ParseBool reads; undefined for anything else. */
function truthOf(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true
  return /^(0|f|F|FALSE|false|False)$/.test(text) ? false : undefined
}

/** The exempt level's shares are free to choose. */
function keepingShares<S extends Configured['spec']>(want: S, have: DeepReadonly<Configured['spec']>): S {
  const exempt = (have as flowcontrol.PriorityLevelConfiguration['spec'] | undefined)?.exempt
  return exempt && want && 'exempt' in want ? { ...want, exempt } : want
}

/** Whether two specs say the same, whatever the order of their fields. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].every((key) => same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
}

const producer = 'api-priority-and-fairness-config-producer-v1'
const consumer = 'api-priority-and-fairness-config-consumer-v1'

/** Makes the default objects, and puts right what of them must not differ. */
export async function ensureFlowObjects(client: Client): Promise<void> {
  await Promise.all([ensure(client, resources.priorityLevelConfigurations, defaultLevels), ensure(client, resources.flowSchemas, defaultSchemas)])
}

async function ensure<T extends Configured & KubeObject>(client: Client, ref: ResourceRef<T>, wanted: readonly Configured[]): Promise<void> {
  const resource = client.resource(ref)
  const { items } = await resource.list()
  await Promise.all(
    planDefaults(wanted as readonly T[], items).map(async ({ action, object }) => {
      try {
        if (action === 'create') await resource.create(object as never, { fieldManager: producer })
        else if (action === 'delete') await resource.delete(object.metadata.name)
        else await resource.update(object, { fieldManager: producer })
      } catch (error) {
        // another server of this cluster was first: what it wrote is the same
        if (!isStatus(error, 'AlreadyExists') && !isStatus(error, 'Conflict') && !isStatus(error, 'NotFound')) throw error
      }
    }),
  )
}

type Condition = flowcontrol.FlowSchemaCondition

/** Whether a schema's level is there, as its status says it; undefined when the status says so already. */
export function danglingCondition(schema: DeepReadonly<flowcontrol.FlowSchema>, levels: ReadonlySet<string>, now: string): Condition | undefined {
  const name = schema.spec?.priorityLevelConfiguration?.name ?? ''
  const found = levels.has(name)
  const about = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(name)}`
  const wanted = {
    type: 'Dangling',
    status: found ? 'False' : 'True',
    reason: found ? 'Found' : 'NotFound',
    message: found ? `${about} and it exists` : `${about} but there is no such object`,
  }
  const have = schema.status?.conditions?.find((condition) => condition.type === 'Dangling')
  if (have?.status === wanted.status && have.reason === wanted.reason && have.message === wanted.message) return undefined
  const { type, status, reason, message } = wanted
  return { type, status, lastTransitionTime: have?.status === status ? (have.lastTransitionTime ?? now) : now, reason, message }
}

/** Says in each schema's status whether its level is there. */
export async function reportDangling(
  client: Client,
  schemas: readonly DeepReadonly<flowcontrol.FlowSchema>[],
  levels: ReadonlySet<string>,
  now: string,
): Promise<void> {
  const resource = client.resource(resources.flowSchemas)
  await Promise.all(
    schemas.map(async (schema) => {
      const condition = danglingCondition(schema, levels, now)
      if (!condition) return
      const { apiVersion, kind } = schema
      const status = { apiVersion, kind, metadata: { name: schema.metadata.name }, status: { conditions: [condition] } }
      try {
        await resource.apply(status, { fieldManager: consumer, force: true, subresource: 'status' })
      } catch (error) {
        if (!isStatus(error, 'Conflict') && !isStatus(error, 'NotFound')) throw error
      }
    }),
  )
}
