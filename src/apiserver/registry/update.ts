import type { DeepReadonly, KubeObject } from '#api'
import { errors } from '#api'
import { CacheEntry } from './cache-entry.ts'
import { dedupeOwners, fitNamespace, fitUpdatedMetadata, specChanged } from './metadata.ts'
import type { Registry, Write } from './registry.ts'
import { validateObjectMetaUpdate } from './validation/object-meta.ts'
import { trackFields } from './managed-fields.ts'
import { checkSize } from './size.ts'
import { encodeStored } from './wire.ts'
import type { AdmissionRequest } from '../admission/admission.ts'
import { admissionRequest, createObject, mutate, stored, validate, kept } from './write.ts'

/** What an update is about to store. */
export interface Updated {
  entry: CacheEntry
  created: boolean
}

/**
 * Makes the new object from the current one (undefined: there is none), in the stored version, decoded and defaulted, owned by the
 * caller. May be called again when someone else wrote in between.
 */
export type MakeUpdate = (old: DeepReadonly<KubeObject> | undefined) => KubeObject | Promise<KubeObject>

export interface UpdateOptions {
  /** Creates the object when there is none (also when the strategy does not). */
  create?: boolean
  /** Replaces the strategy's preparation: for subresources that touch a part of the object alone. */
  prepare?(object: KubeObject, old: DeepReadonly<KubeObject>): void
  /** Skips the main resource's validation: a subresource that cannot break it. */
  unvalidated?: boolean
  /** Admission has looked at the request already, in another form. */
  admitted?: boolean
  /** The resourceVersion in the new object is the one it was made from, not one that the client insists on. */
  retry?: boolean
  /** The object's managedFields are settled already. */
  managed?: boolean
  /** The write does not count as a new generation, whatever it changes. */
  sameGeneration?: boolean
}

/** How often a write that names no resourceVersion is tried again after somebody else's. */
const attempts = 10

export async function updateObject(registry: Registry, write: Write, make: MakeUpdate, options: UpdateOptions = {}): Promise<Updated> {
  const { served, namespace, name } = write
  const { strategy, cache } = served
  for (let attempt = 1; ; attempt++) {
    const entry = cache.get(namespace, name)
    if (!entry) {
      if (write.subresource) throw errors.notFound(served.gr, name)
      const object = await make(undefined)
      if (object.metadata.uid && !options.create) throw uidConflict(write, object.metadata.uid, '')
      if (!strategy.allowCreateOnUpdate && !options.create) throw errors.notFound(served.gr, name)
      return { entry: await createObject(registry, write, object, options.managed), created: true }
    }
    const old = entry.object
    const object = await make(old)
    checkSize(object)
    // no object has the version 0: whoever says it insists on none
    if (/^0+$/.test(object.metadata.resourceVersion ?? '')) delete object.metadata.resourceVersion
    const asked = object.metadata.resourceVersion
    if (!asked) {
      if (strategy.allowUnconditionalUpdate === false)
        throw errors.invalid({ group: served.gr.group, kind: served.gr.resource }, name, [
          { reason: 'FieldValueInvalid', message: 'Invalid value: 0x0: must be specified for an update', field: 'metadata.resourceVersion' },
        ])
    } else if (asked !== old.metadata.resourceVersion) throw errors.modified(served.gr, name)
    if (!options.retry && object.metadata.uid && object.metadata.uid !== old.metadata.uid)
      throw uidConflict(write, object.metadata.uid, old.metadata.uid!)

    const stored = await storeUpdate(registry, write, entry, object, options)
    if (stored) return { entry: stored, created: false }
    if ((asked && !options.retry) || attempt >= attempts) throw errors.modified(served.gr, name)
  }
}

/** Where upstream keeps what it does not keep under its own name. */
const folders: Record<string, string> = {
  endpoints: 'services/endpoints',
  ingresses: 'ingress',
  nodes: 'minions',
  replicationcontrollers: 'controllers',
  services: 'services/specs',
}

function uidConflict(write: Write, asked: string, found: string): Error {
  return errors.conflict(
    write.served.gr,
    write.name,
    `StorageError: invalid object, Code: 4, Key: /registry/${folders[write.served.storage.resource] ?? write.served.storage.resource}/${write.namespace ? `${write.namespace}/` : ''}${write.name}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${asked}, UID in object meta: ${found}`,
  )
}

/** Undefined: somebody else wrote in between; the cache has caught up with it. */
async function storeUpdate(
  registry: Registry,
  write: Write,
  entry: CacheEntry,
  object: KubeObject,
  options: UpdateOptions,
): Promise<CacheEntry | undefined> {
  const { served, namespace, name, context } = write
  const { strategy } = served
  const old = entry.object
  if (!object.metadata.name) throw errors.badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
  if (object.metadata.name !== name)
    throw errors.badRequest(`the name of the object (${object.metadata.name}) does not match the name on the URL (${name})`)
  if (namespace && object.metadata.namespace && object.metadata.namespace !== namespace)
    throw errors.badRequest('the namespace of the provided object does not match the namespace sent on the request')
  fitNamespace(object, namespace)
  fitUpdatedMetadata(object, old)
  dedupeOwners(object, write.warnings)
  if (!options.managed) trackFields(write, object, old)
  const admission = admissionRequest(write, 'UPDATE', object, old)
  if (!options.admitted && (await mutate(registry, admission))) strategy.default?.(object)
  if (options.prepare) options.prepare(object, old)
  else if (write.subresource) (strategy.prepareForStatusUpdate ?? keepAllButStatus)(object, old, context)
  else {
    if (strategy.prepareForUpdate) strategy.prepareForUpdate(object, old, context)
    else if (served.storage.subresources.some((s) => s.name === 'status')) keepStatus(object, old)
  }
  // annotations that come with a status are no new intent
  const intended = !options.sameGeneration && write.subresource !== 'status' && old.metadata.generation !== undefined
  if (intended && (strategy.generationChanged ?? specChanged)(object, old)) object.metadata.generation = old.metadata.generation! + 1
  const claim = write.subresource ? undefined : await strategy.claim?.(object, old, context)
  let written = false
  try {
    const stored = await checkAndReplace(registry, write, entry, object, admission, options)
    written = stored !== undefined && !context.dryRun
    return stored
  } finally {
    if (claim) await claim.settle(written)
  }
}

async function checkAndReplace(
  registry: Registry,
  write: Write,
  entry: CacheEntry,
  object: KubeObject,
  admission: AdmissionRequest,
  options: UpdateOptions,
): Promise<CacheEntry | undefined> {
  const { served, namespace, name, context } = write
  const { strategy } = served
  const old = entry.object
  let causes = validateObjectMetaUpdate(object.metadata, old.metadata, {
    namespaced: served.storage.namespaced,
    looseFinalizers: strategy.looseFinalizers,
  })
  if (!options.unvalidated) {
    const more = write.subresource
      ? strategy.validateStatusUpdate?.(object, old, served.apiVersion, write.subresource)
      : mainCauses(served, object, old)
    if (more && more.length > 0) causes = [...causes, ...more]
  }
  if (causes.length > 0) throw errors.invalid(served.storage, name, causes)
  if (!options.admitted) await validate(registry, admission)
  const warn = write.subresource ? (write.subresource === 'status' ? strategy.statusWarnings : undefined) : strategy.warnings
  for (const text of warn?.(object, old) ?? []) write.warnings.push(text)

  if (finalized(served.storage.resource, object)) return removeFinalized(registry, write, entry, object)
  const bytes = encodeStored(object)
  if (entry.sameAs(bytes, object)) return entry
  if (context.dryRun) return new CacheEntry(entry.key, namespace, name, entry.revision, bytes)
  return replace(registry, write, entry, bytes, object)
}

function mainCauses({ strategy, apiVersion }: Write['served'], object: KubeObject, old: DeepReadonly<KubeObject>) {
  const causes = strategy.validate?.(object, apiVersion, old) ?? []
  const more = strategy.validateUpdate?.(object, old, apiVersion)
  return more && more.length > 0 ? [...causes, ...more] : causes
}

/** Writes `bytes` over `entry`; undefined when something else is there by now, after waiting for the cache to have it. */
export async function replace(
  registry: Registry,
  write: Write,
  entry: CacheEntry,
  bytes: Buffer,
  object: KubeObject,
): Promise<CacheEntry | undefined> {
  const result = await stored(
    registry.cache.write(bytes, object, registry.store.update(entry.key, bytes, entry.revision, kept(write.served.strategy))),
  )
  if (!result.ok) {
    await caughtUp(registry, write, entry, result.current?.modRevision)
    return undefined
  }
  const current = write.served.cache.get(entry.namespace, entry.name)
  return current?.revision === result.revision ? current : new CacheEntry(entry.key, entry.namespace, entry.name, result.revision, bytes)
}

/** After a conflict: waits until the cache shows what the store has. */
export async function caughtUp(registry: Registry, write: Write, entry: CacheEntry, revision: number | undefined): Promise<void> {
  if (revision !== undefined) await registry.cache.applied(revision)
  else if (write.served.cache.get(entry.namespace, entry.name) === entry) await registry.cache.applied(await registry.store.currentRevision())
}

/** Deletion was asked for earlier, and this update took away the last thing that held it up. */
function finalized(resource: string, object: DeepReadonly<KubeObject & { spec?: { finalizers?: string[] } }>): boolean {
  const { metadata } = object
  if (!metadata.deletionTimestamp || (metadata.finalizers?.length ?? 0) > 0 || (metadata.deletionGracePeriodSeconds ?? 0) > 0) return false
  return resource !== 'namespaces' || (object.spec?.finalizers?.length ?? 0) === 0
}

async function removeFinalized(registry: Registry, write: Write, entry: CacheEntry, object: KubeObject): Promise<CacheEntry | undefined> {
  const last = new CacheEntry(entry.key, entry.namespace, entry.name, entry.revision, encodeStored(object))
  if (write.context.dryRun) return last
  const result = await stored(registry.store.delete(entry.key, entry.revision))
  if (!result.ok) {
    await caughtUp(registry, write, entry, result.current?.modRevision)
    return undefined
  }
  await registry.cache.applied(result.revision)
  await write.served.strategy.release?.(entry.object)
  return last
}

/** An update of the main resource leaves status alone. */
function keepStatus(object: KubeObject & { status?: unknown }, old: DeepReadonly<KubeObject & { status?: unknown }>): void {
  if (old.status === undefined) delete object.status
  else object.status = old.status
}

/** An update of the status subresource changes status and metadata; everything beside them stays. */
export function keepAllButStatus(object: KubeObject, old: DeepReadonly<KubeObject>): void {
  const next = object as unknown as Record<string, unknown>
  const previous = old as unknown as Record<string, unknown>
  for (const key in next) if (!(key in previous) && key !== 'status' && key !== 'metadata') delete next[key]
  for (const key in previous) if (key !== 'status' && key !== 'metadata' && key !== 'apiVersion' && key !== 'kind') next[key] = previous[key]
}

/** For patches: the current object must exist. */
export function requireEntry(write: Write): CacheEntry {
  const entry = write.served.cache.get(write.namespace, write.name)
  if (!entry) throw errors.notFound(write.served.gr, write.name)
  return entry
}
