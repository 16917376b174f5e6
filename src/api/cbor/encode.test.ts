import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { kinds } from '../kinds.ts'
import type { ObjectSchema, Schema } from '../schema/schema.ts'
import { schemaOf } from '../schema/schema.ts'
import { parseCbor } from './decode.ts'
import { cborBody, cborEvent, cborListHead, encodeCbor, encodeCborFields } from './encode.ts'

const hex = (value: unknown) => encodeCbor(value).toString('hex').slice('d9d9f7'.length)

const forms: [name: string, value: unknown, hex: string][] = [
  ['text as a byte string', 'abc', '43616263'],
  ['text beyond ASCII', 'ü', '42c3bc'],
  ['text of 23 and of 24 bytes', ['a'.repeat(23), 'a'.repeat(24)], `8257${'61'.repeat(23)}5818${'61'.repeat(24)}`],
  ['numbers in the fewest bytes', [0, 23, 24, 255, 256, 65_536, 2 ** 32], '870017181818ff1901001a000100001b0000000100000000'],
  ['negative numbers', [-1, -24, -25, -(2 ** 63)], '842037381 83b7fffffffffffffff'.replace(' ', '')],
  ['floats in the fewest bits', [0.5, 0.1, 5.960464477539063e-8, 16_777_216.5], '84f93800fb3fb999999999999af90001fb4170000008000000'],
  ['a float of 32 bits', 3.4028234663852886e38, 'fa7f7fffff'],
  ['simple values', [true, false, null], '83f5f4f6'],
  ['maps in their order', { b: 1, a: { c: [] } }, 'a2416201416 1a1416380'.replace(' ', '')],
]
for (const [name, value, expected] of forms) test(`writes ${name}`, () => assert.equal(hex(value), expected))

test('the bytes of a Secret go as they are, with a tag that says that their text is base64', () => {
  const secret = { kind: 'Secret', apiVersion: 'v1', metadata: { name: 's' }, data: { k: 'AQIDBA==' } }
  assert.match(encodeCbor(secret).toString('hex'), /416bd64401020304/)
  // also where it stands in something else
  assert.match(hex({ kind: 'Table', apiVersion: 'meta.k8s.io/v1', rows: [{ cells: ['AQIDBA=='], object: secret }] }), /416bd64401020304/)
})

test('what is a float is written as one, whole or not', () => {
  const schema = { kind: 'CustomResourceDefinition', apiVersion: 'apiextensions.k8s.io/v1' }
  const crd = { ...schema, spec: { versions: [{ name: 'v1', schema: { openAPIV3Schema: { maximum: 2, maxLength: 2 } } }] } }
  const text = hex(crd)
  assert.match(text, /476d6178696d756df94000/)
  assert.match(text, /496d61784c656e67746802/)
})

test('an object is its fields with kind and version before them; lists leave these out', () => {
  const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' }, data: { k: 'v' } }
  const fields = encodeCborFields(object, schemaOf('v1', 'ConfigMap')!)
  assert.deepEqual(parseCbor(cborBody(object, fields)), object)
  const list = { kind: 'ConfigMapList', apiVersion: 'v1', metadata: { resourceVersion: '7' } }
  assert.deepEqual(parseCbor(Buffer.concat([cborListHead(list, 1), fields])), { ...list, items: [{ metadata: { name: 'a' }, data: { k: 'v' } }] })
  assert.deepEqual(parseCbor(cborEvent('ADDED', cborBody(object, fields))), { type: 'ADDED', object })
})

type Json = unknown

/** Any values that a schema allows, and that JSON can hold. */
function valuesOf(schema: Schema, depth: number): fc.Arbitrary<Json> {
  const text = fc.string({ unit: 'binary', maxLength: 40 })
  switch (schema.type) {
    case 'string':
      return text
    case 'bytes':
      return fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64'))
    case 'integer':
      return schema.format === 'int32' ? fc.integer() : fc.maxSafeInteger()
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0))
    case 'boolean':
      return fc.boolean()
    case 'quantity':
      return fc.constantFrom('1', '100m', '2Gi')
    case 'time':
      return fc.constantFrom('2026-01-02T03:04:05Z', null)
    case 'microTime':
      return fc.constant('2026-01-02T03:04:05.000006Z')
    case 'duration':
      return fc.constant('1h0m0s')
    case 'intOrString':
      return fc.oneof(fc.integer(), text)
    case 'any':
      return schema.of && depth > 0
        ? objectsOf(schema.of, depth - 1)
        : fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)))
    case 'list':
      return fc.array(valuesOf(schema.items, depth), { maxLength: 2 })
    case 'map':
      return fc.dictionary(text, valuesOf(schema.values, depth), { maxKeys: 3, noNullPrototype: true })
    case 'object':
      return objectsOf(schema, depth - 1)
    default:
      return schema satisfies never
  }
}

function objectsOf(schema: ObjectSchema, depth: number): fc.Arbitrary<Record<string, Json>> {
  const fields: Record<string, fc.Arbitrary<Json>> = {}
  if (depth > 0)
    for (const field of schema.fields.values())
      if (field.name !== 'kind' && field.name !== 'apiVersion') fields[field.name] = valuesOf(field.schema, depth)
  return fc.record(fields, { requiredKeys: [], noNullPrototype: true })
}

test('objects of every kind come back as they went', (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  t.diagnostic(`seed ${seed}`)
  for (const { group, version, kind } of kinds) {
    const apiVersion = group ? `${group}/${version}` : version
    const schema = schemaOf(apiVersion, kind)
    if (!schema) continue
    const there = (object: Json) => assert.deepEqual(parseCbor(encodeCbor(object)), object)
    fc.assert(
      fc.property(objectsOf(schema, 5), (fields) => there({ kind, apiVersion, ...fields })),
      { seed, numRuns: 6 },
    )
  }
})
