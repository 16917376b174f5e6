import type { DeepReadonly, Kind, KubeObject, Status } from '#api'
import { errors } from '#api'
import type { Request, Response } from '#client'
import type { AuditTrail } from '../audit/index.ts'
import type { Accepted } from '../http/negotiate.ts'
import type { RequestInfo } from '../request-info.ts'
import type { BinaryForm } from './binary-form.ts'
import { binaryForm } from './binary-forms.ts'
import type { CacheEntry } from './cache-entry.ts'
import type { List } from './read.ts'
import type { IncludeObject } from './render.ts'
import { partialOf, tableOf } from './render.ts'
import type { ServedResource } from './registry.ts'
import { joinItems, listBytes } from './wire.ts'

/** One request for a resource, on its way through the registry. */
export interface Call {
  request: Request
  info: RequestInfo
  served: ServedResource
  accepted: Accepted
  /** The client is in this process: it gets objects, not bytes. */
  inProcess: boolean
  warnings: string[]
  /** Wall time, milliseconds. */
  now: number
  /** What is recorded about it, where something is. */
  audit?: AuditTrail
}

const jsonHeaders = Object.freeze({ 'content-type': 'application/json' })

const binaryResponse = (status: number, { mediaType }: BinaryForm, bytes: Buffer | Buffer[]): Response => ({
  status,
  headers: { 'content-type': mediaType },
  body: { bytes },
})

/** Answers any value: as itself in process, as JSON otherwise. */
export function valueResponse(call: Pick<Call, 'inProcess'>, status: number, value: unknown): Response {
  return { status, headers: { ...jsonHeaders }, body: call.inProcess ? { value } : { bytes: Buffer.from(JSON.stringify(value)) } }
}

export function statusResponse(call: Pick<Call, 'inProcess'>, status: Status): Response {
  const response = valueResponse(call, status.code ?? 500, status)
  const retry = status.details?.retryAfterSeconds
  if (retry) response.headers['retry-after'] = String(retry)
  return response
}

/** Answers one stored object in the form that was asked for. */
export function entryResponse(call: Call, status: number, entry: CacheEntry): Response {
  const { served, accepted, inProcess } = call
  if (accepted.as !== 'object') return valueResponse(call, status, rendered(call, entry.object))
  const form = inProcess ? undefined : binaryForm(accepted.format)
  if (form) return binaryResponse(status, form, form.object(entry, served.view))
  if (served.conversion) {
    const view = entry.view(served.view.name, served.conversion.fromStorage)
    return { status, headers: { ...jsonHeaders }, body: inProcess ? { value: view.object } : { bytes: view.bytes } }
  }
  return { status, headers: { ...jsonHeaders }, body: inProcess ? { value: entry.object } : { bytes: entry.bytes } }
}

function rendered(call: Call, object: DeepReadonly<KubeObject>): object {
  const { accepted, served } = call
  if (accepted.list)
    throw errors.notAcceptable(`you requested PartialObjectMetadataList, but the requested object is not a list (*${goType(served.storage)})`)
  if (accepted.as === 'PartialObjectMetadata') return partialOf(object, accepted.metaVersion)
  return tableOf(served, [object], { resourceVersion: object.metadata.resourceVersion }, tableOptions(call))
}

/** The name of a kind's type in upstream's code, as messages show it. */
const goType = ({ group, kind }: Kind) => `${group.split('.')[0] || 'core'}.${kind}`

const tableOptions = (call: Call) => ({ metaVersion: call.accepted.metaVersion, include: includeObject(call), now: call.now })

export function includeObject(call: Call): IncludeObject {
  const asked = call.request.query.get('includeObject')
  if (asked && asked !== 'None' && asked !== 'Object' && asked !== 'Metadata')
    throw errors.badRequest(
      `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(asked)}: must be 'Metadata', 'Object', 'None', or empty`,
    )
  return asked === 'None' || asked === 'Object' ? asked : 'Metadata'
}

/** Answers a list: plain JSON by joining the bytes that are there already. */
export function listResponse(call: Call, list: List): Response {
  const { served, accepted, inProcess } = call
  const { metadata } = list
  const namespace = call.info.resource!.namespace || undefined
  const entries = list.entries
  const form = inProcess ? undefined : binaryForm(accepted.format)
  const head = { kind: served.listKind, apiVersion: served.apiVersion, metadata }
  if (accepted.as === 'object' && !form && !served.conversion && !inProcess) {
    const items = entries ? joinItems(entries) : served.cache.joined(namespace, 'json', joinItems)
    return { status: 200, headers: { ...jsonHeaders }, body: { bytes: listBytes(head, items) } }
  }
  const all = entries ?? served.cache.list(namespace)
  if (accepted.as === 'object' && form) {
    const join = (some: readonly CacheEntry[]) => form.items(some, served.view)
    const items = entries ? join(entries) : served.cache.joined(namespace, `${form.mediaType} ${served.apiVersion}`, join)
    return binaryResponse(200, form, [form.listHead(head, items, all.length), items])
  }
  if (accepted.as === 'Table')
    return valueResponse(
      call,
      200,
      tableOf(
        served,
        all.map((entry) => entry.object),
        metadata,
        tableOptions(call),
      ),
    )
  if (accepted.as === 'PartialObjectMetadata' && !accepted.list)
    throw errors.notAcceptable(`you requested PartialObjectMetadata, but the requested object is a list (*${goType(served.storage)}List)`)
  if (accepted.as === 'PartialObjectMetadata') {
    const items = all.map((entry) => partialOf(entry.object, accepted.metaVersion))
    return valueResponse(call, 200, { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${accepted.metaVersion}`, metadata, items })
  }
  const { conversion, view } = served
  if (!inProcess) {
    const items = joinItems(all.map((entry) => entry.view(view.name, conversion!.fromStorage)))
    return { status: 200, headers: { ...jsonHeaders }, body: { bytes: listBytes(head, items) } }
  }
  const items = all.map((entry) => (conversion ? entry.view(view.name, conversion.fromStorage).object : entry.object))
  return valueResponse(call, 200, { kind: served.listKind, apiVersion: served.apiVersion, metadata, items })
}
