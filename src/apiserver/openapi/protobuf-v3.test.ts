import assert from 'node:assert/strict'
import { test } from 'node:test'
import protobuf from 'protobufjs'
import { kinds } from '#api'
import { openapiHandler } from './index.ts'

/** The part of gnostic's messages that documents are compared by, with their field numbers. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Any { string yaml = 2; }
  message NamedAny { string name = 1; Any value = 2; }
  message Reference { string ref = 1; string description = 3; }
  message Default { oneof oneof { double number = 1; bool boolean = 2; string string = 3; } }
  message Items { repeated SchemaOrReference schema_or_reference = 1; }
  message Properties { repeated NamedSchema additional_properties = 1; }
  message NamedSchema { string name = 1; SchemaOrReference value = 2; }
  message SchemaOrReference { Schema schema = 1; Reference reference = 2; }
  message Additional { SchemaOrReference schema_or_reference = 1; optional bool boolean = 2; }
  message Schema {
    optional double maximum = 11; optional double minimum = 13; string pattern = 17; bool unique_items = 20; bool nullable = 1; repeated string required = 23; repeated Any enum = 24; string type = 25; repeated SchemaOrReference all_of = 26;
    repeated SchemaOrReference one_of = 27; Items items = 30; Properties properties = 31; Additional additional_properties = 32; Default default = 33;
    string description = 34; string format = 35; repeated NamedAny specification_extension = 36;
  }
  message Parameter { string name = 1; string in = 2; string description = 3; bool required = 4; bool unique_items = 8; SchemaOrReference schema = 10; }
  message ParameterOrReference { Parameter parameter = 1; Reference reference = 2; }
  message NamedParameter { string name = 1; ParameterOrReference value = 2; }
  message Parameters { repeated NamedParameter additional_properties = 1; }
  message MediaType { SchemaOrReference schema = 1; }
  message NamedMediaType { string name = 1; MediaType value = 2; }
  message MediaTypes { repeated NamedMediaType additional_properties = 1; }
  message RequestBody { string description = 1; MediaTypes content = 2; bool required = 3; }
  message RequestBodyOrReference { RequestBody request_body = 1; }
  message Response { string description = 1; MediaTypes content = 3; }
  message ResponseOrReference { Response response = 1; }
  message NamedResponse { string name = 1; ResponseOrReference value = 2; }
  message Responses { ResponseOrReference default = 1; repeated NamedResponse response_or_reference = 2; }
  message Operation {
    repeated string tags = 1; string description = 3; string operation_id = 5; repeated ParameterOrReference parameters = 6;
    RequestBodyOrReference request_body = 7; Responses responses = 8; repeated NamedAny specification_extension = 13;
  }
  message PathItem { Operation get = 4; Operation put = 5; Operation post = 6; Operation delete = 7; Operation patch = 10; repeated ParameterOrReference parameters = 13; }
  message NamedPathItem { string name = 1; PathItem value = 2; }
  message Paths { repeated NamedPathItem path = 1; }
  message Schemas { repeated NamedSchema additional_properties = 1; }
  message Components { Schemas schemas = 1; Parameters parameters = 3; }
  message Info { string title = 1; string version = 6; }
  message Document { string openapi = 1; Info info = 2; Paths paths = 4; Components components = 5; }
`)
const documentType = root.lookupType('Document')
type Any = any

const named = (list: Any[] = []): Record<string, Any> => Object.fromEntries(list.map(({ name, value }) => [name, value]))
const mapped = (record: Record<string, Any>, fn: (value: Any) => Any) =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, fn(value)]))
const compact = (object: Record<string, Any>) =>
  Object.fromEntries(Object.entries(object).filter(([, v]) => v !== undefined && v !== '' && !(Array.isArray(v) && v.length === 0)))

/** A schema as JSON has it, out of its messages. */
function schemaOf({ schema, reference }: Any): Any {
  if (reference) return compact({ $ref: reference.ref, description: reference.description })
  const { items, properties, additionalProperties: more, default: preset, specificationExtension, allOf, oneOf, maximum, ...plain } = schema
  const filled = compact({
    ...plain,
    enum: plain.enum?.map((value: Any) => JSON.parse(value.yaml)),
    maximum,
    allOf: allOf?.map(schemaOf),
    oneOf: oneOf?.map(schemaOf),
    items: items && schemaOf(items.schemaOrReference[0]),
    properties: properties && mapped(named(properties.additionalProperties), schemaOf),
    additionalProperties: more && (more.schemaOrReference ? schemaOf(more.schemaOrReference) : more.boolean),
    ...mapped(named(specificationExtension), (value) => JSON.parse(value.yaml)),
  })
  return preset ? { ...filled, default: preset.number ?? preset.boolean ?? preset.string ?? {} } : filled
}

function operationOf({ operationId, tags, description, parameters = [], requestBody, responses, specificationExtension }: Any): Any {
  const contentOf = (content: Any) => content && mapped(named(content.additionalProperties), ({ schema }) => ({ schema: schema && schemaOf(schema) }))
  return {
    operationId,
    tags,
    description,
    parameters: parameters.map(({ parameter, reference }: Any) => parameter?.name ?? reference.ref),
    requestBody: requestBody && contentOf(requestBody.requestBody.content),
    responses: mapped(named(responses.responseOrReference), ({ response }) => ({
      description: response.description,
      content: contentOf(response.content),
    })),
    extensions: mapped(named(specificationExtension), (value) => JSON.parse(value.yaml)),
  }
}

/** The same of an operation in JSON. */
function operationIn({ operationId, tags, description, parameters = [], requestBody, responses, ...more }: Any): Any {
  const contentOf = (content: Any) => content && mapped(content, ({ schema }) => ({ schema }))
  return {
    operationId,
    tags,
    description,
    parameters: parameters.map((p: Any) => p.name ?? p.$ref),
    requestBody: requestBody && contentOf(requestBody.content),
    responses: mapped(responses, (response) => ({ description: response.description, content: contentOf(response.content) })),
    extensions: Object.fromEntries(Object.entries(more).filter(([key]) => key.startsWith('x-'))),
  }
}

const custom: never[] = []
const options = { gitVersion: 'v1.36.0' }

test('the protobuf form of every document says what its JSON says', () => {
  const names = new Set(kinds.map(({ group, version }) => (group ? `apis/${group}/${version}` : `api/${version}`)))
  for (const name of names) {
    const answer = (accept: string) => openapiHandler(`/openapi/v3/${name}`, accept, custom, options)!
    const json: Any = JSON.parse(Buffer.from(answer('application/json').bytes).toString())
    const proto = answer('application/com.github.proto-openapi.spec.v3@v1.0+protobuf')
    assert.equal(proto.headers['content-type'], 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf')
    assert.equal(proto.headers['etag'], answer('application/json').headers['etag'])
    const document: Any = documentType.toObject(documentType.decode(proto.bytes), { defaults: false })
    assert.deepEqual([document.openapi, document.info.title, document.info.version], [json.openapi, json.info.title, json.info.version], name)
    assert.deepEqual(mapped(named(document.components.schemas.additionalProperties), schemaOf), json.components.schemas, name)
    const paths = named(document.paths.path)
    assert.deepEqual(Object.keys(paths), Object.keys(json.paths))
    for (const [path, item] of Object.entries(paths))
      for (const method of ['get', 'put', 'post', 'delete', 'patch'])
        assert.deepEqual(
          item[method] && operationOf(item[method]),
          json.paths[path][method] && operationIn(json.paths[path][method]),
          `${method} ${path}`,
        )
    const parameters = mapped(named(document.components.parameters?.additionalProperties), ({ parameter }) => [
      parameter.name,
      parameter.in,
      schemaOf(parameter.schema),
    ])
    assert.deepEqual(
      parameters,
      mapped(json.components.parameters ?? {}, (p) => [p.name, p.in, p.schema]),
      name,
    )
  }
})

test('a document of another hash is where its own is; others are not acceptable', () => {
  const hash = openapiHandler('/openapi/v3/api/v1', undefined, custom, options)!.headers['etag']!.replaceAll('"', '')
  const kept = openapiHandler('/openapi/v3/api/v1', undefined, custom, { ...options, hash, now: Date.UTC(2026, 0, 1) })!
  assert.deepEqual(
    [kept.headers['cache-control'], kept.headers['expires'], kept.headers['vary']],
    ['public, immutable', 'Fri, 01 Jan 2027 00:00:00 GMT', 'Accept, Accept-Encoding'],
  )
  assert.equal(openapiHandler('/openapi/v3/api/v1', 'text/html', custom, options)!.status, 406)
  assert.equal(openapiHandler('/openapi/v3/api/v1', 'application/*', custom, options)!.status, 200)
})
