import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cannotBeHandled, decodeObject, DecodeError } from './decode.ts'
import { findDuplicateFields, fieldProblems } from './json.ts'
import { schemaOf } from './schema.ts'

const decode = (value: { apiVersion?: string; kind?: string } & Record<string, unknown>) =>
  decodeObject<Record<string, unknown>>(value, schemaOf(value.apiVersion ?? 'v1', value.kind ?? 'Pod')!)
const pod = (rest: Record<string, unknown>) => ({ apiVersion: 'v1', kind: 'Pod', ...rest })
const container = (rest: Record<string, unknown>) => pod({ spec: { containers: [{ name: 'c', ...rest }] } })
const decodedContainer = (rest: Record<string, unknown>) =>
  (decode(container(rest)).object as { spec: { containers: Record<string, unknown>[] } }).spec.containers[0]!

test('an object comes out with its fields in upstream order and its structs written', () => {
  const { object } = decode({
    spec: { containers: [{ image: 'i', name: 'c' }] },
    metadata: { namespace: 'n', name: 'p' },
    apiVersion: 'v1',
    kind: 'Pod',
  })
  assert.equal(
    JSON.stringify(object),
    '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","namespace":"n"},"spec":{"containers":[{"name":"c","image":"i","resources":{}}]},"status":{}}',
  )
})

test('empty values are left out where Go would', () => {
  const rows: [Record<string, unknown>, Record<string, unknown>][] = [
    [{ image: '', stdin: false, args: [], ports: null }, {}],
    [{ securityContext: { privileged: false, runAsUser: 0 } }, { securityContext: { privileged: false, runAsUser: 0 } }],
    [{ env: [{ value: 'x' }] }, { env: [{ name: '', value: 'x' }] }],
    [{ ports: [{}] }, { ports: [{ containerPort: 0 }] }],
    [{ resources: { limits: {} } }, {}],
    [{ lifecycle: {} }, { lifecycle: {} }],
    [{ args: ['a', null] }, { args: ['a', ''] }],
  ]
  for (const [given, want] of rows) assert.deepEqual(decodedContainer(given), { name: 'c', resources: {}, ...want }, JSON.stringify(given))
})

test('quantities, times, ints and base64 come out in stored form', () => {
  assert.deepEqual(decodedContainer({ resources: { limits: { cpu: 0.5, memory: '1024Mi' } } }).resources, { limits: { cpu: '500m', memory: '1Gi' } })
  const meta = decode(pod({ metadata: { creationTimestamp: null, deletionTimestamp: '2026-01-02T03:04:05.9+01:00' } })).object.metadata
  assert.deepEqual(meta, { deletionTimestamp: '2026-01-02T02:04:05Z' })
  const lease = decode({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', spec: { renewTime: '2026-01-02T04:04:05.000000+01:00' } })
  assert.deepEqual(lease.object.spec, { renewTime: '2026-01-02T03:04:05.000000Z' })
  const probe = decodedContainer({ livenessProbe: { httpGet: { port: 'http' } }, readinessProbe: { tcpSocket: {} } })
  assert.deepEqual(probe.livenessProbe, { httpGet: { port: 'http' } })
  assert.deepEqual(probe.readinessProbe, { tcpSocket: { port: 0 } })
  assert.deepEqual(decode({ apiVersion: 'v1', kind: 'Secret', data: { a: 'aGk=' } }).object.data, { a: 'aGk=' })
  const divisor = decodedContainer({ env: [{ name: 'e', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } }] })
  assert.deepEqual(divisor.env, [{ name: 'e', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '0' } } }])
})

test('values of the wrong type are refused in the words of Go', () => {
  const rows: [Record<string, unknown>, string][] = [
    [pod({ spec: { containers: 'x' } }), 'json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container'],
    [pod({ spec: 'x' }), 'json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec'],
    [container({ image: 5 }), 'json: cannot unmarshal number into Go struct field Container.spec.containers.image of type string'],
    [container({ stdin: 'yes' }), 'json: cannot unmarshal string into Go struct field Container.spec.containers.stdin of type bool'],
    [
      container({ ports: [{ containerPort: '80' }] }),
      'json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
    ],
    [pod({ spec: { priority: 1.5 } }), 'json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.priority of type int32'],
    [pod({ spec: { priority: 3e9 } }), 'json: cannot unmarshal number 3000000000 into Go struct field PodSpec.spec.priority of type int32'],
    [pod({ metadata: { labels: { a: 1 } } }), 'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string'],
    [pod({ metadata: { labels: ['a'] } }), 'json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string'],
    [pod({ metadata: { deletionTimestamp: 5 } }), 'json: cannot unmarshal number into Go value of type string'],
    [pod({ metadata: { deletionTimestamp: 'x' } }), 'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'],
    [
      container({ resources: { limits: { cpu: 'x' } } }),
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [{ apiVersion: 'v1', kind: 'Secret', data: { a: 'a' } }, 'illegal base64 data at input byte 0'],
    [{ apiVersion: 'v1', kind: 'Secret', data: { a: 'aGk!' } }, 'illegal base64 data at input byte 3'],
    [container({ livenessProbe: { httpGet: { port: true } } }), 'json: cannot unmarshal bool into Go value of type int32'],
  ]
  for (const [value, message] of rows) assert.throws(() => decode(value), { name: 'DecodeError', message })
  assert.throws(() => decodeObject([], schemaOf('v1', 'Pod')!), { message: 'json: cannot unmarshal array into Go value of type v1.Pod' })
  assert.equal(cannotBeHandled('Pod', 'v1', new DecodeError('json: x')), 'Pod in version "v1" cannot be handled as a Pod: json: x')
})

test('unknown fields are dropped and named by their path', () => {
  const { object, unknownFields } = decode(pod({ foo: 1, spec: { containers: [{ name: 'c', bar: 1 }], Containers: [] } }))
  assert.deepEqual(unknownFields, ['foo', 'spec.containers[0].bar', 'spec.Containers'])
  assert.equal(
    JSON.stringify(object),
    '{"kind":"Pod","apiVersion":"v1","metadata":{},"spec":{"containers":[{"name":"c","resources":{}}]},"status":{}}',
  )
})

test('schemas of custom resources are read through their unions', () => {
  const props = { type: 'object', properties: { a: { type: 'array', items: { type: 'string', nope: 1 } } }, additionalProperties: false }
  const { object, unknownFields } = decode({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    spec: { versions: [{ schema: { openAPIV3Schema: props } }] },
  })
  assert.deepEqual(unknownFields, ['spec.versions[0].schema.openAPIV3Schema.properties.a.items.nope'])
  const spec = object.spec as { versions: { schema: { openAPIV3Schema: unknown } }[] }
  assert.deepEqual(spec.versions[0]?.schema.openAPIV3Schema, {
    type: 'object',
    properties: { a: { type: 'array', items: { type: 'string' } } },
    additionalProperties: false,
  })
})

test('a key named __proto__ is a key', () => {
  const { object } = decode(
    JSON.parse('{"apiVersion":"v1","kind":"ConfigMap","data":{"__proto__":"x"},"__proto__":{"kind":"y"}}') as Record<string, unknown>,
  )
  assert.equal(JSON.stringify(object), '{"kind":"ConfigMap","apiVersion":"v1","metadata":{},"data":{"__proto__":"x"}}')
})

test('decoding twice changes nothing more, whatever the input', () => {
  const value = fc.letrec((tie) => ({
    v: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('v')),
      fc.dictionary(fc.constantFrom('name', 'spec', 'containers', 'metadata', 'labels', 'env', 'ports', 'value'), tie('v')),
    ),
  })).v
  fc.assert(
    fc.property(value, (spec) => {
      let once: unknown
      try {
        once = decode(pod({ spec })).object
      } catch (error) {
        assert.ok(error instanceof DecodeError)
        return
      }
      const again = decode(once as Record<string, unknown>)
      assert.deepEqual(again.object, once)
      assert.deepEqual(again.unknownFields, [])
    }),
  )
})

test('duplicate keys are found with their path', () => {
  assert.deepEqual(findDuplicateFields('{"a":1,"b":{"c":[{"d":1,"d":2},{"d":3}],"e":"\\"a\\":","c":1},"a":2}'), ['b.c[0].d', 'b.c', 'a'])
  assert.deepEqual(findDuplicateFields('[{"a":"a"},{"a":"\\\\"}]'), [])
  assert.deepEqual(fieldProblems(['x.y'], ['a']), ['duplicate field "a"', 'unknown field "x.y"'])
})
