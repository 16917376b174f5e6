import { gzip } from 'node:zlib'
import { promisify } from 'node:util'
import type { TypeMeta } from '#api'
import { encodeCbor, encodeProtobuf } from '#api'
import type { Request, Response, WatchFrame } from '#client'
import { Watcher } from '../registry/watcher.ts'
import { emitYaml } from '../yaml/emit.ts'
import type { Sink } from './exchange.ts'
import type { Accepted } from './negotiate.ts'
import { cborType, negotiate, protobufType } from './negotiate.ts'

const compress = promisify(gzip)

/** Bytes beyond which a part leaves on its own: copying it would cost as much as encrypting it. */
const sentAlone = 64 * 1024
/** Smaller responses are not worth compressing (upstream's bound). */
const gzipAbove = 128 * 1024

/** Writes a response. Resolves when all of it is handed to the connection, or the client is gone. */
export async function send(sink: Sink, request: Request, response: Response): Promise<void> {
  const { body } = response
  if ('bytes' in body || 'value' in body) {
    // documents that are kept compressed are in the form that was asked for
    const encoded = response.headers['content-encoding'] !== undefined
    const made = 'bytes' in body ? body.bytes : Buffer.from(JSON.stringify(body.value))
    const bytes = encoded ? made : inAcceptedForm(request, response, made)
    const length = lengthOf(bytes)
    if (!encoded && length > gzipAbove && takesGzip(request)) return sendCompressed(sink, response, bytes)
    response.headers['content-length'] = String(length)
    sink.head(response.status, response.headers)
    let last = bytes
    if (Array.isArray(last)) {
      for (let i = 0; i < last.length - 1; i++) sink.write(last[i]!)
      last = last.at(-1)!
    }
    if (last.length >= sentAlone) await sink.flush()
    sink.end(last)
    return
  }
  sink.head(response.status, response.headers)
  if ('events' in body) return body.events instanceof Watcher ? sendWatch(sink, body.events) : sendChunks(sink, framesOf(body.events))
  return sendChunks(sink, body.stream)
}

/** As upstream reads it: by its bare name, whatever weight others have. */
const takesGzip = ({ headers }: Request) => headers['accept-encoding']?.split(',').some((token) => token.trim() === 'gzip') ?? false

async function sendCompressed(sink: Sink, response: Response, bytes: Uint8Array | Uint8Array[]): Promise<void> {
  const packed = await compress(Array.isArray(bytes) ? Buffer.concat(bytes) : bytes, { level: 1 })
  response.headers['content-encoding'] = 'gzip'
  const { vary } = response.headers
  if (!vary?.includes('Accept-Encoding')) response.headers.vary = vary ? `${vary}, Accept-Encoding` : 'Accept-Encoding'
  response.headers['content-length'] = String(packed.length)
  sink.head(response.status, response.headers)
  sink.end(packed)
}

/** A watch goes out in batches: what has come up since the last write leaves in one. */
function sendWatch(sink: Sink, watcher: Watcher): Promise<void> {
  return new Promise((resolve) => {
    let blocked = false
    const flush = () => {
      if (blocked) return
      const frames = watcher.take()
      if (frames.length > 0) {
        const chunk = frames.length === 1 ? frames[0]!.bytes() : Buffer.concat(frames.map((frame) => frame.bytes()))
        if (!sink.write(chunk)) {
          blocked = true
          sink.onDrain(() => {
            blocked = false
            flush()
          })
          return
        }
      }
      if (watcher.ended) {
        sink.end()
        resolve()
      }
    }
    let scheduled = false
    sink.onClose(() => {
      watcher.end()
      resolve()
    })
    if (sink.closed) watcher.end()
    watcher.listen(() => {
      // events of one turn share a write
      if (scheduled || blocked) return
      scheduled = true
      queueMicrotask(() => {
        scheduled = false
        flush()
      })
    })
  })
}

async function* framesOf(events: AsyncIterable<WatchFrame>): AsyncGenerator<Uint8Array> {
  for await (const frame of events) yield frame.bytes()
}

async function sendChunks(sink: Sink, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const iterator = chunks[Symbol.asyncIterator]()
  let closed = sink.closed
  let wake: (() => void) | undefined
  sink.onClose(() => {
    closed = true
    wake?.()
    void iterator.return?.()
  })
  try {
    while (!closed) {
      const { done, value } = await iterator.next()
      if (done || closed) break
      if (!sink.write(value) && !closed)
        await new Promise<void>((resolve) => {
          wake = resolve
          sink.onDrain(resolve)
        })
    }
  } finally {
    if (!closed) sink.end()
  }
}

function lengthOf(bytes: Uint8Array | Uint8Array[]): number {
  if (!Array.isArray(bytes)) return bytes.length
  let length = 0
  for (const part of bytes) length += part.length
  return length
}

/** Brings an answer that was made as JSON into the form that the client asked for: protobuf, CBOR, YAML, or JSON for somebody's own eyes. */
function inAcceptedForm(request: Request, response: Response, bytes: Uint8Array | Uint8Array[]): Uint8Array | Uint8Array[] {
  if (response.status === 304 || response.form === 'verbatim' || !response.headers['content-type']?.startsWith('application/json')) return bytes
  if (response.form === 'fixed') return pretty(request) ? indented(bytes) : bytes
  const accepted = acceptedBy(request, response.status)
  // an error is told all the same, to whoever reads it
  if (!accepted) return response.status < 400 ? bytes : indented(bytes)
  if (accepted.format === 'protobuf') {
    const encoded = encodeProtobuf(parse(bytes) as TypeMeta)
    // what has no protobuf form
    if (!encoded) return bytes
    response.headers['content-type'] = protobufType
    return encoded
  }
  if (accepted.format === 'cbor') {
    response.headers['content-type'] = cborType
    return encodeCbor(parse(bytes))
  }
  if (accepted.format === 'yaml') {
    response.headers['content-type'] = 'application/yaml'
    return Buffer.from(emitYaml(parse(bytes)))
  }
  return accepted.pretty || pretty(request) ? indented(bytes) : bytes
}

const parse = (bytes: Uint8Array | Uint8Array[]): unknown => JSON.parse(Buffer.concat(Array.isArray(bytes) ? bytes : [bytes]).toString())
const indented = (bytes: Uint8Array | Uint8Array[]) => Buffer.from(JSON.stringify(parse(bytes), undefined, 2) + '\n')

/** Errors have no rows and no metadata to show: a form that asks for these is none that they have. */
function acceptedBy(request: Request, status: number): Accepted | undefined {
  try {
    return negotiate(request.headers.accept, status < 400 ? 'objects' : 'errors')
  } catch {
    return undefined
  }
}

/** Go's strconv.ParseBool. */
const yes = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])

function pretty(request: Request): boolean {
  const asked = request.query.get('pretty')
  if (asked) return yes.has(asked)
  const agent = request.headers['user-agent']
  return agent !== undefined && (agent.startsWith('curl') || agent.startsWith('Wget') || agent.startsWith('Mozilla/5.0'))
}
