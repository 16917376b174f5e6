import type { Duplex } from 'node:stream'

/** A request as a value. */
export interface Request {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS'
  /** Absolute path without the query, as sent (percent-encoded). */
  path: string
  /** Decoded query parameters; a parameter may repeat. */
  query: URLSearchParams
  /** Lower-case names. */
  headers: Record<string, string>
  /** Bytes as received or to be sent; a plain value (not bytes) is sent as JSON, and is passed by reference in process. */
  body?: Uint8Array | object
  signal?: AbortSignal
}

/**
 * A response as a value. Its body is one of
 * - `bytes`: the whole body, already serialized;
 * - `value`: a frozen object, in process only (never serialized for a client in the same process);
 * - `stream`: chunks of bytes, e.g. a log that is followed;
 * - `events`: a watch; each event has its frame (bytes ending in a newline, shared by all watchers) and, in process, its object.
 */
export interface Response {
  status: number
  headers: Record<string, string>
  /** Of bytes: `fixed`, there is no other form of them (JSON may be indented); `verbatim`, they go as they are. The form that the client asked for when absent. */
  form?: 'fixed' | 'verbatim'
  body: { bytes: Uint8Array | Uint8Array[] } | { value: unknown } | { stream: AsyncIterable<Uint8Array> } | { events: AsyncIterable<WatchFrame> }
}

export interface WatchFrame {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  /** Deep-readonly: shared with every other watcher. */
  object: unknown
  /** The frame's wire form; lazily made where nobody needs it. */
  bytes(): Uint8Array
}

/** An upgraded connection: WebSocket or SPDY, after the 101. */
export interface Upgraded {
  protocol: string
  headers: Record<string, string>
  socket: Duplex
  head: Uint8Array
}

/**
 * How requests reach an API server: over HTTPS, or by a call in the same process. Errors of the network reject with a TransportError;
 * an answered status, whatever its code, is a Response.
 */
export interface Transport extends AsyncDisposable {
  send(request: Request): Promise<Response>
  upgrade(request: Request): Promise<Upgraded>
}

export class TransportError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'TransportError'
  }
}
