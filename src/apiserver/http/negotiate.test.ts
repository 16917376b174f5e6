import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StatusError } from '#api'
import { negotiate } from './negotiate.ts'

const table = 'as=Table;g=meta.k8s.io;v=v1'
const protobuf = 'application/vnd.kubernetes.protobuf'

// as the references of 1.20 and 1.36 choose
const choices: [name: string, accept: string | undefined, format: string, as?: string][] = [
  ['nothing', undefined, 'json'],
  ['anything', '*/*', 'json'],
  ['any application beside what is named', 'application/*, text/html, */*;q=0.1', 'json'],
  ['a parameter nobody knows', 'application/json;charset=utf-8', 'json'],
  ['a stream of watches', 'application/json; stream=watch', 'json'],
  ['a server version', 'application/json;sv=v1', 'json'],
  ['quality', 'application/yaml;q=0.2,application/json;q=0.1', 'yaml'],
  ['quality nought', 'application/json;q=0', 'json'],
  ['a quality that is none', 'application/json;q=abc', 'json'],
  ['the specific before the general', '*/*, application/yaml;q=0.5', 'yaml'],
  ['empty clauses', ',application/json,,', 'json'],
  ['the first of equals', `${protobuf},application/json`, 'protobuf'],
  ['CBOR', 'application/cbor', 'cbor'],
  ['CBOR with an alternative', 'application/json;q=0.9,application/cbor', 'cbor'],
  ['a table', `application/json;${table}`, 'json', 'Table'],
  ['a table in YAML', `application/json;${table};q=0.1,application/yaml;${table}`, 'yaml', 'Table'],
  ['a table, of which there is no protobuf', `${protobuf};${table},application/json;${table}`, 'json', 'Table'],
  ['a table in an unknown version with an alternative', 'application/json;as=Table;g=meta.k8s.io;v=v2,application/json', 'json', 'object'],
  ['metadata in protobuf', `${protobuf};as=PartialObjectMetadata;g=meta.k8s.io;v=v1beta1`, 'protobuf', 'PartialObjectMetadata'],
]
for (const [name, accept, format, as = 'object'] of choices)
  test(`accepts ${name}`, () => {
    const accepted = negotiate(accept)
    assert.deepEqual([accepted.format, accepted.as], [format, as])
  })

const unrouted = '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf'
const named = 'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf'
const refusals: [name: string, accept: string, message: string][] = [
  ['a type that nobody makes', 'text/html', unrouted],
  ['any application alone', 'application/*', unrouted],
  ['a star alone', '*', unrouted],
  ['another case', 'APPLICATION/JSON', unrouted],
  ['nothing but a comma', ',', unrouted],
  ['a stream of something else', 'application/json;stream=foo', named],
  ['a server version that is none', 'application/json;sv=v2', named],
  ['a form that is none', 'application/json;as=Foo;g=meta.k8s.io;v=v1', named],
  ['a table without its group', 'application/json;as=Table;v=v1', named],
  ['a table of another version', 'application/json;as=Table;g=meta.k8s.io;v=v1alpha1', named],
  ['a table in protobuf', `${protobuf};${table}`, named],
]
for (const [name, accept, message] of refusals)
  test(`does not accept ${name}`, () =>
    assert.throws(
      () => negotiate(accept),
      (error: StatusError) => error.code === 406 && error.message === message,
    ))

test('errors and discovery have no rows', () => {
  assert.throws(() => negotiate(`application/json;${table}`, 'errors'), /only the following/)
  assert.equal(negotiate(`application/json;${table},application/yaml`, 'errors').format, 'yaml')
  assert.equal(negotiate('application/*', 'groups').format, 'json')
})

test('CBOR is there for lists of resources, and not for what leads to them', () => {
  assert.equal(negotiate('application/cbor, */*', 'resourceLists').format, 'cbor')
  for (const use of ['versions', 'groups'] as const) assert.equal(negotiate('application/cbor, */*', use).format, 'json')
  assert.throws(() => negotiate('application/cbor', 'versions'), /^StatusError: 406: Not Acceptable/)
})

test('pretty is a parameter, too', () => assert.equal(negotiate('application/json;pretty=1').pretty, true))
