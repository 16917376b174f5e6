import { parseApiVersion } from '../kinds.ts'
import { schemaOf } from '../schema/schema.ts'
import { errors } from '../status.ts'
import { readMessage } from './decode.ts'
import { writeFields } from './encode.ts'
import { Reader, wellFormed } from './reader.ts'
import { Writer } from './writer.ts'

/** What a protobuf body starts with: Kubernetes' envelope, a runtime.Unknown, follows. */
const magic = Buffer.from('k8s\0')

/** A body in its parts. Throws RangeError where it is none. */
export function unsealed(body: Uint8Array): TypeMeta & { raw: Buffer } {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (!bytes.subarray(0, magic.length).equals(magic))
    throw new RangeError('the provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]')
  return wellFormed(() => {
    let type: TypeMeta = { apiVersion: '', kind: '' }
    let raw: Buffer = Buffer.alloc(0)
    const envelope = new Reader(bytes.subarray(magic.length))
    for (let tag = envelope.tag(); tag; tag = envelope.tag()) {
      if (tag.number === 1) type = typeMeta(envelope.message())
      else if (tag.number === 2) raw = envelope.bytes()
      else envelope.skip(tag.type)
    }
    return { ...type, raw }
  })
}

/**
 * Reads a request body in `application/vnd.kubernetes.protobuf` into the JSON form of its object, with kind and apiVersion. Throws BadRequest for bytes that
 * are no such body and for kinds that are not known.
 */
export function parseProtobuf(body: Uint8Array): unknown {
  try {
    const { apiVersion, kind, raw } = unsealed(body)
    const schema = schemaOf(apiVersion, kind)
    if (!schema)
      throw errors.badRequest(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(parseApiVersion(apiVersion).version)}`)
    return { kind, apiVersion, ...readMessage(raw, schema) }
  } catch (error) {
    if (error instanceof RangeError) throw errors.badRequest(error.message)
    throw error
  }
}

function typeMeta(reader: Reader): TypeMeta {
  const meta = { apiVersion: '', kind: '' }
  for (let tag = reader.tag(); tag; tag = reader.tag()) {
    if (tag.number === 1) meta.apiVersion = reader.bytes().toString()
    else if (tag.number === 2) meta.kind = reader.bytes().toString()
    else reader.skip(tag.type)
  }
  return meta
}

export interface TypeMeta {
  apiVersion: string
  kind: string
}

/** Kubernetes' envelope around what `write` writes: magic, type meta (1), the message (2), content encoding and type, which are empty (3, 4). `size`: about how many bytes it will take. */
export function sealed(type: TypeMeta, write: (writer: Writer) => void, size = 1024): Buffer {
  const writer = new Writer(size + 64)
  writer.raw(envelopeEnd)
  write(writer)
  open(writer, type, writer.length - envelopeEnd.length)
  return writer.finish()
}

/** An envelope up to where `following` bytes of its message, and `envelopeEnd`, come after what `write` writes. */
export function envelopeStart(type: TypeMeta, write: (writer: Writer) => void, following: number): Buffer {
  const writer = new Writer()
  write(writer)
  open(writer, type, writer.length + following)
  return writer.finish()
}

/** The empty content encoding and type. */
export const envelopeEnd = Buffer.from([0x1a, 0, 0x22, 0])

function open(writer: Writer, { apiVersion, kind }: TypeMeta, messageLength: number): void {
  writer.varint(messageLength)
  writer.tag(2, 2)
  const end = writer.length
  writer.string(2, kind)
  writer.string(1, apiVersion)
  writer.enclose(1, end)
  writer.raw(magic)
}

/** Any object of a known kind as a protobuf body; undefined for what has no protobuf form. */
export function encodeProtobuf(object: Partial<TypeMeta>): Buffer | undefined {
  if (!isTyped(object)) return undefined
  const schema = schemaOf(object.apiVersion, object.kind)
  return schema && sealed(object, (writer) => writeFields(writer, object as unknown as Record<string, unknown>, schema))
}

const isTyped = (object: Partial<TypeMeta>): object is TypeMeta => typeof object.apiVersion === 'string' && typeof object.kind === 'string'
