import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toJson } from './json-values.ts'
import { kubernetesEnvironment } from './kubernetes.ts'
import { declaredOpenApi } from './open-api-types.ts'
import { declaredTypes } from './schema-types.ts'
import { type ValueSchema, schemaValue } from './schema-values.ts'
import { types } from './types.ts'
import { CelError } from './values.ts'

const schema: ValueSchema = {
  type: 'object',
  properties: {
    count: { type: 'integer' },
    ratio: { type: 'number' },
    port: { 'x-kubernetes-int-or-string': true },
    when: { type: 'string', format: 'date-time' },
    day: { type: 'string', format: 'date' },
    wait: { type: 'string', format: 'duration' },
    data: { type: 'string', format: 'byte' },
    'a-b': { type: 'string' },
    maybe: { type: 'string', nullable: true },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    template: { type: 'object', 'x-kubernetes-embedded-resource': true },
    order: { type: 'array', items: { type: 'string' } },
    set: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
    ports: {
      type: 'array',
      items: { type: 'object', properties: { name: { type: 'string' }, port: { type: 'integer' } } },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    },
  },
}

const self = {
  count: 3,
  ratio: 2,
  port: 'http',
  when: '2020-01-02T03:04:05Z',
  day: '2020-01-02',
  wait: '3 days',
  data: 'aGk=',
  'a-b': 'dashed',
  maybe: null,
  labels: { app: 'web' },
  free: { any: 1 },
  template: { kind: 'Pod', metadata: { name: 'p' } },
  order: ['a', 'b'],
  set: ['a', 'b'],
  ports: [
    { name: 'x', port: 1 },
    { name: 'y', port: 2 },
  ],
  unknown: 1,
}

const declared = declaredTypes('self', declaredOpenApi(schema)!)
const environment = kubernetesEnvironment({ variables: { self: declared.type, old: declared.type, other: types.dyn }, types: declared.provider })

const evaluate = (source: string, old: object = self) =>
  environment.compile(source).evaluate({ self: schemaValue(self, schema), old: schemaValue(old, schema), other: schemaValue({ count: 'x' }, schema) })
    .value

const holds: string[] = [
  'self.count == 3 && type(self.count) == int',
  'self.ratio == 2.0 && type(self.ratio) == double',
  'self.port == "http"',
  'self.when == timestamp("2020-01-02T03:04:05Z")',
  'self.day.getFullYear() == 2020',
  'self.wait == duration("72h")',
  'string(self.data) == "hi"',
  'self.a__dash__b == "dashed"',
  '!has(self.maybe)',
  'self.labels.app == "web" && !("env" in self.labels)',
  'self.template.metadata.name == "p"',
  'self == old && !(self != old)',
  'self.set + ["c", "a"] == ["a", "b", "c"]',
  '(self.set + ["c", "a"]).size() == 3',
  '(self.ports + old.ports).size() == 2',
  'self.ports.exists(p, p.name == "y" && p.port == 2)',
]

for (const source of holds) test(`a rule sees ${source}`, () => assert.equal(evaluate(source), true))

const orders: [source: string, old: object, same: boolean, why: string][] = [
  ['self.set == old.set', { set: ['b', 'a'] }, true, 'sets have no order'],
  ['self.set == old.set', { set: ['b', 'c'] }, false, 'but elements'],
  ['self.order == old.order', { order: ['b', 'a'] }, false, 'lists have one'],
  [
    'self.ports == old.ports',
    {
      ports: [
        { name: 'y', port: 2 },
        { name: 'x', port: 1 },
      ],
    },
    true,
    'lists with keys have none',
  ],
  [
    'self.ports == old.ports',
    {
      ports: [
        { name: 'y', port: 2 },
        { name: 'x', port: 3 },
      ],
    },
    false,
    'what stands under a key counts',
  ],
  [
    'self.ports == old.ports',
    {
      ports: [
        { name: 'y', port: 2 },
        { name: 'z', port: 1 },
      ],
    },
    false,
    'and the keys',
  ],
  [
    '(self.ports + old.ports).exists(p, p.port == 9)',
    { ports: [{ name: 'x', port: 9 }] },
    true,
    'elements with a key are put in the place of those there',
  ],
]

for (const [source, old, same, why] of orders) test(`${source} is ${same}: ${why}`, () => assert.equal(evaluate(source, old), same))

test('values looked at by a schema are the JSON that they were', () => {
  assert.equal(toJson(schemaValue(self, schema)), self)
  assert.deepEqual(toJson(evaluate('self.set + ["c"]')), ['a', 'b', 'c'])
  assert.deepEqual(toJson(evaluate('[dyn(self.labels), dyn(self.count)]')), [{ app: 'web' }, 3])
})

test('a value that does not fit its schema is an error where it is looked at', () => {
  assert.deepEqual(evaluate('other.count == 1'), new CelError('invalid data, expected int, got string'))
  assert.deepEqual(schemaValue(null, { type: 'string' }), new CelError('invalid data, got null for schema with nullable=false'))
  assert.deepEqual(evaluate('self.labels["none"] == ""'), new CelError('no such key: none'))
})
