import assert from 'node:assert/strict'
import { gunzipSync } from 'node:zlib'
import { test } from 'node:test'
import type { CustomResourceSchema } from './index.ts'
import { openapiHandler } from './index.ts'
import { parseDeclaration, parseParameters } from './descriptions.ts'

const none: CustomResourceSchema[] = []
const options = { gitVersion: 'v1.36.0', describe: () => undefined }
const json = (path: string, custom = none): any =>
  JSON.parse(Buffer.from(openapiHandler(path, 'application/json', custom, options)!.bytes).toString())

const foo: CustomResourceSchema = {
  group: 'stable.example.com',
  version: 'v1',
  kind: 'Foo',
  listKind: 'FooList',
  resource: 'foos',
  namespaced: true,
  verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
  hasStatus: true,
  hasScale: false,
  schema: {
    description: 'Foo is for tests',
    type: 'object',
    required: ['spec', 'maybe'],
    properties: {
      spec: {
        type: 'object',
        properties: { any: { 'x-kubernetes-int-or-string': true }, free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
      maybe: { type: 'string', nullable: true },
      embedded: { type: 'object', 'x-kubernetes-embedded-resource': true },
      chosen: { type: 'string', oneOf: [{ pattern: 'a' }, { pattern: 'b' }] },
    },
  },
}
const bare: CustomResourceSchema = {
  ...foo,
  kind: 'Bar',
  listKind: 'BarList',
  resource: 'bars',
  schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
}
const custom = [foo, bare]

test('a kind has its definition under the name that upstream gives it', () => {
  const { definitions } = json('/openapi/v2')
  assert.deepEqual(definitions['io.k8s.api.core.v1.Pod'], {
    type: 'object',
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: {
        $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
        description: "The object's name, labels and other metadata.",
      },
      spec: { $ref: '#/definitions/io.k8s.api.core.v1.PodSpec', description: 'What is wanted of the Pod.' },
      status: { $ref: '#/definitions/io.k8s.api.core.v1.PodStatus', description: 'What was last observed of the Pod.' },
    },
    'x-kubernetes-group-version-kind': [{ group: '', kind: 'Pod', version: 'v1' }],
  })
  assert.deepEqual(definitions['io.k8s.api.core.v1.ServiceSpec'].properties.ports, {
    type: 'array',
    items: { $ref: '#/definitions/io.k8s.api.core.v1.ServicePort' },
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['port', 'protocol'],
    'x-kubernetes-patch-merge-key': 'port',
    'x-kubernetes-patch-strategy': 'merge',
  })
  assert.deepEqual(definitions['io.k8s.api.core.v1.ContainerPort'].required, ['containerPort'])
  const { description, ...intOrString } = definitions['io.k8s.apimachinery.pkg.util.intstr.IntOrString']
  assert.ok(description)
  assert.deepEqual(intOrString, { type: 'string', format: 'int-or-string' })
  assert.equal(definitions['io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector']['x-kubernetes-map-type'], 'atomic')
})

test('every reference in a document has its definition', () => {
  const check = (document: any) =>
    JSON.stringify(document, (key, value: unknown) => {
      // JSONSchemaProps has a property of that name.
      if (key !== '$ref' || typeof value !== 'string') return value
      const [start, ...keys] = value.split('/')
      assert.equal(start, '#')
      assert.ok(
        keys.reduce((at, name) => at?.[name], document),
        value,
      )
      return value
    })
  check(json('/openapi/v2', custom))
  for (const [name, { serverRelativeURL }] of Object.entries<{ serverRelativeURL: string }>(json('/openapi/v3', custom).paths)) {
    assert.ok(serverRelativeURL.startsWith(`/openapi/v3/${name}?hash=`))
    check(json(`/openapi/v3/${name}`, custom))
  }
})

test('kubectl finds out from patch operations whether dry-run and field validation work', () => {
  const { patch } = json('/openapi/v2').paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']
  assert.deepEqual(patch['x-kubernetes-group-version-kind'], { group: 'apps', kind: 'Deployment', version: 'v1' })
  assert.equal(patch.operationId, 'patchAppsV1NamespacedDeployment')
  assert.deepEqual(
    patch.parameters.map((p: { name?: string; $ref?: string }) => p.name ?? p.$ref!.replace(/-[^-]{8}$/, '')),
    ['body', 'dryRun', '#/parameters/fieldManager', 'fieldValidation', '#/parameters/force'],
  )
  const v3 = json('/openapi/v3/apis/apps/v1').paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}'].patch
  assert.ok(v3.parameters.some((p: { name: string }) => p.name === 'dryRun'))
  assert.ok(v3.requestBody.content['application/apply-patch+yaml'])
})

test('OpenAPI 3 has one document for each group and version', () => {
  const document = json('/openapi/v3/apis/apps/v1')
  const { schemas } = document.components
  assert.ok(schemas['io.k8s.api.apps.v1.Deployment'] && schemas['io.k8s.api.core.v1.PodSpec'])
  assert.equal(schemas['io.k8s.api.core.v1.Service'], undefined)
  assert.deepEqual(schemas['io.k8s.api.core.v1.PodSpec'].properties.containers['x-kubernetes-list-map-keys'], ['name'])
  assert.deepEqual(schemas['io.k8s.api.core.v1.ContainerPort'].properties.protocol, { type: 'string', enum: ['SCTP', 'TCP', 'UDP'], default: 'TCP' })
  assert.equal(openapiHandler('/openapi/v3/apis/nope/v1', undefined, none, options), undefined)
})

test('a document is the same bytes until something changes, and clients can keep it', () => {
  const first = openapiHandler('/openapi/v3/api/v1', undefined, none, options)!
  const hash = first.headers.etag!.replaceAll('"', '')
  assert.equal(openapiHandler('/openapi/v3/api/v1', undefined, none, options)!.bytes, first.bytes)
  assert.equal(openapiHandler('/openapi/v3/api/v1', undefined, none, { ...options, ifNoneMatch: first.headers.etag! })!.status, 304)
  assert.match(openapiHandler('/openapi/v3/api/v1', undefined, none, { ...options, hash })!.headers['cache-control']!, /immutable/)
  const moved = openapiHandler('/openapi/v3/api/v1', undefined, none, { ...options, hash: 'OLD' })!
  assert.deepEqual([moved.status, moved.headers.location], [301, `/openapi/v3/api/v1?hash=${hash}`])
  const zipped = openapiHandler('/openapi/v3/api/v1', undefined, none, { ...options, acceptEncoding: 'gzip' })!
  assert.equal(zipped.headers['content-encoding'], 'gzip')
  assert.deepEqual(gunzipSync(zipped.bytes), Buffer.from(first.bytes))
})

test('custom resources are published as OpenAPI 2 can say them', () => {
  const { definitions, paths } = json('/openapi/v2', custom)
  const meta = { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }
  assert.deepEqual(definitions['com.example.stable.v1.Foo'], {
    description: 'Foo is for tests',
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: meta,
      spec: {
        type: 'object',
        properties: { any: { 'x-kubernetes-int-or-string': true }, free: { 'x-kubernetes-preserve-unknown-fields': true } },
      },
      maybe: {},
      embedded: {
        type: 'object',
        'x-kubernetes-embedded-resource': true,
        properties: { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: meta },
        required: ['kind', 'apiVersion'],
      },
      chosen: { type: 'string' },
    },
    'x-kubernetes-group-version-kind': [{ group: 'stable.example.com', kind: 'Foo', version: 'v1' }],
  })
  assert.deepEqual(definitions['com.example.stable.v1.Bar'], {
    type: 'object',
    'x-kubernetes-group-version-kind': [{ group: 'stable.example.com', kind: 'Bar', version: 'v1' }],
  })
  assert.ok(paths['/apis/stable.example.com/v1/namespaces/{namespace}/foos/{name}/status'].patch)
  const v3 = json('/openapi/v3/apis/stable.example.com/v1', custom).components.schemas['com.example.stable.v1.Foo']
  assert.deepEqual(v3.properties.maybe, { type: 'string', nullable: true })
  assert.deepEqual(v3.properties.spec.properties.any.anyOf, [{ type: 'integer' }, { type: 'string' }])
})

test('the protobuf form is asked for by its name, other forms are not acceptable', () => {
  const answer = openapiHandler('/openapi/v2', 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf', none, options)!
  // Field 1, wire type 2, three bytes: the swagger version.
  assert.equal(Buffer.from(answer.bytes.subarray(0, 5)).toString('latin1'), '\x0a\x032.0')
  assert.equal(openapiHandler('/openapi/v2', 'text/html', none, options)!.status, 406)
})

test('what a client weighs highest decides on the form', () => {
  const form = (accept: string) => openapiHandler('/openapi/v2', accept, none, options)!.headers['content-type']
  const protobuf = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'
  assert.equal(form(`application/json;q=0.5, ${protobuf}`), 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf')
  assert.equal(form(`application/json, ${protobuf};q=0.9`), 'application/json')
  assert.equal(form('*/*'), 'application/json')
  assert.equal(openapiHandler('/openapi/v2', 'application/json;q=0', none, options)!.status, 406)
})

test('our own kinds are described, and are not taken for others of their name', () => {
  const document = JSON.parse(
    Buffer.from(openapiHandler('/openapi/v3/apis/ci.k8ts.dev/v1', undefined, [], { gitVersion: 'v1.36.0' })!.bytes).toString(),
  )
  for (const [name, schema] of Object.entries<any>(document.components.schemas)) {
    if (!name.startsWith('k8ts.')) continue
    assert.ok(schema.description, name)
    for (const [field, property] of Object.entries<any>(schema.properties)) assert.ok(property.description, `${name}.${field}`)
  }
})

test('parameters are described by the comments of generated methods', () => {
  const text = '     * @param _continue Where to go on, from the &#x60;next&#x60; key.\n     * @param body\n     * @param _continue Again.\n'
  assert.deepEqual([...parseParameters(text).fields], [['continue', 'Where to go on, from the `next` key.']])
})

test('descriptions are read out of generated declarations', () => {
  const text =
    "/**\n* A thing.\n*/\nexport declare class V1Thing {\n    /**\n    * It\\'s\n    * two lines.\n    */\n    'name'?: string;\n    'plain': number;\n}\n"
  const { description, fields } = parseDeclaration(text)
  assert.equal(description, 'A thing.')
  assert.deepEqual([...fields], [['name', "It's\ntwo lines."]])
})
