import type { TLSSocket } from 'node:tls'
import type { Clock } from '#base'

export interface ConnectionLimits {
  /** How long a client may take to send the head of a request, or to begin its first one: upstream's. Milliseconds. */
  head: number
  /** How long it may take to send a body. */
  body: number
  /** How long a connection may be open without a request. */
  idle: number
}

export interface Connections extends Disposable {
  /** `expire` ends a connection whose client keeps the server waiting, `retire` one that nobody uses. */
  add(socket: TLSSocket, ends: { expire(): void; retire(): void }): void
  /** A request has begun on it. */
  begin(socket: object): void
  /** One has ended; answers how many are left. */
  end(socket: object): number
  /** A request has taken it over: it is no longer looked after, and is ended with those on which nothing is under way. */
  handOver(socket: object): void
  /** Calls `expire` unless what is answered is called before a body's time is over. */
  body(expire: () => void): () => void
  /** Those on which nothing is under way. */
  idle(): TLSSocket[]
  all(): Iterable<TLSSocket>
}

interface State {
  requests: number
  handedOver: boolean
  expire(): void
  retire(): void
  /** Whether there was a request at all. */
  used: boolean
  /** Whether a request ended since the connection was looked at, and how much had been read by then: more is the beginning of another one. */
  fresh: boolean
  seen: number
  /** Since when the server waits for the end of a head, and since when for anything. */
  waiting: number | undefined
  idle: number
}

/** How late the end of one may come, milliseconds: one timer looks after all of them. */
const precision = 4000

/**
 * The connections of a listener, with what is under way on each. Clients that begin something and do not go on hold memory without costing themselves any: they are given only so
 * much time. HTTP/2 has one head after the other on a connection, and its own limits for what arrives in pieces; it is only looked at whether it is used.
 */
export function connections(clock: Clock, limits: ConnectionLimits): Connections {
  const sockets = new Map<object, State>()
  const bodies = new Set<{ until: number; expire(): void }>()
  let cancel: (() => void) | undefined

  function watch(): void {
    cancel ??= clock.schedule(precision, () => {
      cancel = undefined
      sweep(clock.monotonic())
      if (sockets.size > 0 || bodies.size > 0) watch()
    })
  }

  function sweep(now: number): void {
    for (const each of bodies) {
      // in the order in which they began
      if (each.until > now) break
      bodies.delete(each)
      each.expire()
    }
    for (const [key, state] of sockets) {
      if (state.requests > 0 || state.handedOver) continue
      const socket = key as TLSSocket
      if (state.fresh) {
        // asking a socket costs more than all else here: not with every request
        state.fresh = false
        state.seen = socket.bytesRead
        state.idle = now
        state.waiting = undefined
        continue
      }
      const begun = socket.alpnProtocol !== 'h2' && (!state.used || socket.bytesRead !== state.seen)
      state.waiting = begun ? (state.waiting ?? now) : undefined
      if (begun && now - state.waiting! >= limits.head) state.expire()
      else if (now - state.idle >= limits.idle) state.retire()
    }
  }

  return {
    add(socket, { expire, retire }) {
      const now = clock.monotonic()
      sockets.set(socket, { requests: 0, handedOver: false, expire, retire, used: false, fresh: false, seen: 0, waiting: now, idle: now })
      socket.on('close', () => sockets.delete(socket))
      watch()
    },
    begin(socket) {
      const state = sockets.get(socket)
      if (!state) return
      state.requests++
      state.used = true
    },
    end(socket) {
      const state = sockets.get(socket)
      if (!state) return 0
      state.fresh = true
      return --state.requests
    },
    handOver(socket) {
      const state = sockets.get(socket)
      if (state) state.handedOver = true
    },
    body(expire) {
      const each = { until: clock.monotonic() + limits.body, expire }
      bodies.add(each)
      return () => bodies.delete(each)
    },
    idle: () => [...sockets].filter(([, { requests }]) => requests === 0).map(([socket]) => socket as TLSSocket),
    all: () => sockets.keys() as Iterable<TLSSocket>,
    [Symbol.dispose]() {
      cancel?.()
      cancel = undefined
      bodies.clear()
    },
  }
}
