import type { DeepReadonly, KubeObject, StatusCause } from '#api'
import { errors } from '#api'
import type { DeleteOptions } from './delete.ts'
import { timestamp } from './registry.ts'
import type { ResourceStrategy } from './strategy.ts'

/** What a delete request does to an object. */
export type DeletionPlan =
  /** It is being deleted already, and the request asks for nothing sooner. */
  | { action: 'nothing' }
  /** Store `object`: it carries a deletionTimestamp and waits. */
  | { action: 'mark'; object: KubeObject }
  /** Take it out of the store; `object` is what the client is shown where that is not the current one. */
  | { action: 'remove'; object?: KubeObject }

type Mutable = KubeObject & { spec?: { finalizers?: string[] }; status?: { phase?: string } }

const orphan = 'orphan'
const foreground = 'foregroundDeletion'

/** Decides on a deletion: grace period first, then the finalizers that the propagation policy asks for (upstream's Store.Delete). */
export function deletion(
  old: DeepReadonly<KubeObject>,
  resource: string,
  strategy: ResourceStrategy,
  options: DeleteOptions,
  nowMs: number,
  apiVersion = '',
): DeletionPlan {
  if (resource === 'namespaces') return namespaceDeletion(old as DeepReadonly<Mutable>, options, nowMs)
  const now = timestamp(nowMs)
  const { defaultPropagation } = strategy
  const byDefault = typeof defaultPropagation === 'function' ? defaultPropagation(apiVersion) : defaultPropagation
  const { metadata } = old
  let graceful: { timestamp: string; seconds: number } | undefined
  if (strategy.gracePeriodSeconds) {
    const left = metadata.deletionGracePeriodSeconds ?? 0
    if (metadata.deletionTimestamp && left > 0) {
      // a deletion under way can only be sped up
      const asked = options.gracePeriodSeconds
      if (asked === undefined || asked === null || asked >= left) return { action: 'nothing' }
      const seconds = Math.max(asked, 0)
      graceful = { timestamp: timestamp(Date.parse(metadata.deletionTimestamp) + (seconds - left) * 1000), seconds }
    } else if (!metadata.deletionTimestamp) {
      const seconds = strategy.gracePeriodSeconds(old, options.gracePeriodSeconds ?? undefined)
      if (seconds !== undefined) graceful = { timestamp: timestamp(nowMs + seconds * 1000), seconds }
    }
  }
  const finalizers = finalizersAfter(metadata.finalizers, options, byDefault)
  const waits = finalizers.length > 0
  if (!waits && !(graceful && graceful.seconds > 0)) {
    if (!graceful) return { action: 'remove' }
    return { action: 'remove', object: marked(old, graceful.timestamp, graceful.seconds, finalizers) }
  }
  if (graceful) return { action: 'mark', object: marked(old, graceful.timestamp, graceful.seconds, finalizers) }
  const since = metadata.deletionTimestamp && metadata.deletionTimestamp <= now ? metadata.deletionTimestamp : now
  return { action: 'mark', object: marked(old, since, 0, finalizers) }
}

/** A namespace becomes Terminating; it goes when its controller has emptied it and taken its finalizer away. */
function namespaceDeletion(old: DeepReadonly<Mutable>, options: DeleteOptions, nowMs: number): DeletionPlan {
  const { metadata } = old
  if (metadata.deletionTimestamp) {
    if ((old.spec?.finalizers?.length ?? 0) > 0 || (metadata.finalizers?.length ?? 0) > 0) return { action: 'nothing' }
    return { action: 'remove' }
  }
  const object = marked(old, timestamp(nowMs), undefined, finalizersAfter(metadata.finalizers, options)) as Mutable
  object.status = { ...object.status, phase: 'Terminating' }
  return { action: 'mark', object }
}

function marked(old: DeepReadonly<KubeObject>, at: string, seconds: number | undefined, finalizers: string[]): KubeObject {
  const object = { ...old, metadata: { ...old.metadata } } as KubeObject
  const { metadata } = object
  metadata.resourceVersion = undefined
  if (!metadata.deletionTimestamp && metadata.generation) metadata.generation++
  metadata.deletionTimestamp = at
  if (seconds !== undefined) metadata.deletionGracePeriodSeconds = seconds
  if (finalizers.length > 0) metadata.finalizers = finalizers
  else delete metadata.finalizers
  return object
}

/** The explicit policy decides; without one the object's own finalizers, then the kind's default. */
function finalizersAfter(current: readonly string[] | undefined, options: DeleteOptions, byDefault?: 'Orphan' | 'Background'): string[] {
  const others = current?.filter((f) => f !== orphan && f !== foreground) ?? []
  const policy =
    options.propagationPolicy ?? (options.orphanDependents === true ? 'Orphan' : options.orphanDependents === false ? 'Background' : undefined)
  if (policy === 'Orphan') return [...others, orphan]
  if (policy === 'Foreground') return [...others, foreground]
  if (policy === 'Background') return others
  if (current?.includes(orphan)) return [...others, orphan]
  if (current?.includes(foreground)) return [...others, foreground]
  return byDefault === 'Orphan' ? [...others, orphan] : others
}

/** Rejects options that contradict each other, as upstream's ValidateDeleteOptions. */
export function checkDeleteOptions(options: DeleteOptions): void {
  const causes: StatusCause[] = []
  const { propagationPolicy: policy, orphanDependents, gracePeriodSeconds, dryRun } = options
  if (gracePeriodSeconds !== undefined && !Number.isInteger(gracePeriodSeconds)) {
    const what =
      typeof gracePeriodSeconds === 'number'
        ? `number ${String(gracePeriodSeconds)}`
        : Array.isArray(gracePeriodSeconds)
          ? 'array'
          : typeof gracePeriodSeconds
    throw errors.badRequest(`json: cannot unmarshal ${what} into Go struct field DeleteOptions.gracePeriodSeconds of type int64`)
  }
  if (orphanDependents !== undefined && policy !== undefined)
    causes.push({
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(policy)}: orphanDependents and deletionPropagation cannot be both set`,
      field: 'propagationPolicy',
    })
  if (policy !== undefined && policy !== 'Orphan' && policy !== 'Background' && policy !== 'Foreground')
    causes.push({
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(policy)}: supported values: "Foreground", "Background", "Orphan", "nil"`,
      field: 'propagationPolicy',
    })
  if (dryRun?.some((value) => value !== 'All'))
    causes.push({
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`,
      field: 'dryRun',
    })
  if (causes.length > 0) throw errors.invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', causes)
}
