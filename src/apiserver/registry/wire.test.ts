import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '#api'
import { CacheEntry } from './cache-entry.ts'
import { decodeStored, encodeStored, frameBytes, joinItems, listBytes, spliceRevision } from './wire.ts'

const object = () => ({ metadata: { name: 'ä', resourceVersion: '5', labels: { metadata: '{' } }, kind: 'Thing', apiVersion: 'v1', spec: { a: 1 } })

test('the stored form leads with kind, apiVersion and metadata, without the revision', () => {
  const given = object()
  assert.equal(encodeStored(given).toString(), '{"kind":"Thing","apiVersion":"v1","metadata":{"name":"ä","labels":{"metadata":"{"}},"spec":{"a":1}}')
  assert.equal(given.metadata.resourceVersion, '5')
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
  assert.ok(entry.sameAs(encodeStored(object())))
  const wire = entry.bytes
  assert.ok(entry.sameAs(encodeStored(object())))
  assert.ok(!entry.sameAs(encodeStored({ ...object(), spec: { a: 2 } } as KubeObject)))
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
