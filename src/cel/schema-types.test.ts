import assert from 'node:assert/strict'
import { test } from 'node:test'
import { estimateCost } from './cost-estimate.ts'
import { CompileError } from './environment.ts'
import { escapeName, unescapeName } from './escape.ts'
import { kubernetesEnvironment } from './kubernetes.ts'
import { kubernetesLibraries } from './libraries/index.ts'
import { standardLibrary } from './libraries/standard.ts'
import type { Overload } from './library.ts'
import { type OpenApiSchema, declaredOpenApi } from './open-api-types.ts'
import { type Declared, declaredKind, declaredSizes, declaredTypes } from './schema-types.ts'
import { printType } from './type-text.ts'

const names: [string, string | undefined][] = [
  ['replicas', 'replicas'],
  ['namespace', '__namespace__'],
  ['if', '__if__'],
  ['a-b.c/d', 'a__dash__b__dot__c__slash__d'],
  ['a__b', 'a__underscores__b'],
  ['___', '__underscores___'],
  ['_a', '_a'],
  ['-x', '__dash__x'],
  ['1a', undefined],
  ['a b', undefined],
  ['é', undefined],
  ['', undefined],
]
for (const [name, escaped] of names)
  test(`the property ${JSON.stringify(name)} is ${escaped === undefined ? 'not to be named' : `written ${escaped}`}`, () => {
    assert.equal(escapeName(name), escaped)
    if (escaped !== undefined) assert.equal(unescapeName(escaped), name)
  })
for (const wrong of ['__wrong__', 'a__if__', '__if__a']) test(`${wrong} is no escape`, () => assert.equal(unescapeName(wrong), undefined))

const environmentOf = (variable: string, name: string, declared: Declared) => {
  const { type, provider } = declaredTypes(name, declared)
  return kubernetesEnvironment({ variables: { [variable]: type }, types: provider })
}
const deployment = environmentOf('object', 'Deployment', declaredKind('apps/v1', 'Deployment')!)

const expressions: [string, string][] = [
  ['object.spec.replicas', 'int'],
  ['object.metadata.namespace', 'string'],
  ['object.metadata.__namespace__', 'string'],
  ['object.metadata.labels', 'map(string, string)'],
  ['object.metadata.creationTimestamp', 'google.protobuf.Timestamp'],
  ['object.spec.strategy.rollingUpdate.maxSurge', 'dyn'],
  ['object.spec.paused', 'bool'],
  ['object.spec.template.spec.containers', 'list(Deployment.spec.template.spec.containers.@idx)'],
  ['object.spec.template.spec.containers.map(c, c.image)', 'list(string)'],
  ['object.spec.template.spec.tolerations[0].tolerationSeconds + 1', 'int'],
  ['object.metadata.managedFields[0].fieldsV1', 'Deployment.metadata.managedFields.@idx.fieldsV1'],
]
for (const [source, type] of expressions)
  test(`${source} is of type ${type}`, () => assert.equal(printType(deployment.compile(source).resultType), type))

const wrong: [string, string][] = [
  ['object.replicas > 1', "undefined field 'replicas'"],
  ['object.spec.replicas == "1"', "found no matching overload for '_==_' applied to '(int, string)'"],
  ['object.spec + 1', "found no matching overload for '_+_' applied to '(Deployment.spec, int)'"],
  // quantities have no one type
  ['object.spec.template.spec.containers[0].resources.limits', "undefined field 'limits'"],
]
for (const [source, message] of wrong)
  test(`${source} says: ${message}`, () =>
    assert.throws(
      () => deployment.compile(source),
      (error) => error instanceof CompileError && error.message.includes(message),
    ))

test('bytes are bytes, and objects within themselves are left empty', () => {
  assert.equal(printType(environmentOf('o', 'Secret', declaredKind('v1', 'Secret')!).compile('o.data["a"]').resultType), 'bytes')
  const crd = environmentOf('o', 'C', declaredKind('apiextensions.k8s.io/v1', 'CustomResourceDefinition')!)
  const schema = 'o.spec.versions[0].schema.openAPIV3Schema'
  assert.equal(printType(crd.compile(`${schema}.maxLength`).resultType), 'int')
  assert.throws(() => crd.compile(`${schema}.not.maxLength`), CompileError)
})

test('there are kinds that are not known', () => assert.equal(declaredKind('v1', 'Nothing'), undefined))

/** Answers are those of the reference, for the same schema. */
const schema: OpenApiSchema = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['a', 'b'],
      properties: {
        a: { type: 'string' },
        b: { type: 'string', maxLength: 10 },
        c: { type: 'array', items: { type: 'string' } },
        d: {
          type: 'array',
          maxItems: 5,
          items: { type: 'object', required: ['x'], properties: { x: { type: 'integer' }, 'y-z': { type: 'string', enum: ['a', 'bcd'] } } },
        },
        e: { type: 'object', additionalProperties: { type: 'string', format: 'date-time' } },
        f: { type: 'object', maxProperties: 3, additionalProperties: { type: 'array', items: { type: 'boolean' } } },
        g: { 'x-kubernetes-int-or-string': true },
        h: { type: 'string', format: 'byte', maxLength: 7 },
        i: { type: 'string', format: 'duration' },
        m: { type: 'object' },
        n: { type: 'array' },
        o: { type: 'object', 'x-kubernetes-embedded-resource': true },
        p: { type: 'array', items: { type: 'object', additionalProperties: { type: 'integer' } } },
      },
    },
  },
}
const self = declaredOpenApi(schema, true)!
const resource = environmentOf('self', 'selfType', self)
const functions = new Map<string, Overload[]>()
for (const library of [standardLibrary, ...kubernetesLibraries])
  for (const [name, overloads] of Object.entries(library.functions ?? {})) functions.set(name, [...(functions.get(name) ?? []), ...overloads])

const estimates: [string, bigint, bigint][] = [
  ['self.spec.a.contains(self.spec.b)', 6n, 1_258_298n],
  ['self.spec.c.all(x, x.startsWith("a"))', 4n, 5_242_879n],
  ['self.spec.c.all(x, self.spec.c.exists(y, x == y))', 4n, 345_882_608_641_821_904n],
  ['self.spec.d.all(x, x.x > 1 && x.y__dash__z == "a")', 4n, 49n],
  ['self.spec.e.all(k, self.spec.e[k] > timestamp("2023-02-03T23:31:20Z"))', 4n, 1_165_084n],
  ['self.spec.f.all(k, v, v.all(q, q) && k.size() > 2)', 4n, 7_549_768n],
  ['self.spec.g == 5', 4n, 4n],
  ['self.spec.i > duration("1s")', 5n, 5n],
  ['has(self.spec.m) && self.spec.o.metadata.name == self.metadata.name', 2n, 314_583n],
  ['self.kind.matches("[a-z]+") && self.spec.a.matches("^[a-z]{1,10}$")', 4n, 1_887_443n],
  ['self.spec.p.map(x, x.size()).sum() == 3', 15n, 15_728_640n],
  ['self.spec.c.map(x, x + "y").join(",").split(",")', 14n, 5_534_023_551_979_880_756n],
  ['self.spec.c.indexOf("x") + self.spec.c.sort().size()', 19n, 2_638_824_446_382n],
  ['self.spec.b.replace("a", "bcd") == self.spec.a', 7n, 26n],
  ['url(self.spec.a) == url(self.spec.b)', 7n, 314_587n],
]
for (const [source, min, max] of estimates)
  test(`${source} costs from ${min} to ${max}`, () => {
    const { checked } = resource.compile(source)
    assert.deepEqual(estimateCost(checked, { functions, sizes: declaredSizes({ self }) }), { min, max })
  })

test('what a resource always has is there, and lists without items are not', () => {
  assert.equal(printType(resource.compile('self.metadata.generateName + self.kind').resultType), 'string')
  assert.throws(() => resource.compile('self.spec.n'), CompileError)
  assert.throws(() => resource.compile('self.metadata.labels'), CompileError)
})
