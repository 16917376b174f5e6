import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '#api'
import { schemaOf } from '#api'
import { trackUpdate } from '../patch/index.ts'
import { CacheEntry } from './cache-entry.ts'
import { decodeStored, encodeStored, frameBytes, joinItems, listBytes, spliceRevision } from './wire.ts'

const object = () => ({ metadata: { name: 'ä', resourceVersion: '5', labels: { metadata: '{' } }, kind: 'Thing', apiVersion: 'v1', spec: { a: 1 } })

test('the stored form leads with kind, apiVersion and metadata, without the revision', () => {
  const given = object()
  assert.equal(encodeStored(given).toString(), '{"kind":"Thing","apiVersion":"v1","metadata":{"name":"ä","labels":{"metadata":"{"}},"spec":{"a":1}}')
  assert.equal(given.metadata.resourceVersion, '5')
})

test('who manages which fields stands last, in the text that objects of one make share', () => {
  const schema = schemaOf('v1', 'ConfigMap')
  const create = (name: string): KubeObject => {
    const updated = {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name, labels: { a: 'b' }, resourceVersion: '5' },
      data: { k: name },
    } as KubeObject
    const managedFields = trackUpdate({ old: undefined, updated, schema, manager: 'm', now: '2026-01-01T00:00:00Z' })!
    // others have more than one, and some come from clients
    const applied = { manager: 'x', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:data': { 'f:"': {} } } } as const
    updated.metadata = { name, managedFields: [...managedFields, applied], labels: { a: 'b' }, resourceVersion: '5' }
    return updated
  }
  for (const name of ['x', 'y']) {
    const given = create(name)
    const { resourceVersion: _, managedFields, ...metadata } = given.metadata
    assert.equal(encodeStored(given).toString(), JSON.stringify({ ...given, metadata: { ...metadata, managedFields } }))
    assert.deepEqual(given, create(name))
  }
  const alone = { kind: 'Thing', apiVersion: 'v1', metadata: { managedFields: create('x').metadata.managedFields } } as KubeObject
  assert.deepEqual(JSON.parse(encodeStored(alone).toString()), alone)
})

test('the revision is spliced into the wire form', () => {
  const wire = spliceRevision(encodeStored(object()), 42)
  assert.equal(
    wire.toString(),
    '{"kind":"Thing","apiVersion":"v1","metadata":{"resourceVersion":"42","name":"ä","labels":{"metadata":"{"}},"spec":{"a":1}}',
  )
  assert.deepEqual(JSON.parse(wire.toString()), decodeStored(encodeStored(object()), 42))
})

test('an entry shows the same content with another revision', () => {
  const entry = new CacheEntry('k', 'ns', 'ä', 42, encodeStored(object()))
  const same = (other: KubeObject) => entry.sameAs(encodeStored(other), other)
  assert.ok(same(object()))
  const wire = entry.bytes
  assert.ok(same(object()))
  assert.ok(!same({ ...object(), spec: { a: 2 } } as KubeObject))
  const { kind, apiVersion, metadata, ...rest } = object()
  const { name, ...labels } = metadata
  assert.ok(same({ ...rest, metadata: { ...labels, name }, apiVersion, kind }), 'the order of fields is no content')
  const gone = entry.at(43)
  assert.equal(gone.object.metadata.resourceVersion, '43')
  assert.equal(gone.bytes.toString(), wire.toString().replace('"42"', '"43"'))
  assert.equal(entry.object.metadata.resourceVersion, '42')
})

test('lists and frames are joined from bytes', () => {
  const parts = ['{"a":1}', '{"b":2}'].map((text) => ({ bytes: Buffer.from(text) }))
  const list = Buffer.concat(listBytes({ kind: 'ThingList', apiVersion: 'v1', metadata: { resourceVersion: '9' } }, joinItems(parts)))
  assert.equal(list.toString(), '{"kind":"ThingList","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":[{"a":1},{"b":2}]}')
  assert.equal(joinItems([]).toString(), ']}')
  const typed = [
    '{"kind":"A","apiVersion":"v1","metadata":{}}',
    '{"kind":"A","apiVersion":"v1","metadata":{"x":1}}',
    '{"kind":"Bc","apiVersion":"g/v1","metadata":{}}',
  ]
  assert.equal(joinItems(typed.map((text) => ({ bytes: Buffer.from(text) }))).toString(), '{"metadata":{}},{"metadata":{"x":1}},{"metadata":{}}]}')
  assert.equal(frameBytes('ADDED', Buffer.from('{}')).toString(), '{"type":"ADDED","object":{}}\n')
})
