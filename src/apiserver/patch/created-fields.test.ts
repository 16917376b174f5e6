import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { schemaOf } from '#api'
import { compare } from './compare.ts'
import { createdFields } from './created-fields.ts'
import { rootShape } from './shape.ts'

const shape = rootShape(schemaOf('v1', 'Pod'))
const custom = rootShape(undefined)
const of = (value: object, by = shape) => compare(by, by.zero, value).touched

const text = fc.constantFrom('', '0', '1', 'a', 'metadata', 'constructor')
const strings = fc.dictionary(text, text, { maxKeys: 3 })
const record = (fields: Record<string, fc.Arbitrary<unknown>>) => fc.record(fields, { requiredKeys: [] })
const listOf = (item: fc.Arbitrary<unknown>) => fc.array(item, { maxLength: 3 })
const container = record({
  name: text,
  image: text,
  command: listOf(text),
  ports: listOf(record({ containerPort: fc.constantFrom(0, 80, 443), protocol: fc.constantFrom('TCP', 'UDP'), hostPort: fc.constantFrom(0, 1) })),
  env: listOf(record({ name: text, value: text })),
  resources: record({ limits: strings, requests: strings }),
  securityContext: record({ privileged: fc.boolean(), capabilities: record({ add: listOf(text) }) }),
})
const pod = fc.record({
  apiVersion: fc.constant('v1'),
  kind: fc.constant('Pod'),
  metadata: record({ name: fc.string(), uid: fc.string(), labels: strings, annotations: strings, finalizers: listOf(text) }),
  spec: record({
    containers: listOf(container),
    nodeSelector: strings,
    hostNetwork: fc.boolean(),
    priority: fc.constantFrom(0, 1),
    tolerations: listOf(record({ key: text })),
    securityContext: record({ runAsUser: fc.constantFrom(0, 1), sysctls: listOf(record({ name: text })) }),
    imagePullSecrets: listOf(record({ name: text })),
    topologySpreadConstraints: listOf(record({ topologyKey: text, whenUnsatisfiable: text })),
  }),
  status: record({ phase: text, podIPs: listOf(record({ ip: text })) }),
})

test('objects of one make have the fields that each of them has by itself', () => {
  const created = createdFields()
  fc.assert(
    fc.property(pod, (value) => {
      assert.deepEqual(
        created.of(shape, value, () => of(value)),
        of(value),
      )
    }),
    { numRuns: 2000 },
  )
})

test('objects without a schema, too', () => {
  const created = createdFields()
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      text,
      fc.constantFrom(0, 1, null, true, false),
      listOf(tie('any')),
      fc.dictionary(text, tie('any'), { maxKeys: 3 }),
    ),
  })).any
  fc.assert(
    fc.property(fc.record({ metadata: record({ labels: strings }), spec: value }), (object) => {
      assert.deepEqual(
        created.of(custom, object, () => of(object, custom)),
        of(object, custom),
      )
    }),
    { numRuns: 2000 },
  )
})

test('the fields of one make are found once, whatever its objects hold', () => {
  const created = createdFields()
  let made = 0
  const make = (value: object) => () => {
    made++
    return of(value)
  }
  const objects = ['a', 'b', 'c'].map((name) => ({ metadata: { name, labels: { app: name } }, spec: { containers: [{ name: 'c', image: name }] } }))
  const [a, b, c] = objects.map((value) => created.of(shape, value, make(value)))
  assert.equal(made, 1)
  assert.ok(a === b && b === c)
})

test('very many makes are forgotten again, and a very large object is not remembered', () => {
  const created = createdFields()
  const withKeys = (keys: number, from: string) => ({
    metadata: { labels: Object.fromEntries(Array.from({ length: keys }, (_, i) => [`${from}-${i}`, 'x'])) },
  })
  let made = 0
  const lookUp = (value: object) =>
    created.of(shape, value, () => {
      made++
      return of(value)
    })
  lookUp(withKeys(5000, 'large'))
  lookUp(withKeys(5000, 'large'))
  assert.equal(made, 2)
  for (let i = 0; i < 100; i++) lookUp(withKeys(500, `k${i}`))
  assert.equal(made, 102)
  assert.deepEqual(lookUp(withKeys(500, 'k0')), of(withKeys(500, 'k0')))
  assert.equal(made, 103)
})
