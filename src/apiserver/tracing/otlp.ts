import { Client, Metadata, credentials } from '@grpc/grpc-js'
import protobuf from 'protobufjs/minimal.js'
import { httpsTransport } from '#client'
import type { Span } from './span.ts'

/** Sends spans to a collector by the OpenTelemetry protocol. */
export interface SpanExporter extends AsyncDisposable {
  export(spans: readonly Span[]): Promise<void>
}

const serviceName = 'apiserver'
const timeout = 10_000

/** A collector at `host:port` by gRPC without TLS, or at a URL by HTTP. */
export function otlpExporter(endpoint: string): SpanExporter {
  return /^https?:\/\//.test(endpoint) ? httpExporter(endpoint) : grpcExporter(endpoint)
}

function httpExporter(endpoint: string): SpanExporter {
  const transport = httpsTransport({ server: endpoint, timeout })
  // the transport puts the path of its server before that of the request
  const path = new URL(endpoint).pathname.endsWith('/v1/traces') ? '' : '/v1/traces'
  return {
    async export(spans) {
      const { status } = await transport.send({
        method: 'POST',
        path,
        query: new URLSearchParams(),
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(JSON.stringify(jsonOf(spans))),
      })
      if (status >= 300) throw new Error(`the collector answered ${status}`)
    },
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  }
}

function grpcExporter(endpoint: string): SpanExporter {
  const client = new Client(endpoint, credentials.createInsecure())
  return {
    export: (spans) =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
          (request: Buffer) => request,
          (response: Buffer) => response,
          protobufOf(spans),
          new Metadata(),
          { deadline: Date.now() + timeout },
          (error) => (error ? reject(error) : resolve()),
        )
      }),
    [Symbol.asyncDispose]: () => {
      client.close()
      return Promise.resolve()
    },
  }
}

const kinds = { server: 2, client: 3 } as const

/** An ExportTraceServiceRequest in OTLP's JSON. */
export function jsonOf(spans: readonly Span[]): object {
  const attributes = (of: Record<string, string | number>) =>
    Object.entries(of).map(([key, value]) => ({ key, value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value } }))
  return {
    resourceSpans: [
      {
        resource: { attributes: attributes({ 'service.name': serviceName }) },
        scopeSpans: [
          {
            scope: { name: 'k8ts' },
            spans: spans.map((span) => ({
              traceId: span.traceId,
              spanId: span.spanId,
              ...(span.parentId ? { parentSpanId: span.parentId } : {}),
              name: span.name,
              kind: kinds[span.kind],
              startTimeUnixNano: String(span.start),
              endTimeUnixNano: String(span.end),
              attributes: attributes(span.attributes),
              ...(span.link ? { links: [{ traceId: span.link.traceId, spanId: span.link.spanId }] } : {}),
              status: span.error === undefined ? {} : { code: 2, message: span.error },
            })),
          },
        ],
      },
    ],
  }
}

type Writer = protobuf.Writer

/** The same in protobuf; the numbers are those of opentelemetry/proto/trace/v1/trace.proto. */
export function protobufOf(spans: readonly Span[]): Buffer {
  const writer = protobuf.Writer.create()
  const message = (number: number, write: () => void) => {
    writer.uint32((number << 3) | 2).fork()
    write()
    writer.ldelim()
  }
  const text = (number: number, value: string) => void writer.uint32((number << 3) | 2).string(value)
  const bytes = (number: number, hex: string) => void writer.uint32((number << 3) | 2).bytes(Buffer.from(hex, 'hex'))
  const attribute = (number: number, key: string, value: string | number) =>
    message(number, () => {
      text(1, key)
      message(2, () => void (typeof value === 'number' ? writer.uint32((3 << 3) | 0).int64(value) : text(1, value)))
    })
  message(1, () => {
    message(1, () => attribute(1, 'service.name', serviceName))
    message(2, () => {
      message(1, () => text(1, 'k8ts'))
      for (const span of spans)
        message(2, () => {
          bytes(1, span.traceId)
          bytes(2, span.spanId)
          if (span.parentId) bytes(4, span.parentId)
          text(5, span.name)
          writer.uint32((6 << 3) | 0).int32(kinds[span.kind])
          fixed64(writer, 7, span.start)
          fixed64(writer, 8, span.end)
          for (const [key, value] of Object.entries(span.attributes)) attribute(9, key, value)
          const { error, link } = span
          if (link)
            message(13, () => {
              bytes(1, link.traceId)
              bytes(2, link.spanId)
            })
          if (error !== undefined)
            message(15, () => {
              text(2, error)
              writer.uint32((3 << 3) | 0).int32(2)
            })
        })
    })
  })
  return Buffer.from(writer.finish())
}

function fixed64(writer: Writer, number: number, value: bigint): void {
  writer.uint32((number << 3) | 1)
  writer.fixed32(Number(value & 0xffffffffn)).fixed32(Number(value >> 32n))
}
