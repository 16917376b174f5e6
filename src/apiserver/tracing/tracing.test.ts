import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { realClock, silentLogger } from '#base'
import type { Request } from '#client'
import { memoryStore } from '#store'
import { observedStore } from '../observed-store.ts'
import { parseTracingConfig } from './config.ts'
import { otlpExporter } from './otlp.ts'
import type { Span } from './span.ts'
import { formatTraceParent, parseTraceParent } from './span.ts'
import { tracer } from './tracer.ts'

const trace = '0af7651916cd43dd8448eb211c80319c'
const parent = `00-${trace}-b7ad6b7169203331-01`
const request = (headers: Record<string, string> = {}): Request => ({ method: 'POST', path: '/api/v1/x', query: new URLSearchParams(), headers })
const admin = { username: 'admin', groups: ['system:masters'] }
const ok = { status: 201, headers: {}, body: { bytes: new Uint8Array() } }

test('a traceparent is read as the W3C says', async (context) => {
  const rows: [string, string | undefined, boolean | undefined][] = [
    ['sampled', parent, true],
    ['not sampled', parent.replace(/01$/, '00'), false],
    ['a later version with more', `cc-${trace}-b7ad6b7169203331-01-what`, true],
    ['a later version of nothing', parent.replace(/^00/, 'ff'), undefined],
    ['no trace', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, undefined],
    ['no span', `00-${trace}-${'0'.repeat(16)}-01`, undefined],
    ['capital letters', parent.toUpperCase(), undefined],
    ['none', undefined, undefined],
  ]
  for (const [name, header, sampled] of rows) await context.test(name, () => assert.equal(parseTraceParent(header)?.sampled, sampled))
})

test('a configuration that means nothing is refused with the field that is wrong', () => {
  const head = 'apiVersion: apiserver.config.k8s.io/v1\nkind: TracingConfiguration\n'
  assert.deepEqual(parseTracingConfig(head), { endpoint: 'localhost:4317', samplingRatePerMillion: 0 })
  assert.throws(() => parseTracingConfig('kind: Pod'), /a TracingConfiguration/)
  assert.throws(() => parseTracingConfig(`${head}samplingRatePerMillion: 2000000`), /samplingRatePerMillion/)
})

function traced(samplingRatePerMillion: number) {
  const spans: Span[] = []
  const exporter = { export: (some: readonly Span[]) => Promise.resolve(void spans.push(...some)), [Symbol.asyncDispose]: () => Promise.resolve() }
  return { spans, tracing: tracer({ exporter, samplingRatePerMillion, clock: realClock, log: silentLogger }) }
}

test('a request and its calls of the store are spans of the trace that asked for it', async () => {
  const { spans, tracing } = traced(0)
  const store = observedStore(memoryStore(), tracing.store)
  const sent = request({ traceparent: parent })
  await tracing.run(sent, admin, async () => {
    await store.create('/registry/core/configmaps/a/b', Buffer.from('{}'))
    return ok
  })
  await tracing[Symbol.asyncDispose]()
  const root = spans.find((span) => span.kind === 'server')!
  const call = spans.find((span) => span.kind === 'client')!
  assert.deepEqual([root.traceId, root.parentId, root.attributes['http.response.status_code']], [trace, 'b7ad6b7169203331', 201])
  assert.deepEqual([call.traceId, call.parentId, call.name, call.attributes['resource']], [trace, root.spanId, 'Store create', 'configmaps'])
  assert.ok(root.start <= call.start && call.end >= call.start && root.end >= root.start)
  assert.equal(sent.headers['traceparent'], formatTraceParent(root))
})

test('what nobody traces is traced at the rate that is asked for', async () => {
  const none = traced(0)
  await none.tracing.run(request(), admin, () => Promise.resolve(ok))
  await none.tracing.run(request({ traceparent: parent.replace(/01$/, '00') }), admin, () => Promise.resolve(ok))
  await none.tracing[Symbol.asyncDispose]()
  assert.equal(none.spans.length, 0)
  const all = traced(1_000_000)
  await all.tracing.run(request(), admin, () => Promise.resolve(ok))
  await all.tracing[Symbol.asyncDispose]()
  assert.equal(all.spans.length, 1)
})

test('only who is trusted decides whether he is traced, and of which trace that is a part', async () => {
  const { spans, tracing } = traced(1_000_000)
  await tracing.run(request({ traceparent: parent.replace(/01$/, '00') }), admin, () => Promise.resolve(ok))
  const stranger = { username: 'jane', groups: ['system:authenticated'] }
  const asked = { ...request({ traceparent: parent }), path: '/apis/apps/v1/namespaces/secret/deployments/hidden/scale' }
  await tracing.run(asked, stranger, () => Promise.resolve(ok))
  await tracing[Symbol.asyncDispose]()
  assert.equal(spans.length, 1)
  const [own] = spans
  assert.notEqual(own!.traceId, trace)
  assert.deepEqual([own!.parentId, own!.link], ['', { traceId: trace, spanId: 'b7ad6b7169203331' }])
  assert.equal(own!.name, 'POST /apis/apps/v1/namespaces/{:namespace}/deployments/{:name}/scale')
  const none = traced(0)
  await none.tracing.run(request({ traceparent: parent }), stranger, () => Promise.resolve(ok))
  await none.tracing[Symbol.asyncDispose]()
  assert.equal(none.spans.length, 0)
})

const span: Span = {
  traceId: trace,
  spanId: 'b7ad6b7169203331',
  parentId: '',
  name: 'KubernetesAPI',
  kind: 'server',
  start: 1_700_000_000_000_000_000n,
  end: 1_700_000_000_000_000_001n,
  attributes: { 'http.response.status_code': 500, 'url.path': '/a' },
  error: 'status 500',
}

test('spans reach a collector by HTTP', async () => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const received = new Promise<any>((resolve) => {
    server.on('request', (message, response) => {
      const chunks: Buffer[] = []
      message.on('data', (chunk: Buffer) => chunks.push(chunk))
      message.on('end', () => {
        response.end('{}')
        resolve({ url: message.url, body: JSON.parse(Buffer.concat(chunks).toString()) })
      })
    })
  })
  await using exporter = otlpExporter(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  await exporter.export([span])
  const { url, body } = await received
  server.close()
  assert.equal(url, '/v1/traces')
  const [sent] = body.resourceSpans[0].scopeSpans[0].spans
  assert.deepEqual([sent.traceId, sent.kind, sent.startTimeUnixNano, sent.status.code], [trace, 2, '1700000000000000000', 2])
})

test('spans reach a collector by gRPC', async () => {
  const server = new Server()
  const received = new Promise<Buffer>((resolve) => {
    const pass = (bytes: Buffer) => bytes
    server.addService(
      {
        Export: {
          path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
          requestStream: false,
          responseStream: false,
          requestSerialize: pass,
          requestDeserialize: pass,
          responseSerialize: pass,
          responseDeserialize: pass,
        },
      },
      {
        Export(call: { request: Buffer }, answer: (error: null, value: Buffer) => void) {
          answer(null, Buffer.alloc(0))
          resolve(call.request)
        },
      },
    )
  })
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  )
  await using exporter = otlpExporter(`127.0.0.1:${port}`)
  await exporter.export([span])
  const bytes = await received
  server.forceShutdown()
  assert.ok(bytes.includes(Buffer.from(trace, 'hex')))
  assert.ok(bytes.includes('KubernetesAPI') && bytes.includes('service.name') && bytes.includes('status 500'))
  const nanos = Buffer.alloc(8)
  nanos.writeBigUInt64LE(span.start)
  assert.ok(bytes.includes(nanos))
})
