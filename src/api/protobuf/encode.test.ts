import assert from 'node:assert/strict'
import { test } from 'node:test'
import { schemaOf } from '../schema/schema.ts'
import { encodeProtobuf, parseProtobuf } from './envelope.ts'
import { encodeMessage } from './encode.ts'
import { Writer } from './writer.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('the writer’s own example', () => {
  const writer = new Writer(2)
  writer.string(2, 'b')
  writer.string(1, 'a')
  assert.equal(hex(writer.finish()), '0a0161120162')
})

const numbers: [number, string][] = [
  [0, '0800'],
  [127, '087f'],
  [128, '088001'],
  [2 ** 31, '088080808008'],
  [2 ** 53 - 1, '08ffffffffffffff0f'],
  [-1, '08ffffffffffffffffff01'],
]
for (const [value, expected] of numbers)
  test(`the number ${value}`, () => {
    const writer = new Writer(1)
    writer.integer(1, value)
    assert.equal(hex(writer.finish()), expected)
  })

test('what is no pointer is written although it is not there, pointers are not', () => {
  // ListMeta: selfLink 1, resourceVersion 2, continue 3 are strings; remainingItemCount 4 is a pointer
  const message = encodeMessage({ metadata: { resourceVersion: '7' } }, schemaOf('v1', 'ConfigMapList')!)
  assert.equal(hex(message), '0a07' + '0a00' + '120137' + '1a00')
})

test('maps are in the order of their keys', () => {
  const message = encodeMessage({ data: { b: '2', a: '1' } }, schemaOf('v1', 'ConfigMap')!).toString('latin1')
  assert.ok(message.indexOf('\x0a\x01a\x12\x011') < message.indexOf('\x0a\x01b\x12\x012'), message)
})

const objects = {
  'an HPA: quantities, behaviour, int-or-string': {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'a', creationTimestamp: '2026-01-02T03:04:05Z' },
    spec: {
      scaleTargetRef: { kind: 'Deployment', name: 'd' },
      maxReplicas: 3,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'AverageValue', averageValue: '100m' } } }],
    },
    status: { desiredReplicas: 0, currentMetrics: null },
  },
  'a lease: times with fractions': {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'l', creationTimestamp: null },
    spec: { renewTime: '2026-01-02T03:04:05.000123Z', leaseDurationSeconds: 15 },
  },
} as const
for (const [name, object] of Object.entries(objects))
  test(`there and back: ${name}`, () => {
    const { metadata, spec } = parseProtobuf(encodeProtobuf(object)!) as Record<string, unknown>
    assert.deepEqual({ ...(metadata as object) }, object.metadata)
    assert.deepEqual(spec, object.spec)
  })
