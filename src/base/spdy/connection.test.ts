import assert from 'node:assert/strict'
import { duplexPair, type Duplex } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { createHash, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { spdyConnection } from './connection.ts'
import type { SpdyStream } from './connection.ts'
import type { SpdyFrame } from './frame.ts'
import { frameDecoder, frameEncoder } from './frame.ts'
import { headerCompressor, headerDecompressor, spdyDictionary } from './header-block.ts'

describe('SPDY header blocks', () => {
  it('use the dictionary of SPDY/3', () => {
    assert.equal(createHash('sha256').update(spdyDictionary).digest('hex'), '51d27341373f923f3cd88e1eb7162aeaa3723d7585ff2399201dc06498407f02')
  })
  it('survive a round trip as one stream of many blocks', () => {
    const compress = headerCompressor()
    const decompress = headerDecompressor()
    for (let i = 0; i < 50; i++) {
      const headers = { streamtype: 'stdin', port: String(i), 'x-long': 'y'.repeat(i * 100) }
      assert.deepEqual({ ...decompress(compress(headers)) }, headers)
    }
  })
  it('of a peer that looks back at earlier blocks are understood', async () => {
    // what Go's compress/zlib writes: one deflate stream with history, flushed after each block
    const zlib = await import('node:zlib')
    const deflate = zlib.createDeflate({ dictionary: spdyDictionary })
    const decompress = headerDecompressor()
    for (let i = 0; i < 5; i++) {
      const block = Buffer.from('\0\0\0\x01\0\0\0\x0astreamtype\0\0\0\x06stdout', 'latin1')
      deflate.write(block)
      await new Promise<void>((resolve) => deflate.flush(zlib.constants.Z_SYNC_FLUSH, resolve))
      const parts: Buffer[] = []
      for (let part = deflate.read(); part; part = deflate.read()) parts.push(part as Buffer)
      assert.equal(decompress(Buffer.concat(parts)).streamtype, 'stdout')
    }
    deflate.destroy()
  })
  it('that are cut short are refused', () => {
    assert.throws(() => headerDecompressor()(headerCompressor()({ a: 'b' }).subarray(0, 8)))
  })
})

describe('SPDY frames', () => {
  const frames: SpdyFrame[] = [
    { type: 'synStream', streamId: 1, associatedTo: 0, priority: 3, fin: false, unidirectional: false, headers: { streamtype: 'error' } },
    { type: 'synReply', streamId: 1, fin: false, headers: {} },
    { type: 'data', streamId: 1, fin: true, data: Buffer.from('hello') },
    { type: 'rstStream', streamId: 1, status: 5 },
    { type: 'settings', settings: [{ id: 7, value: 65536 }] },
    { type: 'ping', id: 2 },
    { type: 'goAway', lastGoodStreamId: 3, status: 0 },
    { type: 'headers', streamId: 1, fin: true, headers: { a: 'b' } },
    { type: 'windowUpdate', streamId: 1, delta: 1000 },
  ]
  const plain = (frame: SpdyFrame) => JSON.parse(JSON.stringify('data' in frame ? { ...frame, data: Buffer.from(frame.data).toString() } : frame))
  it('survive a round trip in one piece', () => {
    const encode = frameEncoder()
    const decoded = frameDecoder()(Buffer.concat(frames.flatMap((f) => encode(f))))
    assert.deepEqual(decoded.map(plain), frames.map(plain))
  })
  it('survive a round trip byte by byte, data in pieces', () => {
    const encode = frameEncoder()
    const decode = frameDecoder()
    const decoded: SpdyFrame[] = []
    for (const byte of Buffer.concat(frames.flatMap((f) => encode(f)))) decoded.push(...decode(Buffer.from([byte])))
    assert.equal(
      decoded
        .filter((f) => f.type === 'data')
        .map((f) => Buffer.from(f.data).toString())
        .join(''),
      'hello',
    )
    assert.equal(decoded.filter((f) => f.type === 'data' && f.fin).length, 1)
    assert.deepEqual(decoded.filter((f) => f.type !== 'data').map(plain), frames.filter((f) => f.type !== 'data').map(plain))
  })
  it('of another version are refused', () => {
    assert.throws(() => frameDecoder()(Buffer.from([0x80, 2, 0, 1, 0, 0, 0, 0])), /version 2/)
  })
})

function pair(onStream: (stream: SpdyStream) => void, keepWindows = false) {
  const [a, b] = duplexPair() as unknown as [Duplex, Duplex]
  const server = spdyConnection(b, { role: 'server', onStream, keepWindows })
  const client = spdyConnection(a, { role: 'client', keepWindows })
  return { client, server }
}

describe('SPDY connections', () => {
  it('carry streams both ways with half-close', async () => {
    const { client } = pair((stream) => {
      void text(stream).then((input) => stream.end(`${stream.headers.streamtype}: ${input}`))
    })
    const stream = client.open({ streamtype: 'stdin' })
    stream.end('hello')
    assert.equal(await text(stream), 'stdin: hello')
    client.destroy()
    await client.closed
  })
  it('hold written data until the stream is accepted', async () => {
    const [a, b] = duplexPair() as unknown as [Duplex, Duplex]
    const client = spdyConnection(a, { role: 'client' })
    const decode = frameDecoder()
    const encode = frameEncoder()
    const seen: string[] = []
    b.on('data', (chunk: Buffer) => seen.push(...decode(chunk).map((f) => f.type)))
    const stream = client.open({})
    stream.write('early')
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(seen, ['synStream'])
    for (const part of encode({ type: 'synReply', streamId: 1, fin: false, headers: {} })) b.write(part)
    await stream.replied
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(seen, ['synStream', 'data'])
    client.destroy()
  })
  for (const keepWindows of [true, false])
    it(`move 32 MB without loss, memory bounded by a slow reader, ${keepWindows ? 'with' : 'without'} windows`, async () => {
      const total = 32 * 1024 * 1024
      const block = randomBytes(64 * 1024)
      let mostUnread = 0
      const received = Promise.withResolvers<number>()
      const { client, server } = pair((stream) => {
        void (async () => {
          let size = 0
          for await (const chunk of stream) {
            size += (chunk as Buffer).length
            mostUnread = Math.max(mostUnread, stream.readableLength)
            if (size % 7 === 0) await new Promise((resolve) => setImmediate(resolve))
          }
          stream.end()
          received.resolve(size)
        })()
      }, keepWindows)
      const stream = client.open({})
      await pipeline(function* () {
        for (let sent = 0; sent < total; sent += block.length) yield block
      }, stream)
      assert.equal(await received.promise, total)
      assert.ok(mostUnread <= (keepWindows ? 64 : 512) * 1024, `${mostUnread} bytes were waiting`)
      await buffer(stream)
      client.close()
      await Promise.all([client.closed, server.closed])
    })
  it('reset a stream that is destroyed, and end the other side', async () => {
    const opened = Promise.withResolvers<SpdyStream>()
    const { client } = pair((stream) => opened.resolve(stream))
    const stream = client.open({})
    const peer = await opened.promise
    peer.resume()
    stream.destroy()
    await once(peer, 'end')
    assert.equal(peer.readableAborted, false)
    client.destroy()
  })
  it('keep what was received readable after the connection is gone', async () => {
    const { client, server } = pair((stream) => stream.end('last words'))
    const stream = client.open({})
    await stream.replied
    await new Promise((resolve) => setImmediate(resolve))
    server.destroy()
    await client.closed
    assert.equal(await text(stream), 'last words')
  })
  it('refuse streams when no handler takes them', async () => {
    const [a, b] = duplexPair() as unknown as [Duplex, Duplex]
    spdyConnection(b, { role: 'server' })
    const client = spdyConnection(a, { role: 'client' })
    await assert.rejects(client.open({}).replied, /status 3/)
    client.destroy()
  })
  it('answer pings', async () => {
    const { client } = pair(() => {})
    await client.ping()
    client.destroy()
    await assert.rejects(client.ping())
  })
})
