import type { DeepReadonly, KubeObject } from '#api'
import { errors, failure } from '#api'
import type { WriteOptions } from '#store'
import { StoreError } from '#store'
import type { AdmissionRequest } from '../admission/admission.ts'
import type { CacheEntry } from './cache-entry.ts'
import type { Registry, Write } from './registry.ts'
import type { ResourceStrategy } from './strategy.ts'
import { validateObjectMeta } from './validation/object-meta.ts'
import { CacheEntry as Entry } from './cache-entry.ts'
import { dedupeOwners, fillNewMetadata, fitNamespace, generateName } from './metadata.ts'
import { trackFields } from './managed-fields.ts'
import { checkSize } from './size.ts'
import { storeKey } from './watch-cache.ts'
import { encodeStored } from './wire.ts'

/** How often a create by generateName tries another suffix when the name is taken. */
const nameAttempts = 8

/**
 * Creates an object. `object` is the request's own, in the stored version, decoded and defaulted; it must not be used afterwards.
 * Answers the cached entry (for a dry run, what would have been stored). `managed`: its managedFields are settled already.
 */
export async function createObject(registry: Registry, write: Write, object: KubeObject, managed = false): Promise<CacheEntry> {
  const { served } = write
  checkSize(object)
  dedupeOwners(object, write.warnings)
  // no object has this version: it says none
  if (object.metadata.resourceVersion === '0') delete object.metadata.resourceVersion
  if (object.metadata.resourceVersion) throw failure('', 500, 'resourceVersion should not be set on objects to be created')
  fitNamespace(object, write.namespace)
  if (write.name && object.metadata.name && object.metadata.name !== write.name)
    throw errors.badRequest(`the name of the object (${object.metadata.name}) does not match the name on the URL (${write.name})`)
  if (write.name) object.metadata.name = write.name
  const generated = object.metadata.name ? undefined : object.metadata.generateName
  fillNewMetadata(object, write)
  if (!managed) trackFields(write, object, undefined)
  const { strategy } = served
  const admission = admissionRequest(write, 'CREATE', object)
  if (generated) admission.nameIsGenerated = true
  if (await mutate(registry, admission)) strategy.default?.(object)
  strategy.prepareForCreate?.(object, write.context)
  const claim = await strategy.claim?.(object, undefined, write.context)
  let written = false
  try {
    const entry = await checkAndStore(registry, write, object, admission, generated)
    written = !write.context.dryRun
    return entry
  } finally {
    if (claim) await claim.settle(written)
  }
}

async function checkAndStore(
  registry: Registry,
  write: Write,
  object: KubeObject,
  admission: AdmissionRequest,
  generated: string | undefined,
): Promise<CacheEntry> {
  const { served } = write
  const { strategy } = served
  const causesOfMeta = validateObjectMeta(object.metadata, {
    namespaced: served.storage.namespaced,
    apiVersion: served.apiVersion,
    looseFinalizers: strategy.looseFinalizers,
    ...(strategy.validateName ? { name: strategy.validateName } : {}),
  })
  const more = strategy.validate?.(object, served.apiVersion) ?? []
  const ofCreate = strategy.validateCreate?.(object, served.apiVersion) ?? []
  const causes = more.length + ofCreate.length > 0 ? [...causesOfMeta, ...more, ...ofCreate] : causesOfMeta
  if (causes.length > 0) throw errors.invalid(served.storage, object.metadata.name, causes)
  await validate(registry, admission)
  if (strategy.warnings) for (const text of strategy.warnings(object)) write.warnings.push(text)

  for (let attempt = 1; ; attempt++) {
    const { name } = object.metadata
    const key = storeKey(served.cache.prefix, write.namespace, name)
    const bytes = encodeStored(object)
    if (write.context.dryRun) {
      if (served.cache.get(write.namespace, name)) throw isThere(write, name)
      return new Entry(key, write.namespace, name, 0, bytes, object)
    }
    const result = await stored(registry.cache.write(bytes, object, registry.store.create(key, bytes, kept(strategy))))
    if (result.ok) {
      // it may have been replaced already: then what this write made is not cached any more
      const entry = served.cache.get(write.namespace, name)
      return entry?.revision === result.revision ? entry : new Entry(key, write.namespace, name, result.revision, bytes)
    }
    if (!generated) throw isThere(write, name)
    if (attempt >= nameAttempts)
      throw failure(
        'AlreadyExists',
        409,
        `${served.gr.group ? `${served.gr.resource}.${served.gr.group}` : served.gr.resource} "${name}" already exists, the server was not able to generate a unique name for the object`,
        { name, ...(served.gr.group ? { group: served.gr.group } : {}), kind: served.gr.resource, retryAfterSeconds: 1 },
      )
    object.metadata.name = generateName(generated)
    object.metadata.resourceVersion = undefined
  }
}

/** The name is taken, be it by something that is on its way out. */
function isThere({ served, namespace }: Write, name: string): Error {
  const error = errors.alreadyExists(served.gr, name)
  if (!served.cache.get(namespace, name)?.object.metadata.deletionTimestamp) return error
  return failure('AlreadyExists', 409, `object is being deleted: ${error.message}`, error.status.details)
}

export function admissionRequest(
  write: Write,
  operation: AdmissionRequest['operation'],
  object: KubeObject | undefined,
  old?: DeepReadonly<KubeObject>,
): AdmissionRequest {
  const { group, version, kind } = write.served.storage
  return { operation, context: write.context, kind: { group, version, kind }, ...(object ? { object } : {}), ...(old ? { old } : {}) }
}

/** Answers whether a plugin may have changed the object. */
export function mutate(registry: Registry, request: AdmissionRequest): Promise<boolean> {
  return step(registry, request, 'admit')
}

export async function validate(registry: Registry, request: AdmissionRequest): Promise<void> {
  await step(registry, request, 'validate')
}

/** Runs one step of admission, and times it. Answers whether any plugin took part. */
async function step({ interestedIn, admissionMetrics, clock }: Registry, request: AdmissionRequest, phase: 'admit' | 'validate'): Promise<boolean> {
  const method = phase === 'admit' ? 'mutate' : 'validate'
  const plugins = interestedIn(request.context.request.resource)[method]
  const began = clock.monotonic()
  let before = began
  let touched = false
  let running = ''
  try {
    for (;;) {
      for (const plugin of plugins) {
        if (!plugin.handles(request)) continue
        touched = true
        running = plugin.name
        const done = plugin[method]!(request)
        if (done) await done
        const now = clock.monotonic()
        admissionMetrics.observe(running, phase, request.operation, false, (now - before) / 1000)
        before = now
      }
      if (phase === 'validate' || request.reinvocation !== 'wanted') break
      request.reinvocation = 'running'
    }
  } catch (error) {
    const now = clock.monotonic()
    admissionMetrics.observe(running, phase, request.operation, true, (now - before) / 1000)
    admissionMetrics.observe('', phase, request.operation, true, (now - began) / 1000)
    throw error
  }
  admissionMetrics.observe('', phase, request.operation, false, (before - began) / 1000)
  return touched
}

/** How long a store with leases keeps what is written now. */
export const kept = ({ ttl }: Pick<ResourceStrategy, 'ttl'>): WriteOptions => (ttl ? { ttl } : noOptions)
const noOptions: WriteOptions = {}

/** Trouble of the store as the status that clients act on: try again, or give up. */
export async function stored<T>(operation: Promise<T>): Promise<T> {
  try {
    return await operation
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    if (error.kind === 'compacted') throw errors.expired('The resourceVersion for the provided list is too old.')
    if (error.kind === 'closed' || error.kind === 'unavailable') throw errors.unavailable('the store is not available', { cause: error })
    throw errors.internal(error.message, { cause: error })
  }
}
