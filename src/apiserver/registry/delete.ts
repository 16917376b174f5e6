import type { DeepReadonly, KubeObject, meta } from '#api'
import { errors } from '#api'
import { CacheEntry } from './cache-entry.ts'
import { deletion } from './deletion.ts'
import type { Registry, Write } from './registry.ts'
import { caughtUp, replace } from './update.ts'
import { encodeStored } from './wire.ts'
import { admissionRequest, mutate, stored, validate } from './write.ts'

export type DeleteOptions = Partial<Omit<meta.DeleteOptions, 'apiVersion' | 'kind'>>

export interface Deleted {
  entry: CacheEntry
  /** The object is gone; otherwise it is marked and waits for its grace period or its finalizers. */
  gone: boolean
}

const attempts = 16

/** Deletes, or begins to delete, one object. */
export async function deleteObject(registry: Registry, write: Write, options: DeleteOptions): Promise<Deleted> {
  const { served, namespace, name, context } = write
  let admitted: DeepReadonly<KubeObject> | undefined
  // what somebody else writes in between is looked at anew; a precondition then fails by itself
  for (let attempt = 1; ; attempt++) {
    const entry = served.cache.get(namespace, name)
    if (!entry) throw errors.notFound(served.gr, name)
    const old = entry.object
    checkPreconditions(write, old, options.preconditions)
    if (admitted !== old) {
      const admission = admissionRequest(write, 'DELETE', undefined, old)
      await mutate(registry, admission)
      await validate(registry, admission)
      admitted = old
    }
    const plan = deletion(old, served.storage.resource, served.strategy, options, registry.clock.now(), served.apiVersion)
    if (plan.action === 'nothing') return { entry, gone: false }
    if (plan.action === 'mark') {
      const bytes = encodeStored(plan.object)
      if (context.dryRun) return { entry: new CacheEntry(entry.key, namespace, name, entry.revision, bytes), gone: false }
      if (entry.sameAs(bytes, plan.object)) return { entry, gone: false }
      const marked = await replace(registry, write, entry, bytes, plan.object)
      if (marked) return { entry: marked, gone: false }
    } else {
      const last = plan.object ? new CacheEntry(entry.key, namespace, name, entry.revision, encodeStored(plan.object)) : entry
      if (context.dryRun) return { entry: last, gone: true }
      const result = await stored(registry.store.delete(entry.key, entry.revision))
      if (result.ok) {
        await registry.cache.applied(result.revision)
        await served.strategy.release?.(old)
        return { entry: last, gone: true }
      }
      await caughtUp(registry, write, entry, result.current?.modRevision)
    }
    if (attempt >= attempts) throw errors.modified(served.gr, name)
  }
}

export function checkPreconditions(write: Write, object: DeepReadonly<KubeObject>, preconditions: meta.Preconditions | undefined): void {
  if (!preconditions) return
  const { uid, resourceVersion } = object.metadata
  const gr = { group: write.served.storage.group, resource: write.served.storage.kind }
  if (preconditions.uid !== undefined && preconditions.uid !== uid)
    throw errors.conflict(
      gr,
      write.name,
      `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    )
  if (preconditions.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion)
    throw errors.conflict(
      gr,
      write.name,
      `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
    )
}
