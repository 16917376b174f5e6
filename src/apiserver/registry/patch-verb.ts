import type { DeepReadonly, GroupResource, Kind, KubeObject, meta } from '#api'
import { CborError, DecodeError, StatusError, apiVersionOf, errors, failure, parseApiVersion } from '#api'
import { isCbor, mediaType, readBody } from '../body.ts'
import { YamlError } from '../yaml/parse.ts'
import {
  applyJsonPatch,
  applyMergePatch,
  equalJson,
  goFormat,
  isObject,
  jsonType,
  applyServerSide,
  applyStrategicMergePatch,
  checkTypes,
  converterWords,
} from '../patch/index.ts'
import type { Call } from './call.ts'
import { cborTypeOf, decode, goSyntaxError, schemaFor } from './decode.ts'
import { resetFields } from './managed-fields.ts'
import type { Registry, Write } from './registry.ts'
import { checkBody } from './size.ts'
import type { Updated, UpdateOptions } from './update.ts'
import { updateObject } from './update.ts'
import { askedForDuplicates, toStored } from './verbs.ts'

/** Patches an object (or a part of it, by a subresource) in the version that the request names. */
export function patchObject(registry: Registry, call: Call, write: Write, options: UpdateOptions = {}): Promise<Updated> {
  const { served } = call
  if (applyTypes.has(mediaType(call.request))) return applyObject(registry, call, write, options)
  checkForce(call)
  if (!patchTypes.has(mediaType(call.request))) throw unknownPatch()
  const patch = patchOf(call)
  return updateObject(
    registry,
    write,
    (old) => {
      if (!old) throw errors.notFound(served.gr, write.name)
      return toStored(call, decodePatched(call, patch, patched(call, shown(call, old), patch, served.kind), write))
    },
    { ...options, retry: true },
  )
}

const applyTypes = new Set(['application/apply-patch+yaml', 'application/apply-patch+cbor'])
const patchTypes = new Set(['application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json'])

const unknownPatch = () => failure('UnsupportedMediaType', 415, '415: Unsupported Media Type', {})

/** The patch as a plain value; what is no JSON is refused in a few words. */
export function patchOf({ request }: Call): unknown {
  try {
    const patch = readBody(request)
    if (patch === undefined) throw new SyntaxError('unexpected end of JSON input')
    checkBody(request.body, patch)
    return patch
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw errors.badRequest(`${mediaType(request).startsWith('application/strategic') ? '' : 'error decoding patch: '}${goSyntaxError(error)}`)
  }
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
      throw unknownPatch()
  }
}

/** A patch that makes something else of the object is invalid: what it made is shown whole (of a strategic merge patch, the patch). */
export function decodePatched(
  call: Call,
  patch: unknown,
  value: unknown,
  write: Write,
  kind: Pick<Kind, 'group' | 'version' | 'kind'> = call.served.kind,
): KubeObject {
  const strategic = mediaType(call.request) === 'application/strategic-merge-patch+json'
  // a strategic merge patch cannot change the kind: it works on what the kind's objects have
  const typed = strategic && hasTypeMeta(value) ? { ...(value as object), kind: '', apiVersion: '' } : value
  try {
    return decode(kind, typed, { ...write, sorted: strategic, duplicates: unknownOperationFields(call, patch) })
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    const [strict] = /strict decoding error: .*$/s.exec(error.message) ?? []
    if (!strict && !(error.cause instanceof DecodeError)) throw error
    const shown = strategic ? goFormat(patch) : JSON.stringify(value)
    const why = `Invalid value: ${JSON.stringify(shown)}: ${strict ?? unfitting(error.cause as DecodeError, strategic)}`
    throw failure('Invalid', 422, ` "" is invalid: patch: ${why}`, { causes: [{ reason: 'FieldValueInvalid', message: why, field: 'patch' }] })
  }
}

const unfitting = ({ message, mismatch }: DecodeError, strategic: boolean) => (strategic && mismatch && converterWords(mismatch)) || message

const operationFields = new Set(['op', 'path', 'from', 'value'])

/** What strict and warning modes say of the operations of a JSON patch. */
function unknownOperationFields(call: Call, patch: unknown): string[] {
  if (mediaType(call.request) !== 'application/json-patch+json' || !Array.isArray(patch)) return []
  return patch.flatMap((operation: unknown, i) =>
    isObject(operation)
      ? Object.keys(operation)
          .filter((key) => !operationFields.has(key))
          .map((key) => `json patch unknown field "[${i}].${key}"`)
      : [],
  )
}

const hasTypeMeta = (value: unknown) =>
  typeof (value as Partial<KubeObject>).kind === 'string' && typeof (value as Partial<KubeObject>).apiVersion === 'string'

export const isApply = ({ request }: Call): boolean => applyTypes.has(mediaType(request))

/** What a request applies, checked as far as that needs no object, and who applies it. */
export interface Configuration {
  applied: KubeObject
  manager: string
  force: boolean
}

/** The configuration of an apply request to objects of `kind`. */
export function configuration(call: Call, write: Write, kind: Pick<Kind, 'group' | 'version' | 'kind'>): Configuration {
  const { query } = call.request
  const manager = query.get('fieldManager')
  if (!manager)
    throw errors.invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      { reason: 'FieldValueRequired', message: 'Required value: is required for apply patch', field: 'fieldManager' },
    ])
  const applied = appliedObject(call, write)
  const apiVersion = apiVersionOf(kind)
  if (applied.apiVersion !== apiVersion || applied.kind !== kind.kind) {
    const { group, version } = parseApiVersion(applied.apiVersion)
    throw errors.badRequest(`invalid object type: ${group}/${version}, Kind=${applied.kind}`)
  }
  checkTypes(schemaFor(apiVersion, kind.kind), applied)
  if (!isObject(applied.metadata)) throw failure('', 500, 'failed to create typed patch object: .metadata: expected map')
  return { applied, manager, force: query.get('force') === 'true' }
}

/** Server-side apply; creates what is not there. */
async function applyObject(registry: Registry, call: Call, write: Write, options: UpdateOptions): Promise<Updated> {
  const { served } = call
  const { applied, manager, force } = configuration(call, write, served.kind)
  const schema = schemaFor(served.apiVersion, served.kind.kind)
  const cbor = isCbor(call.request)
  // of a custom resource, strict and warning modes look at what was sent, not at the merged object; others have no fields that are not known by now
  if (!schema || cbor) decode(served.kind, applied, cbor ? { ...write, cbor } : write)
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
        force,
        subresource: write.subresource,
        now: write.context.now,
        ...resetFields(write),
      })
      const next = toStored(call, decode(served.kind, object, { fieldValidation: 'Ignore', warnings: [] }))
      identify(next, applied, old, served.gr)
      if (served.kind.namespaced && next.metadata.namespace === undefined) next.metadata.namespace = write.namespace
      next.metadata.managedFields = changesTimesAlone(next, managedFields, old)
        ? (old!.metadata.managedFields as typeof managedFields)
        : managedFields
      return next
    },
    { ...options, create: true, retry: true, managed: true },
  )
}

/** Whether an apply changes nothing but the times of entries: then it changes nothing. */
function changesTimesAlone(
  next: KubeObject,
  managedFields: meta.ManagedFieldsEntry[] | undefined,
  old: DeepReadonly<KubeObject> | undefined,
): boolean {
  const before = old?.metadata.managedFields
  if (!before || before.length !== managedFields?.length) return false
  const untimed = (entry: DeepReadonly<meta.ManagedFieldsEntry>) => ({ ...entry, time: undefined })
  if (!managedFields.every((entry, i) => equalJson(untimed(entry), untimed(before[i]!)))) return false
  return equalJson({ ...next, metadata: { ...next.metadata, managedFields: before } }, old)
}

/** The configuration that was sent, as an object of its own. */
function appliedObject(call: Call, { fieldValidation, warnings }: Write): KubeObject {
  const duplicates: string[] | undefined = askedForDuplicates(call) ? [] : undefined
  let value: unknown
  try {
    const read = readBody(call.request, duplicates)
    if (read === undefined && mediaType(call.request).endsWith('cbor')) throw new CborError('EOF')
    value = read ?? {}
  } catch (error) {
    // upstream says so of whatever it was
    if (error instanceof CborError) throw errors.badRequest(`error decoding YAML: ${error.message}`)
    if (!(error instanceof YamlError)) throw error
    throw errors.badRequest(`error decoding YAML: error converting YAML to JSON: ${error.message}`)
  }
  if (!isObject(value)) {
    if (isCbor(call.request))
      throw errors.badRequest(`error decoding YAML: cbor: cannot unmarshal ${cborTypeOf(value)} into Go value of type map[string]interface {}`)
    const why = `json: cannot unmarshal ${jsonType(value)} into Go value of type map[string]interface {}`
    throw errors.badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: ${why}`)
  }
  checkBody(call.request.body, value)
  if (duplicates?.length) {
    const texts = duplicates.map((text) => `error converting YAML to JSON: ${text}`)
    if (fieldValidation === 'Strict') throw errors.badRequest(`error strict decoding YAML: ${texts.join(', ')}`)
    warnings.push(...texts)
  }
  const { metadata, apiVersion, kind } = value as Partial<KubeObject>
  return {
    ...value,
    apiVersion: textOf(apiVersion),
    kind: textOf(kind),
    metadata: isObject(metadata) ? { ...metadata } : (metadata ?? {}),
  } as KubeObject
}

/** What the configuration says about which object it means has to be so; nobody owns it, and merging leaves it alone. */
function identify(next: KubeObject, applied: KubeObject, old: DeepReadonly<KubeObject> | undefined, resource: GroupResource): void {
  const { name, namespace, uid, resourceVersion } = applied.metadata
  if (!old) {
    if (uid) throw errors.conflict(resource, name, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`)
    delete next.metadata.resourceVersion
    return
  }
  for (const [field, value] of Object.entries({ name, namespace, uid, resourceVersion })) if (value) next.metadata[field as 'name'] = value
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : '')

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
