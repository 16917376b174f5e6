import type { SpdyHeaders } from './header-block.ts'
import { headerCompressor, headerDecompressor } from './header-block.ts'

/** Reasons of RST_STREAM. */
export const resetStatus = {
  protocolError: 1,
  invalidStream: 2,
  refusedStream: 3,
  unsupportedVersion: 4,
  cancel: 5,
  internalError: 6,
  flowControlError: 7,
  streamInUse: 8,
  streamAlreadyClosed: 9,
  frameTooLarge: 11,
} as const

export const settingIds = { maxConcurrentStreams: 4, initialWindowSize: 7 } as const

/** The frames of SPDY/3.1 (draft-mbelshe-httpbis-spdy-00 and its 3.1 amendment). */
export type SpdyFrame =
  | { type: 'synStream'; streamId: number; associatedTo?: number; priority?: number; fin: boolean; unidirectional?: boolean; headers: SpdyHeaders }
  | { type: 'synReply'; streamId: number; fin: boolean; headers: SpdyHeaders }
  | { type: 'headers'; streamId: number; fin: boolean; headers: SpdyHeaders }
  | { type: 'data'; streamId: number; fin: boolean; data: Uint8Array }
  | { type: 'rstStream'; streamId: number; status: number }
  | { type: 'settings'; settings: { id: number; value: number }[] }
  | { type: 'ping'; id: number }
  | { type: 'goAway'; lastGoodStreamId: number; status: number }
  | { type: 'windowUpdate'; streamId: number; delta: number }

const version = 3
const types = { synStream: 1, synReply: 2, rstStream: 3, settings: 4, ping: 6, goAway: 7, headers: 8, windowUpdate: 9 } as const
const flagFin = 1
const flagUnidirectional = 2
const headerSize = 8
/** Longest control frame taken; data frames are passed on in pieces and need no limit. */
const maxControlFrame = 1024 * 1024

/** Makes frames into bytes. Keeps the state of header compression: one encoder for each direction of a connection. */
export function frameEncoder(): (frame: SpdyFrame) => Uint8Array[] {
  const compress = headerCompressor()
  return (frame) => {
    switch (frame.type) {
      case 'data':
        return [dataHeader(frame.streamId, frame.fin, frame.data.length), frame.data]
      case 'synStream': {
        const block = compress(frame.headers)
        const fixed = Buffer.alloc(10)
        fixed.writeUInt32BE(frame.streamId, 0)
        fixed.writeUInt32BE(frame.associatedTo ?? 0, 4)
        fixed[8] = (frame.priority ?? 0) << 5
        return control(types.synStream, (frame.fin ? flagFin : 0) | (frame.unidirectional ? flagUnidirectional : 0), fixed, block)
      }
      case 'synReply':
      case 'headers':
        return control(types[frame.type], frame.fin ? flagFin : 0, words(frame.streamId), compress(frame.headers))
      case 'rstStream':
        return control(types.rstStream, 0, words(frame.streamId, frame.status))
      case 'settings':
        return control(types.settings, 0, words(frame.settings.length, ...frame.settings.flatMap((s) => [s.id, s.value])))
      case 'ping':
        return control(types.ping, 0, words(frame.id))
      case 'goAway':
        return control(types.goAway, 0, words(frame.lastGoodStreamId, frame.status))
      case 'windowUpdate':
        return control(types.windowUpdate, 0, words(frame.streamId, frame.delta))
    }
  }
}

/**
 * Makes bytes into frames, whatever pieces they come in. A data frame is passed on in as many pieces as it arrives in, so that a frame
 * of 16 MB is never held; the last piece carries `fin`. Throws on what is not SPDY/3.
 */
export function frameDecoder(): (chunk: Buffer) => SpdyFrame[] {
  const decompress = headerDecompressor()
  let pending: Buffer = Buffer.alloc(0)
  let data: { streamId: number; fin: boolean; left: number } | undefined
  return (chunk) => {
    const frames: SpdyFrame[] = []
    let buffer = pending.length > 0 ? Buffer.concat([pending, chunk]) : chunk
    for (;;) {
      if (data) {
        const piece = buffer.subarray(0, data.left)
        if (piece.length === 0 && data.left > 0) break
        data.left -= piece.length
        frames.push({ type: 'data', streamId: data.streamId, fin: data.fin && data.left === 0, data: piece })
        buffer = buffer.subarray(piece.length)
        if (data.left > 0) break
        data = undefined
        continue
      }
      if (buffer.length < headerSize) break
      const first = buffer.readUInt32BE(0)
      const flags = buffer[4]!
      const length = buffer.readUInt32BE(4) & 0xffffff
      if (first >>> 31 === 0) {
        data = { streamId: first, fin: (flags & flagFin) !== 0, left: length }
        buffer = buffer.subarray(headerSize)
        continue
      }
      if (((first >>> 16) & 0x7fff) !== version) throw new Error(`spdy: version ${(first >>> 16) & 0x7fff} is not supported`)
      if (length > maxControlFrame) throw new Error(`spdy: control frame of ${length} bytes is too large`)
      if (buffer.length < headerSize + length) break
      const frame = decodeControl(first & 0xffff, flags, buffer.subarray(headerSize, headerSize + length), decompress)
      if (frame) frames.push(frame)
      buffer = buffer.subarray(headerSize + length)
    }
    pending = buffer
    return frames
  }
}

function decodeControl(type: number, flags: number, body: Buffer, decompress: (block: Buffer) => SpdyHeaders): SpdyFrame | undefined {
  const need = (bytes: number) => {
    if (body.length < bytes) throw new Error(`spdy: frame of type ${type} is too short`)
  }
  const id = (at: number) => body.readUInt32BE(at) & 0x7fffffff
  const fin = (flags & flagFin) !== 0
  switch (type) {
    case types.synStream:
      need(10)
      return {
        type: 'synStream',
        streamId: id(0),
        associatedTo: id(4),
        priority: body[8]! >> 5,
        fin,
        unidirectional: (flags & flagUnidirectional) !== 0,
        headers: decompress(body.subarray(10)),
      }
    case types.synReply:
      need(4)
      return { type: 'synReply', streamId: id(0), fin, headers: decompress(body.subarray(4)) }
    case types.headers:
      need(4)
      return { type: 'headers', streamId: id(0), fin, headers: decompress(body.subarray(4)) }
    case types.rstStream:
      need(8)
      return { type: 'rstStream', streamId: id(0), status: body.readUInt32BE(4) }
    case types.settings: {
      need(4)
      const settings: { id: number; value: number }[] = []
      for (let at = 4; at + 8 <= body.length; at += 8) settings.push({ id: body.readUInt32BE(at) & 0xffffff, value: body.readUInt32BE(at + 4) })
      return { type: 'settings', settings }
    }
    case types.ping:
      need(4)
      return { type: 'ping', id: body.readUInt32BE(0) }
    case types.goAway:
      need(8)
      return { type: 'goAway', lastGoodStreamId: id(0), status: body.readUInt32BE(4) }
    case types.windowUpdate:
      need(8)
      return { type: 'windowUpdate', streamId: id(0), delta: id(4) }
    default:
      // unknown control frames are to be ignored
      return undefined
  }
}

function dataHeader(streamId: number, fin: boolean, length: number): Buffer {
  const bytes = Buffer.alloc(headerSize)
  bytes.writeUInt32BE(streamId, 0)
  bytes.writeUInt32BE(length, 4)
  bytes[4] = fin ? flagFin : 0
  return bytes
}

function control(type: number, flags: number, ...body: Uint8Array[]): Uint8Array[] {
  const head = Buffer.alloc(headerSize)
  head.writeUInt32BE(((0x8000 | version) * 0x10000 + type) >>> 0, 0)
  head.writeUInt32BE(
    body.reduce((sum, part) => sum + part.length, 0),
    4,
  )
  head[4] = flags
  return [Buffer.concat([head, ...body])]
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, i) => bytes.writeUInt32BE(value >>> 0, i * 4))
  return bytes
}
