import type { KubeObject, Status } from '#api'
import { DecodeError, StatusError, errors } from '#api'
import type { Response } from '#client'
import type { Random } from '#base'
import { notStreamable } from '../http/negotiate.ts'
import { isCbor } from '../body.ts'
import { isTrue } from '../parse-request.ts'
import { binaryForm } from './binary-forms.ts'
import type { Call } from './call.ts'
import { entryResponse, includeObject, listResponse, valueResponse } from './call.ts'
import { decode, nothingSent, valueOf } from './decode.ts'
import type { DeleteOptions } from './delete.ts'
import { deleteObject } from './delete.ts'
import { checkDeleteOptions } from './deletion.ts'
import { patchObject } from './patch-verb.ts'
import { getObject, listObjects, upToDate } from './read.ts'
import type { Registry, Write } from './registry.ts'
import { timestamp } from './registry.ts'
import { partialView, tableView } from './render.ts'
import { select } from './selection.ts'
import type { Updated } from './update.ts'
import { updateObject } from './update.ts'
import type { View } from './watcher.ts'
import { watchObjects } from './watching.ts'
import { operationOptions, writeOptions } from './write-options.ts'
import { createObject } from './write.ts'
import { checkBody } from './size.ts'

/** The verbs of a stored resource and of its `status`. Throws, or rejects with, StatusError. */
export function handleVerb(registry: Registry, call: Call, random: Random): Promise<Response> | Response {
  const { verb, resource } = call.info
  switch (verb) {
    case 'get': {
      const entry = getObject(registry, call.served, resource!.namespace, resource!.name, call.request.query.get('resourceVersion'))
      return entry instanceof Promise ? entry.then((found) => entryResponse(call, 200, found)) : entryResponse(call, 200, entry)
    }
    case 'list':
      return listVerb(registry, call)
    case 'watch':
      return watchVerb(registry, call, random)
    case 'create':
      return createVerb(registry, call)
    case 'update':
      return updateVerb(registry, call)
    case 'patch':
      return patchVerb(registry, call)
    case 'delete':
      return deleteVerb(registry, call)
    case 'deletecollection':
      return deleteCollectionVerb(registry, call)
    default:
      throw notAllowed()
  }
}

export function notAllowed(): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'the server does not allow this method on the requested resource',
    reason: 'MethodNotAllowed',
    details: {},
    code: 405,
  })
}

/** Collects what a write carries with it. */
export function beginWrite(call: Call, kind: string): Write {
  const { info, request, served } = call
  const { namespace, name, subresource } = info.resource!
  const options = writeOptions(request.query, kind, request.headers['user-agent'])
  return {
    served,
    info,
    namespace,
    name,
    subresource,
    context: {
      request: info,
      now: timestamp(call.now),
      dryRun: options.dryRun,
      warnings: call.warnings,
      options: (operation) => operationOptions(operation, request.query),
      ...(call.audit ? { annotate: call.audit.annotate } : {}),
    },
    fieldManager: options.fieldManager,
    fieldValidation: options.fieldValidation,
    warnings: call.warnings,
  }
}

/** The body as an object of the served kind, brought to the stored version with its defaults. */
export function objectFromBody(call: Call, write: Write): KubeObject {
  const duplicates = askedForDuplicates(call) ? [] : undefined
  const value = bodyValue(call, duplicates)
  const { fieldValidation, warnings } = write
  const cbor = isCbor(call.request)
  const object = toStored(
    call,
    decode(call.served.kind, value, duplicates?.length || cbor ? { fieldValidation, warnings, duplicates: duplicates ?? [], cbor } : write),
  )
  call.audit?.requestObject(object)
  return object
}

/** Fields that are there twice are looked for when the client says that it wants to know: looking costs more than reading the body. */
export function askedForDuplicates({ request: { query } }: Call): boolean {
  if (query.size === 0) return false
  const asked = query.get('fieldValidation')
  return asked === 'Strict' || asked === 'Warn'
}

export function toStored(call: Call, decoded: KubeObject): KubeObject {
  const { served } = call
  const object = served.conversion ? served.conversion.toStorage(decoded) : decoded
  served.strategy.default?.(object)
  return object
}

export function bodyValue(call: Call, duplicates?: string[]): unknown {
  const { kind } = call.served.kind
  const value = valueOf(call.request, kind, duplicates)
  if (value === undefined) throw nothingSent(call.request, kind)
  checkBody(call.request.body, value)
  return value
}

async function createVerb(registry: Registry, call: Call): Promise<Response> {
  const write = beginWrite(call, 'CreateOptions')
  const { kind } = call.served
  if (kind.namespaced && !write.namespace && call.info.resource!.namespace === '') throw namespaceRequired()
  const entry = await createObject(registry, write, objectFromBody(call, write))
  return entryResponse(call, 201, entry)
}

const namespaceRequired = () => errors.badRequest('an empty namespace may not be set during creation')

async function patchVerb(registry: Registry, call: Call): Promise<Response> {
  return updatedResponse(call, await patchObject(registry, call, beginWrite(call, 'PatchOptions')))
}

async function updateVerb(registry: Registry, call: Call): Promise<Response> {
  const write = beginWrite(call, 'UpdateOptions')
  const decoded = objectFromBody(call, write)
  let first: KubeObject | undefined = decoded
  const updated = await updateObject(registry, write, () => {
    // a second attempt needs a fresh object: the first one was changed on its way
    const object = first ?? objectFromBody(call, { ...write, warnings: [] })
    first = undefined
    return object
  })
  return updatedResponse(call, updated)
}

export function updatedResponse(call: Call, { entry, created }: Updated): Response {
  return entryResponse(call, created ? 201 : 200, entry)
}

async function listVerb(registry: Registry, call: Call): Promise<Response> {
  const { request, info, served } = call
  const { query } = request
  const { namespace } = info.resource!
  if (query.size > 0) integer(query, 'timeoutSeconds')
  if (query.size === 0) {
    if (registry.sharedStore) await upToDate(registry)
    return listResponse(call, { entries: undefined, metadata: { resourceVersion: String(registry.cache.revision) } })
  }
  const list = await listObjects(registry, served, {
    namespace,
    selection: select(served, query.get('labelSelector'), query.get('fieldSelector')),
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    limit: integer(query, 'limit') ?? 0,
    continue: query.get('continue') ?? '',
    sendInitialEvents: query.has('sendInitialEvents'),
  })
  return listResponse(call, list)
}

async function watchVerb(registry: Registry, call: Call, random: Random): Promise<Response> {
  const { request, info, served, accepted } = call
  const { query } = request
  const { namespace, name } = info.resource!
  if (accepted.format === 'yaml') throw notStreamable()
  const seconds = integer(query, 'timeoutSeconds')
  integer(query, 'limit')
  const sendInitialEvents = query.get('sendInitialEvents')
  const shown =
    accepted.as === 'Table'
      ? tableView(served, accepted.metaVersion, includeObject(call), () => registry.clock.now())
      : accepted.as === 'PartialObjectMetadata'
        ? partialView(accepted.metaVersion)
        : served.view
  const form = binaryForm(accepted.format)
  // the name of a table's view tells the time: it stays a getter
  const view: View = form ? Object.create(shown, { form: { value: form } }) : shown
  const fieldSelector = query.get('fieldSelector')
  const events = await watchObjects(
    registry,
    served,
    {
      namespace,
      selection: select(served, query.get('labelSelector'), fieldSelector, fieldSelector ? '' : name),
      resourceVersion: query.get('resourceVersion') ?? '',
      resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
      allowBookmarks: isTrue(query.get('allowWatchBookmarks')),
      continue: query.get('continue') ?? '',
      sendInitialEvents: sendInitialEvents === null ? undefined : isTrue(sendInitialEvents),
      // upstream spreads the ends of watches: 30 to 60 minutes
      timeout: seconds ? seconds * 1000 : (1 + random()) * 1_800_000,
    },
    view,
    request.signal,
  )
  return { status: 200, headers: { 'content-type': form?.watchType ?? 'application/json' }, body: { events } }
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  if (!/^-?\d{1,15}$/.test(text)) throw errors.badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

async function deleteVerb(registry: Registry, call: Call): Promise<Response> {
  const options = deleteOptions(call)
  const write = beginDelete(call, options)
  const { entry, gone } = await deleteObject(registry, write, options)
  if (!gone || returnsObject.has(call.served.storage.resource))
    return entryResponse(call, !gone && options.orphanDependents === false ? 202 : 200, entry)
  return valueResponse(call, 200, deletedStatus(call, entry.object.metadata.uid))
}

function deletedStatus(call: Call, uid: string | undefined): Status {
  const { gr } = call.served
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: call.info.resource!.name, ...(gr.group ? { group: gr.group } : {}), kind: gr.resource, ...(uid ? { uid } : {}) },
  }
}

/** Resources whose delete answers the object although it is gone (upstream's ReturnDeletedObject). */
const returnsObject = new Set([
  'pods',
  'services',
  'serviceaccounts',
  'podtemplates',
  'resourcequotas',
  'persistentvolumes',
  'persistentvolumeclaims',
  'storageclasses',
  'csidrivers',
  'csinodes',
  'volumeattachments',
])

function beginDelete(call: Call, options: DeleteOptions): Write {
  const write = beginWrite(call, 'DeleteOptions')
  if (options.dryRun?.length) write.context.dryRun = true
  write.context.options = () => operationOptions('DELETE', call.request.query, options)
  return write
}

/** Options of a delete: of its body, else of its query. */
export function deleteOptions(call: Call): DeleteOptions {
  const { request } = call
  const { query } = request
  let value: unknown
  try {
    value = valueOf(request, 'DeleteOptions')
  } catch (error) {
    if (!(error instanceof StatusError && error.cause instanceof DecodeError)) throw error
    throw errors.badRequest(error.cause.message)
  }
  let options: DeleteOptions = {}
  if (value !== undefined && value !== null) {
    if (typeof value !== 'object') throw errors.badRequest('the body of the request is not DeleteOptions')
    const { kind, apiVersion: version, ...given } = value as DeleteOptions & { kind?: string; apiVersion?: string }
    if (kind !== undefined && kind !== 'DeleteOptions')
      throw errors.badRequest(
        `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(version)} in scheme "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"`,
      )
    options = given
    for (const key of Object.keys(options) as (keyof DeleteOptions)[]) if (options[key] === null) delete options[key]
  } else if (query.size > 0) {
    const grace = integer(query, 'gracePeriodSeconds')
    const policy = query.get('propagationPolicy')
    const orphan = query.get('orphanDependents')
    options = {
      ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
      ...(policy ? { propagationPolicy: policy } : {}),
      ...(orphan === null ? {} : { orphanDependents: isTrue(orphan) }),
    }
  }
  if (query.size > 0 && query.has('dryRun')) options.dryRun = query.getAll('dryRun')
  checkDeleteOptions(options)
  return options
}

/** Deletes side by side, as many at a time. */
const deleteWorkers = 32

async function deleteCollectionVerb(registry: Registry, call: Call): Promise<Response> {
  const options = deleteOptions(call)
  const { query } = call.request
  const { served, info } = call
  const list = await listObjects(registry, served, {
    namespace: info.resource!.namespace,
    selection: select(served, query.get('labelSelector'), query.get('fieldSelector')),
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    limit: integer(query, 'limit') ?? 0,
    continue: query.get('continue') ?? '',
  })
  const entries = [...(list.entries ?? served.cache.list(info.resource!.namespace || undefined))]
  const waiting = entries.values()
  const write = beginDelete(call, options)
  const worker = async () => {
    for (const entry of waiting) {
      try {
        await deleteObject(registry, { ...write, namespace: entry.namespace, name: entry.name }, options)
      } catch (error) {
        if (!(error instanceof StatusError && error.reason === 'NotFound')) throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(deleteWorkers, entries.length) }, worker))
  return listResponse(call, { entries, metadata: list.metadata })
}
