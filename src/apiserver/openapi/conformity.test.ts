import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { openapiHandler } from './index.ts'

// The published documents beside those of upstream: 1.36's as its generated client has them (a development dependency), 1.20's as recorded facts.

type Json = any
const options = { gitVersion: 'v1.36.0', describe: () => undefined }
const load = (path: string): Json => JSON.parse(Buffer.from(openapiHandler(path, 'application/json', none, options)!.bytes).toString())
const none: [] = []
const methods = ['get', 'put', 'post', 'delete', 'patch', 'options', 'head']
const v2 = load('/openapi/v2')
const v3: [string, Json][] = Object.keys(load('/openapi/v3').paths).map((name) => [name, load(`/openapi/v3/${name}`)])

interface Found {
  id: string
  path: string
  operation: Json
  parameters: Json[]
}

function operationsOf(document: Json): Found[] {
  const resolve = (parameter: Json) => {
    if (!parameter.$ref) return parameter
    const found = parameter.$ref
      .slice(2)
      .split('/')
      .reduce((at: Json, key: string) => at?.[key], document)
    assert.ok(found, `no ${parameter.$ref}`)
    return found
  }
  return Object.entries<Json>(document.paths).flatMap(([path, item]) =>
    methods
      .filter((method) => item[method])
      .map((method) => {
        const operation = item[method]
        const parameters = [...(operation.parameters ?? []), ...(item.parameters ?? [])].map(resolve)
        return { id: operation.operationId, path, operation, parameters }
      }),
  )
}

const gen = join(dirname(createRequire(import.meta.url).resolve('@kubernetes/client-node')), 'gen')

for (const [name, document] of [['OpenAPI 2', v2] as const, ...v3]) {
  test(`${name}: operations have names of their own, and declare their parameters`, () => {
    const ids = new Set<string>()
    for (const { id, path, operation, parameters } of operationsOf(document)) {
      assert.ok(!ids.has(id), `${id} twice`)
      ids.add(id)
      const declared = parameters.map((p) => `${p.in} ${p.name}`)
      assert.equal(new Set(declared).size, declared.length, `${id}: ${declared.join()}`)
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((m) => `path ${m[1]}`)
      assert.deepEqual(declared.filter((p) => p.startsWith('path ')).toSorted(), inPath.toSorted(), path)
      assert.ok(parameters.every((p) => p.in !== 'path' || p.required === true))
      assert.ok(operation.responses[200] && operation.description)
      for (const response of Object.values<Json>(operation.responses)) assert.equal(typeof response.description, 'string')
    }
  })

  test(`${name}: every schema says of which type it is, or may be of any`, () => {
    const types = new Set(['object', 'array', 'string', 'integer', 'number', 'boolean'])
    const check = (schema: Json, at: string) => {
      if (schema.$ref)
        return assert.deepEqual(
          Object.keys(schema).filter((key) => document.openapi && key !== '$ref'),
          [],
          at,
        )
      if (schema.type !== undefined) assert.ok(types.has(schema.type), `${at}: ${schema.type}`)
      if (schema.type === 'array') assert.ok(schema.items, `${at} has no items`)
      for (const key of schema.required ?? []) assert.ok(schema.properties[key], `${at} requires ${key}`)
      if (schema.items) check(schema.items, `${at}[]`)
      if (typeof schema.additionalProperties === 'object') check(schema.additionalProperties, `${at}{}`)
      for (const nested of [...(schema.allOf ?? []), ...(schema.oneOf ?? []), ...(schema.anyOf ?? [])]) check(nested, at)
      for (const [key, property] of Object.entries(schema.properties ?? {})) check(property, `${at}.${key}`)
    }
    for (const [key, schema] of Object.entries(document.definitions ?? document.components.schemas)) check(schema, key)
  })
}

/** Of what upstream serves by default in 1.36, nothing but these is missing. */
const notServed = new Set([
  'getAPIGroup of InternalApiserver',
  'getAPIGroup of Storagemigration',
  'logFileHandler of Logs',
  'logFileListHandler of Logs',
])

test("what upstream's client of 1.36 calls is published under its name, with its parameters", () => {
  const published = new Map(operationsOf(v2).map((o) => [o.id, new Set(o.parameters.map((p) => p.name))]))
  const byShortId = new Map<string, ReadonlySet<string>>()
  const apis = readdirSync(join(gen, 'apis')).filter((file) => /^(?!Custom).*Api\.d\.ts$/.test(file))
  let checked = 0
  for (const file of apis) {
    const title = file.slice(0, -'Api.d.ts'.length)
    // Versions that are not GA are off by default in upstream; those that older clients ask for are held against 1.20.
    if (/(alpha|beta)\d$/.test(title)) continue
    byShortId.clear()
    for (const [id, parameters] of published) byShortId.set(id.replace(title, ''), parameters)
    for (const [, id = '', list = ''] of readFileSync(join(gen, 'apis', file), 'utf8').matchAll(/^ {4}(\w+)\(([^)]*)\): Promise<RequestContext>/gm)) {
      if (notServed.has(`${id} of ${title}`)) continue
      const found = byShortId.get(id)
      assert.ok(found, `${id} of ${title}`)
      // The generator's names: `_continue` is TypeScript's keyword, `path2` the second of that name.
      const names = list
        .split(', ')
        .map((parameter) => parameter.split(/[?:]/)[0]!.replace(/^_/, '').replace('path2', 'path'))
        .filter((parameter) => parameter !== '' && parameter !== 'options')
      assert.deepEqual([...found].toSorted(), [...new Set(names)].toSorted(), id)
      checked++
    }
  }
  assert.ok(checked > 600, String(checked))
})

test('definitions have the fields that upstream has in 1.36, and require the same', () => {
  let checked = 0
  for (const [name, definition] of Object.entries<Json>(v2.definitions)) {
    const [type = '', version = '', group = ''] = name.split('.').toReversed()
    const upper = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1)
    if (name.startsWith('k8ts.') || /beta|alpha/.test(version) || type === 'JSONSchemaProps' || type === 'Info') continue
    const file = [`${upper(group)}${upper(version)}${type}`, `${upper(version)}${type}`]
      .map((model) => join(gen, 'models', `${model}.d.ts`))
      .find((path) => existsSync(path))
    if (!file) continue
    const fields = [...readFileSync(file, 'utf8').matchAll(/^ {4}'([^']+)'(\??):/gm)].map(([, field = '', optional]) => ({
      field: field.replace(/^_/, ''),
      required: optional === '',
    }))
    assert.deepEqual(Object.keys(definition.properties ?? {}).toSorted(), fields.map((f) => f.field).toSorted(), name)
    assert.deepEqual(
      (definition.required ?? []).toSorted(),
      fields
        .filter((f) => f.required)
        .map((f) => f.field)
        .toSorted(),
      name,
    )
    checked++
  }
  assert.ok(checked > 450, String(checked))
})

const reference: { operations: Record<string, string>; definitions: Record<string, Json> } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'reference-1.20.json'), 'utf8'),
)

// Served by 1.20, and gone since: their kinds, or these versions of them, do not exist in 1.36's API facts.
const goneSince120 = [
  '/apis/apiextensions.k8s.io/v1beta1/',
  '/apis/apiregistration.k8s.io/v1beta1/',
  '/apis/autoscaling/v2beta1/',
  '/apis/autoscaling/v2beta2/',
  '/apis/flowcontrol.apiserver.k8s.io/v1beta1/',
  '/apis/policy/v1beta1/podsecuritypolicies',
  '/apis/policy/v1beta1/watch/podsecuritypolicies',
  // Off by default since 1.24: the log files of the machine.
  '/logs/',
]

test('every path of 1.20 that still exists has the same operations', () => {
  for (const [path, line] of Object.entries(reference.operations)) {
    const item = v2.paths[path]
    if (goneSince120.some((prefix) => path.startsWith(prefix))) {
      assert.equal(item, undefined, path)
      continue
    }
    assert.ok(item, path)
    for (const [method, id] of line.split(' ').map((part) => part.split(':') as [string, string])) assert.equal(item[method]?.operationId, id, path)
  }
})

test('fields of 1.20 that still exist merge as they did', () => {
  // What changed between the releases: corrected markers, and fields that are gone.
  const changed = new Set([
    'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement.key',
    'io.k8s.api.core.v1.EphemeralVolumeSource.readOnly',
    'io.k8s.api.core.v1.ServiceSpec.topologyKeys',
    'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta.clusterName',
  ])
  for (const [name, { fields, extensions = {} }] of Object.entries(reference.definitions)) {
    const definition = v2.definitions[name]
    if (!definition) continue
    for (const field of fields) {
      if (changed.has(`${name}.${field}`)) continue
      const property = definition.properties?.[field]
      assert.ok(property, `${name}.${field}`)
      for (const [key, value] of Object.entries<Json>(extensions[field] ?? {})) {
        // Bytes are a list in Go alone.
        if (key === 'unions' || (key === 'list-type' && property.format === 'byte')) continue
        assert.deepEqual(property[`x-kubernetes-${key}`], value, `${name}.${field} ${key}`)
      }
    }
  }
})
