import type { KubeObject, ObjectSchema, TypeMeta } from '#api'
import { Writer, encodeMessage, encodeProtobuf, envelopeEnd, envelopeStart, schemaOf, sealed, writeFields } from '#api'
import type { WatchFrame } from '#client'
import { protobufType } from '../http/negotiate.ts'
import type { BinaryForm, ListHead } from './binary-form.ts'
import type { CacheEntry } from './cache-entry.ts'
import type { View } from './watcher.ts'

/** `application/vnd.kubernetes.protobuf`. */
export const protobufForm: BinaryForm = {
  mediaType: protobufType,
  watchType: `${protobufType};stream=watch`,
  object: protobufObject,
  items: protobufItems,
  listHead: protobufListHead,
  frame: protobufFrame,
  value: protobufValue,
}

/** An entry's message in the version of a view, without its envelope. */
function messageOf(entry: CacheEntry, { apiVersion, kind, name, render }: View): Buffer {
  return entry.message(apiVersion, () => {
    const object = render ? entry.view(name, render).object : entry.object
    return encodeMessage(object as KubeObject, knownSchema({ apiVersion, kind }))
  })
}

/** One object as a protobuf body. */
function protobufObject(entry: CacheEntry, view: View): Buffer {
  const message = messageOf(entry, view)
  return sealed(view, (writer) => writer.raw(message), message.length)
}

/** The objects' messages (2), and the end of the list's envelope. */
function protobufItems(entries: readonly CacheEntry[], view: View): Buffer {
  const messages = entries.map((entry) => messageOf(entry, view))
  const writer = new Writer(messages.reduce((sum, message) => sum + message.length + 8, envelopeEnd.length))
  writer.raw(envelopeEnd)
  for (const message of messages.toReversed()) writer.bytes(2, message)
  return writer.finish()
}

/** The list's metadata (1) stands before its items. */
function protobufListHead(list: ListHead, items: Buffer): Buffer {
  const head = knownSchema(list)
  return envelopeStart(list, (writer) => writeFields(writer, { metadata: list.metadata }, head), items.length - envelopeEnd.length)
}

/** An event of a watch: four bytes of length, then a WatchEvent without envelope whose object has one. */
function protobufFrame(type: WatchFrame['type'], object: Uint8Array): Buffer {
  const writer = new Writer(object.length + 64)
  // WatchEvent { type 1, object 2: RawExtension { raw 1 } }
  writer.bytes(1, object)
  writer.enclose(2, 0)
  writer.string(1, type)
  const size = Buffer.alloc(4)
  size.writeUInt32BE(writer.length)
  writer.raw(size)
  return writer.finish()
}

/** What has no cached form of its own: statuses, metadata alone, bookmarks. */
function protobufValue(value: object): Buffer {
  const encoded = encodeProtobuf(value as TypeMeta)
  if (!encoded) throw new TypeError(`${(value as TypeMeta).kind} has no protobuf form`)
  return encoded
}

export function knownSchema({ apiVersion, kind }: TypeMeta): ObjectSchema {
  const schema = schemaOf(apiVersion, kind)
  if (!schema) throw new TypeError(`${apiVersion} ${kind} has no schema`)
  return schema
}
