import { Duplex } from 'node:stream'
import type { SpdyHeaders } from './header-block.ts'
import type { SpdyFrame } from './frame.ts'
import { frameDecoder, frameEncoder, resetStatus, settingIds } from './frame.ts'

/** One stream of a connection. `end` half-closes it; `destroy` resets it. Reading ends when the peer half-closes, resets or is lost. */
export interface SpdyStream extends Duplex {
  readonly id: number
  /** Headers that opened the stream. */
  readonly headers: SpdyHeaders
  /** Resolves when the peer accepts the stream (client), at once where the peer opened it; rejects when it is refused or lost. */
  readonly replied: Promise<void>
}

export interface SpdyConnectionOptions {
  role: 'client' | 'server'
  /** Bytes that were read from the socket together with the HTTP upgrade. */
  head?: Uint8Array
  /** Says to the peer (by a SETTINGS frame) that windows are kept; see `spdyConnection`. */
  keepWindows?: boolean
  /** Called for each stream that the peer opens. The stream is accepted already unless this throws, which refuses it. */
  onStream?: (stream: SpdyStream) => void
}

export interface SpdyConnection extends AsyncDisposable {
  open(headers: SpdyHeaders, options?: { fin?: boolean }): SpdyStream
  /** Resolves after `id` came back. */
  ping(): Promise<void>
  /** Says that no more streams are taken, lets the open ones end, then closes the socket. */
  close(): void
  /** Closes the socket now; open streams end. */
  destroy(error?: Error): void
  /** Resolves when the socket is closed, for whatever reason. */
  readonly closed: Promise<void>
}

const initialWindow = 64 * 1024
const maxDataFrame = 32 * 1024
/** A stream whose reader leaves this much unread stops the whole connection: peers that ignore windows know no other way to be slowed. */
const unreadLimit = 256 * 1024

/**
 * SPDY/3.1 over a connected socket, in either role.
 *
 * Flow control: windows are kept, in both directions, from the first moment the peer shows that it keeps them (by a SETTINGS or WINDOW_UPDATE frame). The SPDY
 * library of Kubernetes' own clients and container runtimes never does: it would hang a sender that waited for its updates, and to send it updates is worse than
 * useless, because one that arrives after it has closed its end makes the kernel reset the connection and drop what it still had to send. With such
 * peers TCP is what slows either side: a write is done when the socket has taken it, and we stop reading from the socket while a stream's reader is behind.
 */
export function spdyConnection(socket: Duplex, options: SpdyConnectionOptions): SpdyConnection {
  const encode = frameEncoder()
  const decode = frameDecoder()
  const streams = new Map<number, Stream>()
  const pings = new Map<number, () => void>()
  const closed = Promise.withResolvers<void>()
  let nextId = options.role === 'client' ? 1 : 2
  let nextPing = options.role === 'client' ? 1 : 2
  let lastPeerId = 0
  let closing = false
  let dead = false
  let peerKeepsWindows = false
  let peerInitialWindow = initialWindow
  // what the peer still lets us send; may be negative while the peer does not keep windows
  let sendWindow = initialWindow
  let consumed = 0
  const paused = new Set<number>()

  const send = (frame: SpdyFrame, done?: (error?: Error | null) => void) => {
    if (dead) return done?.(new Error('spdy: connection is closed'))
    const parts = encode(frame)
    socket.cork()
    for (let i = 0; i < parts.length - 1; i++) socket.write(parts[i]!)
    socket.write(parts.at(-1)!, done)
    process.nextTick(() => socket.uncork())
  }

  /** Gives the peer what our readers consumed before we knew that it counts. */
  const startWindows = () => {
    if (peerKeepsWindows) return
    peerKeepsWindows = true
    credit(undefined, 0)
    for (const stream of streams.values()) stream.credited(0)
  }
  const flushAll = () => {
    for (const stream of streams.values()) stream.flush()
  }

  class Stream extends Duplex implements SpdyStream {
    readonly id: number
    readonly headers: SpdyHeaders
    readonly #reply = Promise.withResolvers<void>()
    readonly #local: boolean
    #accepted = false
    #queue: { data: Uint8Array; done: (error?: Error | null) => void }[] = []
    #ending: ((error?: Error | null) => void) | undefined
    #sentFin = false
    #receivedFin = false
    #aborted = false
    window = peerInitialWindow
    #consumed = 0
    #unread = 0

    constructor(id: number, headers: SpdyHeaders, local: boolean) {
      // a reader that iterates to the end must not reset the stream while the other direction is still in use
      super({ allowHalfOpen: true, autoDestroy: false, writableHighWaterMark: 64 * 1024, readableHighWaterMark: 64 * 1024 })
      this.id = id
      this.headers = headers
      this.#local = local
      this.#reply.promise.catch(() => {})
      if (!local) this.accepted()
    }
    get replied() {
      return this.#reply.promise
    }
    accepted() {
      this.#accepted = true
      this.#reply.resolve()
      this.flush()
    }
    received(data: Uint8Array) {
      if (this.#receivedFin || this.destroyed) return credit(this, data.length)
      this.#unread += data.length
      this.push(data)
      if (this.readableLength > unreadLimit) pause(this.id)
      this.#settle()
    }
    receivedFin() {
      if (this.#receivedFin) return
      this.#receivedFin = true
      this.push(null)
      this.#finishIfDone()
    }
    /** Reset by the peer, or the connection is lost: what was received can still be read, nothing more can be sent. */
    aborted(error: Error) {
      streams.delete(this.id)
      this.#sentFin = true
      this.#aborted = true
      this.#reply.reject(error)
      this.#failWrites(error)
      if (!this.#receivedFin) {
        this.#receivedFin = true
        this.push(null)
      }
      if (this.readableEnded) this.destroy()
      else this.once('end', () => this.destroy())
      resume(this.id)
    }
    override _read() {}
    override read(size?: number) {
      const chunk = super.read(size)
      this.#settle()
      if (this.readableLength <= unreadLimit) resume(this.id)
      return chunk
    }
    // gives back to the peer what our reader has taken out of the buffer
    #settle() {
      const taken = this.#unread - this.readableLength
      if (taken === 0) return
      this.#unread -= taken
      credit(this, taken)
    }
    credited(bytes: number) {
      this.#consumed += bytes
      if (!peerKeepsWindows || this.#consumed < initialWindow / 2 || this.#receivedFin) return
      send({ type: 'windowUpdate', streamId: this.id, delta: this.#consumed })
      this.#consumed = 0
    }
    override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void) {
      this.#queue.push({ data: chunk, done })
      this.flush()
    }
    override _final(done: (error?: Error | null) => void) {
      this.#ending = done
      this.flush()
    }
    /** Sends what the windows allow. */
    flush() {
      if (this.#aborted && (this.#queue.length > 0 || this.#ending)) {
        // whoever produces for nobody must learn of it
        this.#failWrites(new Error('spdy: stream was reset'))
        this.destroy()
        return
      }
      if (!this.#accepted || dead) return
      while (this.#queue.length > 0) {
        const head = this.#queue[0]!
        const allowed = peerKeepsWindows ? Math.min(this.window, sendWindow) : Infinity
        if (allowed <= 0) return
        const piece = head.data.subarray(0, Math.min(head.data.length, allowed, maxDataFrame))
        this.window -= piece.length
        sendWindow -= piece.length
        if (piece.length === head.data.length) {
          this.#queue.shift()
          send({ type: 'data', streamId: this.id, fin: false, data: piece }, head.done)
        } else {
          head.data = head.data.subarray(piece.length)
          send({ type: 'data', streamId: this.id, fin: false, data: piece })
        }
      }
      if (this.#ending && !this.#sentFin) {
        const done = this.#ending
        this.#ending = undefined
        this.#sentFin = true
        send({ type: 'data', streamId: this.id, fin: true, data: new Uint8Array(0) }, done)
        this.#finishIfDone()
      }
    }
    override _destroy(error: Error | null, done: (error?: Error | null) => void) {
      if (streams.delete(this.id) && !(this.#sentFin && this.#receivedFin)) send({ type: 'rstStream', streamId: this.id, status: resetStatus.cancel })
      this.#reply.reject(error ?? new Error('spdy: stream is closed'))
      this.#failWrites(error ?? new Error('spdy: stream is closed'))
      credit(undefined, this.#unread)
      this.#unread = 0
      resume(this.id)
      closeIfDone()
      done(error)
    }
    #failWrites(error: Error) {
      const failed = this.#queue.splice(0)
      const ending = this.#ending
      this.#ending = undefined
      for (const { done } of failed) done(error)
      ending?.()
    }
    #finishIfDone() {
      if (!this.#sentFin || !this.#receivedFin) return
      streams.delete(this.id)
      closeIfDone()
    }
    get local() {
      return this.#local
    }
  }

  const credit = (stream: Stream | undefined, bytes: number) => {
    if (dead) return
    if (stream && streams.has(stream.id)) stream.credited(bytes)
    consumed += bytes
    if (!peerKeepsWindows || consumed < initialWindow / 2) return
    send({ type: 'windowUpdate', streamId: 0, delta: consumed })
    consumed = 0
  }
  const pause = (id: number) => {
    paused.add(id)
    socket.pause()
  }
  const resume = (id: number) => {
    if (paused.delete(id) && paused.size === 0 && !dead) socket.resume()
  }
  const closeIfDone = () => {
    if (closing && streams.size === 0 && !dead) socket.end()
  }

  const handle = (frame: SpdyFrame) => {
    switch (frame.type) {
      case 'synStream': {
        const fromPeer = frame.streamId % 2 === (options.role === 'server' ? 1 : 0)
        if (closing) return
        if (!fromPeer || frame.streamId <= lastPeerId) {
          return send({ type: 'rstStream', streamId: frame.streamId, status: resetStatus.protocolError })
        }
        lastPeerId = frame.streamId
        if (!options.onStream) return send({ type: 'rstStream', streamId: frame.streamId, status: resetStatus.refusedStream })
        const stream = new Stream(frame.streamId, frame.headers, false)
        stream.on('error', () => {})
        streams.set(stream.id, stream)
        // the reply goes out before anything the handler writes
        send({ type: 'synReply', streamId: stream.id, fin: false, headers: {} })
        if (frame.fin) stream.receivedFin()
        try {
          options.onStream(stream)
        } catch {
          stream.destroy()
        }
        return
      }
      case 'synReply': {
        const stream = streams.get(frame.streamId)
        if (!stream?.local) return
        stream.accepted()
        if (frame.fin) stream.receivedFin()
        return
      }
      case 'headers':
        if (frame.fin) streams.get(frame.streamId)?.receivedFin()
        return
      case 'data': {
        const stream = streams.get(frame.streamId)
        if (!stream) return credit(undefined, frame.data.length)
        if (frame.data.length > 0) stream.received(frame.data)
        if (frame.fin) stream.receivedFin()
        return
      }
      case 'rstStream':
        streams.get(frame.streamId)?.aborted(new Error(`spdy: stream was reset (status ${frame.status})`))
        return closeIfDone()
      case 'settings':
        startWindows()
        for (const { id, value } of frame.settings) {
          if (id !== settingIds.initialWindowSize) continue
          for (const stream of streams.values()) stream.window += value - peerInitialWindow
          peerInitialWindow = value
        }
        return flushAll()
      case 'windowUpdate':
        startWindows()
        if (frame.streamId === 0) {
          sendWindow += frame.delta
          return flushAll()
        } else {
          const stream = streams.get(frame.streamId)
          if (stream) stream.window += frame.delta
          return stream?.flush()
        }
      case 'ping':
        if (frame.id % 2 === (options.role === 'client' ? 1 : 0)) {
          pings.get(frame.id)?.()
          pings.delete(frame.id)
        } else send(frame)
        return
      case 'goAway':
        closing = true
        return closeIfDone()
    }
  }

  const onData = (chunk: Buffer) => {
    try {
      for (const frame of decode(chunk)) handle(frame)
    } catch (error) {
      send({ type: 'goAway', lastGoodStreamId: lastPeerId, status: 1 })
      destroy(error as Error)
    }
  }

  const finish = (error?: Error) => {
    if (dead) return
    dead = true
    closing = true
    const reason = error ?? new Error('spdy: connection is closed')
    for (const stream of streams.values()) stream.aborted(reason)
    streams.clear()
    pings.clear()
    closed.resolve()
  }
  const destroy = (error?: Error) => {
    finish(error)
    socket.destroy()
  }

  // put back, they come first, in order with what follows and under the same back-pressure
  if (options.head && options.head.length > 0) socket.unshift(Buffer.from(options.head))
  if (options.keepWindows) send({ type: 'settings', settings: [{ id: settingIds.initialWindowSize, value: initialWindow }] })
  socket.on('data', onData)
  socket.on('end', () => {
    // the peer sends no more frames: a half-closed SPDY connection serves nobody
    finish()
    socket.end()
  })
  socket.on('error', (error) => finish(error))
  socket.on('close', () => finish())

  return {
    open(headers, { fin = false } = {}) {
      const id = nextId
      nextId += 2
      const stream = new Stream(id, headers, true)
      // an unhandled loss of one stream must not end the process; readers see it as the end of the stream
      stream.on('error', () => {})
      if (dead || closing) {
        stream.aborted(new Error('spdy: connection is closed'))
        return stream
      }
      streams.set(id, stream)
      send({ type: 'synStream', streamId: id, fin, headers })
      if (fin) stream.end()
      return stream
    },
    ping() {
      const id = nextPing
      nextPing += 2
      const { promise, resolve } = Promise.withResolvers<void>()
      pings.set(id, resolve)
      send({ type: 'ping', id })
      return Promise.race([
        promise,
        closed.promise.then(() => {
          throw new Error('spdy: connection is closed')
        }),
      ])
    },
    close() {
      if (closing) return
      closing = true
      send({ type: 'goAway', lastGoodStreamId: lastPeerId, status: 0 })
      closeIfDone()
    },
    destroy,
    closed: closed.promise,
    async [Symbol.asyncDispose]() {
      destroy()
      await closed.promise
    },
  }
}
