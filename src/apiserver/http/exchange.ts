import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Request } from '#client'

/** The sending half of one HTTP exchange, over HTTP/1.1 or HTTP/2. */
export interface Sink {
  head(status: number, headers: Record<string, string>): void
  /** Sends what was written by itself: what comes next is not copied into one piece with it. */
  flush(): Promise<void> | void
  /** False: the client is slower than we are; wait for `onDrain`. */
  write(chunk: Uint8Array): boolean
  end(chunk?: Uint8Array): void
  onDrain(fn: () => void): void
  /** Runs once, when the exchange is over or its client is gone. */
  onClose(fn: () => void): void
  readonly closed: boolean
}

const noQuery = Object.freeze(new URLSearchParams())

/** A request off the wire. What few requests need (parsed query, abort signal) is made when asked for. */
export class WireRequest implements Request {
  readonly method: Request['method']
  readonly path: string
  readonly headers: Record<string, string>
  /** Names and values by turns, as they were sent: headers that stand there several times are not joined. */
  readonly rawHeaders: readonly string[]
  body?: Uint8Array
  /** Others share its connection at the same time: HTTP/2. */
  readonly multiplexed: boolean
  readonly #search: string
  readonly #sink: Sink
  readonly #connection: { remoteAddress?: string | undefined } | undefined
  #query: URLSearchParams | undefined
  #abort: AbortController | undefined

  constructor(
    method: string,
    url: string,
    headers: Record<string, string>,
    rawHeaders: readonly string[],
    sink: Sink,
    connection?: { remoteAddress?: string | undefined },
    multiplexed = false,
  ) {
    this.#connection = connection
    this.multiplexed = multiplexed
    this.method = method as Request['method']
    const mark = url.indexOf('?')
    this.path = mark < 0 ? url : url.slice(0, mark)
    this.#search = mark < 0 ? '' : url.slice(mark + 1)
    this.headers = headers
    this.rawHeaders = rawHeaders
    this.#sink = sink
  }

  get query(): URLSearchParams {
    if (!this.#search) return noQuery
    return (this.#query ??= new URLSearchParams(this.#search))
  }

  /** Who is at the other end of the connection. */
  get remoteAddress(): string | undefined {
    return this.#connection?.remoteAddress
  }

  /** The path with its query, as sent. */
  get uri(): string {
    return this.#search ? `${this.path}?${this.#search}` : this.path
  }

  /** Aborts when the client goes away, or the request has to stop. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      const abort = new AbortController()
      this.#abort = abort
      if (this.#sink.closed) abort.abort()
      else this.#sink.onClose(() => abort.abort())
    }
    return this.#abort.signal
  }

  /** Aborts the signal: whoever works on it may stop. */
  stop(reason: Error): void {
    void this.signal
    this.#abort!.abort(reason)
  }
}

/** Reads a request's body; what is wrong with it when it is larger than `limit` bytes, or takes longer than `limited` allows. */
export function readAll(
  stream: IncomingMessage | ServerHttp2Stream,
  limit: number,
  limited: (expire: () => void) => () => void,
): Promise<Buffer | 'too large' | 'too slow'> {
  return new Promise((resolve, reject) => {
    const give = (up: 'too large' | 'too slow') => {
      cancel()
      stream.removeAllListeners('data')
      stream.resume()
      resolve(up)
    }
    const cancel = limited(() => give('too slow'))
    let first: Buffer | undefined
    let more: Buffer[] | undefined
    let size = 0
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > limit) give('too large')
      else if (!first) first = chunk
      else (more ??= [first]).push(chunk)
    })
    stream.on('end', () => {
      cancel()
      resolve(more ? Buffer.concat(more) : (first ?? Buffer.alloc(0)))
    })
    // a client that goes away makes an error of HTTP/1.1; a stream of HTTP/2 it may just abort
    const fail = (error: Error) => {
      cancel()
      reject(error)
    }
    stream.on('error', fail)
    if ('session' in stream) stream.on('aborted', () => fail(new Error('the client aborted the request')))
  })
}

export class Http1Sink implements Sink {
  readonly #response: ServerResponse
  #written = false

  constructor(response: ServerResponse) {
    this.#response = response
  }

  head(status: number, headers: Record<string, string>): void {
    this.#response.writeHead(status, headers)
    if (!('content-length' in headers)) this.#response.flushHeaders()
  }

  /** Node keeps what is written in a turn together, and TLS copies what it gets together. */
  flush(): Promise<void> | void {
    if (this.#written) return new Promise((resolve) => process.nextTick(resolve))
    this.#response.flushHeaders()
  }

  write(chunk: Uint8Array): boolean {
    this.#written = true
    return this.#response.write(chunk)
  }

  end(chunk?: Uint8Array): void {
    this.#response.end(chunk)
  }

  onDrain(fn: () => void): void {
    this.#response.once('drain', fn)
  }

  onClose(fn: () => void): void {
    this.#response.once('close', fn)
  }

  get closed(): boolean {
    return this.#response.closed || this.#response.destroyed
  }
}

export class Http2Sink implements Sink {
  readonly #stream: ServerHttp2Stream
  /** HEAD, 204 and 304 have no body: the stream ended with its head. */
  #bodyless: boolean

  constructor(stream: ServerHttp2Stream, method: string) {
    this.#stream = stream
    this.#bodyless = method === 'HEAD'
  }

  head(status: number, headers: Record<string, string>): void {
    if (this.closed) return
    this.#bodyless ||= status === 204 || status === 304
    this.#stream.respond({ ':status': status, ...headers }, { endStream: this.#bodyless })
  }

  /** Frames are made of whatever there is. */
  flush(): void {}

  write(chunk: Uint8Array): boolean {
    return this.closed || this.#bodyless ? true : this.#stream.write(chunk)
  }

  end(chunk?: Uint8Array): void {
    if (this.closed || this.#bodyless) return
    if (chunk === undefined) this.#stream.end()
    else this.#stream.end(chunk)
  }

  onDrain(fn: () => void): void {
    this.#stream.once('drain', fn)
  }

  onClose(fn: () => void): void {
    this.#stream.once('close', fn)
  }

  get closed(): boolean {
    return this.#stream.closed || this.#stream.destroyed
  }
}
