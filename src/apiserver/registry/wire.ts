import type { KubeObject } from '#api'
import type { ManagedFieldsEntry } from '../patch/index.ts'
import { internedText } from '../patch/index.ts'

/**
 * The stored form of an object is its JSON without resourceVersion, laid out so that the revision, which is known only once
 * the write is done, is spliced in without serializing again:
 *
 *     stored  {"kind":"Pod","apiVersion":"v1","metadata":{        "name":"a",…},…}
 *     wire    {"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"7","name":"a",…},…}
 */
export function encodeStored(object: KubeObject): Buffer {
  let text = `{"kind":"${object.kind}","apiVersion":"${object.apiVersion}","metadata":${metadataText(object.metadata)}`
  for (const key in object) {
    if (key === 'kind' || key === 'apiVersion' || key === 'metadata') continue
    const value = (object as unknown as Record<string, unknown>)[key]
    if (value !== undefined) text += `,${JSON.stringify(key)}:${JSON.stringify(value)}`
  }
  return ownedBytes(text + '}')
}

/** Without the revision; who manages which fields stands last. */
function metadataText(metadata: KubeObject['metadata']): string {
  const { resourceVersion, managedFields } = metadata
  if (resourceVersion !== undefined) metadata.resourceVersion = undefined
  if (managedFields?.length) metadata.managedFields = undefined
  let text = JSON.stringify(metadata)
  if (resourceVersion !== undefined) metadata.resourceVersion = resourceVersion
  if (!managedFields?.length) return text
  metadata.managedFields = managedFields
  text = `${text.slice(0, -1)}${text.length > 2 ? ',' : ''}"managedFields":[`
  for (let i = 0; i < managedFields.length; i++) text += (i > 0 ? ',' : '') + managerText(managedFields[i]!)
  return `${text}]}`
}

/** An entry's fields are mostly those of many other objects: their text is there already. */
function managerText(entry: ManagedFieldsEntry): string {
  const fields = entry.fieldsV1 && internedText(entry.fieldsV1)
  if (!fields) return JSON.stringify(entry)
  let text = '{'
  for (const key in entry) {
    const value = entry[key as keyof ManagedFieldsEntry]
    if (value !== undefined) text += `${text === '{' ? '' : ','}"${key}":${key === 'fieldsV1' ? fields : JSON.stringify(value)}`
  }
  return `${text}}`
}

/** The object's JSON as clients see it, for an object that is already complete (resourceVersion included). */
export function encodeObject(object: object): Buffer {
  return Buffer.from(JSON.stringify(object))
}

/** Bytes outside of Node's shared pool: a cached object must not keep a whole slab of the pool alive. */
function ownedBytes(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  bytes.write(text)
  return bytes
}

const marker = Buffer.from('"metadata":{')

/** Where the revision goes: right after the opening brace of metadata. */
export function spliceOffset(stored: Uint8Array): number {
  const at = asBuffer(stored).indexOf(marker)
  if (at < 0) throw new Error('a stored object has no metadata')
  return at + marker.length
}

/** What the wire form has beyond the stored one. */
export const insertedRevision = (revision: number): string => (revision === 0 ? '' : `"resourceVersion":"${revision}",`)

/** The wire form of a stored object at `revision`; 0 (what a dry run would make) stays without one. */
export function spliceRevision(stored: Uint8Array, revision: number): Buffer {
  if (revision === 0) return asBuffer(stored)
  const at = spliceOffset(stored)
  const inserted = insertedRevision(revision)
  const wire = Buffer.allocUnsafeSlow(stored.length + inserted.length)
  wire.set(stored.subarray(0, at), 0)
  wire.write(inserted, at, 'latin1')
  wire.set(stored.subarray(at), at + inserted.length)
  return wire
}

/** Parses a stored object; its resourceVersion becomes `revision`. */
export function decodeStored(stored: Uint8Array, revision: number): KubeObject {
  const object = JSON.parse(asBuffer(stored).toString()) as KubeObject
  if (revision > 0) object.metadata.resourceVersion = String(revision)
  return object
}

/** Whether two stored forms are the same bytes: such a write changes nothing and makes no revision. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && asBuffer(a).equals(b)
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The JSON of a list: a head of its own, and the cached bytes of its items. */
export function listBytes(head: { kind: string; apiVersion: string; metadata: object }, items: Buffer): Buffer[] {
  const start = `{"kind":"${head.kind}","apiVersion":"${head.apiVersion}","metadata":${JSON.stringify(head.metadata)},"items":[`
  return [Buffer.from(start, 'latin1'), items]
}

const comma = 0x2c

/**
 * The items of a list to its end: the comma-separated concatenation of `parts`, each without its kind and apiVersion: the list's own say what its items are. All in one piece, which is
 * sent as it is.
 *
 *     {"kind":"Pod","apiVersion":"v1","metadata":{…}}  →  {"metadata":{…}}]}
 */
export function joinItems(parts: readonly { readonly bytes: Uint8Array }[]): Buffer {
  if (parts.length === 0) return noItems
  // the head of the first is that of nearly all
  const head = typeHead(parts[0]!.bytes)
  const skipped = parts.map(({ bytes }) => (startsWith(bytes, head) ? head.length : typeHead(bytes).length))
  let length = parts.length * 2 - 1 + noItems.length
  for (let i = 0; i < parts.length; i++) length += parts[i]!.bytes.length - skipped[i]!
  const joined = Buffer.allocUnsafeSlow(length)
  let at = 0
  for (let i = 0; i < parts.length; i++) {
    const { bytes } = parts[i]!
    if (at > 0) joined[at++] = comma
    joined[at++] = brace
    joined.set(bytes.subarray(skipped[i]!), at)
    at += bytes.length - skipped[i]!
  }
  joined.set(noItems, at)
  return joined
}

const noItems = Buffer.from(']}')
const brace = 0x7b
const typePattern = /^\{"kind":"[^"]*","apiVersion":"[^"]*",/

/** What an object's bytes begin with up to its metadata; the brace alone where they begin otherwise. */
function typeHead(bytes: Uint8Array): Uint8Array {
  const start = asBuffer(bytes.subarray(0, 512)).toString('latin1')
  return bytes.subarray(0, typePattern.exec(start)?.[0].length ?? 1)
}

function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  return bytes.length >= head.length && asBuffer(bytes).compare(head, 0, head.length, 0, head.length) === 0
}

const frameStart = {
  ADDED: frameHead('ADDED'),
  MODIFIED: frameHead('MODIFIED'),
  DELETED: frameHead('DELETED'),
  BOOKMARK: frameHead('BOOKMARK'),
  ERROR: frameHead('ERROR'),
}
const frameEnd = Buffer.from('}\n')

function frameHead(type: string): Buffer {
  return Buffer.from(`{"type":"${type}","object":`)
}

/** One event of a watch on the wire. */
export function frameBytes(type: keyof typeof frameStart, object: Uint8Array): Buffer {
  const head = frameStart[type]
  const frame = Buffer.allocUnsafe(head.length + object.length + frameEnd.length)
  frame.set(head, 0)
  frame.set(object, head.length)
  frame.set(frameEnd, head.length + object.length)
  return frame
}
