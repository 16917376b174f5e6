import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { PeerCertificate } from 'node:tls'
import { checkServerIdentity } from 'node:tls'
import type { ChannelCredentials, ClientDuplexStream, ServiceError } from '@grpc/grpc-js'
import { Client, Metadata, credentials, status } from '@grpc/grpc-js'
import type { Type } from 'protobufjs'
import protobuf from 'protobufjs'
import { StoreError } from '../store.ts'
import { closedError } from '../watchers.ts'

export interface EtcdTls {
  ca: Uint8Array
  /** The client's own certificate, where the server asks for one. */
  cert?: Uint8Array
  key?: Uint8Array
}

export interface EtcdEndpoints {
  /** `host:port` each; any member of the cluster. */
  endpoints: readonly string[]
  tls?: EtcdTls
  /** How long a member may take to answer before another one is asked, and may be silent before it is asked whether it is there, milliseconds; 10,000 when absent. */
  patience?: number
}

/** Answers of etcd in its own words: field names of its protocol, 64-bit numbers as numbers. */
export type Message = Record<string, any>

/** Calls of etcd's v3 API (https://etcd.io/docs/v3.5/dev-guide/api_reference_v3/). One member is talked to at a time; when it fails, the next call goes to another one. */
export interface EtcdRpc {
  /** Rejects with StoreError: `unavailable` also where the outcome of a write is not known. `retry` says that doing it twice does no harm. */
  call(service: Service, method: string, request: Message, options?: CallOptions): Promise<Message>
  /** Calls every member that was named, one after the other; rejects when the last one has failed that did. */
  callEach(service: Service, method: string, request: Message, options: { deadline: number }): Promise<void>
  /** A stream of watch responses. Ends when the member goes. */
  watch(): WatchStream
  close(): void
}

export type Service = 'KV' | 'Lease' | 'Maintenance'

export interface CallOptions {
  retry?: boolean
  /** 64-bit numbers as strings: ids of members have more digits than a number keeps. */
  exact?: boolean
}

export interface WatchStream extends AsyncIterable<Message> {
  send(request: Message): void
  cancel(): void
}

export function etcdRpc({ endpoints, tls, patience = 10_000 }: EtcdEndpoints): EtcdRpc {
  const clients = endpoints.map(
    (endpoint) =>
      new Client(endpoint, channelCredentials(endpoint, tls), {
        // TLS has no names that are addresses: another one is asked for, and the address is what the certificate is held against
        ...(tls && addressOf(endpoint) ? { 'grpc.ssl_target_name_override': 'etcd' } : {}),
        'grpc.max_receive_message_length': -1,
        'grpc.max_send_message_length': -1,
        // a member that is gone without a word is noticed
        'grpc.keepalive_time_ms': patience,
        'grpc.keepalive_timeout_ms': Math.ceil(patience * 0.3),
        'grpc.initial_reconnect_backoff_ms': 100,
        'grpc.max_reconnect_backoff_ms': 1000,
      }),
  )
  let current = 0
  let closed = false
  /** Goes on to the next member, unless somebody has already. */
  const leave = (index: number) => {
    if (current === index) current = (index + 1) % clients.length
  }

  function unary(index: number, service: Service, method: string, request: Message, { deadline = patience, exact = false } = {}): Promise<Message> {
    const types = methodTypes(service, method)
    return new Promise((resolve, reject) => {
      clients[index]!.makeUnaryRequest(
        `/etcdserverpb.${service}/${method}`,
        (message: Message) => Buffer.from(types.request.encode(types.request.fromObject(message)).finish()),
        (bytes: Buffer) => types.response.toObject(types.response.decode(bytes), exact ? { ...shape, longs: String } : shape),
        request,
        withLeader(),
        { deadline: Date.now() + deadline },
        (error, answer) => (error ? reject(error) : resolve(answer!)),
      )
    })
  }

  return {
    async call(service, method, request, { retry = false, exact = false } = {}) {
      for (let attempt = 1; ; attempt++) {
        if (closed) throw closedError()
        const index = current
        try {
          return await unary(index, service, method, request, { exact })
        } catch (error) {
          const failure = closed ? closedError() : storeError(error as ServiceError)
          if (failure.kind !== 'unavailable') throw failure
          leave(index)
          if (!retry || attempt >= clients.length * 2) throw failure
        }
      }
    },
    async callEach(service, method, request, options) {
      let failure: StoreError | undefined
      for (let index = 0; index < clients.length; index++) {
        if (closed) throw closedError()
        try {
          await unary(index, service, method, request, options)
        } catch (error) {
          failure = storeError(error as ServiceError)
        }
      }
      if (failure) throw failure
    },
    watch() {
      const index = current
      const { request, response } = methodTypes('Watch', 'Watch')
      const stream: ClientDuplexStream<Message, Message> = clients[index]!.makeBidiStreamRequest(
        '/etcdserverpb.Watch/Watch',
        (message: Message) => Buffer.from(request.encode(request.fromObject(message)).finish()),
        (bytes: Buffer) => response.toObject(response.decode(bytes), shape),
        withLeader(),
      )
      // an iteration that has ended hears no more of it
      stream.on('error', () => leave(index))
      stream.on('end', () => leave(index))
      return {
        send: (message) => void stream.write(message),
        cancel: () => stream.cancel(),
        async *[Symbol.asyncIterator]() {
          try {
            yield* stream as AsyncIterable<Message>
          } catch (error) {
            throw closed ? closedError() : storeError(error as ServiceError)
          }
        },
      }
    },
    close() {
      closed = true
      for (const client of clients) client.close()
    },
  }
}

function channelCredentials(endpoint: string, tls: EtcdTls | undefined): ChannelCredentials {
  if (!tls) return credentials.createInsecure()
  const address = addressOf(endpoint)
  const verify = address ? { checkServerIdentity: (_: string, certificate: PeerCertificate) => checkServerIdentity(address, certificate) } : {}
  return credentials.createSsl(Buffer.from(tls.ca), tls.key ? Buffer.from(tls.key) : null, tls.cert ? Buffer.from(tls.cert) : null, verify)
}

/** The host of an endpoint that names one by its address. */
function addressOf(endpoint: string): string | undefined {
  const host = endpoint.slice(0, endpoint.lastIndexOf(':')).replace(/^\[|\]$/g, '')
  return isIP(host) ? host : undefined
}

/** A member that has no leader must say so instead of answering from what it remembers. */
function withLeader(): Metadata {
  const metadata = new Metadata()
  metadata.set('hasleader', 'true')
  return metadata
}

/** Etcd's errors by their code; where the code is shared, its text is part of its protocol. */
function storeError(error: ServiceError): StoreError {
  const { code, details } = error
  const as = (kind: StoreError['kind']) => new StoreError(kind, `etcd: ${details}`, { cause: error })
  if (code === status.OUT_OF_RANGE) return as(details.includes('compacted') ? 'compacted' : 'future')
  if (code === status.RESOURCE_EXHAUSTED && details.includes('space')) return as('full')
  return as('unavailable')
}

const shape = { longs: Number, defaults: true, arrays: true } as const

let root: protobuf.Root | undefined
/** Parsed once a process: the descriptors are constants. */
function descriptors(): protobuf.Root {
  root ??= protobuf.Root.fromJSON(JSON.parse(readFileSync(new URL('./facts/etcd.json', import.meta.url), 'utf8')) as protobuf.INamespace)
  return root
}

function methodTypes(service: string, method: string): { request: Type; response: Type } {
  const found = descriptors().lookupService(`etcdserverpb.${service}`).methods[method]!
  return {
    request: descriptors().lookupType(`etcdserverpb.${found.requestType}`),
    response: descriptors().lookupType(`etcdserverpb.${found.responseType}`),
  }
}
