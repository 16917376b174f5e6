import type { KubeObject } from '#api'
import { cborBody, cborEvent, cborListHead, encodeCbor, encodeCborFields } from '#api'
import { cborType } from '../http/negotiate.ts'
import type { BinaryForm } from './binary-form.ts'
import type { CacheEntry } from './cache-entry.ts'
import { knownSchema } from './protobuf.ts'
import type { View } from './watcher.ts'

/** `application/cbor` (KEP-4222). */
export const cborForm: BinaryForm = {
  mediaType: cborType,
  watchType: 'application/cbor-seq',
  object: (entry, view) => cborBody(view, fieldsOf(entry, view)),
  items: (entries, view) => Buffer.concat(entries.map((entry) => fieldsOf(entry, view))),
  listHead: (list, _items, count) => cborListHead(list, count),
  frame: cborEvent,
  value: encodeCbor,
}

/** An entry's fields in the version of a view, as lists have them: without kind and apiVersion. */
function fieldsOf(entry: CacheEntry, { apiVersion, kind, name, render }: View): Buffer {
  return entry.message(`cbor ${apiVersion}`, () => {
    const object = render ? entry.view(name, render).object : entry.object
    return encodeCborFields(object as KubeObject, knownSchema({ apiVersion, kind }))
  })
}
