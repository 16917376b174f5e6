import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apiVersionOf, kinds } from '../kinds.ts'
import type { ListSchema, ObjectSchema, Schema } from './schema.ts'
import { schemaOf } from './schema.ts'

function at(schema: Schema | undefined, ...path: string[]): Schema {
  for (const step of path) {
    if (schema?.type === 'object') schema = schema.fields.get(step)?.schema
    else if (schema?.type === 'list') schema = schema.items
    else if (schema?.type === 'map') schema = schema.values
  }
  assert.ok(schema, path.join('.'))
  return schema
}
const pod = schemaOf('v1', 'Pod')!

test('every kind of the table has a schema', () => {
  for (const kind of kinds) assert.ok(schemaOf(apiVersionOf(kind), kind.kind), `${kind.group} ${kind.kind}`)
})

test('a root kind starts with kind and apiVersion, its fields come in upstream order', () => {
  assert.deepEqual([...pod.fields.keys()], ['kind', 'apiVersion', 'metadata', 'spec', 'status'])
  assert.equal(pod.name, 'io.k8s.api.core.v1.Pod')
  assert.deepEqual(pod.root, { group: '', version: 'v1', kind: 'Pod', list: false })
})

test('list types, map keys and patch strategies stand on the list', () => {
  const ports = at(pod, 'spec', 'containers', '*', 'ports') as ListSchema
  assert.deepEqual(
    { ...ports, items: undefined },
    {
      type: 'list',
      items: undefined,
      listType: 'map',
      listMapKeys: ['containerPort', 'protocol'],
      patchStrategy: ['merge'],
      patchMergeKey: 'containerPort',
    },
  )
  assert.deepEqual((at(pod, 'spec', 'volumes') as ListSchema).patchStrategy, ['merge', 'retainKeys'])
})

test('fields of inlined types stand in their parent and know the message that holds them', () => {
  const volume = at(pod, 'spec', 'volumes', '*') as ObjectSchema
  assert.equal(volume.fields.get('volumeSource'), undefined)
  assert.deepEqual(volume.fields.get('configMap')?.within, [2])
  assert.deepEqual((at(pod, 'spec', 'containers', '*', 'livenessProbe') as ObjectSchema).fields.get('httpGet')?.within, [1])
})

test('scalars have their Kubernetes meaning', () => {
  const types: [string[], Schema['type']][] = [
    [['metadata', 'creationTimestamp'], 'time'],
    [['spec', 'containers', '*', 'resources', 'limits', '*'], 'quantity'],
    [['spec', 'containers', '*', 'livenessProbe', 'httpGet', 'port'], 'intOrString'],
    [['spec', 'priority'], 'integer'],
    [['spec', 'nodeName'], 'string'],
    [['metadata', 'managedFields', '*', 'fieldsV1'], 'any'],
  ]
  for (const [path, type] of types) assert.equal(at(pod, ...path).type, type, path.join('.'))
  assert.equal(at(schemaOf('v1', 'Secret'), 'data', '*').type, 'bytes')
  assert.equal(at(schemaOf('coordination.k8s.io/v1', 'Lease'), 'spec', 'renewTime').type, 'microTime')
  assert.equal(at(schemaOf('authorization.k8s.io/v1', 'SubjectAccessReview'), 'spec', 'extra', '*').type, 'list')
})

test('a type that contains itself is one schema', () => {
  const props = at(schemaOf('apiextensions.k8s.io/v1', 'CustomResourceDefinition'), 'spec', 'versions', '*', 'schema', 'openAPIV3Schema')
  assert.equal(at(props, 'properties', '*'), props)
  const items = at(props, 'items')
  assert.ok(items.type === 'any' && items.of === props)
})

test('list kinds and options kinds have schemas, unknown kinds none', () => {
  assert.equal(schemaOf('v1', 'PodList')?.root?.list, true)
  assert.ok(schemaOf('apps/v1', 'DeleteOptions'))
  assert.ok(schemaOf('v1', 'Status'))
  assert.ok(schemaOf('metrics.k8s.io/v1beta1', 'PodMetrics'))
  assert.equal(schemaOf('example.com/v1', 'Widget'), undefined)
  assert.equal(schemaOf('v1', 'PodSpec'), undefined)
})
