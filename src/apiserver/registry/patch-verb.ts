import type { DeepReadonly, KubeObject } from '#api'
import { DecodeError, StatusError, apiVersionOf, errors, failure, parseApiVersion } from '#api'
import { mediaType } from '../body.ts'
import { applyJsonPatch, applyMergePatch, applyServerSide, applyStrategicMergePatch } from '../patch/index.ts'
import type { Call } from './call.ts'
import { decode, schemaFor } from './decode.ts'
import type { Registry, Write } from './registry.ts'
import type { Updated, UpdateOptions } from './update.ts'
import { updateObject } from './update.ts'
import { bodyValue, toStored } from './verbs.ts'

/** Patches an object (or a part of it, by a subresource) in the version that the request names. */
export function patchObject(registry: Registry, call: Call, write: Write, options: UpdateOptions = {}): Promise<Updated> {
  const { served } = call
  if (mediaType(call.request) === 'application/apply-patch+yaml') return applyObject(registry, call, write, options)
  checkForce(call)
  const patch = bodyValue(call)
  return updateObject(
    registry,
    write,
    (old) => {
      if (!old) throw errors.notFound(served.gr, write.name)
      return toStored(call, decodePatched(call, patched(call, shown(call, old), patch, served.kind), write))
    },
    { ...options, retry: true },
  )
}

/** Applies the request's patch to `target`, an object of `kind` in the form that clients see. */
export function patched(call: Call, target: DeepReadonly<object>, patch: unknown, kind: { group: string; version: string; kind: string }): unknown {
  switch (mediaType(call.request)) {
    case 'application/json-patch+json':
      return applyJsonPatch(target as object, patch)
    case 'application/merge-patch+json':
      return applyMergePatch(target as object, patch)
    case 'application/strategic-merge-patch+json':
      return applyStrategicMergePatch(target as object, patch, schemaFor(apiVersionOf(kind), kind.kind))
    default:
      throw failure('UnsupportedMediaType', 415, '415: Unsupported Media Type', {})
  }
}

/** A patch that makes an object of the wrong types is invalid: it is shown whole. */
function decodePatched(call: Call, value: unknown, write: Write): KubeObject {
  try {
    return decode(call.served.kind, value, write)
  } catch (error) {
    if (!(error instanceof StatusError) || !(error.cause instanceof DecodeError)) throw error
    const why = `Invalid value: ${JSON.stringify(JSON.stringify(value))}: ${error.cause.message}`
    throw failure('Invalid', 422, ` "" is invalid: patch: ${why}`, { causes: [{ reason: 'FieldValueInvalid', message: why, field: 'patch' }] })
  }
}

/** Server-side apply; creates what is not there. */
async function applyObject(registry: Registry, call: Call, write: Write, options: UpdateOptions): Promise<Updated> {
  const { served, request } = call
  const manager = request.query.get('fieldManager')
  if (!manager)
    throw errors.invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      { reason: 'FieldValueRequired', message: 'Required value: is required for apply patch', field: 'fieldManager' },
    ])
  const value = bodyValue(call) as KubeObject
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw errors.badRequest('error decoding YAML: the patch is not an object')
  const applied = { ...value, metadata: { ...value.metadata } } as KubeObject
  if (applied.kind !== undefined && applied.kind !== served.kind.kind)
    throw errors.badRequest(
      `invalid object type: ${parseApiVersion(applied.apiVersion).group}/${parseApiVersion(applied.apiVersion).version}, Kind=${applied.kind}`,
    )
  if (served.kind.namespaced && applied.metadata.namespace === undefined) applied.metadata.namespace = write.namespace
  const schema = schemaFor(served.apiVersion, served.kind.kind)
  // strict and warning modes look at what was sent, not at the merged object
  decode(served.kind, applied, write)
  return updateObject(
    registry,
    write,
    (old) => {
      if (!old && !applied.metadata.name)
        throw errors.badRequest(`the name of the object (${write.name} based on URL) was undeterminable: name must be provided`)
      const { object, managedFields } = applyServerSide({
        live: old && shown(call, old),
        applied,
        schema,
        manager,
        force: request.query.get('force') === 'true',
        subresource: write.subresource,
        now: write.context.now,
      })
      const next = toStored(call, decode(served.kind, object, { fieldValidation: 'Ignore', warnings: [] }))
      next.metadata.managedFields = managedFields
      return next
    },
    { ...options, create: true, retry: true, managed: true },
  )
}

function shown(call: Call, old: DeepReadonly<KubeObject>): DeepReadonly<KubeObject> {
  const { conversion } = call.served
  return conversion ? conversion.fromStorage(old) : old
}

export function checkForce(call: Call): void {
  if (call.request.query.size > 0 && call.request.query.has('force'))
    throw errors.invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      { reason: 'FieldValueForbidden', message: 'Forbidden: may not be specified for non-apply patch', field: 'force' },
    ])
}
